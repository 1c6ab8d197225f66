// @ts-check
// SPDX-License-Identifier: Apache-2.0
// A text that an app has open: edits go into its own document at once and to the engine as one mutation for each pause of typing;
// what others write comes back through the engine's document, as changes in places.
//
//   typing ──► session ──(pause)──► db.update({$edit}) ──► engine ──► disk, server
//                 ▲                                          │
//                 └──────────── absorb ◄── live query ◄──────┘

import { applied, difference, moved, movedCursor, wholePairs } from './text-changes.js';
import { base64url, Lacks, openSession, SessionLost, textOf } from './text-session.js';

const PAUSE_MILLISECONDS = 300;
const PAUSE_MILLISECONDS_MAX = 1_000;
/** After such a pause what is typed is undone on its own. */
const GROUP_MILLISECONDS = 700;
/** How long after the server has the words the cursor is told again: by then others have the words too. */
const SETTLE_MILLISECONDS = 500;

/** @typedef {import('./text-changes.js').Change} Change */
/** @typedef {{value:string, changes:Change[], isLocal:boolean, by?:any}} TextEvent */
/** @typedef {{session:string, user:string, name:string, cursor:number, anchor:number}} Other */
/** Somebody's last word, and where their cursor has moved to since. @typedef {{told:Other, cursor:number, anchor:number}} Moving */
/** Where a text lives.
 * @typedef {{module:import('./text-module.js').TextModule,
 *    read:() => Uint8Array, send:($edit:string) => import('./aloft.d.ts').Handle, follow:(fn:(text:string|null, isForced?:boolean) => void) => () => void,
 *    presence?:{follow:(fn:(others:Other[]) => void) => () => void, tell:(cursor:number|null, anchor:number) => void}}} Source */
/** What tests replace.
 * @typedef {{later?:(fn:() => void, milliseconds:number) => any, forget?:(timer:any) => void, page?:EventTarget & {visibilityState:string},
 *    window?:EventTarget}} World */
/** @typedef {ReturnType<typeof createText>} Text */

