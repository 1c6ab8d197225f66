// @ts-check
// SPDX-License-Identifier: Apache-2.0
// A rich text that an app has open: the handle of a plain text, and marks on it.
//
// The plain handle knows words only. What a step does to marks is asked of the module behind each step, and told with the words, or on
// its own where no words changed.

import { createText as createPlain } from './text-handle.js';
import { joined } from './text-session.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const Op = { open: 10, edit: 12, absorb: 13, undo: 17, redo: 18, mark: 21, markOnly: 22, spans: 23, restyled: 24 };
/** A rich text that nobody wrote yet. */
const EMPTY = Uint8Array.of(0x1C);
const STEPS = [Op.edit, Op.absorb, Op.undo, Op.redo, Op.mark, Op.markOnly];

/** @typedef {{text:string, marks:Record<string, string>}} Span */
/** @typedef {{at:number, length:number, marks:Record<string, string>}} Styled */
/** @typedef {import('./text-handle.js').TextEvent & {restyled:Styled[]}} RichTextEvent */
/** @typedef {ReturnType<typeof createText>} RichText */

/** Whether text typed at the end of such a mark has it too.
 * @param {string} name */
const grows = (name) => !/^(link|comment)/.test(name);

/** Words without the two characters that the engine keeps for the ends of marks; it would refuse all of them.
 * @param {string} words */
const allowed = (words) => String(words).replace(/[\uFDD0\uFDD1]/g, '\uFFFD');

/** @param {import('./text-handle.js').Source} source @param {import('./text-handle.js').World} [world] */
export function createText(source, world) {
  let handle = 0;
  let isClosed = false;
  /** What no event has told yet. @type {{at:number, length:number}[]} */
  let restyled = [];
  let isAnew = false;
  /** @type {Span[] | null} */
  let spans = null;
  /** @type {Set<(event:RichTextEvent) => void>} */
  const listeners = new Set();

  /** The module, with an ear on the steps of this text. */
  const module = /** @type {import('./text-module.js').TextModule} */ ({
    ...source.module,
    get life() { return source.module.life; },
    run(op, input, on, place, count) {
      if (op === Op.open) input = richly(/** @type {Uint8Array} */ (input));
      const { code, bytes } = source.module.run(op, input, on, place, count);
      if (op === Op.open) {
        handle = code;
        spans = null;
        isAnew = true;
      }
      // Above zero a document lacked something, and nothing was absorbed.
      if (code !== 0 || !STEPS.includes(op)) return { code, bytes };
      spans = null;
      const answer = { code, bytes: bytes.slice() };
      const view = viewOf(source.module.run(Op.restyled, '', on).bytes);
      for (let at = 0; at < view.byteLength; at += 8) restyled.push({ at: view.getUint32(at, true), length: view.getUint32(at + 4, true) });
      return answer;
    },
  });

  const text = createPlain({
    ...source, module,
    // Marks may have changed where the words did not.
    follow(fn) {
      const stop = source.follow((words) => { fn(words, true); settle(false); });
      return () => {
        stop();
        // Only closing stops it: the last moment to ask the module, whose number another text may have next.
        void rich.spans;
        isClosed = true;
      };
    },
  }, world);
  const { edit, insert, replace, go, hold, flush, subscribe } = text;
  isAnew = false;
  subscribe(tell);

  /** @param {import('./text-handle.js').TextEvent} event */
  function tell(event) {
    const ranges = isAnew ? [{ at: 0, length: event.value.length }] : restyled;
    [restyled, isAnew] = [[], false];
    const told = { ...event, restyled: ranges.flatMap(({ at, length }) => styles(at, at + length)) };
    for (const fn of [...listeners]) {
      try { fn(told); } catch (error) { globalThis.reportError?.(error); }
    }
  }

  /** Tells what changed without a word; answers whether something had. @param {boolean} isLocal @param {any} [by] */
  function settle(isLocal, by) {
    const isDue = isAnew || restyled.length > 0;
    if (isDue) tell({ value: text.value, changes: [], isLocal, by });
    return isDue;
  }

  /** The runs of equal marks between two places. @param {number} from @param {number} to @returns {Styled[]} */
  function styles(from, to) {
    const found = [];
    let at = 0;
    for (const span of rich.spans) {
      const start = Math.max(at, from);
      at += span.text.length;
      if (start < Math.min(at, to)) found.push({ at: start, length: Math.min(at, to) - start, marks: span.marks });
    }
    return found;
  }

  /** @param {number} from @param {number} to @param {string} name @param {string | null} value @param {any} [by] */
  function mark(from, to, name, value, by) {
    if (isClosed) throw new Error('the text is closed');
    if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to < from || to > text.value.length) {
      throw new RangeError(`no range from ${from} to ${to} in a text of ${text.value.length}`);
    }
    if (from === to) return;
    void text.canUndo; // opens the text anew when the module lost it
    const parts = [name, ...(value === null ? [] : [value])].map((part) => encoder.encode(part));
    const { code } = module.run(grows(name) ? Op.mark : Op.markOnly, joined(parts), handle, from, to - from);
    if (code < 0) throw new RangeError(`the text takes no mark ${name}: its name has 1 to 64 bytes, its value at most 4096, and there are at most 65536`);
    settle(true, by);
    save();
  }

  function save() { text.flush().catch(() => {}); }

  /** @param {'undo'|'redo'} step @param {any} [by] */
  function step(step, by) {
    const caret = go(step, by);
    if (caret !== null) return caret;
    const [first] = restyled;
    if (!settle(true, by)) return null;
    save();
    return first ? first.at + first.length : 0;
  }

  const rich = {
    /** The text as runs of equal marks. @returns {Span[]} */
    get spans() {
      if (!spans && isClosed) return [];
      if (!spans) {
        void text.canUndo;
        spans = parseSpans(module.run(Op.spans, '', handle).bytes, text.value);
      }
      return spans;
    },
    styles,
    /** @param {import('./text-changes.js').Change} change @param {any} [by] */
    edit: (change, by) => edit({ ...change, inserted: allowed(change.inserted) }, by),
    /** @param {number} at @param {string} inserted */
    insert: (at, inserted) => insert(at, allowed(inserted)),
    /** @param {string} whole */
    replace: (whole) => replace(allowed(whole)),
    /** @param {number} from @param {number} to @param {string} name @param {string} [value] @param {any} [by] */
    mark: (from, to, name, value = 'yes', by) => mark(from, to, name, String(value), by),
    /** @param {number} from @param {number} to @param {string} name @param {any} [by] */
    unmark: (from, to, name, by) => mark(from, to, name, null, by),
    go: step,
    undo: () => step('undo'),
    redo: () => step('redo'),
    /** @param {(event:RichTextEvent) => void} fn */
    subscribe(fn) {
      listeners.add(fn);
      return () => { listeners.delete(fn); };
    },
    hold() {
      const release = hold();
      return () => { release(); settle(false); };
    },
    /** An editor may lose the focus after the text was closed. @returns {Promise<void>} */
    flush: () => (isClosed ? Promise.resolve() : flush()),
  };
  return /** @type {Omit<import('./text-handle.js').Text, keyof typeof rich> & typeof rich} */ (
    Object.defineProperties(text, Object.getOwnPropertyDescriptors(rich)));
}

