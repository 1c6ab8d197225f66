// @ts-check
// SPDX-License-Identifier: Apache-2.0
// The lease for rounds with the server: at most one context of a device talks to the server at a time.
//
// The lease only saves traffic; correctness comes from the log (storage.js). So it may be refused,
// lost or stolen at any time. A browser can freeze a tab that holds a Web Lock for hours, so a
// holder beats from a timer, and whoever hears no beat takes the lock away.

const BEAT_MILLISECONDS = 2_000;
const SILENCE_MILLISECONDS = 5_000;
const HOLD_MILLISECONDS = 15_000;

/** @typedef {ReturnType<typeof createLease>} Lease */

/** @param {string} name of the lock @param {BroadcastChannel} channel carries the beats
 * @param {() => void} onFree called when a round could be had that was refused before */
export function createLease(name, channel, onFree) {
  /** @type {null | {release:() => void, abort:AbortController, until:number, beat:ReturnType<typeof setInterval>}} */
  let held = null;
  /** Settles when the browser has taken the last lock back.
   * @type {Promise<unknown>} */
  let ended = Promise.resolve();
  let refusedAt = 0;
  let heardAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let wait;

  /** Drops the lease here; the lock follows when the browser hears of it.
   * @param {boolean} isLost */
  function drop(isLost) {
    if (!held) return;
    clearInterval(held.beat);
    held.release();
    if (isLost) held.abort.abort();
    held = null;
    channel.postMessage({ lease: 'free' });
  }

  /** @param {boolean} steal @returns {Promise<boolean>} */
  function request(steal) {
    return new Promise((granted) => {
      /** @type {typeof held} */
      let mine = null;
      ended = navigator.locks.request(name, steal ? { steal } : { ifAvailable: true }, (lock) => {
        if (!lock) return granted(false);
        return new Promise((release) => {
          const beat = setInterval(() => channel.postMessage({ lease: 'held' }), BEAT_MILLISECONDS);
          held = mine = { release: () => release(undefined), abort: new AbortController(), until: Date.now() + HOLD_MILLISECONDS, beat };
          channel.postMessage({ lease: 'held' });
          granted(true);
        });
      }).catch(() => { if (mine && held === mine) drop(true); granted(false); }); // stolen
    });
  }

  const lease = {
    /** Takes or keeps the lease; null when another context has it and is alive.
     * @returns {Promise<AbortSignal | null>} aborted when the lease is lost */
    async take() {
      if (!navigator.locks) return new AbortController().signal;
      // A long run of rounds gives way now and then, so that a visible tab can take over.
      if (held && Date.now() > held.until) drop(false);
      if (held) return held.abort.signal;
      await ended;
      const isSilent = refusedAt > 0 && Date.now() - Math.max(refusedAt, heardAt) > SILENCE_MILLISECONDS;
      if (await request(false) || (isSilent && await request(true))) {
        refusedAt = 0;
        return held && /** @type {any} */ (held).abort.signal;
      }
      refusedAt ||= Date.now();
      clearTimeout(wait);
      wait = setTimeout(onFree, SILENCE_MILLISECONDS + 500);
      return null;
    },
    /** Gives the lease back after a round. */
    release: () => drop(false),
    /** Gives it back in the middle of a round: this context is about to be frozen. */
    abandon: () => drop(true),
    /** A message of another context.
     * @param {any} message */
    hear(message) {
      if (message?.lease === 'held') heardAt = Date.now();
      if (message?.lease === 'free' && refusedAt) { refusedAt = 0; clearTimeout(wait); onFree(); }
    },
    close() { clearTimeout(wait); drop(true); },
  };
  return lease;
}
