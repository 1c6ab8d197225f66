// @ts-check
// SPDX-License-Identifier: Apache-2.0
// The changes this context has made, from the call until the server's verdict.
//
// A change that is not on disk yet exists nowhere else: if the engine must be rebuilt, it is issued
// again from here, under the same record id.

/** @typedef {{action:string, args:Record<string, any>}} Mutation */
/** @typedef {{mutation:Mutation, handle:Handle, token:number, n:number, isStored:boolean, traps:number}} Change */

/** A promise that is made only when somebody asks for it: bulk writes make very many handles.
 * @template T */
class Later {
  /** @type {Promise<T> | undefined} */
  #promise;
  /** @type {null | ((settle:{resolve:(value:T) => void, reject:(error:any) => void}) => void)} */
  #settle = null;
  /** @type {{resolve:(value:T) => void, reject:(error:any) => void} | null} */
  #waiting = null;

  get promise() {
    if (!this.#promise) {
      this.#promise = new Promise((resolve, reject) => {
        if (this.#settle) this.#settle({ resolve, reject });
        else this.#waiting = { resolve, reject };
      });
      this.#promise.catch(() => {}); // nobody is obliged to look
    }
    return this.#promise;
  }
  /** @param {(settle:{resolve:(value:T) => void, reject:(error:any) => void}) => void} settle */
  settle(settle) {
    if (this.#settle) return;
    this.#settle = settle;
    if (this.#waiting) settle(this.#waiting);
  }
}

/** What an app holds of one change. */
class Handle {
  /** @param {string} id */
  constructor(id) { this.id = id; }
  /** @type {Later<void>} */ savedLater = new Later();
  /** @type {Later<any>} */ syncedLater = new Later();
  get saved() { return this.savedLater.promise; }
  get synced() { return this.syncedLater.promise; }
}

/** @typedef {ReturnType<typeof createHandles>} Handles */

export function createHandles() {
  /** Not yet on disk, in order.
   * @type {Set<Change>} */
  const unsaved = new Set();
  /** @type {Map<number, Change>} */
  const byToken = new Map();
  /** @type {Map<number, Change>} */
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
      change.handle.savedLater.settle(({ reject }) => reject(error));
      change.handle.syncedLater.settle(({ resolve }) => resolve(
        { n: 0, outcome: 'rejected', code: /** @type {any} */ (error).code ?? 'invalid', message: error.message }));
    },
    /** The changes in the persist frame that was just emitted; they are on disk when it completes.
     * @returns {Change[]} */
    covered: () => [...unsaved].filter((change) => change.token > 0 && !change.isStored),
    /** On disk, though the engine may not have said so.
     * @param {Change[]} changes */
    store(changes) { for (const change of changes) change.isStored = true; },
    /** The engine's word that changes are on disk.
     * @param {Array<number | {token:number, n:number}>} tokens */
    saved(tokens) {
      for (const entry of tokens) {
        const change = byToken.get(typeof entry === 'number' ? entry : entry.token);
        if (!change) continue;
        unsaved.delete(change);
        if (typeof entry !== 'number') { change.n = entry.n; byNumber.set(entry.n, change); }
        change.handle.savedLater.settle(({ resolve }) => resolve());
      }
    },
    /** The server's verdicts.
     * @param {Array<{token?:number, n:number}>} outcomes */
    judged(outcomes) {
      for (const { token, ...outcome } of outcomes) {
        const change = byToken.get(token ?? 0) ?? byNumber.get(outcome.n);
        if (!change) continue;
        byToken.delete(change.token);
        byNumber.delete(outcome.n);
        change.handle.savedLater.settle(({ resolve }) => resolve());
        change.handle.syncedLater.settle(({ resolve }) => resolve(outcome));
      }
    },
    /** A new engine takes over: what must be issued to it again, in order.
     * Changes that reached the disk are in its log already.
     * @returns {Change[]} */
    takeOver() {
      byToken.clear();
      for (const change of unsaved) {
        if (!change.isStored) continue;
        unsaved.delete(change);
        change.handle.savedLater.settle(({ resolve }) => resolve());
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
