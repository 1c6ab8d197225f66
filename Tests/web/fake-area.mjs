// SPDX-License-Identifier: Apache-2.0
// A text area without a browser: what the binding touches, with a person who types.

/** Moves a boundary of the selection as `setRangeText` does with 'preserve'. */
const preserved = (place, start, end, length) => (place > end ? place + length - (end - start) : place > start ? start : place);

export class FakeArea extends EventTarget {
  #value = '';
  selectionStart = 0;
  selectionEnd = 0;
  selectionDirection = 'none';
  scrollTop = 0;
  scrollLeft = 0;
  readOnly = false;
  disabled = false;
  ownerDocument = Object.assign(new EventTarget(), { activeElement: this });

  get value() { return this.#value; }
  set value(value) { this.#value = value.replace(/\r\n?/g, '\n'); this.select(this.#value.length); }
  select(start, end = start, direction = 'none') { [this.selectionStart, this.selectionEnd, this.selectionDirection] = [start, end, direction]; }
  setSelectionRange(start, end, direction) { this.select(start, end, direction); }
  setRangeText(text, start, end) {
    this.#value = this.#value.slice(0, start) + text + this.#value.slice(end);
    this.selectionStart = preserved(this.selectionStart, start, end, text.length);
    this.selectionEnd = preserved(this.selectionEnd, start, end, text.length);
  }

  /** The browser puts text in place of a range, wherever the selection was, and tells with this type. */
  put(text, start = this.selectionStart, end = this.selectionEnd, inputType = 'insertText') {
    this.tell('beforeinput', { inputType });
    this.#value = this.#value.slice(0, start) + text + this.#value.slice(end);
    this.select(start + text.length);
    this.tell('input', { inputType });
  }
  type(text) { for (const letter of text) this.put(letter); }
  backspace() {
    const { selectionStart: start, selectionEnd: end } = this;
    this.put('', start === end ? start - 1 : start, end, 'deleteContentBackward');
  }
  compose(steps) {
    this.tell('compositionstart');
    const start = this.selectionStart;
    let end = this.selectionEnd;
    for (const step of steps) { this.put(step, start, end, 'insertCompositionText'); end = start + step.length; }
  }
  endComposition() { this.tell('compositionend'); }
  key(key, options = {}) { return this.tell('keydown', { key, ctrlKey: true, ...options }); }
  tell(type, facts = {}) { return this.dispatchEvent(Object.assign(new Event(type, { cancelable: true }), facts)); }
}
