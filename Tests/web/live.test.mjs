// SPDX-License-Identifier: Apache-2.0
// Rules of the live channel: what no hint announced is asked for, and a dead stream is noticed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { followLive, takeEvents } from '../../Web/live.js';

/** A server whose streams are opened, fed and cut by hand. */
function createServer() {
  const streams = [];
  const fetch = async (_url, { signal }) => {
    const body = new ReadableStream({
      start(controller) {
        streams.push(controller);
        signal.addEventListener('abort', () => { try { controller.error(signal.reason); } catch { /* over already */ } });
      },
    });
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
  };
  const write = (text) => streams.at(-1).enqueue(new TextEncoder().encode(text));
  return { fetch, streams, write };
}

/** Follows a server; `news` lists what the engine was told, `null` for "anything may have changed".
 * @returns `reaches(count)` resolves when that much news has come */
function follow(server, more = {}) {
  const news = [];
  let look = () => {};
  const world = { fetch: server.fetch, page: { visibilityState: 'visible' }, network: { onLine: true }, retry: 1, silence: 60_000, ...more };
  const live = followLive('/live', 'lock', (hint) => { news.push(hint ?? null); look(); }, () => true, world);
  const reaches = (count) => new Promise((resolve) => { look = () => { if (news.length >= count) resolve(); }; look(); });
  live.start();
  return { live, news, reaches };
}

test('every opening of the stream asks for one round, and so does its end', async (t) => {
  const server = createServer(), { live, news, reaches } = follow(server);
  t.after(live.stop);
  await reaches(1);
  server.write('event: hint\ndata: {"scope":"a","sequence":4}\n\n');
  await reaches(2);
  server.streams[0].close();
  await reaches(4);
  assert.deepEqual(news, [null, { scope: 'a', sequence: 4 }, null, null]);
  assert.equal(server.streams.length, 2);
});

test('a stream without a heartbeat counts as ended', async (t) => {
  const server = createServer(), { live, reaches } = follow(server, { silence: 5 });
  t.after(live.stop);
  await reaches(3);
  assert.ok(server.streams.length >= 2);
});

test('an answer that is not a stream ends the attempt, and the server is asked instead', async (t) => {
  let attempts = 0;
  const fetch = async () => { attempts++; return new Response('<h1>Hotel</h1>', { headers: { 'Content-Type': 'text/html' } }); };
  const { live, reaches } = follow({ fetch });
  t.after(live.stop);
  await reaches(2);
  assert.equal(attempts, 2);
});

test('without a network the end of the stream asks for nothing', async () => {
  const server = createServer(), network = { onLine: true }, { live, news, reaches } = follow(server, { network, retry: 60_000 });
  await reaches(1);
  network.onLine = false;
  server.streams[0].close();
  await new Promise(setImmediate);
  live.stop();
  assert.deepEqual(news, [null]);
});

test('a paused channel lets go of its stream without asking', async () => {
  const server = createServer(), { live, news, reaches } = follow(server);
  await reaches(1);
  live.pause();
  await new Promise(setImmediate);
  assert.deepEqual(news, [null]);
});

test('events arrive in pieces; comments and foreign events are no hints', () => {
  const hints = [], onHint = (hint) => hints.push(hint);
  let rest = takeEvents(': beat\n\nevent: hint\ndata: {"sco', { hint: onHint });
  rest = takeEvents(`${rest}pe":"a","sequence":1}\n\nevent: other\ndata: {}\n\nevent: hint\ndata: no\n\nevent: hi`, { hint: onHint });
  assert.deepEqual(hints, [{ scope: 'a', sequence: 1 }]);
  assert.equal(rest, 'event: hi');
});
