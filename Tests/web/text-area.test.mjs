// SPDX-License-Identifier: Apache-2.0
// The binding of a text area: keys become edits, others' words appear, and the selection stays with its text.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bindArea } from '../../Web/text-area.js';
import { difference, moved, movedCursor, wholePairs } from '../../Web/text-changes.js';
import { FakeArea } from './fake-area.mjs';
import { createDevice, settle } from './text-world.mjs';

/** A bound area, and another open text of the same device that stands for other people. */
async function bound(initial = '') {
  const device = createDevice();
  const other = device.open();
  if (initial) { other.insert(0, initial); await device.time.pass(300); }
  const text = device.open();
  const area = new FakeArea();
  const changes = [];
  text.subscribe((event) => { if (event.isLocal) changes.push(...event.changes); });
  const unbind = bindArea(text, area);
  return { ...device, text, area, changes, unbind, say: async (edit) => { edit(other); await device.time.pass(300); }, other };
}

test('keys become the smallest edits, also beside their like', async () => {
  const { text, area, changes } = await bound('aaaa');
  area.select(1);
  area.type('a');
  area.select(3);
  area.backspace();
  area.select(0, 2);
  area.type('b');
  assert.deepEqual(changes, [{ at: 1, deleted: 0, inserted: 'a' }, { at: 2, deleted: 1, inserted: '' }, { at: 0, deleted: 2, inserted: 'b' }]);
  assert.equal(text.value, area.value);
});

test('a change elsewhere than at the caret, as spelling aids make, is found', async () => {
  const { text, area, changes } = await bound('teh cat');
  area.select(7);
  area.put('the', 0, 3, 'insertReplacementText');
  assert.deepEqual(changes, [{ at: 1, deleted: 2, inserted: 'he' }]);
  area.select(7);
  area.tell('beforeinput', { inputType: 'insertText' });
  area.value = 'The cat.';
  area.tell('input', { inputType: 'insertText' });
  assert.equal(text.value, 'The cat.');
});

test('words that arrive before, in and after the selection leave it on its text', async () => {
  const { area, say } = await bound('one two three');
  area.select(4, 7, 'backward');
  area.scrollTop = 40;
  await say((other) => other.insert(0, 'zero '));
  await say((other) => other.insert(other.length, ' four'));
  assert.equal(area.value, 'zero one two three four');
  assert.equal(area.value.slice(area.selectionStart, area.selectionEnd), 'two');
  assert.equal(area.selectionDirection, 'backward');
  assert.equal(area.scrollTop, 40);
  await say((other) => other.insert(10, 'X'));
  assert.equal(area.value.slice(area.selectionStart, area.selectionEnd), 'tXwo');
  area.select(5);
  await say((other) => other.insert(5, 'new '));
  assert.deepEqual([area.selectionStart, area.selectionEnd], [5, 5], 'a caret stays where it is');
});

test('a word that is being composed is one edit, and others wait for its end', async () => {
  const { text, area, changes, say, time } = await bound('ab');
  area.select(1);
  area.compose(['に', 'にほ', '日本']);
  await say((other) => other.insert(0, 'far '));
  assert.equal(area.value, 'a日本b');
  assert.deepEqual(changes, []);
  area.endComposition();
  assert.deepEqual(changes, [{ at: 1, deleted: 0, inserted: '日本' }]);
  assert.equal(area.value, 'far a日本b');
  assert.equal(text.value, area.value);
  assert.equal(area.selectionStart, 7);
  await time.pass(300);
});

test('a carriage return is shown as a blank, and only what a person changes is written', async () => {
  const { text, area, say } = await bound('one\r\ntwo');
  assert.equal(area.value, 'one \ntwo');
  area.select(area.value.length);
  area.type('!');
  assert.equal(text.value, 'one\r\ntwo!');
  await say((other) => other.insert(0, 'x\r'));
  assert.equal(text.value, 'x\rone\r\ntwo!');
  assert.equal(area.value, 'x\none \ntwo!');
});

