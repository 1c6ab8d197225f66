// @ts-check
// SPDX-License-Identifier: Apache-2.0
// Small facts kept outside the database: how far a person's data reached, which app it was.
//
// They tell a first visit from storage that the browser has emptied, let the next start read the
// database before the app declaration has arrived, and tell the service worker what to sync.
// localStorage may lose its last seconds in a crash; what must not be lost is in durable-facts.js.

const SHARED = 'aloft-state';
const SHARED_URL = '/aloft-state.json';

/** Reads a JSON value; null when there is none or storage is shut.
 * @param {string} key @returns {any} */
export function recall(key) {
  try {
    return JSON.parse(localStorage.getItem(`aloft:${key}`) ?? 'null');
  } catch {
    return null;
  }
}

/** Keeps a JSON value, null to forget it. A refusal of the browser costs comfort only, so it is not an error.
 * @param {string} key @param {any} value */
export function remember(key, value) {
  try {
    if (value === null) localStorage.removeItem(`aloft:${key}`);
    else localStorage.setItem(`aloft:${key}`, JSON.stringify(value));
  } catch { /* no localStorage here (worker), or it is full or forbidden */ }
}

/** What the service worker needs to open the same database; null to forget it.
 * @param {{app:string, server:string, wasm:string, text?:string, user:string} | null} facts */
export async function share(facts) {
  if (!globalThis.caches) return;
  if (!facts) { await caches.delete(SHARED); return; }
  const cache = await caches.open(SHARED);
  await cache.put(SHARED_URL, new Response(JSON.stringify(facts), { headers: { 'Content-Type': 'application/json' } }));
}

/** @returns {Promise<{app:string, server:string, wasm:string, user:string} | null>} */
export async function shared() {
  const found = await caches.match(SHARED_URL, { cacheName: SHARED });
  return found ? found.json() : null;
}
