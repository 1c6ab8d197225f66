// @ts-check
// SPDX-License-Identifier: Apache-2.0
// The service worker as a library: the app opens without a network, and the queue drains in the background.
//
// An app's own worker is two lines:   import { start } from '/aloft/sw.js';   start();
// It must be registered as a module (install.js does). The engine is started for Background Sync
// only; it never stands between a person and the first page.

import { open } from './aloft.js';
import { shared } from './marker.js';
import { isPrivate, isStorable, PrecacheError, urlFor } from './precache.js';
import { createVersions } from './versions.js';

const SYNC_TAG = 'aloft-sync';
const COMPUTED_CACHE = 'aloft-computed';
const ROUNDS_MAX = 50;

/** Registers every event of the worker; call it once, at the top of the worker file.
 * @param {{manifest?:string, shell?:string, computed?:string[]}} options
 *   manifest: what to precache, written by Scripts/precache.mjs · shell: the page that answers navigations to unknown paths ·
 *   computed: files the server makes itself; served from the cache and refreshed behind the answer */
export function start({ manifest = '/precache.json', shell = '/', computed = ['/app.json'] } = {}) {
  const worker = /** @type {any} */ (globalThis);

  /** @param {any} message */
  async function tell(message) {
    for (const client of await worker.clients.matchAll({ includeUncontrolled: true })) client.postMessage(message);
  }
  const versions = createVersions(manifest, tell);

  /** Names the file that kept a version from being installed.
   * @template T @param {Promise<T>} work */
  const reporting = (work) => work.catch(async (error) => {
    if (error instanceof PrecacheError) await tell({ aloft: 'problem', url: error.url, reason: error.reason });
    throw error;
  });

  worker.addEventListener('install', (/** @type {any} */ event) => event.waitUntil(reporting((async () => {
    await versions.check();
    await Promise.all(computed.map((path) => refresh(path).catch(() => null)));
  })())));

  worker.addEventListener('activate', (/** @type {any} */ event) => event.waitUntil((async () => {
    await versions.promote();
    await worker.clients.claim();
  })()));

  worker.addEventListener('message', (/** @type {any} */ event) => {
    const answer = respond(event.data?.aloft, event.source?.id);
    if (answer) event.waitUntil(answer.then((value) => event.ports[0]?.postMessage(value)));
  });

  /** @param {unknown} question @param {string} clientID @returns {Promise<any> | null} */
  function respond(question, clientID) {
    switch (question) {
      case 'version': return versions.load(true).then((state) => ({ version: state.clients[clientID] ?? state.active }));
      case 'check': return reporting(versions.check()).then((isReady) => ({ isReady }), () => ({ isReady: false }));
      case 'apply': return versions.promote().then(() => ({ isDone: true }));
      case 'skipWaiting': return worker.skipWaiting();
      default: return null;
    }
  }

  worker.addEventListener('fetch', (/** @type {any} */ event) => {
    const { request } = event;
    const { origin, pathname } = new URL(request.url);
    if (request.method !== 'GET' || origin !== worker.location.origin || isPrivate(pathname) || request.headers.has('Range')) return;
    event.respondWith(computed.includes(pathname) ? answerComputed(event, pathname) : answerFile(event, pathname));
  });

  /** @param {any} event @param {string} path */
  async function answerFile(event, path) {
    const isPage = event.request.mode === 'navigate';
    if (isPage) await versions.begin(event.resultingClientId).catch(() => {});
    const state = await versions.load(false);
    const own = await versions.files((!isPage && state.clients[event.clientId]) || state.active);
    if (own) {
      const isFile = /\.[^/]+$/.test(path);
      const url = urlFor(own.manifest, path) ?? (isPage && !isFile ? urlFor(own.manifest, shell) : null);
      const found = url && await own.cache.match(url);
      if (found) return found;
    }
    return fetch(event.request);
  }

  /** @param {any} event @param {string} path */
  async function answerComputed(event, path) {
    const found = await caches.match(path, { cacheName: COMPUTED_CACHE });
    const fresh = refresh(path);
    if (!found) return fresh;
    event.waitUntil(fresh.catch(() => {}));
    return found;
  }

  /** Fetches a computed file and keeps it if it is the server's own.
   * @param {string} path @returns {Promise<Response>} */
  async function refresh(path) {
    const response = await fetch(path, { cache: 'no-store', credentials: 'same-origin' });
    const isJSON = response.headers.get('Content-Type')?.startsWith('application/json');
    if (isStorable(response) && isJSON) await (await caches.open(COMPUTED_CACHE)).put(path, response.clone());
    return response;
  }

  worker.addEventListener('sync', (/** @type {any} */ event) => {
    if (event.tag === SYNC_TAG) event.waitUntil(drain());
  });

  /** Sends what is queued. Failing makes the browser try again later. */
  async function drain() {
    const facts = await shared();
    if (!facts) return;
    const declaration = await (await kept(facts.app)).json();
    const compile = async (/** @type {string} */ path) => WebAssembly.compile(await (await kept(path)).arrayBuffer());
    const text = facts.text && await compile(facts.text);
    const db = await open({ app: declaration, server: facts.server, wasm: await compile(facts.wasm), text, user: facts.user });
    try {
      let status = await db.sync();
      for (let round = 1, before = Infinity; status.queued > 0 && status.queued < before && round < ROUNDS_MAX; round++) {
        before = status.queued;
        status = await db.sync();
      }
      if (status.queued > 0 && status.state !== 'signedOut') throw new Error(`${status.queued} changes are still queued`);
    } finally {
      await db.close();
    }
  }

  /** A file from the caches, else from the network: a worker's own requests do not pass through it.
   * @param {string} path @returns {Promise<Response>} */
  async function kept(path) {
    const { active } = await versions.load(false);
    const own = await versions.files(active);
    return await own?.cache.match(path) ?? await caches.match(path, { cacheName: COMPUTED_CACHE }) ?? fetch(path, { credentials: 'same-origin' });
  }
}
