// SPDX-License-Identifier: Apache-2.0
// The handle of a rich text over the real text module: marks show at once, are saved at once, merge, and are undone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createText } from '../../Web/rich-text-handle.js';
import { createDevice, settle } from './text-world.mjs';

/** What a rich text is before anybody wrote in it. */
const EMPTY = Uint8Array.of(0x1C);

/** A device whose engine holds one rich text. */
function createRichDevice(options) {
  const device = createDevice({ ...options, make: createText });
  device.engine.saved = EMPTY;
  return device;
}

/** Words with the names of their marks in brackets. */
const shown = (text) => text.spans.map(({ text: words, marks }) => {
  const names = Object.entries(marks).map(([name, value]) => (value === 'yes' ? name : `${name}=${value}`));
  return names.length ? `[${names.join()}]${words}[]` : words;
}).join('');

/** Two devices with one text, in step. */
async function pair(words) {
  const devices = [createRichDevice(), createRichDevice()];
  const texts = devices.map((device) => device.open());
  texts[0].insert(0, words);
  await texts[0].flush();
  await reunite(devices);
  return { devices, texts };
}

/** Both engines take what the other has. */
async function reunite(devices) {
  for (const device of devices) { await device.time.pass(1_000); }
  const messages = devices.map((device) => device.engine.sent.splice(0));
  devices[0].engine.take(...messages[1]);
  devices[1].engine.take(...messages[0]);
  await settle();
}

test('a mark shows at once, is saved at once with the words before it, and a plain reader has the words', async () => {
  const { engine, open } = createRichDevice();
  const text = open();
  const events = [];
  text.subscribe((event) => events.push(event));
  text.insert(0, 'the red fox');
  text.mark(4, 7, 'bold');
  assert.equal(shown(text), 'the [bold]red[] fox');
  assert.equal(engine.sent.length, 1);
  assert.deepEqual(events.at(-1), { value: 'the red fox', changes: [], isLocal: true, by: undefined, restyled: [{ at: 4, length: 3, marks: { bold: 'yes' } }] });
  await settle();
  assert.equal(text.status, 'saved');
  assert.equal(engine.value, 'the red fox');
  text.mark(8, 11, 'link', 'https://example.org');
  text.unmark(5, 7, 'bold');
  assert.equal(shown(text), 'the [bold]r[]ed [link=https://example.org]fox[]');
});

test('words typed at the end of bold are bold, and behind a link are no link; places are UTF-16 units', () => {
  const text = createRichDevice().open();
  text.insert(0, '😀 red 😀');
  text.mark(3, 6, 'bold');
  text.mark(7, 9, 'link', 'x');
  text.insert(6, 'der');
  text.insert(text.length, '!');
  assert.equal(shown(text), '😀 [bold]redder[] [link=x]😀[]!');
  assert.equal(text.value, '😀 redder 😀!');
});

test('one bolds a phrase while the other types inside it: both show the same', async () => {
  const { devices, texts } = await pair('the red fox');
  texts[0].mark(4, 11, 'bold');
  const events = [];
  texts[0].subscribe((event) => events.push(event));
  texts[1].insert(7, 'dish');
  await texts[1].flush();
  await reunite(devices);
  assert.equal(shown(texts[0]), 'the [bold]reddish fox[]');
  assert.equal(shown(texts[1]), shown(texts[0]));
  assert.deepEqual(events.map(({ changes, restyled, isLocal }) => ({ changes, restyled, isLocal })), [{
    changes: [{ at: 7, deleted: 0, inserted: 'dish' }], restyled: [{ at: 7, length: 4, marks: { bold: 'yes' } }], isLocal: false,
  }]);
});

test('a mark of somebody else is told though no word changed', async () => {
  const { devices, texts } = await pair('the red fox');
  const events = [];
  texts[0].subscribe((event) => events.push(event));
  texts[1].mark(0, 3, 'italic');
  await reunite(devices);
  assert.deepEqual(events, [{ value: 'the red fox', changes: [], isLocal: false, by: undefined, restyled: [{ at: 0, length: 3, marks: { italic: 'yes' } }] }]);
});

test('undo takes back own marks and words, others stay, and each step is saved', async () => {
  const { devices, texts } = await pair('the red fox');
  const [mine, theirs] = texts;
  mine.mark(4, 7, 'bold');
  theirs.mark(0, 11, 'italic');
  await reunite(devices);
  assert.equal(shown(mine), '[italic]the [][bold,italic]red[][italic] fox[]');
  const sent = devices[0].engine.sent.length;
  assert.equal(mine.undo(), 7);
  assert.equal(shown(mine), '[italic]the red fox[]');
  assert.equal(devices[0].engine.sent.length, sent + 1);
  assert.ok(mine.canUndo && mine.canRedo); // the words
  mine.redo();
  await reunite(devices);
  assert.equal(shown(mine), '[italic]the [][bold,italic]red[][italic] fox[]');
  assert.equal(shown(theirs), shown(mine));
});

