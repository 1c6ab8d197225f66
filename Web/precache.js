// @ts-check
// SPDX-License-Identifier: Apache-2.0
// Fills one cache with the files of one version, each checked against its hash.
//
// A version is complete or it does not exist: the caller switches to it only after `fillCache` has
// returned. A required file that fails stops it with the URL and the reason; an optional one does not.

/** @typedef {{url:string, hash:string, optional?:boolean}} File */
/** @typedef {{version:string, files:File[]}} Manifest */

const DOWNLOADS_AT_ONCE = 6;
/** Paths whose answers belong to one person and one moment. */
const PRIVATE = ['/sync', '/session', '/live', '/health'];

/** Why a version could not be prepared. */
export class PrecacheError extends Error {
  /** @param {string} url @param {string} reason */
  constructor(url, reason) {
    super(`${url}: ${reason}`);
    this.url = url;
    this.reason = reason;
  }
}

/** Whether a path must never be answered from a cache or put into one.
 * @param {string} path */
export const isPrivate = (path) => PRIVATE.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));

/** Checks the shape of a manifest: what a login page answers is not one.
 * @param {any} value @returns {Manifest} */
export function checkManifest(value) {
  const isFile = (/** @type {any} */ file) => typeof file?.url === 'string' && file.url.startsWith('/') && /^[0-9a-f]{64}$/.test(file.hash);
  if (typeof value?.version !== 'string' || !Array.isArray(value.files) || !value.files.every(isFile)) {
    throw new PrecacheError('/precache.json', 'is not a manifest');
  }
  return value;
}

/** The manifest's URL for a requested path, null when it has none. A folder and its index.html are one file.
 * @param {Manifest} manifest @param {string} path */
export function urlFor(manifest, path) {
  const folder = path.endsWith('/index.html') ? path.slice(0, -'index.html'.length) : null;
  const names = [path, folder, path.endsWith('/') ? `${path}index.html` : null];
  return manifest.files.find((file) => names.includes(file.url))?.url ?? null;
}

/** Whether an answer is the server's own, plain and complete: no redirect, no other origin, no error.
 * @param {Response} response */
export const isStorable = (response) => response.status === 200 && !response.redirected && response.type !== 'opaque' && response.type !== 'cors';

/** @param {ArrayBuffer} bytes */
export async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Brings every file of a manifest into `cache`; files already there, or in `older` with the same hash, are not fetched.
 * @param {Manifest} manifest @param {Cache} cache
 * @param {Array<{manifest:Manifest, cache:Cache}>} older
 * @param {(error:PrecacheError) => void} onProblem hears of optional files that failed
 * @param {typeof fetch} [fetching] */
export async function fillCache(manifest, cache, older, onProblem, fetching = fetch) {
  const present = new Set((await cache.keys()).map((request) => new URL(request.url).pathname));
  const wanted = manifest.files.filter((file) => !present.has(file.url));
  let next = 0;
  const worker = async () => {
    while (next < wanted.length) {
      const file = wanted[next++];
      try {
        await cache.put(file.url, await copyOlder(file, older) ?? await download(file, fetching));
      } catch (error) {
        const problem = error instanceof PrecacheError ? error : new PrecacheError(file.url, String(error));
        if (!file.optional) { next = wanted.length; throw problem; }
        onProblem(problem);
      }
    }
  };
  await Promise.all(Array.from({ length: DOWNLOADS_AT_ONCE }, worker));
}

/** @param {File} file @param {Array<{manifest:Manifest, cache:Cache}>} older */
async function copyOlder(file, older) {
  for (const { manifest, cache } of older) {
    if (!manifest.files.some(({ url, hash }) => url === file.url && hash === file.hash)) continue;
    const found = await cache.match(file.url);
    if (found) return found;
  }
  return null;
}

/** @param {File} file @param {typeof fetch} fetching */
async function download(file, fetching) {
  const response = await fetching(file.url, { cache: 'no-cache', redirect: 'error', credentials: 'same-origin' });
  if (!isStorable(response)) throw new PrecacheError(file.url, `answered ${response.status}`);
  const bytes = await response.arrayBuffer();
  if (await sha256(bytes) !== file.hash) throw new PrecacheError(file.url, 'does not match its hash');
  // The headers stay (the page's security policy is one of them), but the body is plain now.
  const headers = new Headers(response.headers);
  headers.delete('Content-Encoding');
  headers.delete('Content-Length');
  return new Response(bytes, { headers });
}
