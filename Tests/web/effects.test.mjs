// SPDX-License-Identifier: Apache-2.0
// Rules of how a context saves and sends: a save begins at once, and what goes to the server does not stand in its way.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEffects } from '../../Web/effects.js';
import { createHandles } from '../../Web/handles.js';
import { Op } from '../../Web/engine.js';

const row = new Uint8Array([1]);
const persist = (first) => ({ kind: 'persist', first, strict: true, rows: [row] });
const turns = async () => { for (let i = 0; i < 30; i++) await null; };

globalThis.fetch = async () => new Response(new Uint8Array([0xD9, 0xD9, 0xF7]), { headers: { 'Content-Type': 'application/cbor' } });

/** Effects over a storage that answers when told, with every call in `seen`. */
function world({ syncURL = null } = {}) {
  const seen = [];
  const waiting = [];
  const storage = {
    begin: () => { seen.push('begin'); return 'begun'; },
    append: (first, rows, strict, begun, isAgain) => {
      seen.push(`append ${first} ${begun}${isAgain ? ' again' : ''}`);
      return new Promise((done) => waiting.push(done));
    },
    tail: async () => { seen.push('tail'); return { rows: [], isGap: false }; },
    hasArrived: async () => true,
  };
  const tabs = {
    announce: (head) => seen.push(`announce ${head}`),
    lease: { take: async () => { seen.push('lease'); return new AbortController().signal; }, release() {}, abandon() {} },
  };
  const handles = createHandles();
  const effects = createEffects({
    storage, tabs, handles, syncURL, reopen() {}, notify: () => seen.push('notify'), onSaved() {}, onTrouble() {},
    feed: (op) => seen.push(Object.keys(Op).find((name) => Op[name] === op)),
  });
  return { effects, handles, seen, answer: (end = { kind: 'done' }) => waiting.shift()(end) };
}

test('the transaction of a save is begun before the engine works, and used in the same turn', () => {
  const { effects, seen } = world();
  effects.expectPersist(() => { seen.push('engine'); effects.run([persist(1)]); });
  assert.deepEqual(seen, ['begin', 'engine', 'append 1 begun']);
});

test('the app hears of its save before the engine does, and what it asks the engine then comes after', async () => {
  for (const asks of [false, true]) {
    const { effects, handles, seen, answer } = world();
    const change = handles.add({ action: 'create', args: {} }, 'a');
    handles.accept(change, 1);
    effects.run([persist(1)]);
    void change.handle.saved.then(() => { seen.push('saved'); if (asks) { effects.tellSaved(); seen.push('question'); } });
    answer();
    await turns();
    assert.deepEqual(seen.slice(1), asks ? ['saved', 'persisted', 'question', 'announce 1'] : ['saved', 'persisted', 'announce 1']);
  }
});

test('nothing is begun while another save is under way, and the next save waits for it', async () => {
  const { effects, seen, answer } = world();
  effects.run([persist(1)]);
  effects.expectPersist(() => effects.run([persist(2)]));
  assert.deepEqual(seen, ['append 1 null']);
  answer();
  await turns();
  assert.deepEqual(seen, ['append 1 null', 'persisted', 'announce 1', 'append 2 null']);
});

test('a transaction that no save took is not kept for a later one', () => {
  const { effects, seen } = world();
  effects.expectPersist(() => {});
  effects.run([persist(1)]);
  assert.deepEqual(seen, ['begin', 'append 1 null']);
});

test('the app hears before the server does', async () => {
  const { effects, seen } = world({ syncURL: '/sync' });
  effects.run([{ kind: 'send', body: new Uint8Array(20_000) }, { kind: 'notify', value: {} }]);
  assert.deepEqual(seen, ['notify']);
  await effects.idle();
  assert.deepEqual(seen, ['notify', 'lease', 'response']);
});

test('a small round keeps its distance from the small round before it, and a large one does not', async () => {
  const { effects, seen } = world({ syncURL: '/sync' });
  const setting = globalThis.setTimeout;
  const pauses = [];
  try {
    effects.run([{ kind: 'send', body: row }]);
    await effects.idle();
    assert.deepEqual(seen, ['lease', 'response']);
    globalThis.setTimeout = (fn, milliseconds) => { if (milliseconds <= 50) { pauses.push(fn); return 0; } return setting(fn, milliseconds); };
    effects.run([{ kind: 'send', body: row }]);
    await turns();
    assert.deepEqual([pauses.length, seen.slice(2)], [1, ['lease']], 'the lease is held meanwhile');
    pauses[0]();
    await effects.idle();
    effects.run([{ kind: 'send', body: new Uint8Array(20_000) }]);
    await effects.idle();
    assert.deepEqual([pauses.length, seen], [1, ['lease', 'response', 'lease', 'response', 'lease', 'response']]);
  } finally {
    globalThis.setTimeout = setting;
  }
});

test('a change that waits is not taken for stored when a row of another kind is', async () => {
  const { effects, handles, answer } = world();
  const change = handles.add({ action: 'create', args: {} }, 'a');
  handles.accept(change, 1);
  effects.run([{ ...persist(1), strict: false }]);
  answer();
  await turns();
  assert.deepEqual(handles.takeOver(), [change]);
});

const inDoubt = { kind: 'failed', reason: 'storage', isInDoubt: true };

/** Runs `body` with timers that fire when told. */
async function withTimers(body) {
  const { setTimeout: setting, clearTimeout: clearing } = globalThis;
  const set = new Map();
  globalThis.setTimeout = (fn) => { const id = set.size + 1; set.set(id, fn); return id; };
  globalThis.clearTimeout = (id) => set.delete(id);
  try { await body(() => { const due = [...set.values()]; set.clear(); for (const fn of due) fn(); }); } finally {
    Object.assign(globalThis, { setTimeout: setting, clearTimeout: clearing });
  }
}

test('the engine does not hear that a save failed while its rows may have arrived: the same rows are looked for', () => withTimers(async (fire) => {
  const { effects, seen, answer } = world();
  effects.run([persist(1)]);
  answer(inDoubt);
  await turns();
  assert.deepEqual([seen, effects.isSaving], [['append 1 null'], true]);
  effects.hear(1); // another context saw the row that arrived: it is ours, and not to be taken for another's
  await turns();
  fire();
  await turns();
  assert.deepEqual(seen, ['append 1 null', 'append 1 null again']);
  answer();
  await turns();
  assert.deepEqual([seen.slice(2, 4), effects.isSaving], [['persisted', 'announce 1'], false]);
}));

test('the engine hears of a full disk at once, and makes the rows anew', () => withTimers(async (fire) => {
  const { effects, seen, answer } = world();
  effects.run([persist(1)]);
  answer({ kind: 'failed', reason: 'quota', isInDoubt: false });
  await turns();
  assert.deepEqual([seen, effects.isSaving], [['append 1 null', 'persistFailed'], false]);
  fire();
  await turns();
  assert.deepEqual(seen.slice(2), ['tail', 'wake']);
}));

test('a new engine is not given changes whose save arrived without a word', () => withTimers(async () => {
  const { effects, handles, answer } = world();
  handles.accept(handles.add({ action: 'create', args: {} }, 'a'), 1);
  effects.run([persist(1)]);
  answer(inDoubt);
  await turns();
  await effects.restart(() => effects.settleDoubt());
  assert.deepEqual(handles.takeOver(), []);
}));