test('while an input method composes, marks of others wait', async () => {
  const { devices, texts } = await pair('the red fox');
  const release = texts[0].hold();
  texts[1].mark(0, 3, 'bold');
  await reunite(devices);
  assert.equal(shown(texts[0]), 'the red fox');
  release();
  assert.equal(shown(texts[0]), '[bold]the[] red fox');
});

test('a module that trapped is opened again, with all marks', async () => {
  const device = createRichDevice();
  const text = device.open();
  text.insert(0, 'the red fox');
  text.mark(4, 7, 'bold');
  await settle();
  assert.throws(() => device.module.run(1, { get length() { throw new Error('trap'); } }));
  text.mark(0, 3, 'italic');
  assert.equal(shown(text), '[italic]the[] [bold]red[] fox');
});

test('what is no range and no mark is an error, and changes nothing', async () => {
  const text = createRichDevice().open();
  text.insert(0, 'abc');
  for (const [from, to] of [[-1, 2], [2, 1], [0, 4], [0.5, 2]]) assert.throws(() => text.mark(from, to, 'bold'), RangeError);
  assert.throws(() => text.mark(0, 2, ''), RangeError);
  assert.throws(() => text.mark(0, 2, 'n'.repeat(65)), RangeError);
  assert.throws(() => text.mark(0, 2, 'link', 'v'.repeat(4_097)), RangeError);
  text.mark(2, 2, 'bold');
  assert.equal(shown(text), 'abc');
  await text.close();
  assert.throws(() => text.mark(0, 2, 'bold'), /closed/);
});

test('marks with names of the language itself are marks like others', () => {
  const text = createRichDevice().open();
  text.insert(0, 'abc');
  text.mark(0, 2, '__proto__', 'x');
  assert.deepEqual(text.spans.map(({ marks }) => Object.entries(marks)), [[['__proto__', 'x']], []]);
});

test('the two characters that stand for the ends of marks become replacements, and the session goes on', () => {
  const { module, open } = createRichDevice();
  const text = open();
  text.insert(0, 'abc');
  text.endGroup();
  const { life } = module;
  text.insert(3, '\uFDD0x\uFDD1');
  assert.equal(text.value, 'abc\uFFFDx\uFFFD');
  text.edit({ at: 0, deleted: 1, inserted: '\uFDD1' });
  text.replace(`${text.value}\uFDD0`);
  assert.equal(text.value, '\uFFFDbc\uFFFDx\uFFFD\uFFFD');
  while (text.canUndo) text.undo();
  assert.equal(text.value, '');
  assert.equal(module.life, life);
});

test('a text that is opened while the engine is rebuilt is rich', async () => {
  const device = createRichDevice();
  const { engine } = device;
  const writer = device.open();
  writer.insert(0, 'the red fox');
  writer.mark(4, 7, 'bold');
  await writer.close();
  const { saved } = engine;
  Object.defineProperty(engine, 'saved', { configurable: true, get() { throw new Error('the engine is being rebuilt'); } });
  const text = device.open();
  text.insert(0, 'x');
  text.mark(0, 1, 'italic');
  assert.equal(shown(text), '[italic]x[]');
  Object.defineProperty(engine, 'saved', { configurable: true, writable: true, value: saved });
  engine.set(saved);
  await settle();
  await device.time.pass(1_000);
  assert.match(shown(text), /\[bold\]red\[\]/);
  assert.match(shown(text), /x/);
});

test('a text that was closed answers its last spans, and never those of another', async () => {
  const device = createRichDevice();
  const text = device.open();
  text.insert(0, 'abc');
  text.mark(0, 1, 'bold');
  text.insert(3, 'd');
  await text.close();
  device.open().insert(0, 'another text');
  assert.equal(shown(text), '[bold]a[]bcd');
  assert.deepEqual(text.styles(0, 1), [{ at: 0, length: 1, marks: { bold: 'yes' } }]);
  await text.flush();
  assert.equal(device.engine.sent.length, 2);
});

test('random edits, marks and undos on two devices end alike', async () => {
  const seed = Math.floor(Math.random() * 1e9);
  let state = seed;
  const below = (n) => { state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0; return Math.floor(state / 65_536) % n; };
  const { devices, texts } = await pair('The fox jumped over the dog');
  for (let step = 0; step < 300; step++) {
    const text = texts[below(2)];
    const from = below(text.length + 1);
    const to = Math.min(text.length, from + below(6));
    const name = ['bold', 'italic', 'link'][below(3)];
    switch (below(7)) {
      case 0: case 1: text.insert(from, ['x', '😀', ' and '][below(3)]); break;
      case 2: text.delete(from, to - from); break;
      case 3: text.mark(from, to, name, ['yes', 'no'][below(2)]); break;
      case 4: text.unmark(from, to, name); break;
      case 5: if (below(2)) text.undo(); else text.redo(); break;
      default: await reunite(devices);
    }
    assert.equal(text.spans.map((span) => span.text).join(''), text.value, `seed ${seed}`);
  }
  await reunite(devices);
  assert.equal(shown(texts[0]), shown(texts[1]), `seed ${seed}`);
  assert.equal(devices[0].engine.value, texts[0].value, `seed ${seed}`);
});
