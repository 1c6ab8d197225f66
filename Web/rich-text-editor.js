// @ts-check
// SPDX-License-Identifier: Apache-2.0
// Binds an element to a rich text: what is typed becomes edits, what others write and mark appears without moving the selection.
//
//   beforeinput ──► edit or mark of the text ──► event ──► the element is drawn anew where its runs differ
//
// The browser changes the element by itself only while an input method composes; what that did is read when it ends.

import { difference, moved } from './text-changes.js';
import { showCursors as showPlain, writersInWords } from './text-cursors.js';
import { listenTo } from './text-handle.js';

/** What a mark is drawn as that gives letters another shape. @type {Record<string, string>} */
const SHAPES = { bold: 'strong', italic: 'em' };
/** What marks are drawn as; others are not drawn. */
const TAGS = { ...SHAPES, link: 'a' };
/** In bytes: a mark takes no longer one. */
const ADDRESS_BYTES_MAX = 4_096;
const SAFE = /^(https?:|mailto:)/i;
const KEYS = { b: 'bold', i: 'italic', k: 'link' };

/** @typedef {import('./rich-text-handle.js').RichText} RichText */
/** A toolbar has buttons with `data-mark`. @typedef {{toolbar?:HTMLElement, askLink?:(current:string) => Promise<string | null>}} Options */

/** @param {Document} document @param {string} words @param {Record<string, string>} marks @param {Record<string, string>} [tags]
 * @returns {Node} */
function draw(document, words, marks, tags = TAGS) {
  /** @type {Node} */
  let node = document.createTextNode(words);
  for (const [name, tag] of Object.entries(tags)) {
    if (!Object.hasOwn(marks, name)) continue;
    const element = document.createElement(tag);
    if (element instanceof HTMLAnchorElement && SAFE.test(marks[name])) element.href = marks[name];
    element.append(node);
    node = element;
  }
  return node;
}

/** What tells whether a run looks as it did.
 * @param {import('./rich-text-handle.js').Span} span */
const lookOf = ({ text, marks }) => JSON.stringify([text, ...Object.keys(TAGS).map((name) => marks[name] ?? null)]);

/** Keeps both the same until the returned function is called.
 * @param {RichText} text @param {HTMLElement} root @param {Options} [options] */
