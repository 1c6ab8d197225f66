// SPDX-License-Identifier: Apache-2.0
// Rules of what a context remembers: its own changes until the verdict, and the rows its live queries show.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHandles, newID } from '../../Web/handles.js';
import { applyOps, createLiveQueries } from '../../Web/live-queries.js';

const create = { action: 'create', args: {} };

test('saved and synced resolve in their own time', async () => {
  const handles = createHandles();
  const change = handles.add(create, 'a');
  handles.accept(change, 5);
  handles.saved([{ token: 5, n: 1, count: 1 }]);
  await change.handle.saved;
  handles.judged([{ token: 5, n: 1, outcome: 'applied' }]);
  assert.deepEqual(await change.handle.synced, { n: 1, outcome: 'applied' });
});

test('a promise that is asked for late has not missed anything', async () => {
  const handles = createHandles();
  const change = handles.add(create, 'a');
  handles.accept(change, 1);
  handles.judged([{ token: 1, n: 4, outcome: 'merged' }]);
  await change.handle.saved;
  assert.equal((await change.handle.synced).n, 4);
});

test('a refused change rejects saved, and synced says why without rejecting', async () => {
  const handles = createHandles();
  const change = handles.add(create, '');
  handles.refuse(change, Object.assign(new Error('too long'), { code: 'invalid' }));
  await assert.rejects(change.handle.saved, /too long/);
  assert.equal((await change.handle.synced).outcome, 'rejected');
  assert.equal(handles.unsavedCount, 0);
});

test('a new engine gets again what was not on disk, in order, and nothing else', async () => {
  const handles = createHandles();
  const [first, second, third] = ['a', 'b', 'c'].map((id) => handles.add(create, id));
  handles.accept(first, 1);
  const covered = handles.covered();
  handles.accept(second, 2);
  handles.store(covered);
  assert.deepEqual(handles.takeOver().map(({ handle }) => handle.id), ['b', 'c']);
  await first.handle.saved;
  assert.equal(third.token, 0);
});

test('a verdict finds its change by number after the engine was rebuilt', async () => {
  const handles = createHandles();
  const change = handles.add(create, 'a');
  handles.accept(change, 9);
  handles.saved([{ token: 9, n: 3, count: 1 }]);
  handles.takeOver();
  handles.judged([{ n: 3, outcome: 'applied' }]);
  assert.equal((await change.handle.synced).outcome, 'applied');
});

test('new ids have 24 characters and sort by time', () => {
  const ids = [newID(1_700_000_000_000), newID(1_700_000_000_001), newID(2 ** 47)];
  assert.deepEqual([...ids].sort(), ids);
  for (const id of ids) assert.match(id, /^[0-9a-hjkmnp-tv-z]{24}$/);
  assert.equal(new Set(Array.from({ length: 1000 }, () => newID(1))).size, 1000);
});

test('row operations apply in order, to a new array', () => {
  const rows = ['a', 'b', 'c'];
  assert.deepEqual(applyOps(rows, [['-', 0], ['+', 2, 'd'], ['=', 0, 'B'], ['+', 0, 'z']]), ['z', 'B', 'c', 'd']);
  assert.deepEqual(rows, ['a', 'b', 'c']);
});

test('only queries whose result changed are told', () => {
  const queries = createLiveQueries(), told = [];
  let id = 0;
  const ask = () => ({ id: ++id, rows: [id] });
  const first = queries.add({ from: 'a' }, (rows) => told.push(['first', rows]), ask);
  queries.add({ from: 'b' }, (rows) => told.push(['second', rows]), ask);
  queries.flush((fn) => fn());
  queries.apply([{ id: 2, ops: [['+', 1, 'x']] }]);
  queries.flush((fn) => fn());
  assert.deepEqual(told, [['first', [1]], ['second', [2]], ['second', [2, 'x']]]);
  queries.delete(first);
  queries.takeOver(ask);
  queries.flush((fn) => fn());
  assert.deepEqual(told.at(-1), ['second', [3]]);
});
