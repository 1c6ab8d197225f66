// @ts-check
// SPDX-License-Identifier: Apache-2.0
// The live channel: one server-sent-event stream per device, only while somebody looks at the page.
//
// A hint says "there is news"; it carries no data and proves nothing. The lock is held only while
// visible, so a frozen tab never keeps it, and six tabs do not use up the browser's connections.

const RETRY_MILLISECONDS = 1_000;
const RETRY_MILLISECONDS_MAX = 300_000;

/** Follows hints until stopped.
 * @param {string} url @param {string} lockName @param {(hint:any) => void} onHint
 * @param {() => boolean} isWanted false while there is no use in trying (signed out, no network) */
export function followLive(url, lockName, onHint, isWanted) {
  /** @type {AbortController | null} */
  let turn = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let failures = 0;
  let isStopped = false;

  /** Waits for the lock, then for the end of the stream. */
  async function run() {
    if (turn || isStopped || document.visibilityState !== 'visible' || !isWanted()) return;
    const mine = turn = new AbortController();
    const following = () => stream(mine.signal);
    // Plain http on a local network has no locks; then every visible tab follows for itself.
    await (navigator.locks ? navigator.locks.request(lockName, { signal: mine.signal }, following) : following()).catch(() => {});
    if (turn === mine) turn = null;
    if (mine.signal.aborted) return;
    // The browser's own reconnection is a fixed poll; ours backs off with full jitter.
    const limit = Math.min(RETRY_MILLISECONDS_MAX, RETRY_MILLISECONDS * 2 ** failures++);
    clearTimeout(timer);
    timer = setTimeout(run, RETRY_MILLISECONDS + Math.random() * limit);
  }

  /** @param {AbortSignal} signal @returns {Promise<void>} resolves when the stream has ended */
  function stream(signal) {
    return new Promise((resolve) => {
      const source = new EventSource(url);
      const end = () => { source.close(); resolve(); };
      signal.addEventListener('abort', end);
      source.onopen = () => { failures = 0; };
      source.onerror = end;
      source.addEventListener('hint', (event) => {
        try {
          onHint(JSON.parse(/** @type {MessageEvent} */ (event).data));
        } catch { /* not a hint of ours */ }
      });
    });
  }

  const live = {
    /** Tries (again) now: the page became visible, the network came back, or somebody signed in. */
    start() { clearTimeout(timer); failures = 0; void run(); },
    /** Lets go of the stream and the lock. */
    pause() { clearTimeout(timer); turn?.abort(); turn = null; },
    stop() { isStopped = true; live.pause(); },
  };
  return live;
}
