// @ts-check
// SPDX-License-Identifier: Apache-2.0
// What must be known before a person's database can be opened, and must survive a crash: who that person is.
//
// Browsers write localStorage to the disk seconds later. A crash loses what is new there and brings back
// what was deleted. So a tiny database with strict durability is the truth, and localStorage a second witness:
//
//   database     localStorage   what happened
//   an entry     anything       the entry counts; null says that it was forgotten on purpose
//   no entry     a value        the browser has emptied the databases; the value still says whose they were
//   no entry     nothing        a first visit

import { openFile, transact } from './database-file.js';
import { recall, remember } from './marker.js';

const NAME = 'aloft';
const STORE = 'facts';

/** Opens the tiny database for one piece of work.
 * @template T @param {(db:IDBDatabase) => Promise<T>} work @returns {Promise<T>} */
async function using(work) {
  const db = await openFile(NAME, (created) => created.createObjectStore(STORE));
  try {
    return await work(db);
  } finally {
    db.close();
  }
}

/** Keeps JSON values, null to forget one; on the disk when this resolves. Never fails.
 * @param {Record<string, any>} facts @returns {Promise<void>} */
export async function keep(facts) {
  const entries = Object.entries(facts);
  for (const [key, value] of entries) remember(key, value);
  try {
    await using((db) => transact(db, [STORE], 'readwrite', 'strict', (tx) => {
      for (const [key, value] of entries) tx.objectStore(STORE).put(value, key);
      tx.commit();
    }));
  } catch {
    // What cannot be written must not contradict the second witness.
    globalThis.indexedDB?.deleteDatabase(NAME);
  }
}

/** Reads a value; null when there is none.
 * @param {string} key @returns {Promise<any>} */
export async function kept(key) {
  const found = { value: /** @type {any} */ (undefined) };
  try {
    await using((db) => transact(db, [STORE], 'readonly', 'relaxed', (tx, watch) => {
      watch(tx.objectStore(STORE).get(key), (value) => { found.value = value; });
    }));
  } catch { /* the second witness is asked */ }
  return found.value === undefined ? recall(key) : found.value;
}
