// @ts-check
// SPDX-License-Identifier: Apache-2.0
// One engine at work: feeds it events one after the other, and builds it anew from storage when it
// traps or when other contexts have compacted past it.

import { AloftError, EngineTrap, Op, startEngine } from './engine.js';
import { createEffects } from './effects.js';
import { createHandles, newID } from './handles.js';
import { createListeners } from './listeners.js';
import { createLiveQueries } from './live-queries.js';
import { loadStored } from './loading.js';

/** Above this size one call is cut into several; into small ones, so that the browser gets to use its optimised code soon. */
const MUTATIONS_PER_CALL = 20_000;
const MUTATIONS_PER_PART = 5_000;
const JSON_LENGTH_MAX = 16 * 1024 * 1024;
const REBUILD_MILLISECONDS_MAX = 60_000;

/** @typedef {import('./storage.js').Stored} Stored */
/** @typedef {ReturnType<typeof createHost>} Host */

/** @param {{module:WebAssembly.Module, app:any, text:import('./text-module.js').TextModule|null, user:string, syncURL:string|null,
 *    storage:import('./storage.js').Storage, tabs:import('./tabs.js').Tabs,
 *    onSaved:(head:number, isOwn:boolean) => void}} parts */
export function createHost({ module, app, text, user, syncURL, storage, tabs, onSaved }) {
  /** @type {import('./engine.js').Engine | null} */
  let engine = null;
  let isRebuilding = true;
  let rebuilds = 0;
  /** @type {Promise<void>} */
  let rebuilding = Promise.resolve();
  let isClosed = false;
  /** @type {any} */
  let engineStatus = { state: 'starting', queued: 0, parked: 0, conflicts: 0, lastSynced: null, user };
  /** @type {{restoring?:boolean, trouble?:'quota'|'storage', engine?:boolean}} */
  const details = {};
  const handles = createHandles();
  const live = createLiveQueries();
  const listeners = createListeners(live, () => host.status, () => (engine && !engine.isTrapped ? host.read(Op.pending) : null));
  const effects = createEffects({
    storage, tabs, handles, syncURL, notify, reopen,
    feed: (op, input) => { try { feed(op, input); } catch (error) { refuseEvent(op, error); } },
    onSaved: (head) => onSaved(head, true),
    onTrouble: (trouble) => { if (details.trouble !== trouble) { details.trouble = trouble; listeners.statusChanged(); } },
  });

  /** One event into the engine, its effects out.
   * @param {number} op @param {Uint8Array|string|null} [input] @param {(result:any) => void} [onResult] */
  function feed(op, input, onResult) {
    if (isClosed || isRebuilding || !engine) return;
    effects.run(ask((running) => running.frames(op, input)), onResult);
  }

  /** @template T @param {(engine:import('./engine.js').Engine) => T} question @returns {T} */
  function ask(question) {
    if (!engine || isClosed) throw new AloftError({ code: 'closed', message: 'the database is closed' });
    effects.tellSaved();
    try {
      return question(engine);
    } catch (error) {
      if (error instanceof EngineTrap) reopen();
      throw error;
    }
  }

  /** An event of ours that the engine refuses must not leave it waiting.
   * @param {number} op @param {unknown} error */
  function refuseEvent(op, error) {
    if (error instanceof EngineTrap) return; // already being rebuilt
    globalThis.reportError?.(error);
    if (op === Op.response) effects.run(ask((running) => running.frames(Op.transportFailed, '{"kind":"unreachable"}')));
  }

  /** Builds a new engine from storage and carries over what the old one had not saved. */
  function reopen() {
    if (isRebuilding || isClosed) return;
    isRebuilding = true;
    rebuilding = effects.restart(async () => {
      try {
        await effects.settleDoubt();
        await build(await storage.read());
        rebuilds = 0;
        details.engine = false;
      } catch (error) {
        isRebuilding = true;
        details.engine = true;
        listeners.statusChanged();
        globalThis.reportError?.(error);
        setTimeout(() => { isRebuilding = false; reopen(); }, Math.min(REBUILD_MILLISECONDS_MAX, 1_000 * 4 ** rebuilds++));
      }
    });
  }

  /** @param {Stored} stored */
  const build = async (stored) => take(await loadStored(startEngine(module, app, text), storage, stored));

  /** Puts an engine to work.
   * @param {import('./loading.js').Loaded} loaded */
  function take({ engine: fresh, head }) {
    const frames = fresh.frames(Op.opened, JSON.stringify({ user }));
    live.takeOver((query) => fresh.json(Op.subscribe, query));
    engine = fresh;
    effects.head = head;
    isRebuilding = false;
    effects.run(frames);
    reissue(handles.takeOver());
    listeners.pendingChanged();
    listeners.statusChanged();
  }

  /** Gives changes that the old engine had not saved to the new one, under the same ids.
   * @param {import('./handles.js').Change[]} changes */
  function reissue(changes) {
    for (const change of changes) {
      if (change.handle.id) change.mutation.args = { ...change.mutation.args, id: change.handle.id };
      try { issue([change]); } catch { /* its handle says so */ }
    }
  }

  /** @param {import('./handles.js').Change[]} changes */
  function issue(changes) {
    if (changes.length > MUTATIONS_PER_CALL) return issueInParts(changes, MUTATIONS_PER_PART);
    const text = JSON.stringify({ mutations: changes.map((change) => change.mutation) });
    if (text.length > JSON_LENGTH_MAX && changes.length > 1) return issueInParts(changes, Math.ceil(changes.length / 2));
    try {
      feed(Op.mutate, text, ({ token, ids }) => ids.forEach((/** @type {string} */ id, /** @type {number} */ i) => {
        if (id) changes[i].handle.id = id;
        handles.accept(changes[i], token + i);
      }));
    } catch (error) {
      if (error instanceof EngineTrap) return survive(changes);
      for (const change of changes) handles.refuse(change, /** @type {Error} */ (error));
      throw error;
    }
  }

  /** @param {import('./handles.js').Change[]} changes @param {number} size */
  function issueInParts(changes, size) {
    for (let i = 0; i < changes.length; i += size) {
      try {
        issue(changes.slice(i, i + size));
      } catch (error) {
        for (const change of changes.slice(i + size)) handles.refuse(change, /** @type {Error} */ (error));
        throw error;
      }
    }
  }

  /** The rebuilt engine gets these again, one by one; the one that stops it twice is given up.
   * @param {import('./handles.js').Change[]} changes */
  function survive(changes) {
    nameCreates(changes);
    for (const change of changes) {
      if (++change.traps > 1) handles.refuse(change, new AloftError({ code: 'engine', message: 'the engine cannot do this' }));
    }
  }

  /** Creates that wait for a new engine need their ids now.
   * @param {import('./handles.js').Change[]} changes */
  function nameCreates(changes) {
    for (const { handle, mutation } of changes) if (mutation.action === 'create') handle.id ||= newID();
  }

  /** @param {any} value */
  function notify(value) {
    if (value.status) { engineStatus = value.status; listeners.statusChanged(); }
    if (value.saved) handles.saved(value.saved);
    if (value.outcomes) handles.judged(value.outcomes);
    if (value.queries) live.apply(value.queries);
    if (value.pending) listeners.pendingChanged();
    listeners.plan();
  }

  const host = {
    effects, handles, details, changeStatus: listeners.statusChanged,
    /** Takes the first engine, or builds it; a handle that dies while reading is tried once more.
     * @param {Stored} stored @param {import('./loading.js').Loaded | null} loaded */
    async start(stored, loaded) {
      if (loaded) return take(loaded);
      await build(stored).catch(async (error) => {
        if (!(error instanceof DOMException)) throw error;
        await build(await storage.read());
      });
    },
    get status() {
      const detail = details.engine ? 'engine' : details.trouble ?? (details.restoring ? 'restoring' : undefined);
      const state = details.engine || details.trouble && effects.isSaving ? 'notSaved' : engineStatus.state;
      return { ...engineStatus, user, state, ...(detail && { detail }) };
    },
    /** @param {number} op @param {any} [question] */
    read(op, question) {
      const answer = ask((running) => running.json(op, question));
      return op === Op.pending && text ? text.tellWords(answer) : answer;
    },
    /** A text's saved document as this device shows it.
     * @param {any} question @returns {Uint8Array} */
    text: (question) => ask((running) => running.call(Op.text, JSON.stringify(question)).slice()),
    /** @param {import('./handles.js').Mutation[]} mutations */
    mutate(mutations) {
      if (isClosed) throw new AloftError({ code: 'closed', message: 'the database is closed' });
      const changes = mutations.map((mutation) => handles.add(mutation, mutation.args?.id ?? ''));
      if (isRebuilding) nameCreates(changes);
      else if (changes.length === 1) effects.expectPersist(() => issue(changes));
      else issue(changes); // the engine takes its time: other contexts must not wait for an open transaction
      return changes.map((change) => change.handle);
    },
    /** The same, but a trap in between is survived.
     * @param {number} op @param {any} [question] */
    async ask(op, question) {
      try {
        return host.read(op, question);
      } catch (error) {
        if (!(error instanceof EngineTrap)) throw error;
        await rebuilding;
        return host.read(op, question);
      }
    },
    /** @param {any} question of the tray */
    tray: (question) => feed(Op.tray, JSON.stringify(question)),
    /** @param {any} query @param {(result:any) => void} fn */
    subscribe(query, fn) {
      const entry = live.add(query, fn, (question) => host.read(Op.subscribe, question));
      listeners.plan();
      return () => {
        live.delete(entry);
        if (engine && !isClosed && !isRebuilding) host.read(Op.unsubscribe, { id: entry.id });
      };
    },
    onStatus: listeners.onStatus,
    onPending: listeners.onPending,
    /** Saves what is under way and stops. */
    async close() {
      tabs.lease.abandon();
      await effects.idle();
      isClosed = true;
      effects.close();
      listeners.stop();
      engine = null;
    },
  };
  return host;
}