export function bindArea(text, root, { toolbar, askLink } = {}) {
  const document = root.ownerDocument;
  /** The runs as they are drawn. @type {{look:string, node:Node}[]} */
  let drawn = [];
  /** The selection, where it was last inside. */
  let [anchor, focus] = [0, 0];
  /** Where the last own edit ended. */
  let lastCaret = 0;
  /** Marks for what is typed next, chosen with nothing selected. @type {Record<string, string | null>} */
  let typing = {};
  /** @type {(() => void) | null} */
  let release = null;
  const own = {};
  root.contentEditable = 'true';
  root.setAttribute('role', 'textbox');
  root.setAttribute('aria-multiline', 'true');
  root.style.whiteSpace = 'pre-wrap';

  // ---- drawing

  function render() {
    const wanted = text.spans.map((span) => ({ span, look: lookOf(span) }));
    let start = 0;
    while (start < drawn.length && start < wanted.length && drawn[start].look === wanted[start].look) start++;
    let tail = 0;
    while (tail < Math.min(drawn.length, wanted.length) - start && drawn[drawn.length - 1 - tail].look === wanted[wanted.length - 1 - tail].look) tail++;
    const fresh = wanted.slice(start, wanted.length - tail).map(({ span, look }) => ({ look, node: draw(document, span.text, span.marks) }));
    drawn = [...drawn.slice(0, start), ...fresh, ...drawn.slice(drawn.length - tail)];
    // The browser may have left things between, and a line break at the end shows only before something.
    const nodes = drawn.map(({ node }) => node);
    if (!text.value || text.value.endsWith('\n')) nodes.push(root.querySelector(':scope > br') ?? document.createElement('br'));
    nodes.forEach((node, i) => { if (root.childNodes[i] !== node) root.insertBefore(node, root.childNodes[i] ?? null); });
    while (root.childNodes.length > nodes.length) root.lastChild?.remove();
  }

  /** The place of a point in the element. @param {Node} node @param {number} offset */
  function placeOf(node, offset) {
    const range = document.createRange();
    range.setStart(root, 0);
    range.setEnd(node, offset);
    return range.toString().length;
  }

  /** The point of a place. @param {number} place @returns {[Node, number]} */
  function pointOf(place) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode());) {
      const { length } = /** @type {Text} */ (node);
      if (place <= length) return [node, place];
      place -= length;
    }
    return [root, root.lastChild?.nodeName === 'BR' ? root.childNodes.length - 1 : root.childNodes.length];
  }

  const isActive = () => document.activeElement === root;
  function select() {
    if (isActive()) document.getSelection()?.setBaseAndExtent(...pointOf(anchor), ...pointOf(focus));
  }

  function readSelection() {
    const selection = document.getSelection();
    const { anchorNode, focusNode } = selection ?? {};
    if (!selection || !anchorNode || !focusNode || !root.contains(anchorNode) || !root.contains(focusNode)) return;
    const next = [placeOf(anchorNode, selection.anchorOffset), placeOf(focusNode, selection.focusOffset)];
    if (next[0] === anchor && next[1] === focus) return;
    [anchor, focus] = next;
    typing = {};
    point();
    showTools();
  }

  function point() { if (!release && isActive()) text.point(focus, anchor); }

  /** @param {import('./rich-text-handle.js').RichTextEvent} event */
  function follow({ changes, by }) {
    if (by !== own) {
      for (const change of changes) {
        const isCaret = anchor === focus;
        focus = moved(focus, change);
        anchor = isCaret ? focus : moved(anchor, change);
        lastCaret = moved(lastCaret, change);
      }
    }
    if (release) return;
    render();
    select();
    point();
    showTools();
  }

  // ---- what a person does

  /** @param {number} from @param {number} to @param {string} name @param {string | null} value null takes the mark away */
  function mark(from, to, name, value) {
    if (value === null) text.unmark(from, to, name, own); else text.mark(from, to, name, value, own);
  }

  /** An edit in the style that was chosen for it. @param {import('./text-changes.js').Change} change @param {typeof typing} chosen */
  function write(change, chosen) {
    text.edit(change, own);
    typing = {}; // before marks are saved, which reads what an input method holds
    lastCaret = focus;
    for (const [name, value] of Object.entries(chosen)) mark(change.at, change.at + change.inserted.length, name, value);
  }

  /** @param {number} from @param {number} to @param {string} words */
  function put(from, to, words) {
    if (from !== to || words) {
      const [before, value] = [[anchor, focus], text.value];
      anchor = focus = from + words.length;
      try { write({ at: from, deleted: to - from, inserted: words }, typing); } catch (error) {
        if (text.value === value) [anchor, focus] = before;
        throw error;
      }
    }
    point();
  }

  const range = () => [Math.min(anchor, focus), Math.max(anchor, focus)];

  /** The value of a mark on the selection, if all of it has it; of what is typed next, when nothing is selected. @param {string} name */
  function valueOf(name) {
    const [from, to] = range();
    if (from === to && name in typing) return typing[name];
    const found = from === to ? text.styles(from - 1, from) : text.styles(from, to);
    return found.length && found.every(({ marks }) => Object.hasOwn(marks, name)) ? found[0].marks[name] : null;
  }

  /** @param {string} name */
  function toggle(name) {
    const [from, to] = range();
    const value = valueOf(name) === null ? 'yes' : null;
    if (name === 'link') return void link().catch((error) => globalThis.reportError?.(error));
    if (from === to) {
      typing = { ...typing, [name]: value };
      return showTools();
    }
    if (!release) mark(from, to, name, value);
  }

  async function link() {
    if (release) return;
    const address = await askLink?.(valueOf('link') ?? '') ?? null;
    if (address === null || release) return;
    const { length } = new TextEncoder().encode(address);
    if (length > ADDRESS_BYTES_MAX) throw new RangeError(`an address has at most ${ADDRESS_BYTES_MAX} bytes`);
    const [from, to] = range(); // others may have written meanwhile
    if (from !== to || !address) return mark(from, to, 'link', address || null);
    put(from, to, address);
    try { mark(from, from + address.length, 'link', address); } catch (error) {
      put(from, from + address.length, ''); // an address in words is no link
      throw error;
    }
  }

  /** @param {'undo'|'redo'} step */
  function back(step) {
    const caret = text.go(step, own);
    if (caret === null) return;
    anchor = focus = caret;
    select();
  }

  /** @param {InputEvent} event */
  function input(event) {
    const { inputType: type } = event;
    if (release || event.isComposing) return;
    event.preventDefault();
    if (type === 'historyUndo' || type === 'historyRedo') return back(type === 'historyUndo' ? 'undo' : 'redo');
    if (type === 'formatBold' || type === 'formatItalic') return toggle(type.slice(6).toLowerCase());
    const [target] = event.getTargetRanges();
    const [from, to] = target ? [placeOf(target.startContainer, target.startOffset), placeOf(target.endContainer, target.endOffset)] : range();
    // As in a text area: a deletion beside the last edit goes on with it.
    if (/Paste|Drop|Drag|Replacement/.test(type) || anchor !== focus || focus !== lastCaret) text.endGroup();
    if (type.startsWith('delete')) return put(from, to, '');
    if (!type.startsWith('insert')) return;
    // A list, a rule or a picture has no words: it must not take those that are selected.
    const words = /LineBreak|Paragraph/.test(type) ? '\n' : event.data ?? (event.dataTransfer?.getData('text/plain') || null);
    if (words !== null) put(from, to, words.replace(/\r\n?/g, '\n'));
  }

  /** Hands on what the browser did to the element by itself. @param {boolean} [isLast] the input method has ended */
  function read(isLast) {
    if (!release) return;
    const chosen = typing; // with the caret where it was, before these words
    readSelection();
    const now = root.textContent ?? '';
    if (now !== text.value) write(difference(text.value, now, focus), chosen);
    if (!isLast) typing = chosen;
    showTools();
  }

  function endComposition() {
    if (!release) return;
    const go = release;
    try { read(true); } catch (error) {
      // The text took nothing, and is shown as it is.
      anchor = focus = Math.min(focus, text.value.length);
      globalThis.reportError?.(error);
    }
    release = null;
    drawn = []; // nobody knows what is in the element now
    go();
    render();
    select();
    point();
    text.flush().catch(() => {});
  }

  // ---- the toolbar

  const tools = /** @type {HTMLButtonElement[]} */ ([...toolbar?.querySelectorAll('[data-mark]') ?? []]);
  function showTools() {
    for (const tool of tools) {
      const isOn = String(valueOf(tool.dataset.mark ?? '') !== null);
      if (tool.getAttribute('aria-pressed') !== isOn) tool.setAttribute('aria-pressed', isOn);
    }
  }
  /** One stop of the Tab key; arrows go from tool to tool. @param {number} at */
  function reach(at) { tools.forEach((tool, i) => { tool.tabIndex = i === at ? 0 : -1; }); }

  const stops = [
    text.subscribe(follow),
    text.addReader(() => read()),
    listenTo(root, 'beforeinput', input),
    listenTo(root, 'compositionstart', () => { readSelection(); text.endGroup(); release ??= text.hold(); }),
    listenTo(root, 'compositionend', endComposition),
    listenTo(root, 'keydown', (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.isComposing) return;
      const key = event.key.toLowerCase();
      if (event.shiftKey && key !== 'z') return; // the browser's own
      if (key === 'z' || (key === 'y' && event.ctrlKey)) back(key === 'y' || event.shiftKey ? 'redo' : 'undo');
      else if (Object.hasOwn(KEYS, key) && (key !== 'k' || askLink)) toggle(KEYS[/** @type {'b'} */ (key)]);
      else return;
      event.preventDefault();
    }),
    listenTo(root, 'focus', () => { select(); point(); }),
    listenTo(root, 'blur', () => { endComposition(); text.point(null); text.flush().catch(() => {}); }),
    // Drawing takes the selection away where nobody writes.
    listenTo(document, 'selectionchange', () => { if (!release && isActive()) readSelection(); }),
    ...tools.flatMap((tool, i) => [
      // The selection stays where it is.
      listenTo(tool, 'mousedown', (event) => event.preventDefault()),
      listenTo(tool, 'click', () => { reach(i); toggle(tool.dataset.mark ?? ''); }),
      listenTo(tool, 'keydown', (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[/** @type {'ArrowLeft'} */ (event.key)];
        if (!step) return;
        const next = (i + step + tools.length) % tools.length;
        reach(next);
        tools[next].focus();
        event.preventDefault();
      }),
    ]),
  ];
  root.replaceChildren();
  render();
  reach(0);
  showTools();

  return () => {
    endComposition();
    text.point(null);
    for (const stop of stops) stop();
    root.contentEditable = 'false';
  };
}

/** Others' cursors, over text that is laid out with its marks. Not with its links: the Tab key would stop at each of them twice.
 * @param {RichText} text @param {HTMLElement} root @param {(names:string[]) => string} [words] */
export function showCursors(text, root, words = writersInWords) {
  const stop = showPlain(text, root, words, (from, to) => {
    const piece = root.ownerDocument.createDocumentFragment();
    for (const { at, length, marks } of text.styles(from, to)) {
      piece.append(draw(root.ownerDocument, text.value.slice(at, at + length), marks, SHAPES));
    }
    return piece;
  });
  root.nextElementSibling?.shadowRoot?.querySelector('.view')?.toggleAttribute('inert', true);
  return stop;
}
