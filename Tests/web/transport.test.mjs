// SPDX-License-Identifier: Apache-2.0
// Rules of the transport: only an answer that proves to be Aloft's counts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRetryAfter, post } from '../../Web/transport.js';

const MAGIC = [0xD9, 0xD9, 0xF7, 0xA0];
const world = (fetch, more = {}) => ({ fetch, isOffline: () => false, firstByte: 20, pause: 20, ...more });
const answering = (body, status, headers) => async () => new Response(body, { status, headers });
const send = (fetch, more, signal = new AbortController().signal) => post('/sync', new Uint8Array([1]), signal, world(fetch, more));
const bytes = (...values) => new Uint8Array(values);

/** A fetch that hangs until it is aborted, as a silent network does. */
const silent = (_url, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

test('an answer with the magic is handed on with its status', async () => {
  assert.deepEqual(await send(answering(bytes(...MAGIC), 200, { 'Content-Type': 'application/cbor' })),
    { status: 200, retryAfter: 0, body: bytes(...MAGIC) });
});

test('a JSON error of the server counts as its answer', async () => {
  const body = '{"aloft":1,"error":{"code":"unauthenticated"}}';
  const answer = await send(answering(body, 401, { 'Content-Type': 'application/json' }));
  assert.equal(answer.status, 401);
  assert.equal(new TextDecoder().decode(answer.body), body);
});

test('a login page that answers 200 is a portal', async () => {
  assert.deepEqual(await send(answering('<h1>Welcome to the hotel</h1>', 200, { 'Content-Type': 'text/html' })), { failure: 'portal' });
});

test('a login page that claims to be CBOR is a portal', async () => {
  assert.deepEqual(await send(answering('<h1>hello</h1>', 200, { 'Content-Type': 'application/cbor' })), { failure: 'portal' });
});

test('JSON that is not ours is a portal', async () => {
  assert.deepEqual(await send(answering('{"ok":true}', 200, { 'Content-Type': 'application/json' })), { failure: 'portal' });
});

test('an empty 200 is a portal', async () => {
  assert.deepEqual(await send(answering(null, 200, {})), { failure: 'portal' });
});

test('a proxy that says 503 is asked again after the time it names, and its words are dropped', async () => {
  assert.deepEqual(await send(answering('<h1>busy</h1>', 503, { 'Content-Type': 'text/html', 'Retry-After': '12' })),
    { status: 503, retryAfter: 12, body: bytes() });
});

test('a refused connection is unreachable, or offline when the browser knows', async () => {
  const refuse = async () => { throw new TypeError('failed to fetch'); };
  assert.deepEqual(await send(refuse), { failure: 'unreachable' });
  assert.deepEqual(await send(refuse, { isOffline: () => true }), { failure: 'offline' });
});

test('no first byte in time is a timeout', async () => {
  assert.deepEqual(await send(silent), { failure: 'timeout' });
});

test('a body that stops half-way is a timeout', async () => {
  const stuck = async (_url, { signal }) => new Response(new ReadableStream({
    start(controller) {
      controller.enqueue(bytes(...MAGIC));
      signal.addEventListener('abort', () => controller.error(signal.reason));
    },
  }), { headers: { 'Content-Type': 'application/cbor' } });
  assert.deepEqual(await send(stuck), { failure: 'timeout' });
});

test('a lost lease ends the round as busy', async () => {
  const lease = new AbortController();
  const answer = send(silent, { firstByte: 10_000 }, lease.signal);
  lease.abort();
  assert.deepEqual(await answer, { failure: 'busy' });
});

test('the request refuses redirects and caches, and says what it is', async () => {
  let seen;
  await send(async (url, options) => { seen = { url, ...options }; return new Response(null); });
  assert.equal(seen.url, '/sync');
  assert.deepEqual([seen.method, seen.redirect, seen.cache, seen.credentials], ['POST', 'error', 'no-store', 'same-origin']);
  assert.equal(seen.headers['X-Aloft'], '1');
});

test('Retry-After is read as seconds or as a date, and never trusted beyond a day', () => {
  const now = Date.parse('2030-01-01T00:00:00Z');
  assert.equal(parseRetryAfter('5', now), 5);
  assert.equal(parseRetryAfter('Tue, 01 Jan 2030 00:00:30 GMT', now), 30);
  assert.equal(parseRetryAfter('Mon, 31 Dec 2029 00:00:00 GMT', now), 0);
  assert.equal(parseRetryAfter('99999999', now), 86_400);
  assert.equal(parseRetryAfter('soon', now), 0);
  assert.equal(parseRetryAfter(null, now), 0);
});
