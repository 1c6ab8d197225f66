// @ts-check
// SPDX-License-Identifier: Apache-2.0
// Which version of the app's files is active, which one waits, and which page uses which.
//
// A page keeps the version it was started with until it is gone, so files of two versions never
// mix in one page. The service worker forgets its memory at any time; the truth is in a cache.

import { checkManifest, fillCache, PrecacheError } from './precache.js';

const STATE_CACHE = 'aloft-versions';
const STATE_URL = '/aloft-versions.json';
const PREFIX = 'aloft-shell:';

/** @typedef {{active:string|null, waiting:string|null, clients:Record<string, string>}} State */
/** @typedef {ReturnType<typeof createVersions>} Versions */

/** @param {string} manifestURL @param {(message:any) => Promise<void>} tell sends a message to every page */
export function createVersions(manifestURL, tell) {
  const scope = /** @type {any} */ (globalThis);
  /** @type {State | null} */
  let state = null;
  /** @type {Map<string, Promise<{manifest:any, cache:Cache} | null>>} */
  const opened = new Map();
  /** @type {Promise<boolean> | null} */
  let preparing = null;
  /** @type {Promise<void>} */
  let changing = Promise.resolve();

  /** @param {boolean} isFresh read again what another worker may have written */
  async function load(isFresh) {
    if (state && !isFresh) return state;
    const found = await caches.match(STATE_URL, { cacheName: STATE_CACHE });
    state = found ? await found.json() : { active: null, waiting: null, clients: {} };
    return /** @type {State} */ (state);
  }

  /** Changes the state, one change after the other.
   * @param {(state:State) => void} edit @returns {Promise<void>} */
  function change(edit) {
    const done = changing.then(async () => {
      const next = await load(true);
      edit(next);
      const cache = await caches.open(STATE_CACHE);
      await cache.put(STATE_URL, new Response(JSON.stringify(next)));
    });
    changing = done.catch(() => {});
    return done;
  }

  /** @param {string | null} version @returns {Promise<{manifest:any, cache:Cache} | null>} */
  async function files(version) {
    if (!version) return null;
    if (!opened.has(version)) {
      opened.set(version, (async () => {
        const cache = await caches.open(PREFIX + version);
        const manifest = await (await cache.match(manifestURL))?.json();
        return manifest ? { manifest, cache } : null;
      })());
    }
    const found = await opened.get(version);
    if (!found) opened.delete(version);
    return found ?? null;
  }

  /** Brings the server's present version onto the device.
   * @returns {Promise<boolean>} whether it waits to replace another */
  async function prepare() {
    const response = await fetch(manifestURL, { cache: 'no-store', redirect: 'error', credentials: 'same-origin' });
    if (!response.ok) throw new PrecacheError(manifestURL, `answered ${response.status}`);
    const manifest = checkManifest(await response.json().catch(() => null));
    const { active } = await load(true);
    const cache = await caches.open(PREFIX + manifest.version);
    const before = await files(active);
    const problem = (/** @type {PrecacheError} */ { url, reason }) => void tell({ aloft: 'problem', url, reason });
    await fillCache(manifest, cache, before ? [before] : [], problem);
    await cache.put(manifestURL, new Response(JSON.stringify(manifest), { headers: { 'Content-Type': 'application/json' } }));
    let isReady = false;
    await change((next) => {
      next.waiting = manifest.version === next.active ? null : manifest.version;
      isReady = next.active !== null && next.waiting !== null;
    });
    if (isReady) await tell({ aloft: 'updateReady' });
    return isReady;
  }

  const versions = {
    load, files,

    /** Looks for a new version; one look at a time. Throws PrecacheError. */
    check() {
      preparing ??= prepare().finally(() => { preparing = null; });
      return preparing;
    },

    /** Makes the waiting version the active one. Pages that are open keep theirs. */
    async promote() {
      const pages = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true });
      await change((next) => {
        if (!next.waiting) return;
        for (const { id } of pages) if (next.active) next.clients[id] ??= next.active;
        next.active = next.waiting;
        next.waiting = null;
      });
      await versions.sweep();
    },

    /** A page is being started: it belongs to the active version from now on.
     * A version that waits takes over when no other page is open.
     * @param {string} clientID */
    async begin(clientID) {
      const { waiting } = await load(true);
      if (waiting && !(await scope.clients.matchAll({ type: 'window', includeUncontrolled: true })).length) await versions.promote();
      await change((next) => { if (next.active && clientID) next.clients[clientID] = next.active; });
    },

    /** Deletes versions that no page uses any more. */
    async sweep() {
      const pages = new Set((await scope.clients.matchAll({ includeUncontrolled: true })).map((/** @type {any} */ client) => client.id));
      await change((next) => {
        for (const id of Object.keys(next.clients)) if (!pages.has(id)) delete next.clients[id];
      });
      const { active, waiting, clients } = await load(false);
      const used = new Set([active, waiting, ...Object.values(clients)]);
      for (const name of await caches.keys()) {
        const version = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : null;
        if (version === null || used.has(version)) continue;
        opened.delete(version);
        await caches.delete(name);
      }
    },
  };
  return versions;
}
