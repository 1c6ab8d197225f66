// SPDX-License-Identifier: Apache-2.0
// An editable element without a browser: what the binding of a rich text touches, with a person who types and an input method that
// changes the element by itself.

globalThis.NodeFilter ??= { SHOW_TEXT: 4 };

class FakeNode extends EventTarget {
  parent = null;
  childNodes = [];
  attributes = {};
  style = {};
  constructor(name, data) { super(); Object.assign(this, { nodeName: name.toUpperCase(), localName: name, data, ownerDocument: document }); }
  get lastChild() { return this.childNodes.at(-1) ?? null; }
  get length() { return this.data.length; }
  get textContent() { return this.data ?? this.childNodes.map((node) => node.textContent).join(''); }
  setAttribute(name, value) { this.attributes[name] = value; }
  getAttribute(name) { return this.attributes[name] ?? null; }
  append(...nodes) { for (const node of nodes) this.insertBefore(node, null); }
  insertBefore(node, next) {
    node.remove();
    this.childNodes.splice(next ? this.childNodes.indexOf(next) : this.childNodes.length, 0, node);
    node.parent = this;
  }
  remove() {
    if (this.parent) this.parent.childNodes.splice(this.parent.childNodes.indexOf(this), 1);
    this.parent = null;
  }
  replaceChildren() { while (this.lastChild) this.lastChild.remove(); }
  contains(node) { return node === this || this.childNodes.some((child) => child.contains(node)); }
  querySelector() { return this.childNodes.find(({ localName }) => localName === 'br') ?? null; }
  querySelectorAll() { return this.childNodes; }
  /** All text nodes, first to last. */
  get texts() { return this.data !== undefined ? [this] : this.childNodes.flatMap((node) => node.texts); }
}
class FakeAnchor extends FakeNode {}
globalThis.HTMLAnchorElement ??= FakeAnchor;

const selection = {
  anchorNode: null, anchorOffset: 0, focusNode: null, focusOffset: 0,
  setBaseAndExtent(anchorNode, anchorOffset, focusNode, focusOffset) { Object.assign(selection, { anchorNode, anchorOffset, focusNode, focusOffset }); },
};
const document = Object.assign(new EventTarget(), {
  activeElement: null,
  createElement: (name) => new (name === 'a' ? FakeAnchor : FakeNode)(name),
  createTextNode: (data) => new FakeNode('#text', data),
  createTreeWalker(root) {
    const nodes = root.texts;
    return { nextNode: () => nodes.shift() ?? null };
  },
  /** Only from the start of the element to a point in it. */
  createRange() {
    let [root, end, offset] = [null, null, 0];
    return {
      setStart(node) { root = node; },
      setEnd(node, at) { [end, offset] = [node, at]; },
      toString() {
        if (end === root) return root.childNodes.slice(0, offset).map((node) => node.textContent).join('');
        const texts = root.texts;
        return texts.slice(0, texts.indexOf(end)).map((node) => node.data).join('') + end.data.slice(0, offset);
      },
    };
  },
  getSelection: () => selection,
});

export class FakeRoot extends FakeNode {
  constructor() { super('div'); document.activeElement = this; }

  /** The runs: words, and what they are drawn as. */
  get runs() {
    return this.texts.map((node) => {
      const tags = [];
      for (let up = node.parent; up !== this; up = up.parent) tags.push(up.localName);
      return [node.data, ...tags.sort()].join(' ');
    });
  }
  #point(place) {
    const { texts } = this;
    const node = texts.find(({ length }) => place <= length || ((place -= length), false));
    return node ? [node, place] : [this, 0];
  }
  select(from, to = from) {
    selection.setBaseAndExtent(...this.#point(from), ...this.#point(to));
    document.dispatchEvent(new Event('selectionchange'));
  }
  get caret() {
    const range = document.createRange();
    range.setStart(this);
    range.setEnd(selection.focusNode, selection.focusOffset);
    return range.toString().length;
  }
  tell(type, facts = {}) { return this.dispatchEvent(Object.assign(new Event(type, { cancelable: true }), facts)); }
  /** What the browser announces; it replaces from the first place to the other, or the selection. */
  input(inputType, { data = null, dataTransfer = null, range } = {}) {
    const [start, end] = (range ?? []).map((place) => this.#point(place));
    const ranges = range ? [{ startContainer: start[0], startOffset: start[1], endContainer: end[0], endOffset: end[1] }] : [];
    this.tell('beforeinput', { inputType, data, dataTransfer, getTargetRanges: () => ranges });
  }
  type(words) { for (const data of words) this.input('insertText', { data }); }
  backspace() { this.input('deleteContentBackward', { range: [this.caret - 1, this.caret] }); }
  key(key, facts = {}) { return this.tell('keydown', { key, ctrlKey: true, ...facts }); }
  /** An input method puts words at the caret, step by step, in a node that the binding did not make. */
  compose(...steps) {
    this.tell('compositionstart');
    for (const step of steps) {
      const { focusNode: node, focusOffset: offset } = selection;
      if (node.data === undefined) {
        const made = document.createTextNode(step);
        this.append(made);
        selection.setBaseAndExtent(made, step.length, made, step.length);
      } else {
        node.data = node.data.slice(0, offset) + step + node.data.slice(offset);
        selection.setBaseAndExtent(node, offset + step.length, node, offset + step.length);
      }
    }
  }
  endComposition() { this.tell('compositionend'); }
}

/** A toolbar with a button for each mark. */
export function createToolbar(...marks) {
  const toolbar = new FakeNode('div');
  for (const mark of marks) toolbar.append(Object.assign(new FakeNode('button'), { dataset: { mark } }));
  return toolbar;
}
