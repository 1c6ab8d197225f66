// SPDX-License-Identifier: Apache-2.0
// The baseline: one IndexedDB row per record with two indexes, written by hand without a library.

import { EDIT_PAUSE_MILLISECONDS, EQUAL_OWNER, median, record } from './records.js';

const NAME = 'rows';

/** @returns {Promise<IDBDatabase>} */
const openRows = () => new Promise((resolve, reject) => {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => {
    const store = request.result.createObjectStore('items', { keyPath: 'id' });
    store.createIndex('owner', 'owner');
    store.createIndex('due', 'due');
  };
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const answer = (request) => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error); });
const items = (db) => db.transaction('items').objectStore('items');
const equal = (db) => answer(items(db).index('owner').getAll(EQUAL_OWNER));

/** @param {IDBDatabase} db @param {(store:IDBObjectStore) => void} work */
const write = (db, work) => new Promise((resolve, reject) => {
  const tx = db.transaction('items', 'readwrite', { durability: 'strict' });
  work(tx.objectStore('items'));
  tx.oncomplete = resolve;
  tx.onabort = () => reject(tx.error);
  tx.commit();
});

const id = (i) => String(i).padStart(24, '0');

/** Writes all records in one transaction. @param {number} count */
export async function fill(count) {
  const db = await openRows();
  const records = Array.from({ length: count }, (_, i) => ({ id: id(i), ...record(i) }));
  const milliseconds = await median(1, () => write(db, (store) => { for (const one of records) store.put(one); }));
  db.close();
  return milliseconds;
}

/** Opens and loads every row into memory, then answers from there, as memory-first apps do. */
export const coldLoadAll = () => median(1, async () => {
  const db = await openRows();
  const all = await answer(items(db).getAll());
  const found = all.filter((one) => one.owner === EQUAL_OWNER);
  if (!found.length) throw new Error('nothing found');
  db.close();
});

/** Opens and asks the index, keeping nothing in memory. */
export const coldByIndex = () => median(1, async () => {
  const db = await openRows();
  if (!(await equal(db)).length) throw new Error('nothing found');
  db.close();
});

/** Queries and edits on an open database. @param {number} runs */
export async function warm(runs) {
  const db = await openRows();
  const one = (await equal(db))[0];
  const result = {
    equal: await median(runs, () => equal(db)),
    top: await median(runs, () => answer(items(db).index('due').getAll(null, 50))),
    edit: await median(runs * 4, (run) => write(db, (store) => store.put({ ...one, title: `edit ${run}` })), EDIT_PAUSE_MILLISECONDS),
    editRush: await median(runs * 4, (run) => write(db, (store) => store.put({ ...one, title: `rush ${run}` }))),
    // Without a library a view learns of a change by asking again after the write.
    live: await median(runs, async (run) => {
      await write(db, (store) => store.put({ ...one, title: `live ${run}` }));
      const rows = await equal(db);
      if (!rows.some(({ title }) => title === `live ${run}`)) throw new Error('not shown');
    }),
  };
  db.close();
  return result;
}
