// @ts-check
// SPDX-License-Identifier: Apache-2.0
// Carries one request body to POST /sync and says truthfully what came back.
//
// Only an answer that proves to be Aloft's counts. A login page of a hotel network answers 200 to
// everything; believing it would acknowledge changes that no server has seen.

const FIRST_BYTE_MILLISECONDS = 8_000;
const BODY_PAUSE_MILLISECONDS = 15_000;
/** The CBOR self-describe tag, with which every answer of the server begins. */
const MAGIC = [0xD9, 0xD9, 0xF7];

/** @typedef {'offline'|'unreachable'|'timeout'|'busy'|'portal'} Failure */
/** @typedef {{status:number, retryAfter:number, body:Uint8Array, failure?:undefined} | {failure:Failure}} Answer */

/** Sends one round; never throws.
 * @param {string} url @param {Uint8Array} body @param {AbortSignal} signal ends the round early (`busy`)
 * @param {{fetch?:typeof fetch, isOffline?:() => boolean, firstByte?:number, pause?:number}} [world] replaceable for tests
 * @returns {Promise<Answer>} */
export async function post(url, body, signal, world = {}) {
  const { fetch: fetching = fetch, isOffline = () => navigator.onLine === false } = world;
  const { firstByte = FIRST_BYTE_MILLISECONDS, pause = BODY_PAUSE_MILLISECONDS } = world;
  const watchdog = createWatchdog(signal);
  try {
    watchdog.expect(firstByte);
    const response = await fetching(url, {
      method: 'POST', body, signal: watchdog.signal,
      headers: { 'Content-Type': 'application/cbor', 'Accept': 'application/cbor', 'X-Aloft': '1' },
      redirect: 'error', cache: 'no-store', credentials: 'same-origin',
    });
    const bytes = await readAll(response, () => watchdog.expect(pause));
    const retryAfter = parseRetryAfter(response.headers.get('Retry-After'));
    if (isOurs(response.headers.get('Content-Type') ?? '', bytes)) return { status: response.status, retryAfter, body: bytes };
    // A proxy in front of the server speaks for itself when it refuses; its words are not ours to read.
    if (response.status >= 500 || response.status === 429) return { status: response.status, retryAfter, body: new Uint8Array() };
    return { failure: 'portal' };
  } catch {
    if (watchdog.isLate) return { failure: 'timeout' };
    if (signal.aborted) return { failure: 'busy' };
    return { failure: isOffline() ? 'offline' : 'unreachable' };
  } finally {
    watchdog.end();
  }
}

/** Whether an answer proves to come from Aloft.
 * @param {string} type the Content-Type @param {Uint8Array} bytes */
export function isOurs(type, bytes) {
  if (type.startsWith('application/cbor')) return MAGIC.every((byte, i) => bytes[i] === byte);
  if (!type.startsWith('application/json')) return false;
  try {
    return JSON.parse(new TextDecoder().decode(bytes))?.aloft === 1;
  } catch {
    return false;
  }
}

/** Seconds to wait, from either form of the header; 0 when there is none.
 * @param {string | null} value @param {number} [now] */
export function parseRetryAfter(value, now = Date.now()) {
  if (!value) return 0;
  const seconds = /^\d+$/.test(value.trim()) ? Number(value) : Math.ceil((Date.parse(value) - now) / 1000);
  return seconds > 0 ? Math.min(seconds, 86_400) : 0;
}

/** @param {Response} response @param {() => void} onProgress */
async function readAll(response, onProgress) {
  const reader = response.body?.getReader();
  const chunks = [];
  let length = 0;
  for (onProgress(); reader;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    length += value.length;
    onProgress();
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) { bytes.set(chunk, at); at += chunk.length; }
  return bytes;
}

/** Aborts when nothing happens for a while, or when the outer signal does.
 * @param {AbortSignal} outer */
function createWatchdog(outer) {
  const controller = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const forward = () => controller.abort();
  outer.addEventListener('abort', forward);
  if (outer.aborted) forward();
  const watchdog = {
    signal: controller.signal,
    isLate: false,
    /** @param {number} milliseconds */
    expect(milliseconds) {
      clearTimeout(timer);
      timer = setTimeout(() => { watchdog.isLate = true; controller.abort(); }, milliseconds);
    },
    end() { clearTimeout(timer); outer.removeEventListener('abort', forward); },
  };
  return watchdog;
}