/** What opens a text, with a rich one in place of no document: there is none while the engine is rebuilt.
 * @param {Uint8Array} input the agent and the document */
function richly(input) {
  const end = 4 + viewOf(input).getUint32(0, true);
  return end + 4 < input.length ? input : joined([input.subarray(4, end), EMPTY]);
}

/** @param {Uint8Array} bytes */
const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The marks that show, a value as that of the one before where it says so; then runs that name them by place (docs/protocol.md, section 13).
 * @param {Uint8Array} bytes @param {string} words @returns {Span[]} */
function parseSpans(bytes, words) {
  const view = viewOf(bytes);
  const none = 0xFFFF_FFFF;
  let [at, place] = [0, 0];
  const number = () => view.getUint32((at += 4) - 4, true);
  /** @param {number} length */
  const item = (length) => decoder.decode(bytes.subarray(at, at += length));
  /** @type {[name:string, value:string][]} */
  const all = [];
  for (let length; at < bytes.length && (length = number()) !== none;) {
    const name = item(length);
    all.push([name, (length = number()) === none ? all[all.length - 1][1] : item(length)]);
  }
  const spans = [];
  while (at < bytes.length) {
    const text = words.slice(place, place += number());
    /** @type {Record<string, string>} */
    const marks = {};
    for (let count = number(); count > 0; count--) {
      const [name, value] = all[number()];
      Object.defineProperty(marks, name, { value, enumerable: true });
    }
    spans.push({ text, marks });
  }
  return spans;
}