/** @param {Source} source @param {World} [world] */
export function createText(source, world = {}) {
  const { later = (fn, milliseconds) => setTimeout(fn, milliseconds), forget = clearTimeout, page = document, window = globalThis } = world;
  let session = openSession(source.module, readOrNothing());
  let value = session.value;
  /** The engine's text when it and the session last agreed: the value without what was not sent. */
  let settled = value;
  /** @type {Promise<void> | null} */
  let sending = null;
  let isDue = false;
  let unsynced = 0;
  let isRefused = false;
  /** The text before edits were found missing that had been sent; whoever knows the reason comes at once. @type {string | null} */
  let lost = null;
  let isClosed = false;
  let holds = 0;
  /** @type {any} */ let pause;
  /** @type {any} */ let limit;
  /** @type {any} */ let grouping;
  /** @type {any} */ let settling;
  /** @type {Moving[]} */ let others = [];
  /** @type {{cursor:number|null, anchor:number}} */ let own = { cursor: null, anchor: 0 };
  let status = 'saved';
  const listeners = { change: new Set(), status: new Set(), refused: new Set(), presence: new Set() };
  /** Bindings, which may hold keys that they have not handed on. @type {Set<() => void>} */
  const readers = new Set();

  /** @param {keyof typeof listeners} kind @param {any} value */
  function tell(kind, value) {
    for (const fn of [...listeners[kind]]) {
      try { fn(value); } catch (error) { globalThis.reportError?.(error); }
    }
  }
  /** @param {keyof typeof listeners} kind @param {(value:any) => void} fn */
  function listen(kind, fn) {
    listeners[kind].add(fn);
    return () => { listeners[kind].delete(fn); };
  }

  function showStatus() {
    const next = isRefused ? 'refused' : sending || pause !== undefined ? 'saving' : 'saved';
    if (next !== status) tell('status', status = next);
  }

  /** The engine's document; while the engine is being rebuilt there is none, and the live query asks again afterwards. */
  function readOrNothing() {
    try { return source.read(); } catch (error) {
      if (/** @type {any} */ (error)?.name === 'AloftError') throw error;
      return new Uint8Array();
    }
  }

  /** @param {Change[]} changes @param {boolean} isLocal @param {any} [by] */
  function changed(changes, isLocal, by) {
    for (const change of changes) {
      value = applied(value, change);
      others = others.map((other) => ({ ...other, cursor: movedCursor(other.cursor, change), anchor: movedCursor(other.anchor, change) }));
    }
    if (changes.length) tell('change', { value, changes, isLocal, by });
    if (changes.length && others.length) tell('presence', text.presence);
  }

  /** @param {Change} change @param {any} [by] */
  function edit(change, by) {
    if (isClosed) throw new Error('the text is closed');
    const { at, deleted } = change;
    if (!Number.isInteger(at) || !Number.isInteger(deleted) || at < 0 || deleted < 0 || at + deleted > value.length) {
      throw new RangeError(`no ${deleted} characters at ${at} in a text of ${value.length}`);
    }
    const whole = wholePairs(value, { at, deleted, inserted: String(change.inserted) });
    if (!whole.deleted && !whole.inserted) return;
    surviving(() => session.edit(whole));
    changed([whole], true, by);
    plan();
  }

  /** Work on the session; when the module lost it, once more on a new one.
   * @template T @param {() => T} work @returns {T} */
  function surviving(work) {
    try { return work(); } catch (error) {
      if (!(error instanceof SessionLost)) throw error;
      restart(null);
      return work();
    }
  }

  /** Takes own edits back, or makes them again; answers where that ends, null when there is nothing to do.
   * @param {'undo'|'redo'} step @param {any} [by] */
  function go(step, by) {
    if (isClosed) return null;
    const changes = surviving(() => session.step(step));
    if (!changes.length) return null;
    changed(changes, true, by);
    plan();
    const { at, inserted } = changes[changes.length - 1];
    return at + inserted.length;
  }

  // ---- to the engine

  function plan() {
    forget(pause);
    forget(grouping);
    pause = later(due, PAUSE_MILLISECONDS);
    grouping = later(endGroup, GROUP_MILLISECONDS);
    limit ??= later(due, PAUSE_MILLISECONDS_MAX);
    showStatus();
  }
  function endGroup() { if (!isClosed) surviving(() => session.endGroup()); }
  function due() { commit(false).catch(() => {}); }
  function leave() { flush().catch(() => {}); }

  /** Hands on what was typed, also what a binding still holds; resolves when it is on the disk. Who leaves does not wait for the
   * mutation before.
   * @returns {Promise<void>} */
  function flush() {
    for (const read of [...readers]) read();
    return commit(true);
  }

  /** @param {boolean} isUrgent */
  async function commit(isUrgent) {
    forget(pause);
    forget(limit);
    pause = limit = undefined;
    isDue = sending !== null && !isUrgent;
    if (!isDue) {
      try { send(); } catch (error) { refuse(error); throw error; } finally { showStatus(); }
    }
    // Mutations reach the disk in order: the last one stands for all.
    await sending;
  }

  function send() {
    const message = surviving(() => session.unsent());
    if (!message.length) return;
    const handle = source.send(base64url(message));
    session.sent();
    settled = value;
    unsynced++;
    let isTold = false;
    const fail = (/** @type {any} */ reason) => { if (!isTold) { isTold = true; refuse(reason); } };
    const mine = sending = handle.saved.finally(() => {
      if (sending !== mine) return;
      sending = null;
      if (isDue) due();
      showStatus();
    });
    mine.catch(fail);
    void handle.synced.then((outcome) => {
      unsynced--;
      if (isClosed) return;
      if (outcome.outcome !== 'applied' && outcome.outcome !== 'merged') return fail(outcome);
      isRefused = false;
      showStatus();
      forget(settling);
      if (!unsynced) settling = later(point, SETTLE_MILLISECONDS);
    });
  }

  /** An edit was not accepted: the document goes on from what the engine has, and the app hears what the text was.
   * @param {any} reason */
  function refuse(reason) {
    if (isClosed) return;
    lost ??= value;
    take(true);
    isRefused = true;
    showStatus();
    const before = lost;
    lost = null;
    tell('refused', { text: before, code: reason?.code ?? reason?.outcome ?? 'discarded', message: reason?.message ?? '' });
  }

  // ---- from the engine

  /** @param {boolean} isForced also when the engine's text is as expected */
  function take(isForced = false, text = '') {
    if (isClosed || holds || (!isForced && text === settled)) return;
    let saved;
    try { saved = source.read(); } catch { return; } // asked again when the engine is back
    let found;
    try { found = session.absorb(saved); } catch (error) {
      if (!(error instanceof SessionLost)) throw error;
      return restart(saved);
    }
    if (found.lacks === Lacks.sent) {
      lost ??= value;
      later(() => { if (lost !== null) refuse(null); }, 0);
    }
    if (found.lacks !== Lacks.nothing) return restart(saved);
    settled = textOf(saved);
    changed(found.changes, false);
  }

  /** Opens the engine's document anew, as a new agent, and makes what was not sent again on top of it.
   * @param {Uint8Array | null} saved */
  function restart(saved) {
    const document = saved ?? readOrNothing();
    const unsent = difference(settled, value);
    const before = value;
    session.close();
    session = openSession(source.module, document);
    const base = textOf(document);
    const elsewhere = difference(settled, base);
    const at = moved(unsent.at, elsewhere);
    // What was to be deleted goes only where it still stands.
    const gone = settled.slice(unsent.at, unsent.at + unsent.deleted);
    const again = { at, deleted: base.startsWith(gone, at) ? gone.length : 0, inserted: unsent.inserted };
    settled = base;
    let next = base;
    if (again.deleted || again.inserted) {
      const whole = wholePairs(base, again);
      session.edit(whole);
      next = applied(base, whole);
      plan();
    }
    changed(before === next ? [] : [difference(before, next)], false);
  }

  // ---- where people are

  /** Tells others where this person's cursor is. */
  function point() {
    if (!isClosed) source.presence?.tell(own.cursor, own.anchor);
  }

  const stops = [
    source.follow((text, isForced) => { if (text !== null) take(isForced, text); }),
    source.presence?.follow((found) => {
      // Who told nothing new stays where the changes since have moved them.
      others = found.map((told) => others.find((other) => other.told === told) ?? { told, cursor: told.cursor, anchor: told.anchor });
      tell('presence', text.presence);
    }),
    listenTo(page, 'visibilitychange', () => { if (page.visibilityState === 'hidden') leave(); }),
    listenTo(window, 'pagehide', leave),
  ];

  const text = {
    get value() { return value; },
    get length() { return value.length; },
    get status() { return status; },
    /** @returns {Other[]} */
    get presence() {
      const inside = (/** @type {number} */ place) => Math.min(Math.max(place, 0), value.length);
      return others.map(({ told: { session, user, name }, cursor, anchor }) => ({ session, user, name, cursor: inside(cursor), anchor: inside(anchor) }));
    },
    /** @param {number} at @param {string} inserted */
    insert: (at, inserted) => edit({ at, deleted: 0, inserted }),
    /** @param {number} at @param {number} length */
    delete: (at, length) => edit({ at, deleted: length, inserted: '' }),
    /** @param {string} whole */
    replace: (whole) => edit(difference(value, String(whole))),
    undo: () => go('undo'),
    redo: () => go('redo'),
    get canUndo() { return !isClosed && (surviving(() => session.can) & 1) > 0; },
    get canRedo() { return !isClosed && (surviving(() => session.can) & 2) > 0; },
    /** @param {(event:TextEvent) => void} fn */
    subscribe: (fn) => listen('change', fn),
    /** @param {(status:string) => void} fn */
    onStatus: (fn) => listen('status', fn),
    /** @param {(refusal:{text:string, code:string, message:string}) => void} fn */
    onRefused: (fn) => listen('refused', fn),
    /** @param {(others:Other[]) => void} fn */
    onPresence: (fn) => listen('presence', fn),
    flush,
    /** @param {number | null} cursor @param {number} [anchor] */
    point(cursor, anchor = cursor ?? 0) {
      if (own.cursor === cursor && own.anchor === anchor) return;
      own = { cursor, anchor };
      point();
    },
    async close() {
      if (isClosed) return;
      text.point(null);
      try { await flush(); } finally {
        isClosed = true;
        for (const stop of stops) stop?.();
        forget(settling);
        forget(grouping);
        session.close();
      }
    },
    // ---- for bindings
    edit, go, endGroup,
    /** Others' changes wait until the release: an input method must not lose its place.
     * @returns {() => void} */
    hold() {
      holds++;
      return () => { if (--holds === 0) take(true); };
    },
    /** @param {() => void} read hands on what was typed and not told yet */
    addReader(read) {
      readers.add(read);
      return () => { readers.delete(read); };
    },
  };
  return text;
}

/** @param {EventTarget} target @param {string} type @param {(event:any) => void} fn */
export function listenTo(target, type, fn) {
  target.addEventListener(type, fn);
  return () => target.removeEventListener(type, fn);
}
