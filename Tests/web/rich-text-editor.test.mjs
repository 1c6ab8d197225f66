// SPDX-License-Identifier: Apache-2.0
// The binding of a rich text to an element: what is typed, composed, pasted and pressed, over the real text module.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bindArea } from '../../Web/rich-text-editor.js';
import { createText } from '../../Web/rich-text-handle.js';
import { createToolbar, FakeRoot } from './fake-rich-root.mjs';
import { createDevice, settle } from './text-world.mjs';

/** An element bound to a rich text that says `words`, with the caret behind them. */
function createEditor(words = '', options = {}) {
  const device = createDevice({ make: createText });
  device.engine.saved = Uint8Array.of(0x1C);
  const text = device.open();
  if (words) text.insert(0, words);
  text.endGroup();
  const root = new FakeRoot();
  const toolbar = createToolbar('bold', 'italic', 'link');
  const unbind = bindArea(text, root, { toolbar, ...options });
  root.select(words.length);
  const press = (name) => toolbar.childNodes.find(({ dataset }) => dataset.mark === name).dispatchEvent(new Event('click'));
  const isPressed = (name) => toolbar.childNodes.find(({ dataset }) => dataset.mark === name).getAttribute('aria-pressed') === 'true';
  return { device, text, root, unbind, press, isPressed };
}

/** Errors that somebody hears of, while the work is done. */
async function reported(work) {
  const errors = [];
  globalThis.reportError = (error) => errors.push(error);
  try { await work(); } finally { delete globalThis.reportError; }
  return errors;
}

test('a style chosen before an input method composes, or while it does, holds for its words', () => {
  const { root, text, press, isPressed } = createEditor('Plan: ');
  root.key('b');
  root.compose('に', '本');
  root.endComposition();
  assert.deepEqual(root.runs, ['Plan: ', 'に本 strong']);
  assert.ok(isPressed('bold'));
  press('bold');
  root.compose('x');
  press('italic');
  root.endComposition();
  assert.deepEqual(root.runs, ['Plan: ', 'に本 strong', 'x em']);
  assert.equal(text.value, 'Plan: に本x');
});

test('a composed style survives a save in the middle, and one that was cancelled keeps what was chosen', async () => {
  const { root, text } = createEditor('a');
  root.key('b');
  root.compose();
  root.endComposition();
  root.compose('b');
  await text.flush();
  root.compose('c');
  root.endComposition();
  assert.deepEqual(root.runs, ['a', 'bc strong']);
});

test('when the text takes no composed words, others are let in and the element shows the text', async () => {
  const { device, root, text, unbind } = createEditor('abc');
  const { edit } = text;
  text.edit = () => { throw new Error('too large'); };
  root.compose('x');
  const errors = await reported(() => root.endComposition());
  assert.deepEqual(errors.map(({ message }) => message), ['too large']);
  assert.deepEqual(root.runs, ['abc']);
  text.edit = edit;
  root.type('d');
  assert.equal(text.value, 'abcd');
  await text.flush();
  const other = createDevice({ make: createText });
  other.engine.saved = device.engine.saved;
  const theirs = other.open();
  theirs.insert(0, '!');
  await theirs.flush();
  device.engine.take(...other.engine.sent);
  await settle();
  assert.equal(root.textContent, '!abcd');
  unbind();
});

test('a text that was closed while an input method composed lets go of the element', async () => {
  const { root, text, unbind } = createEditor('abc');
  root.compose('x');
  await text.close();
  root.compose('y');
  assert.equal((await reported(unbind)).length, 1);
  assert.deepEqual(root.runs, ['abcx']);
});

test('letters taken back one by one are one step of undo; a place elsewhere begins another', () => {
  const { root, text } = createEditor('hello');
  root.type(' you');
  for (let i = 0; i < 3; i++) root.backspace();
  assert.equal(text.value, 'hello ');
  text.undo();
  assert.equal(text.value, 'hello');
  root.select(5);
  root.type('!');
  root.select(0);
  root.type('x');
  text.undo();
  assert.equal(text.value, 'hello!');
});

test('a selection that is replaced is a step of its own', () => {
  const { root, text } = createEditor('hello');
  root.type('!!');
  root.select(5, 7);
  root.type('?');
  assert.equal(text.value, 'hello?');
  text.undo();
  assert.equal(text.value, 'hello!!');
});

test('what brings no words leaves the selection; a line and a paste do not', () => {
  const { root, text } = createEditor('hello');
  root.select(1, 4);
  for (const type of ['insertOrderedList', 'insertHorizontalRule', 'insertTranspose']) root.input(type);
  root.input('insertFromPaste', { dataTransfer: { getData: () => '' } }); // a picture
  assert.equal(text.value, 'hello');
  root.input('insertFromPaste', { dataTransfer: { getData: () => 'ipp\r\n' } });
  assert.equal(text.value, 'hipp\no');
  root.input('insertParagraph');
  assert.equal(text.value, 'hipp\n\no');
});

test('the keys of developer tools are left to the browser', () => {
  let asked = 0;
  const { root, text } = createEditor('abc', { askLink: async () => { asked++; return null; } });
  root.select(0, 3);
  for (const key of ['I', 'K', 'B', 'Y']) assert.ok(root.key(key, { shiftKey: true }), key);
  assert.equal(asked, 0);
  assert.deepEqual(root.runs, ['abc']);
  assert.ok(!root.key('i'));
  assert.deepEqual(root.runs, ['abc em']);
  assert.ok(!root.key('z'));
  assert.deepEqual(root.runs, ['abc']);
  assert.ok(!root.key('Z', { shiftKey: true }));
  assert.deepEqual(text.spans, [{ text: 'abc', marks: { italic: 'yes' } }]);
});

test('an address that is too long, or for a text that was closed meanwhile, changes nothing', async () => {
  let address = `https://example.org/${'é'.repeat(2_048)}`;
  let meanwhile = () => {};
  const { root, text } = createEditor('abc', { askLink: async () => { await meanwhile(); return address; } });
  const ask = () => reported(async () => { root.key('k'); await settle(); await settle(); });
  assert.match((await ask())[0].message, /4096 bytes/);
  root.select(0, 3);
  assert.match((await ask())[0].message, /4096 bytes/);
  assert.deepEqual(text.spans, [{ text: 'abc', marks: {} }]);
  address = 'https://example.org';
  root.select(3);
  const { mark } = text;
  text.mark = () => { throw new RangeError('too many marks'); };
  assert.match((await ask())[0].message, /too many/);
  assert.equal(text.value, 'abc');
  text.mark = mark;
  assert.deepEqual(await ask(), []);
  assert.deepEqual(root.runs, ['abc', 'https://example.org a']);
  meanwhile = () => text.close();
  assert.match((await ask())[0].message, /closed/);
  assert.equal(text.value, 'abchttps://example.org');
});
