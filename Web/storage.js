// @ts-check
// SPDX-License-Identifier: Apache-2.0
// The device's store for one person: an append-only log, packed pages and a little meta data.
//
// Every context (tab, service worker) writes here by itself. `log.add(row, head + 1)` is the
// compare-and-swap: a taken number means somebody else committed first. No lock is held.
//
// A handle can die at any time (all WebKit browsers). Every operation then reopens and tries again;
// an append first looks whether its rows arrived after all, so that nothing is written twice. What a new handle opens may be another
// database than the one that was read, since the browser may have cleared that away: nothing is added to it before a look.

import { complete, delay, openFile, transact } from './database-file.js';

/** @typedef {import('./frames.js').LogRow} LogRow */
/** What is on disk. The pages are still arriving when the rest is there, so that loading and reading overlap; `room` is about what
 * memory they will take.
 * @typedef {{state:Uint8Array|null, generation:number, format:number, pages:Promise<Uint8Array[]>[],
 *    room:number, sequences:number[], rows:Uint8Array[]}} Stored */
/** @typedef {{kind:'done'} | {kind:'conflict'} | {kind:'gap'} | {kind:'failed', reason:'quota'|'storage', isInDoubt:boolean}} Appended
 * `isInDoubt`: nobody knows whether the rows arrived. */

const ATTEMPTS = 4;
const GRAVES_MAX = 64;
/** The first request for pages is small, so that the engine soon has something to load while the next ones are read. These ask for a
 * megabyte each: fewer requests cost less, but the engine waits for each of them longer. */
const PAGES_FIRST = 4;
const PAGES_AT_ONCE = 8;
/** What a page takes of the engine's memory. */
const PAGE_BYTES = 136 * 1024;

/** @typedef {Awaited<ReturnType<typeof openStorage>>} Storage */

/** Opens the store; throws when the browser's storage stays shut.
 * @param {string} name @param {boolean} [mustExist] make no database when there is none now, but throw */
