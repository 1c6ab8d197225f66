// @ts-check
// SPDX-License-Identifier: Apache-2.0
// Tells the app's functions what changed, once per turn and after the engine's answer is dealt with,
// so that they may call back at once.

/** @typedef {ReturnType<typeof createListeners>} Listeners */

/** @param {import('./live-queries.js').LiveQueries} live
 * @param {() => any} readStatus @param {() => any[] | null} readPending null: not now */
export function createListeners(live, readStatus, readPending) {
  /** @type {Set<(status:any) => void>} */
  const statusFunctions = new Set();
  /** @type {Set<(pending:any[]) => void>} */
  const pendingFunctions = new Set();
  let isPlanned = false;
  let isStatusDirty = false;
  let isPendingDirty = false;
  let isStopped = false;

  /** A faulty function of the app must not stop the others.
   * @param {() => void} fn */
  function calling(fn) {
    try { fn(); } catch (error) { if (globalThis.reportError) globalThis.reportError(error); else console.error(error); }
  }

  function flush() {
    isPlanned = false;
    if (isStopped) return;
    live.flush(calling);
    if (isStatusDirty) {
      isStatusDirty = false;
      const status = readStatus();
      for (const fn of [...statusFunctions]) calling(() => fn(status));
    }
    const list = isPendingDirty && pendingFunctions.size ? readPending() : null;
    if (list) {
      isPendingDirty = false;
      for (const fn of [...pendingFunctions]) calling(() => fn(list));
    }
  }

  const listeners = {
    plan() {
      if (isPlanned) return;
      isPlanned = true;
      queueMicrotask(flush);
    },
    statusChanged() { isStatusDirty = true; listeners.plan(); },
    pendingChanged() { isPendingDirty = true; listeners.plan(); },
    /** @param {(status:any) => void} fn */
    onStatus(fn) {
      statusFunctions.add(fn);
      queueMicrotask(() => { if (statusFunctions.has(fn)) calling(() => fn(readStatus())); });
      return () => { statusFunctions.delete(fn); };
    },
    /** @param {(pending:any[]) => void} fn */
    onPending(fn) {
      pendingFunctions.add(fn);
      listeners.pendingChanged();
      return () => { pendingFunctions.delete(fn); };
    },
    stop() { isStopped = true; },
  };
  return listeners;
}
