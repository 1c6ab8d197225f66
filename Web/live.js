// @ts-check
// SPDX-License-Identifier: Apache-2.0
// The live channel: one server-sent-event stream per device, only while somebody looks at the page.
//
// A hint says "there is news"; it carries no data and proves nothing. What happened while no stream was
// open is announced by nobody, so each opening asks for one round. Each end asks for one too: while the
// stream is away, only a round can tell whether the server still is there.
//
// The stream is read with fetch because EventSource hides the server's heartbeat: a connection that died
// without a word would look alive for ever. The lock is held only while visible, so a frozen tab never
// keeps it, and six tabs do not use up the browser's connections.

const RETRY_MILLISECONDS = 1_000;
const RETRY_MILLISECONDS_MAX = 300_000;
/** The server's heart beats every 20 s. */
const SILENCE_MILLISECONDS = 50_000;
/** A stream that lasted this long was a good one; those that end sooner are retried ever less often. */
const STEADY_MILLISECONDS = 30_000;

/** @typedef {{scope:string, sequence:number}} Hint */
/** What else is told, and what tests replace.
 * @typedef {{onPresence?:(presence:any) => void, fetch?:typeof fetch, page?:{visibilityState:string}, network?:{onLine?:boolean, locks?:LockManager},
 *    retry?:number, silence?:number}} World */

/** Follows the server's news until stopped.
 * @param {string} url @param {string} lockName
 * @param {(hint?:Hint) => void} onNews without a hint: anything may have changed, so ask
 * @param {() => boolean} isWanted false while there is no use in trying (signed out, no network)
 * @param {World} [world] */
export function followLive(url, lockName, onNews, isWanted, world = {}) {
  const { page = document, network = navigator, retry = RETRY_MILLISECONDS } = world;
  /** @type {AbortController | null} */
  let turn = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let failures = 0;
  let isStopped = false;

  /** Waits for the lock, then for the end of the stream. */
  async function run() {
    if (turn || isStopped || page.visibilityState !== 'visible' || !isWanted()) return;
    const mine = turn = new AbortController();
    let openedAt = Infinity;
    const opened = () => { openedAt = Date.now(); onNews(); };
    const following = () => readStream(url, mine.signal, opened, onNews, world);
    // Plain http on a local network has no locks; then every visible tab follows for itself.
    await (network.locks ? network.locks.request(lockName, { signal: mine.signal }, following) : following()).catch(() => {});
    if (turn === mine) turn = null;
    if (mine.signal.aborted) return;
    if (network.onLine !== false) onNews();
    // Full jitter; a fixed pause would bring every device back in the same second.
    if (Date.now() - openedAt > STEADY_MILLISECONDS) failures = 0;
    const limit = Math.min(RETRY_MILLISECONDS_MAX, retry * 2 ** failures++);
    clearTimeout(timer);
    timer = setTimeout(run, retry + Math.random() * limit);
  }

  const live = {
    /** Tries (again) now: the page became visible, the network came back, or somebody signed in. */
    start() { clearTimeout(timer); failures = 0; void run(); },
    /** Lets go of the stream and the lock. */
    pause() { clearTimeout(timer); turn?.abort(); turn = null; },
    stop() { isStopped = true; live.pause(); },
  };
  return live;
}

/** Reads one stream to its end; fails when it is refused, cut, silent or aborted.
 * @param {string} url @param {AbortSignal} signal @param {() => void} onOpen @param {(hint:Hint) => void} onHint @param {World} world */
async function readStream(url, signal, onOpen, onHint, { onPresence, fetch: fetching = fetch, silence = SILENCE_MILLISECONDS }) {
  const silent = new AbortController();
  const end = () => silent.abort();
  let timer = setTimeout(end, silence);
  signal.addEventListener('abort', end);
  try {
    const response = await fetching(url, {
      headers: { 'Accept': 'text/event-stream' }, redirect: 'error', cache: 'no-store', credentials: 'same-origin', signal: silent.signal,
    });
    if (!response.ok || !response.body || !response.headers.get('Content-Type')?.startsWith('text/event-stream')) return end();
    onOpen();
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (let rest = ''; ;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(end, silence);
      rest = takeEvents(rest + decoder.decode(value, { stream: true }), { hint: onHint, presence: onPresence });
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

/** Hands on the events in a piece of the stream; returns the beginning of the event that is still arriving.
 * @param {string} text @param {{hint?:(hint:Hint) => void, presence?:(presence:any) => void}} hear */
export function takeEvents(text, hear) {
  const events = text.split('\n\n');
  const rest = events.pop() ?? '';
  for (const event of events) {
    const lines = event.split('\n');
    const data = lines.find((line) => line.startsWith('data:'));
    const fn = lines.includes('event: hint') ? hear.hint : lines.includes('event: presence') ? hear.presence : null;
    if (!data || !fn) continue;
    let value;
    try { value = JSON.parse(data.slice(5)); } catch { continue; } // not an event of ours
    fn(value);
  }
  return rest;
}