export async function openStorage(name, mustExist) {
  /** @type {IDBDatabase | null} */
  let db = null;
  let isClosed = false;
  /** The handle through which the database was found to hold what was read. @type {IDBDatabase | null} */
  let known = null;
  /** Of the database that was read; one of an older version of the platform has none. @type {string | undefined} */
  let birth;

  async function handle() {
    if (isClosed) throw new DOMException('the store is closed', 'InvalidStateError');
    if (db) return db;
    const opened = db = await openFile(name, mustExist ? (_, tx) => { isClosed = true; tx.abort(); } : undefined);
    // What the browser clears away later is made anew.
    mustExist = false;
    opened.onclose = () => { if (db === opened) db = null; };
    // Another tab deletes the database after a sign-out: do not stand in its way, do not come back.
    opened.onversionchange = () => { isClosed = true; opened.close(); };
    return opened;
  }

  /** Repeats `work` on a new handle while the old one turns out dead.
   * @template T
   * @param {(db:IDBDatabase) => Promise<T>} work @returns {Promise<T>} */
  async function survive(work) {
    for (let attempt = 1; ; attempt++) {
      try {
        // With a handle at hand the work begins in this very turn.
        return await work(db && !isClosed ? db : await handle());
      } catch (error) {
        if (isClosed || attempt === ATTEMPTS || !(error instanceof DOMException) || isFull(error)) throw error;
        db?.close();
        db = null;
        await delay(100 * 4 ** (attempt - 1));
      }
    }
  }

  /** The generation on disk: everything up to this log number is in the pages. Infinite in a database that was not read: nothing of
   * what it has or misses can be told from the numbers.
   * @param {IDBTransaction} tx @param {import('./database-file.js').Watch} watch @param {(generation:number) => void} then */
  function watchGeneration(tx, watch, then) {
    const meta = tx.objectStore('meta');
    let isOther = false;
    watch(meta.get('birth'), (value) => { isOther = value !== birth; });
    watch(meta.get('generation'), (value) => then(isOther ? Infinity : value ?? 0));
  }

  /** @param {IDBDatabase} file @param {number} first @param {Uint8Array[]} rows @param {boolean} strict
   * @param {IDBTransaction | null} begun by `begin`, when it is still of use @returns {Promise<Appended>} */
  async function addRows(file, first, rows, strict, begun) {
    /** @type {{generation?:number}} */
    const seen = {};
    try {
      const tx = begun ?? file.transaction(['meta', 'log'], 'readwrite', { durability: strict ? 'strict' : 'relaxed' });
      await complete(tx, (_, watch) => {
        watch(tx.objectStore('meta').get('generation'), (generation) => { seen.generation = generation; });
        const log = tx.objectStore('log');
        rows.forEach((row, i) => watch(log.add(row, first + i)));
        // Committing at once lets the browser finish even if this tab is frozen in the next instant.
        tx.commit();
      });
    } catch (error) {
      if (/** @type {any} */ (error)?.name === 'ConstraintError') return { kind: 'conflict' };
      throw error;
    }
    if ((seen.generation ?? 0) < first) return { kind: 'done' };
    // The number was free only because a compaction took the row away: nobody would ever read ours.
    const strays = IDBKeyRange.bound(first, Math.min(first + rows.length - 1, seen.generation ?? 0));
    await transact(file, ['log'], 'readwrite', 'relaxed', (tx) => { tx.objectStore('log').delete(strays); tx.commit(); });
    return { kind: 'gap' };
  }

  /** What became of an append whose handle died, and whether a new handle's database can take one.
   * @param {IDBDatabase} file @param {number} first @param {Uint8Array} row
   * @returns {Promise<Appended | null>} null: it did not arrive, and may be made */
  async function lookAgain(file, first, row) {
    const found = await transact(file, ['meta', 'log'], 'readonly', 'relaxed', (tx, watch) => {
      const result = { row: /** @type {Uint8Array | undefined} */ (undefined), before: false, generation: 0 };
      watch(tx.objectStore('log').get(first), (value) => { result.row = value; });
      watch(tx.objectStore('log').getKey(first - 1), (key) => { result.before = key !== undefined; });
      watchGeneration(tx, watch, (generation) => { result.generation = generation; });
      return result;
    });
    if (found.generation === Infinity) return { kind: 'gap' };
    if (found.row) return { kind: isEqual(found.row, row) ? 'done' : 'conflict' };
    // Neither the row before nor a page that contains it: the storage was emptied or rolled back under us.
    return found.before || found.generation >= first - 1 ? null : { kind: 'gap' };
  }

  const storage = {
    name,

    /** Everything, in one read-only transaction.
     * @returns {Promise<Stored>} */
    read: () => survive((file) => new Promise((resolve, reject) => {
      /** @type {Stored} */
      const stored = { state: null, generation: 0, format: 1, pages: [], room: 0, sequences: [], rows: [] };
      /** @type {Array<(error:unknown) => void>} */
      const failing = [reject];
      transact(file, ['meta', 'log', 'page'], 'readonly', 'relaxed', (tx, watch) => {
        const meta = tx.objectStore('meta'), log = tx.objectStore('log'), page = tx.objectStore('page');
        watch(meta.get('format'), (format) => { stored.format = format ?? 1; });
        watch(meta.get('state'), (state) => { stored.state = state ?? null; });
        watch(meta.get('birth'), (value) => { birth = value; known = file; });
        watch(meta.get('generation'), (generation) => {
          stored.generation = generation ?? 0;
          const newer = IDBKeyRange.lowerBound(stored.generation, true);
          watch(log.getAllKeys(newer), (keys) => { stored.sequences = /** @type {number[]} */ (keys); });
          // The pages are asked for by now.
          watch(log.getAll(newer), (rows) => { stored.rows = rows; resolve(stored); });
        });
        /** @param {number} first @param {number} count */
        const ask = (first, count) => {
          /** @type {Promise<any[]>} */
          const arriving = new Promise((arrive, fail) => {
            failing.push(fail);
            watch(page.getAll(IDBKeyRange.bound(first, first + count - 1)), arrive);
          });
          arriving.catch(() => {}); // whoever builds the engine hears of it
          stored.pages.push(arriving);
        };
        // Numbers are dense enough to ask for by the last one alone; listing them costs as much as a tenth of reading the pages.
        watch(page.openKeyCursor(null, 'prev'), (cursor) => {
          const last = Number(cursor?.key ?? 0);
          stored.room = last * PAGE_BYTES;
          for (let first = 1, count = PAGES_FIRST; (first += count) <= last;) ask(first, count = PAGES_AT_ONCE);
        });
        ask(1, PAGES_FIRST); // what there nearly always is need not wait for that answer
      }).catch((error) => { for (const fail of failing) fail(error); });
    })),

    /** Begins the transaction of a strict append before its rows are known: the browser's storage process wakes up, which takes
     * as long as the write, while the engine makes them. Good for `append` in the same turn; left alone it ends by itself.
     * @returns {IDBTransaction | null} */
    begin() {
      try {
        return db && db === known && !isClosed ? db.transaction(['meta', 'log'], 'readwrite', { durability: 'strict' }) : null;
      } catch {
        return null; // a dead handle: `append` opens another
      }
    },

    /** Appends rows under the numbers from `first` on, all or none. Never throws.
     * @param {number} first @param {Uint8Array[]} rows @param {boolean} strict flush to the disk before it counts
     * @param {IDBTransaction | null} [begun] by `begin`, when they are strict
     * @param {boolean} [again] the same rows were offered before, and may have arrived
     * @returns {Promise<Appended>} */
    async append(first, rows, strict, begun = null, again = false) {
      let isInDoubt = again;
      try {
        return await survive(async (file) => {
          const looks = isInDoubt || file !== known;
          const found = looks ? await lookAgain(file, first, rows[0]) : null;
          if (found) return found;
          known = file;
          isInDoubt = true;
          return await addRows(file, first, rows, strict, looks ? null : begun).catch((error) => {
            if (isFull(error)) isInDoubt = false; // all or none: a full disk took none
            throw error;
          });
        });
      } catch (error) {
        return { kind: 'failed', reason: isFull(error) ? 'quota' : 'storage', isInDoubt };
      }
    },

    /** Whether rows that an append failed to confirm are there all the same.
     * @param {number} first @param {Uint8Array} row the first of them */
    hasArrived: (first, row) => survive(async (file) => (await lookAgain(file, first, row))?.kind === 'done'),

    /** The rows after `head`; `isGap` when a compaction has already taken some of them away.
     * @param {number} head @returns {Promise<{rows:LogRow[], isGap:boolean}>} */
    async tail(head) {
      const found = { generation: 0, sequences: /** @type {number[]} */ ([]), rows: /** @type {Uint8Array[]} */ ([]) };
      await survive((file) => transact(file, ['meta', 'log'], 'readonly', 'relaxed', (tx, watch) => {
        const newer = IDBKeyRange.lowerBound(head, true);
        watchGeneration(tx, watch, (generation) => { found.generation = generation; });
        watch(tx.objectStore('log').getAllKeys(newer), (keys) => { found.sequences = /** @type {number[]} */ (keys); });
        watch(tx.objectStore('log').getAll(newer), (rows) => { found.rows = rows; });
      }));
      // Rows at or below the generation may be strays of a context that did not know of the compaction.
      // While another database has nothing that concerns us, what the engine still holds may go to the server.
      const isGone = found.generation === Infinity ? found.rows.length > 0 : found.generation > head;
      const isGap = isGone || found.sequences.some((sequence, i) => sequence !== head + 1 + i);
      return { rows: found.rows.map((bytes, i) => ({ sequence: found.sequences[i], bytes })), isGap };
    },

    /** The generation on disk; infinite when the database is another one. */
    generation: () => survive(async (file) => {
      const found = { generation: 0 };
      await transact(file, ['meta'], 'readonly', 'relaxed', (tx, watch) => {
        watchGeneration(tx, watch, (generation) => { found.generation = generation; });
      });
      return found.generation;
    }),

    /** Writes pages and drops folded log rows in one transaction; false when another context compacted first.
     * @param {Extract<import('./frames.js').Frame, {kind:'compact'}>} frame @returns {Promise<boolean>} */
    compact: (frame) => survive(async (file) => {
      let isCurrent = true;
      try {
        // Strict, since the state may now hold the only copy of changes whose log rows go: Chromium keeps values above 64 KiB in
        // files of their own, and a relaxed commit may reach the disk before them.
        await transact(file, ['meta', 'log', 'page'], 'readwrite', 'strict', (tx, watch) => {
          const meta = tx.objectStore('meta'), page = tx.objectStore('page');
          watchGeneration(tx, watch, (generation) => {
            isCurrent = generation === frame.expected;
            if (!isCurrent) return tx.abort();
            watch(meta.put(frame.state, 'state'));
            watch(meta.put(frame.generation, 'generation'));
            for (const [number, bytes] of frame.pages) watch(page.put(bytes, number));
            for (const number of frame.removed) watch(page.delete(number));
            if (frame.through > 0) watch(tx.objectStore('log').delete(IDBKeyRange.upperBound(frame.through)));
            tx.commit();
          });
        });
      } catch (error) {
        if (isCurrent) throw error;
      }
      return isCurrent;
    }),

    /** Keeps damaged bytes for a later export; at most a few, and never at the price of a failure.
     * @param {string} what @param {Uint8Array} bytes */
    bury: (what, bytes) => survive((file) => transact(file, ['graveyard'], 'readwrite', 'relaxed', (tx, watch) => {
      const graves = tx.objectStore('graveyard');
      watch(graves.count(), (count) => { if (count < GRAVES_MAX) watch(graves.put(bytes, `${Date.now()} ${what}`)); });
    })).catch(() => {}),

    /** Moves the log's rows from `first` on to the graveyard: they cannot be read.
     * @param {number} first */
    cut: (first) => survive((file) => transact(file, ['log', 'graveyard'], 'readwrite', 'relaxed', (tx, watch) => {
      const range = IDBKeyRange.lowerBound(first);
      watch(tx.objectStore('log').getAll(range), (rows) => {
        rows.slice(0, GRAVES_MAX).forEach((row, i) => watch(tx.objectStore('graveyard').put(row, `${Date.now()} log ${first + i}`)));
        watch(tx.objectStore('log').delete(range));
      });
    })).catch(() => {}),

    close() { isClosed = true; db?.close(); db = null; },
  };

  await survive(async () => {});
  return storage;
}

/** @param {Uint8Array} a @param {Uint8Array} b */
function isEqual(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** @param {any} error */
function isFull(error) {
  return error?.name === 'QuotaExceededError';
}
