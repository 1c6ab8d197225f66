// SPDX-License-Identifier: Apache-2.0
// The text handle over the real text module: when it sends, what it takes, and what it never loses.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joined, textOf } from '../../Web/text-session.js';
import { startText } from '../../Web/text-module.js';
import { createDevice, module, settle } from './text-world.mjs';

test('a text is typed into, and one mutation goes out for each pause', async () => {
  const { time, engine, open } = createDevice();
  const text = open();
  text.insert(0, 'Shop');
  await time.pass(200);
  text.insert(4, ' closed');
  assert.equal(text.status, 'saving');
  assert.equal(engine.sent.length, 0);
  await time.pass(300);
  assert.equal(engine.sent.length, 1);
  assert.equal(engine.value, 'Shop closed');
  assert.equal(text.status, 'saved');
});

test('who types without a pause is saved once a second', async () => {
  const { time, engine, open } = createDevice();
  const text = open();
  for (let i = 0; i < 30; i++) { text.insert(text.length, 'x'); await time.pass(100); }
  assert.ok(engine.sent.length >= 2 && engine.sent.length <= 4, `${engine.sent.length} mutations`);
  await text.flush();
  assert.equal(engine.value, 'x'.repeat(30));
});

test('one mutation is on its way to the disk at a time, and the next covers everything since', async () => {
  const device = createDevice({ isHolding: true });
  const text = device.open();
  text.insert(0, 'a');
  await device.time.pass(300);
  text.insert(1, 'b');
  await device.time.pass(300);
  text.insert(2, 'c');
  await device.time.pass(2_000);
  assert.equal(device.engine.sent.length, 1);
  await device.save();
  assert.equal(device.engine.sent.length, 2);
  assert.equal(device.engine.value, 'abc');
  assert.equal(text.status, 'saving');
  await device.save();
  assert.equal(text.status, 'saved');
});

test('a page that goes away hands on at once what was typed, without waiting for the save before', async () => {
  const device = createDevice({ isHolding: true });
  const text = device.open();
  text.insert(0, 'a');
  await device.time.pass(300);
  text.insert(1, 'b');
  device.page.visibilityState = 'hidden';
  device.page.dispatchEvent(new Event('visibilitychange'));
  assert.equal(device.engine.value, 'ab');
});

test('two open texts of one device show what the other types, in places', async () => {
  const { time, open } = createDevice();
  const [one, two] = [open(), open()];
  const events = [];
  two.subscribe(({ changes, isLocal }) => events.push({ changes, isLocal }));
  one.insert(0, 'Hello 🌍 world');
  await time.pass(300);
  assert.equal(two.value, 'Hello 🌍 world');
  one.insert(8, '!');
  await time.pass(300);
  assert.deepEqual(events.at(-1), { changes: [{ at: 8, deleted: 0, inserted: '!' }], isLocal: false });
  two.delete(0, 6);
  one.insert(one.length, '?');
  await time.pass(300);
  assert.equal(one.value, '🌍! world?');
  assert.equal(two.value, one.value);
});

test('words typed while others write stay whole', async () => {
  const [mia, ada] = [createDevice(), createDevice()];
  const [hers, theirs] = [mia.open(), ada.open()];
  hers.insert(0, 'ab');
  await mia.time.pass(300);
  ada.engine.take(...mia.engine.sent);
  await settle();
  hers.insert(1, 'mia');
  theirs.insert(1, 'ada');
  await mia.time.pass(300);
  await ada.time.pass(300);
  mia.engine.take(ada.engine.sent.at(-1));
  ada.engine.take(mia.engine.sent.at(-1));
  await settle();
  assert.equal(hers.value, theirs.value);
  assert.match(hers.value, /^a(miaada|adamia)b$/);
});

test('an edit that the server refuses leaves the text, is told with its words, and what came later stays', async () => {
  const device = createDevice();
  const text = device.open();
  text.insert(0, 'kept. ');
  await device.time.pass(300);
  device.last.judge({ outcome: 'applied' });
  text.insert(6, 'refused. ');
  await device.time.pass(300);
  text.insert(15, 'later');
  const refusals = [];
  text.onRefused((refusal) => refusals.push(refusal));
  device.last.undo();
  device.last.judge({ outcome: 'rejected', code: 'forbidden', message: 'no' });
  await settle();
  assert.equal(text.value, 'kept. later');
  assert.deepEqual(refusals, [{ text: 'kept. refused. later', code: 'forbidden', message: 'no' }]);
  assert.equal(text.status, 'refused');
  await device.time.pass(300);
  assert.equal(device.engine.value, 'kept. later');
  device.last.judge({ outcome: 'merged' });
  await settle();
  assert.equal(text.status, 'saved');
});

