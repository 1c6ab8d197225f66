// @ts-check
// SPDX-License-Identifier: Apache-2.0
// Who else has a cursor in a text: tells the server and the other tabs where this person's is, and remembers what they tell.
//
// It is a courtesy: nothing waits for it, nothing depends on it, and what fails is not tried again before there is something new.

const RENEW_MILLISECONDS = 10_000;
const FORGET_MILLISECONDS = 30_000;
const PAUSE_MILLISECONDS = 100;
const REFUSED_MILLISECONDS = 10_000;

/** What travels: a cursor of null means that the person has left.
 * @typedef {{collection:string, id:string, field:string, session:string, user:string, name:string, cursor:number|null, anchor:number}} Presence */
/** What tests replace.
 * @typedef {{post?:(body:string) => Promise<number>, now?:() => number, later?:(fn:() => void, milliseconds:number) => any, forget?:(timer:any) => void}} World */

/** @param {{url:string|null, person:{user:string, name:string}, isReachable:() => boolean, share:(presence:Presence) => void}} parts
 * @param {World} [world] */
export function createPresence({ url, person, isReachable, share }, world = {}) {
  const { now = Date.now, later = (fn, milliseconds) => setTimeout(fn, milliseconds), forget = clearTimeout } = world;
  const { post = (body) => fetch(/** @type {string} */ (url), {
    method: 'POST', body, headers: { 'Content-Type': 'application/json', 'X-Aloft': '1' }, keepalive: true, redirect: 'error',
  }).then((response) => response.status) } = world;
  /** @type {Map<string, Presence & {heard:number}>} */
  const known = new Map();
  /** @type {Set<() => void>} */
  const texts = new Set();
  const mine = new Set();
  let quietUntil = 0;
  /** @type {any} */
  let sweeping;

  /** Forgets who has not been heard of, and looks again when the next one is due. */
  function sweep() {
    forget(sweeping);
    let next = Infinity;
    let isChanged = false;
    for (const [key, { heard }] of known) {
      if (heard + FORGET_MILLISECONDS <= now()) isChanged = known.delete(key);
      else next = Math.min(next, heard + FORGET_MILLISECONDS);
    }
    if (next < Infinity) sweeping = later(sweep, next - now());
    if (isChanged) for (const show of [...texts]) show();
  }

  /** @param {Presence} presence */
  async function send(presence) {
    share(presence);
    if (url === null || !isReachable() || now() < quietUntil) return;
    const status = await post(JSON.stringify(presence)).catch(() => 0);
    if (status !== 204) quietUntil = now() + REFUSED_MILLISECONDS;
  }

  return {
    /** What the server or another tab told. @param {any} presence */
    hear(presence) {
      const { session, user, cursor, anchor } = presence ?? {};
      if (typeof session !== 'string' || mine.has(session)) return;
      const key = `${user} ${session}`;
      if (Number.isSafeInteger(cursor) && Number.isSafeInteger(anchor)) known.set(key, { ...presence, heard: now() });
      else if (!known.delete(key)) return;
      sweep();
      for (const show of [...texts]) show();
    },
    /** The presence of one text.
     * @param {string} collection @param {string} id @param {string} field */
    of(collection, id, field) {
      const session = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('');
      mine.add(session);
      /** @type {Presence} */
      let last = { collection, id, field, session, ...person, cursor: null, anchor: 0 };
      /** @type {any} */ let waiting;
      /** @type {any} */ let renewing;
      let sentAt = -Infinity;
      function go() {
        waiting = undefined;
        forget(renewing);
        sentAt = now();
        if (last.cursor !== null) renewing = later(go, RENEW_MILLISECONDS);
        void send(last);
      }
      return {
        /** @param {number | null} cursor @param {number} anchor */
        tell(cursor, anchor) {
          if (cursor === null && last.cursor === null) return;
          last = { ...last, cursor, anchor };
          // At most ten a second; who leaves says so at once.
          if (cursor === null) { forget(waiting); go(); } else waiting ??= later(go, Math.max(0, sentAt + PAUSE_MILLISECONDS - now()));
        },
        /** Everybody else who is in the text; the same objects as long as they tell nothing new.
         * @param {(others:any[]) => void} fn */
        follow(fn) {
          /** @type {Presence[]} */
          let shown = [];
          const show = () => {
            const next = [...known.values()].filter((one) => one.collection === collection && one.id === id && one.field === field);
            if (next.length === shown.length && next.every((one, i) => one === shown[i])) return;
            fn(shown = next);
          };
          texts.add(show);
          queueMicrotask(() => { if (texts.has(show)) show(); });
          return () => { texts.delete(show); forget(waiting); forget(renewing); };
        },
      };
    },
    close() { forget(sweeping); texts.clear(); },
  };
}
