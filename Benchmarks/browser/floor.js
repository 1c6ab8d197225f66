// SPDX-License-Identifier: Apache-2.0
// What Aloft's own way of storing costs when nobody computes: the least that a cold open and a durable edit can take.

import { EDIT_PAUSE_MILLISECONDS, median } from './records.js';

const NAME = 'aloft:bench:anyone';
const [PAGES_FIRST, PAGES_AT_ONCE] = [4, 8];
const ROW_BYTES = 200;

/** @param {string} name @param {(created:IDBDatabase) => void} [create] @returns {Promise<IDBDatabase>} */
const openFile = (name, create) => new Promise((resolve, reject) => {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => create?.(request.result);
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** Opens the database that Aloft filled and reads its pages, in the ranges that Aloft asks for. No look at the list of databases before:
 * it has the browser open its files, which is a good part of what is measured. */
export const readPages = () => median(1, async () => {
  const db = await openFile(NAME, () => { throw new Error('Aloft has not filled this profile'); });
  await new Promise((resolve, reject) => {
    const tx = db.transaction('page');
    const pages = tx.objectStore('page');
    pages.openKeyCursor(null, 'prev').onsuccess = ({ target }) => {
      const last = Number(/** @type {IDBRequest<IDBCursor|null>} */ (target).result?.key ?? 0);
      for (let first = 1, count = PAGES_FIRST; (first += count) <= last;) pages.getAll(IDBKeyRange.bound(first, first + (count = PAGES_AT_ONCE) - 1));
    };
    pages.getAll(IDBKeyRange.bound(1, PAGES_FIRST));
    tx.oncomplete = resolve;
    tx.onabort = () => reject(tx.error);
  });
  db.close();
});

/** One strict append of a small row to a log of nothing else, a pause before each. @param {number} runs */
export async function append(runs) {
  const db = await openFile('floor', (created) => created.createObjectStore('log'));
  const milliseconds = await median(runs, (run) => new Promise((resolve, reject) => {
    const tx = db.transaction('log', 'readwrite', { durability: 'strict' });
    tx.objectStore('log').add(new Uint8Array(ROW_BYTES), run);
    tx.oncomplete = resolve;
    tx.onabort = () => reject(tx.error);
    tx.commit();
  }), EDIT_PAUSE_MILLISECONDS);
  db.close();
  indexedDB.deleteDatabase('floor');
  return milliseconds;
}