test('words of another tab that are taken back leave the text, what was typed meanwhile stays, and nobody hears of a refusal', async () => {
  const device = createDevice();
  const text = device.open();
  text.insert(0, 'mine. ');
  await device.time.pass(300);
  device.last.judge({ outcome: 'applied' });
  const kept = device.engine.saved;
  const other = createDevice();
  other.engine.set(kept);
  other.open().insert(6, 'hers. ');
  await other.time.pass(300);
  device.engine.take(other.engine.sent.at(-1));
  await settle();
  assert.equal(text.value, 'mine. hers. ');
  const refusals = [];
  text.onRefused((refusal) => refusals.push(refusal));
  text.insert(12, 'later');
  device.engine.set(kept);
  await settle();
  assert.equal(text.value, 'mine. later');
  await device.time.pass(300);
  assert.equal(device.engine.value, 'mine. later');
  assert.deepEqual(refusals, []);
});

test('an edit that the engine does not take stays in the text and goes out with the next', async () => {
  const device = createDevice();
  const text = device.open();
  const refusals = [];
  text.onRefused(({ code }) => refusals.push(code));
  device.engine.isRefusing = true;
  text.insert(0, 'waits');
  await device.time.pass(300);
  assert.deepEqual(refusals, ['notFound']);
  assert.equal(text.value, 'waits');
  device.engine.isRefusing = false;
  text.insert(5, '.');
  await device.time.pass(300);
  assert.equal(device.engine.value, 'waits.');
});

test('a module that stops is begun anew, with every word', async () => {
  const device = createDevice();
  const text = device.open();
  text.insert(0, 'saved ');
  await device.time.pass(300);
  text.insert(6, 'unsaved');
  assert.throws(() => device.module.run(10, { length: -1 }));
  text.insert(text.length, '!');
  assert.equal(text.value, 'saved unsaved!');
  await device.time.pass(300);
  assert.equal(device.engine.value, 'saved unsaved!');
});

test('places outside and closed texts are errors in words', async () => {
  const text = createDevice().open();
  assert.throws(() => text.insert(1, 'x'), RangeError);
  assert.throws(() => text.delete(0, 1), RangeError);
  await text.close();
  assert.throws(() => text.insert(0, 'x'), /closed/);
});

test('half a surrogate pair never enters a text', async () => {
  const { time, engine, open } = createDevice();
  const text = open();
  text.insert(0, 'a🌍b');
  text.delete(2, 1);
  assert.equal(text.value, 'a\uFFFDb');
  text.insert(0, '\uFEFF');
  await time.pass(300);
  assert.equal(engine.value, '\uFEFFa\uFFFDb');
  assert.equal(textOf(engine.saved), engine.value);
});

test('the module folds and replaces for the engine, and refuses bytes that are no text', () => {
  const text = startText(module);
  const bytes = (value) => new TextEncoder().encode(value);
  const edit = text.run(2, joined([bytes('agent'), new Uint8Array(), bytes('héllo')]));
  assert.ok(edit.code > 0);
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { text_call, text_take } = text.imports(() => memory);
  const input = joined([new Uint8Array(), edit.bytes.slice()]);
  new Uint8Array(memory.buffer).set(input, 100);
  const length = text_call(1, 100, input.length);
  text_take(5_000);
  assert.equal(textOf(new Uint8Array(memory.buffer, 5_000, length).slice()), 'héllo');
  assert.equal(text_call(1, 100, input.length - 1), -1);
  assert.equal(text_call(99, 100, 0) < 0, true);
  assert.equal(text_call(2, 60_000, 1 << 20), -1, 'outside the memory');
});

test('an edit in the tray says what was typed, and stays the edit that it was', () => {
  const text = startText(module);
  const edit = Buffer.from(text.run(2, joined([Buffer.from('agent'), new Uint8Array(), Buffer.from('hé 🌍')])).bytes).toString('base64url');
  const entries = [
    { args: { changes: { notes: { $edit: edit }, title: 'x', tags: { $add: [1] }, empty: null } } }, { args: { changes: { notes: { $edit: 'AAAA' } } } }, { args: {} },
  ];
  const before = JSON.stringify(entries);
  text.tellWords(entries);
  assert.equal(entries[0].args.changes.notes.$words, 'hé 🌍');
  assert.equal(entries[1].args.changes.notes.$words, undefined);
  assert.equal(JSON.stringify(entries), before);
});

test('hostile bytes are refused and never stop the module', () => {
  const text = startText(module);
  let seed = 1;
  const random = () => (seed = (seed * 48_271) % 2_147_483_647);
  for (let i = 0; i < 500; i++) {
    const bytes = Uint8Array.from({ length: random() % 60 }, () => random() % 256);
    for (const op of [1, 2, 3, 10, 11, 12, 13, 14, 15, 16, 17]) text.run(op, bytes, random() % 5 - 1, random() % 100 - 50, random() % 100 - 50);
  }
  assert.equal(text.life, 1);
});
