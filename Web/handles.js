// @ts-check
// SPDX-License-Identifier: Apache-2.0
// The changes this context has made, from the call until the server's verdict.
//
// A change that is not on disk yet exists nowhere else: if the engine must be rebuilt, it is issued
// again from here, under the same record id.

/** @typedef {{action:string, args:Record<string, any>}} Mutation */
/** @typedef {{mutation:Mutation, handle:Handle, token:number, n:number, isStored:boolean, traps:number}} Change */

/** A promise and the ways to settle it; nobody is obliged to look at it.
 * @template T */
function createPromise() {
  /** @type {(value:T) => void} */ let resolve = () => {};
  /** @type {(error:any) => void} */ let reject = () => {};
  /** @type {Promise<T>} */
  const promise = new Promise((resolving, rejecting) => { resolve = resolving; reject = rejecting; });
  promise.catch(() => {});
  return { promise, resolve, reject };
}

/** What an app holds of one change. Its promises are made when somebody asks: bulk writes make very many handles. */
class Handle {
  /** @type {boolean | Error} */ #saved = false;
  /** @type {any} */ #verdict = null;
  /** @type {ReturnType<typeof createPromise<void>> | null} */ #savedPromise = null;
  /** @type {ReturnType<typeof createPromise<any>> | null} */ #syncedPromise = null;

  /** @param {string} id */
  constructor(id) { this.id = id; }

  get saved() {
    if (!this.#savedPromise) { this.#savedPromise = createPromise(); this.#tellSaved(); }
    return this.#savedPromise.promise;
  }
  get synced() {
    if (!this.#syncedPromise) { this.#syncedPromise = createPromise(); this.#tellSynced(); }
    return this.#syncedPromise.promise;
  }
  /** For the host: on the disk, or never to be.
   * @param {true | Error} saved */
  settleSaved(saved) { this.#saved ||= saved; this.#tellSaved(); }
  /** For the host: the server has judged.
   * @param {{token?:number, n:number}} verdict */
  settleSynced(verdict) { this.#verdict ??= verdict; this.#tellSynced(); }

  #tellSaved() {
    if (this.#saved === true) this.#savedPromise?.resolve();
    else if (this.#saved) this.#savedPromise?.reject(this.#saved);
  }
  #tellSynced() {
    if (!this.#verdict || !this.#syncedPromise) return;
    const { token, ...outcome } = this.#verdict;
    this.#syncedPromise.resolve(outcome);
  }
}

/** @typedef {ReturnType<typeof createHandles>} Handles */

export function createHandles() {
  /** Not yet on disk, in order.
   * @type {Set<Change>} */
  const unsaved = new Set();
  /** Not yet judged, by the engine's token.
   * @type {Map<number, Change>} */
  const byToken = new Map();
  /** The same of former engines, whose tokens mean nothing any more, by number.
   * @type {Map<number, Change>} */
  const byNumber = new Map();

  return {
    /** A change in the order of its making; the engine has not seen it yet.
     * @param {Mutation} mutation @param {string} id */
    add(mutation, id) {
      const change = { mutation, handle: new Handle(id), token: 0, n: 0, isStored: false, traps: 0 };
      unsaved.add(change);
      return change;
    },
    /** The engine has taken a change under this token.
     * @param {Change} change @param {number} token */
    accept(change, token) { change.token = token; byToken.set(token, change); },
    /** The engine has refused a change: it never happened.
     * @param {Change} change @param {Error} error */
    refuse(change, error) {
      unsaved.delete(change);
      const verdict = { n: 0, outcome: 'rejected', code: /** @type {any} */ (error).code ?? 'invalid', message: error.message };
      change.handle.settleSaved(error);
      change.handle.settleSynced(verdict);
    },
    /** The changes in the persist frame that was just emitted; they are on disk when it completes.
     * @returns {Change[]} */
    covered: () => [...unsaved].filter((change) => change.token > 0 && !change.isStored),
    /** On disk, though the engine may not have said so.
     * @param {Change[]} changes */
    store(changes) {
      for (const change of changes) {
        change.isStored = true;
        change.handle.settleSaved(true);
      }
    },
    /** The engine's word that changes are on disk.
     * @param {Array<{token:number, n:number, count:number}>} runs */
    saved(runs) {
      for (const { token, n, count } of runs) {
        for (let i = 0; i < count; i++) {
          const change = byToken.get(token + i);
          if (!change) continue;
          unsaved.delete(change);
          change.n = n + i;
          change.handle.settleSaved(true);
        }
      }
    },
    /** The server's verdicts.
     * @param {Array<{token?:number, n:number}>} outcomes */
    judged(outcomes) {
      for (const outcome of outcomes) {
        const change = byToken.get(outcome.token ?? 0) ?? byNumber.get(outcome.n);
        if (!change) continue;
        byToken.delete(change.token);
        byNumber.delete(outcome.n);
        change.handle.settleSaved(true);
        change.handle.settleSynced(outcome);
      }
    },
    /** A new engine takes over: what must be issued to it again, in order.
     * Changes that reached the disk are in its log already.
     * @returns {Change[]} */
    takeOver() {
      for (const change of byToken.values()) if (change.n) byNumber.set(change.n, change);
      byToken.clear();
      for (const change of unsaved) {
        if (!change.isStored) continue;
        unsaved.delete(change);
        change.handle.settleSaved(true);
      }
      return [...unsaved];
    },
    get unsavedCount() { return unsaved.size; },
  };
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** A new record id: 24 characters of Crockford base32, 48 bits of milliseconds and 72 random bits, ordered by time. */
export function newID(now = Date.now()) {
  let id = '';
  // 48 bits of time are not a multiple of five, so the whole 120 bits are one number.
  const random = crypto.getRandomValues(new Uint8Array(9));
  let bits = (BigInt(now) << 72n) | random.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  for (let i = 0; i < 24; i++) { id = ALPHABET[Number(bits & 31n)] + id; bits >>= 5n; }
  return id;
}