test('half a pair left in the area is mended there too', async () => {
  const { text, area } = await bound('🌍');
  area.put('', 1, 2, 'deleteContentBackward');
  assert.equal(text.value, '\uFFFD');
  assert.equal(area.value, '\uFFFD');
});

test('a page that goes away hands on keys that no event has told', async () => {
  const { text, area, page, engine } = await bound('a');
  area.setRangeText('b', 1, 1);
  page.visibilityState = 'hidden';
  page.dispatchEvent(new Event('visibilitychange'));
  assert.equal(text.value, 'ab');
  assert.equal(engine.value, 'ab');
});

test('the cursor is told while the area has the focus', async () => {
  const device = createDevice();
  const told = [];
  const text = device.open({ tell: (cursor, anchor) => told.push([cursor, anchor]), follow: () => () => {} });
  const area = new FakeArea();
  const unbind = bindArea(text, area);
  area.type('hey');
  area.select(1, 3);
  area.ownerDocument.dispatchEvent(new Event('selectionchange'));
  area.tell('blur');
  unbind();
  await settle();
  assert.deepEqual(told, [[1, 1], [2, 2], [3, 3], [3, 1], [null, 0]]);
});

test('changes: difference, places and pairs', () => {
  assert.deepEqual(difference('abc', 'abc'), { at: 3, deleted: 0, inserted: '' });
  assert.deepEqual(difference('aaa', 'aa', 1), { at: 1, deleted: 1, inserted: '' });
  assert.deepEqual(difference('abcd', 'ad'), { at: 1, deleted: 2, inserted: '' });
  assert.deepEqual(difference('abc', 'xbc', 3), { at: 0, deleted: 1, inserted: 'x' });
  assert.equal(moved(5, { at: 2, deleted: 2, inserted: 'abc' }), 6);
  assert.equal(moved(3, { at: 2, deleted: 2, inserted: '' }), 2);
  assert.equal(movedCursor(5, { at: 0, deleted: 0, inserted: 'hello' }), 5, "the owner's own words");
  assert.equal(movedCursor(6, { at: 0, deleted: 0, inserted: 'hello' }), 11);
  assert.deepEqual(wholePairs('a🌍b', { at: 2, deleted: 0, inserted: 'x' }), { at: 1, deleted: 2, inserted: '\uFFFDx\uFFFD' });
});

test('undo takes back only own words, and leaves others\' inside them', async () => {
  const { text, area, say, time } = await bound('Plan: ');
  area.select(6);
  area.type('milk');
  assert.equal(text.canUndo, true);
  await time.pass(1_000);
  await say((other) => other.insert(8, 'XX'));
  assert.equal(area.value, 'Plan: miXXlk');
  area.type(' tea');
  assert.equal(area.key('z'), false, 'the browser does not undo as well');
  assert.equal(area.value, 'Plan: miXXlk');
  area.key('z');
  assert.equal(area.value, 'Plan: XX');
  area.key('z');
  assert.equal(area.value, 'Plan: XX', 'others\' words stay');
  assert.deepEqual([text.canUndo, text.canRedo], [false, true]);
  area.key('z', { shiftKey: true });
  area.key('y');
  assert.equal(area.value, 'Plan: miXXlk tea');
  area.tell('beforeinput', { inputType: 'historyUndo' });
  assert.equal(area.value, 'Plan: miXXlk');
  area.readOnly = true;
  area.key('z');
  assert.equal(area.value, 'Plan: miXXlk', 'nothing changes where nothing may be written');
});

test('what was undone is saved like any other edit', async () => {
  const { area, time, engine } = await bound('');
  area.type('gone');
  await time.pass(300);
  area.key('z');
  assert.equal(area.value, '');
  await time.pass(300);
  assert.equal(engine.value, '');
});
