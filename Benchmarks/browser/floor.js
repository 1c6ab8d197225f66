// SPDX-License-Identifier: Apache-2.0
// What Aloft's own way of storing costs when nobody computes: the least that a cold open and a durable edit can take.

import { EDIT_PAUSE_MILLISECONDS, median } from './records.js';

const PAGES_AT_ONCE = 8;
const ROW_BYTES = 200;

/** @param {string} name @param {(created:IDBDatabase) => void} [create] @returns {Promise<IDBDatabase>} */
const openFile = (name, create) => new Promise((resolve, reject) => {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => create?.(request.result);
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** Opens the database that Aloft filled and reads its pages, in the ranges that Aloft asks for. */
export async function readPages() {
  const name = (await indexedDB.databases()).map((found) => String(found.name)).find((found) => /^aloft:.+:/.test(found));
  if (!name) throw new Error('Aloft has not filled this profile');
  return median(1, async () => {
    const db = await openFile(name);
    await new Promise((resolve, reject) => {
      const tx = db.transaction('page');
      const pages = tx.objectStore('page');
      pages.openKeyCursor(null, 'prev').onsuccess = ({ target }) => {
        const last = Number(/** @type {IDBRequest<IDBCursor|null>} */ (target).result?.key ?? -1);
        for (let first = 0; first <= last; first += PAGES_AT_ONCE) pages.getAll(IDBKeyRange.bound(first, first + PAGES_AT_ONCE - 1));
      };
      tx.oncomplete = resolve;
      tx.onabort = () => reject(tx.error);
    });
    db.close();
  });
}

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
