// SPDX-License-Identifier: Apache-2.0
// Rules of the precache: a version is complete and checked, or it does not exist.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkManifest, fillCache, isPrivate, PrecacheError, sha256, urlFor } from '../../Web/precache.js';
import { buildManifest } from '../../Scripts/precache.mjs';

const ORIGIN = 'https://app.test';

/** The part of the Cache interface that precaching uses, in memory. */
function memoryCache() {
  const entries = new Map();
  return {
    entries,
    keys: async () => [...entries.keys()].map((url) => new Request(ORIGIN + url)),
    match: async (url) => entries.get(url)?.clone(),
    put: async (url, response) => { entries.set(url, response); },
  };
}

/** A server with these files; `asked` lists what was fetched. */
function server(files) {
  const asked = [];
  return { asked, fetch: async (url) => { asked.push(url); return files[url] === undefined ? new Response('', { status: 404 }) : new Response(files[url]); } };
}

const hashOf = (body) => sha256(new TextEncoder().encode(body).buffer);
const entry = async (url, body, more) => ({ url, hash: await hashOf(body), ...more });
const unexpected = (problem) => assert.fail(String(problem));

test('every file of a version is fetched and kept', async () => {
  const cache = memoryCache(), { fetch } = server({ '/': 'page', '/a.js': 'a' });
  await fillCache({ version: '1', files: [await entry('/', 'page'), await entry('/a.js', 'a')] }, cache, [], unexpected, fetch);
  assert.equal(await (await cache.match('/a.js')).text(), 'a');
  assert.equal(cache.entries.size, 2);
});

test('a required file that is missing stops the version with its name and the reason', async () => {
  const manifest = { version: '1', files: [await entry('/gone.js', 'x')] };
  await assert.rejects(fillCache(manifest, memoryCache(), [], unexpected, server({}).fetch),
    (error) => error instanceof PrecacheError && error.url === '/gone.js' && error.reason === 'answered 404');
});

test('a file with other bytes than its hash says is not kept', async () => {
  const cache = memoryCache();
  const manifest = { version: '1', files: [await entry('/a.js', 'a')] };
  await assert.rejects(fillCache(manifest, cache, [], unexpected, server({ '/a.js': '<h1>log in</h1>' }).fetch), /does not match its hash/);
  assert.equal(cache.entries.size, 0);
});

test('an optional file that fails is reported and stops nothing', async () => {
  const problems = [], cache = memoryCache();
  const manifest = { version: '1', files: [await entry('/map.png', 'map', { optional: true }), await entry('/a.js', 'a')] };
  await fillCache(manifest, cache, [], (problem) => problems.push(problem.url), server({ '/a.js': 'a' }).fetch);
  assert.deepEqual(problems, ['/map.png']);
  assert.deepEqual([...cache.entries.keys()], ['/a.js']);
});

test('a file that did not change is taken from the version before, without the network', async () => {
  const old = { manifest: { version: '1', files: [await entry('/a.js', 'a'), await entry('/b.js', 'old')] }, cache: memoryCache() };
  await old.cache.put('/a.js', new Response('a'));
  await old.cache.put('/b.js', new Response('old'));
  const { asked, fetch } = server({ '/b.js': 'new' });
  await fillCache({ version: '2', files: [await entry('/a.js', 'a'), await entry('/b.js', 'new')] }, memoryCache(), [old], unexpected, fetch);
  assert.deepEqual(asked, ['/b.js']);
});

test('an interrupted download goes on where it stopped', async () => {
  const cache = memoryCache(), { asked, fetch } = server({ '/a.js': 'a', '/b.js': 'b' });
  await cache.put('/a.js', new Response('a'));
  await fillCache({ version: '1', files: [await entry('/a.js', 'a'), await entry('/b.js', 'b')] }, cache, [], unexpected, fetch);
  assert.deepEqual(asked, ['/b.js']);
});

test('an answer that was redirected is not kept', async () => {
  const redirected = async () => Object.defineProperty(new Response('a'), 'redirected', { value: true });
  await assert.rejects(fillCache({ version: '1', files: [await entry('/a.js', 'a')] }, memoryCache(), [], unexpected, redirected), PrecacheError);
});

test('the page keeps its security headers and loses its encoding', async () => {
  const cache = memoryCache();
  const fetch = async () => new Response('page', { headers: { 'Content-Security-Policy': "default-src 'self'", 'Content-Encoding': 'gzip', 'Content-Length': '9' } });
  await fillCache({ version: '1', files: [await entry('/', 'page')] }, cache, [], unexpected, fetch);
  const { headers } = await cache.match('/');
  assert.equal(headers.get('Content-Security-Policy'), "default-src 'self'");
  assert.equal(headers.get('Content-Encoding'), null);
  assert.equal(headers.get('Content-Length'), null);
});

test('a folder and its index.html are one file', async () => {
  const manifest = { version: '1', files: [await entry('/', 'page'), await entry('/help/', 'help')] };
  assert.equal(urlFor(manifest, '/index.html'), '/');
  assert.equal(urlFor(manifest, '/help/index.html'), '/help/');
  assert.equal(urlFor(manifest, '/help'), null);
});

test('what belongs to one person is never cached', () => {
  for (const path of ['/sync', '/sync/mutations', '/session', '/live', '/health']) assert.ok(isPrivate(path), path);
  for (const path of ['/', '/synced.js', '/app.json', '/aloft/live.js']) assert.ok(!isPrivate(path), path);
});

test('a login page is not a manifest', () => {
  for (const value of [null, {}, { version: 1, files: [] }, { version: '1', files: [{ url: '//evil', hash: 'x' }] }, { version: '1', files: [{ url: '/a' }] }]) {
    assert.throws(() => checkManifest(value), PrecacheError);
  }
});

test('the generator lists files under their URLs, the index under its folder, and leaves the worker file out', () => {
  const folder = mkdtempSync(join(tmpdir(), 'precache-'));
  try {
    mkdirSync(join(folder, 'sub'));
    for (const [name, body] of [['index.html', 'page'], ['sw.js', 'worker'], ['types.d.ts', 'types'], ['.hidden', 'x'], ['sub/b.png', 'b']]) writeFileSync(join(folder, name), body);
    const manifest = checkManifest(buildManifest([['/', folder], ['/engine.wasm', join(folder, 'sub/b.png')]], { optional: ['.png'] }));
    assert.deepEqual(manifest.files.map(({ url, optional }) => [url, optional]), [['/', undefined], ['/engine.wasm', undefined], ['/sub/b.png', true]]);
    assert.equal(manifest.version, buildManifest([['/', folder], ['/engine.wasm', join(folder, 'sub/b.png')]], { optional: ['.png'] }).version);
    writeFileSync(join(folder, 'index.html'), 'page 2');
    assert.notEqual(manifest.version, buildManifest([['/', folder]]).version);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
