// @ts-check
// SPDX-License-Identifier: Apache-2.0
// Binds a <textarea> to a text: what is typed becomes edits, what others write appears without moving the selection.
//
// A text area shows no carriage return, so one is shown as a blank: lengths stay the same, and only what a person changes is written.

import { difference, moved } from './text-changes.js';
import { listenTo } from './text-handle.js';

/** @param {string} value */
const shownForm = (value) => value.replace(/\r\n/g, ' \n').replace(/\r/g, '\n');

/** Keeps both the same until the returned function is called.
 * @param {import('./text-handle.js').Text} text @param {HTMLTextAreaElement} area */
export function bindArea(text, area) {
  /** What the area held when both last agreed. */
  let shown = shownForm(text.value);
  /** The selection before the input that is coming. @type {{start:number, end:number} | null} */
  let before = null;
  /** @type {(() => void) | null} */
  let release = null;
  const own = {};
  let lastCaret = 0;
  area.value = shown;

  /** Hands on what was typed. @param {string} [inputType] */
  function read(inputType = '') {
    const now = area.value;
    if (now !== shown) {
      const change = hinted(now, inputType) ?? difference(shown, now, area.selectionEnd);
      shown = now;
      text.edit(change, own);
      // Half a surrogate pair is no text; the handle mends it, and the area shows what it made of it.
      const wanted = shownForm(text.value);
      if (wanted !== shown) show([difference(shown, wanted)]);
    }
    before = null;
    lastCaret = area.selectionStart;
  }

  /** The change that the input's type tells, without comparing; null when it does not fit.
   * @param {string} now @param {string} inputType */
  function hinted(now, inputType) {
    if (!before) return null;
    const grown = now.length - shown.length;
    const caret = area.selectionStart;
    let { start: at, end } = before;
    if (inputType.startsWith('delete') && at === end) { at = caret; end = caret - grown; }
    const length = grown + end - at;
    if (length < 0 || end > shown.length || at + length !== caret) return null;
    const change = { at, deleted: end - at, inserted: now.slice(at, caret) };
    // Cheap beside the comparison letter by letter: an autocorrection elsewhere must not go unseen.
    return shown.slice(0, at) + change.inserted + shown.slice(end) === now ? change : null;
  }

  /** Makes changes in the area; the selection stays with its text, and the scroll with the screen.
   * @param {import('./text-changes.js').Change[]} changes */
  function show(changes) {
    let { selectionStart: start, selectionEnd: end } = area;
    const { selectionDirection: direction, scrollTop } = area;
    for (const change of changes) {
      const { at, deleted } = change;
      const inserted = shownForm(change.inserted);
      area.setRangeText(inserted, at, at + deleted, 'preserve');
      // A selection that was a caret stays one.
      end = start === end ? moved(start, change) : moved(end, change);
      start = moved(start, change);
      lastCaret = moved(lastCaret, change);
    }
    shown = area.value;
    if (area.selectionStart !== start || area.selectionEnd !== end) area.setSelectionRange(start, end, direction);
    if (area.scrollTop !== scrollTop) area.scrollTop = scrollTop;
  }

  /** The area is another's text now: all of it is shown again when pieces do not add up (a carriage return cut from its line feed).
   * @param {import('./text-handle.js').TextEvent} event */
  function follow({ value, changes, by }) {
    if (by === own) return;
    show(changes);
    const wanted = shownForm(value);
    if (shown !== wanted) show([difference(shown, wanted)]);
    point();
  }

  function point() {
    if (release || !may() || area.ownerDocument.activeElement !== area) return;
    const isBackward = area.selectionDirection === 'backward';
    text.point(isBackward ? area.selectionStart : area.selectionEnd, isBackward ? area.selectionEnd : area.selectionStart);
  }

  const may = () => !area.readOnly && !area.disabled;
  /** @param {Event} event @param {'undo'|'redo'} step */
  function take(event, step) {
    event.preventDefault();
    if (!may()) return;
    read();
    const caret = text.go(step);
    if (caret !== null) area.setSelectionRange(caret, caret, 'none');
  }

  const stops = [
    text.subscribe(follow),
    text.addReader(() => read()),
    listenTo(area, 'beforeinput', (event) => {
      // A paste, a drop, or a place away from the last edit begin something new to undo.
      if (/Paste|Drop|Drag|Replacement/.test(event.inputType) || area.selectionStart !== lastCaret) text.endGroup();
      if (event.inputType === 'historyUndo') take(event, 'undo');
      else if (event.inputType === 'historyRedo') take(event, 'redo');
      else before = { start: area.selectionStart, end: area.selectionEnd };
    }),
    listenTo(area, 'input', (event) => { if (!release) { read(event.inputType); point(); } }),
    listenTo(area, 'compositionstart', () => { read(); release ??= text.hold(); }),
    listenTo(area, 'compositionend', endComposition),
    listenTo(area, 'keydown', (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.isComposing) return;
      const key = event.key.toLowerCase();
      if (key === 'z') take(event, event.shiftKey ? 'redo' : 'undo');
      else if (key === 'y' && event.ctrlKey) take(event, 'redo');
    }),
    listenTo(area, 'focus', point),
    listenTo(area, 'blur', () => { endComposition(); text.point(null); text.flush().catch(() => {}); }),
    listenTo(area.ownerDocument, 'selectionchange', point),
  ];

  function endComposition() {
    before = null;
    if (!release) return;
    read();
    const go = release;
    release = null;
    go();
    text.flush().catch(() => {});
  }

  return () => {
    endComposition();
    read();
    text.point(null);
    for (const stop of stops) stop();
  };
}
