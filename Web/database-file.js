// @ts-check
// SPDX-License-Identifier: Apache-2.0
// Opens, transacts on, and deletes an IndexedDB database, with a deadline on everything.
//
// A browser may never answer an open (Safari's first-open hang), and may kill a handle without a
// word. So nothing here waits for ever, and a failure always says which error it was.

const OPEN_MILLISECONDS = 5_000;
const TRANSACTION_MILLISECONDS = 10_000;
/** Of what lies in the stores. A higher number belongs to a newer version of the platform. */
export const FORMAT = 2;
const STORES = ['meta', 'log', 'page', 'blob', 'graveyard'];

/** @param {number} milliseconds @returns {Promise<void>} */
export const delay = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The stores of one person's database.
 * @param {IDBDatabase} created @param {IDBTransaction} tx */
function createStores(created, tx) {
  for (const store of STORES) created.createObjectStore(store);
  tx.objectStore('meta').put(FORMAT, 'format');
  // Tells this database from one that takes its place after the browser has cleared it away.
  tx.objectStore('meta').put(crypto.getRandomValues(new Uint32Array(2)).join(), 'birth');
}

/** One attempt to open; the database version stays 1 for ever, because an upgrade hangs behind a frozen tab.
 * @param {string} name @param {(created:IDBDatabase, tx:IDBTransaction) => void} create fills a new database
 * @returns {Promise<IDBDatabase>} */
export function openFile(name, create = createStores) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    const timer = setTimeout(() => {
      request.onsuccess = () => request.result.close();
      reject(new DOMException('opening the database took too long', 'TimeoutError'));
    }, OPEN_MILLISECONDS);
    request.onupgradeneeded = () => create(request.result, /** @type {IDBTransaction} */ (request.transaction));
    request.onsuccess = () => { clearTimeout(timer); resolve(request.result); };
    request.onerror = () => { clearTimeout(timer); reject(request.error); };
  });
}

/** @typedef {<R>(request:IDBRequest<R>, then?:(result:R) => void) => void} Watch */

/**
 * Runs `body` in one transaction and resolves on `complete`, which is the only proof of a save. `body` runs before this returns.
 * Rejects with the error of the request that failed first: after `commit()` Firefox calls the
 * transaction's own error AbortError, and Chromium reports a full disk on the transaction only.
 * @template T
 * @param {IDBDatabase} db @param {string[]} stores @param {IDBTransactionMode} mode @param {'strict'|'relaxed'} durability
 * @param {(tx:IDBTransaction, watch:Watch) => T} body
 * @returns {Promise<T>} what `body` returned */
export function transact(db, stores, mode, durability, body) {
  try {
    return complete(db.transaction(stores, mode, { durability }), body);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** The same in a transaction that was begun in this turn of the event loop.
 * @template T @param {IDBTransaction} tx @param {(tx:IDBTransaction, watch:Watch) => T} body @returns {Promise<T>} */
export function complete(tx, body) {
  return new Promise((resolve, reject) => {
    /** @type {DOMException | null} */
    let cause = null;
    const timer = setTimeout(() => {
      cause ??= new DOMException('the transaction took too long', 'TimeoutError');
      try { tx.abort(); } catch { /* already over: its event is on the way */ }
      reject(cause);
    }, TRANSACTION_MILLISECONDS);
    const result = body(tx, (request, then) => {
      request.onerror = () => { cause ??= request.error; };
      if (then) request.onsuccess = () => then(request.result);
    });
    tx.oncomplete = () => { clearTimeout(timer); resolve(result); };
    tx.onabort = () => {
      clearTimeout(timer);
      const isFull = tx.error?.name === 'QuotaExceededError';
      reject((isFull ? tx.error : cause ?? tx.error) ?? new DOMException('the transaction was aborted', 'AbortError'));
    };
  });
}

/** Empties and deletes a database. Emptying comes first: a frozen tab can block the deletion, but not that.
 * @param {string} name */
export async function deleteFile(name) {
  try {
    const db = await openFile(name);
    await transact(db, STORES, 'readwrite', 'strict', (tx) => {
      for (const store of STORES) tx.objectStore(store).clear();
      tx.commit();
    });
    db.close();
  } catch { /* a database that cannot be opened can still be deleted */ }
  await new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = request.onerror = resolve;
    setTimeout(resolve, OPEN_MILLISECONDS);
  });
}
