// @ts-check
// SPDX-License-Identifier: Apache-2.0
// <aloft-tray>: a dialog with every change the server has not accepted yet, in the person's words.
//
//   <aloft-tray id="changes"></aloft-tray>      opened by <aloft-status tray="changes"> or tray.show()
//
// methods   show(), close()
// property  db       default: the one given to provide()
// events    aloft-edit    detail: the entry of db.pending(); cancelable. Call preventDefault() to open the app's own form and
//                         hand its result to db.edit(n, args); otherwise the tray shows a plain form of the change's values.
//           aloft-closed  the tray was closed; the focus is back where it was
// parts     dialog, title, item, action
//
// Words: override words.label, words.field and words.value (words.js) to speak of "Visit to Kanda" instead of ids.

import './conflict.js';
import { DatabaseElement, h, sheet } from './kit.js';
import { valuesForm } from './values-form.js';
import { verbsFor } from './verbs.js';
import { words } from './words.js';

const SHOWN_MAX = 100;

const own = sheet(`
  dialog { width: min(36rem, calc(100vw - 1rem)); max-height: calc(100dvh - 2rem); padding: 1rem; color: var(--text); background: var(--surface);
    border: 1px solid var(--border); border-radius: var(--radius); box-shadow: var(--aloft-shadow, 0 12px 40px rgb(0 0 0 / .25)); overflow: auto; overscroll-behavior: contain; }
  dialog::backdrop { background: rgb(0 0 0 / .4); }
  .head { display: flex; justify-content: space-between; align-items: flex-start; gap: 1rem; margin-bottom: .8rem; }
  ul { list-style: none; display: grid; gap: .5rem; margin-top: .5rem; }
  li { padding: .7rem; background: var(--raised); border-radius: var(--radius); display: grid; gap: .45rem; overflow-wrap: anywhere; }
  li button { background: var(--surface); }
  form { display: grid; gap: .7rem; } form label { display: grid; gap: .2rem; } form label.check { grid-template-columns: auto 1fr; align-items: center; }
  input:not([type=checkbox]), textarea { width: 100%; }
`);

export class AloftTray extends DatabaseElement {
  #title = h('h2', { id: 'title', part: 'title', tabIndex: -1 });
  #body = h('div');
  #dialog = /** @type {HTMLDialogElement} */ (h('dialog', { part: 'dialog', 'aria-labelledby': 'title', onclose: () => this.emit('aloft-closed') },
    h('div', { className: 'head' }, this.#title, h('button', { type: 'button', textContent: words.close, onclick: () => this.close() })), this.#body));
  /** @type {any[]} */ #list = [];
  /** The change whose conflict or form is open.
   * @type {number | null} */ #opened = null;
  /** The change whose discarding waits for a second press.
   * @type {number | null} */ #unsure = null;
  /** @type {{n:number, text:string} | null} */ #problem = null;

  constructor() {
    super(own);
    this.root.append(this.#dialog);
  }

  /** @param {any} db */
  follow(db) {
    return [db.onPending((/** @type {any[]} */ list) => {
      this.#list = list;
      if (this.#opened !== null && list.some(({ n }) => n === this.#opened)) return; // do not pull a form from under the person
      this.#opened = null;
      if (this.#dialog.open) this.#render();
    })];
  }

  show() {
    if (this.#dialog.open) return;
    this.#opened = this.#unsure = this.#problem = null;
    this.#render();
    this.#dialog.showModal();
    this.#title.focus();
  }
  close() { this.#dialog.close(); }

  #render() {
    const focused = /** @type {HTMLElement | null} */ (this.root.activeElement);
    const mark = focused?.dataset.n ? { n: focused.dataset.n, verb: focused.dataset.verb, at: this.#buttons().indexOf(focused) } : null;
    const needing = this.#list.filter(({ state }) => ['conflict', 'rejected', 'parked'].includes(state));
    const waiting = this.#list.filter((item) => !needing.includes(item));
    this.#title.textContent = words.trayTitle;
    this.#body.replaceChildren(
      ...this.#section(words.needsYou, needing), ...this.#section(words.onTheirWay, waiting),
      ...(this.#list.length ? [] : [h('p', { textContent: words.trayEmpty })]));
    if (mark) this.#refocus(mark);
  }

  /** Keeps the focus at the same button, else at its neighbour: a list that changes must not lose the person.
   * @param {{n:string, verb?:string, at:number}} mark */
  #refocus({ n, verb, at }) {
    const buttons = this.#buttons();
    const same = buttons.find(({ dataset }) => dataset.n === n && dataset.verb === verb) ?? buttons.find(({ dataset }) => dataset.n === n);
    (same ?? buttons[Math.min(at, buttons.length - 1)] ?? this.#title).focus();
  }
  /** @returns {HTMLElement[]} */
  #buttons() { return [...this.#body.querySelectorAll('button')]; }

  /** @param {string} title @param {any[]} items */
  #section(title, items) {
    if (!items.length) return [];
    const more = items.length - SHOWN_MAX;
    return [h('h3', { textContent: title }),
      h('ul', { role: 'list' }, ...items.slice(0, SHOWN_MAX).map((item) => this.#item(item)), more > 0 && h('li', { textContent: `+ ${more}` }))];
  }

  /** @param {any} item */
  #item(item) {
    const { n } = item;
    const verbs = this.#unsure === n ? ['sure', 'keep'] : verbsFor(item);
    const name = words.label(item);
    const button = (/** @type {string} */ verb) => {
      const node = h('button', { type: 'button', part: 'action', textContent: /** @type {any} */ (words)[verb], 'aria-label': `${/** @type {any} */ (words)[verb]}: ${name}`,
        className: verb === 'choose' ? 'main' : verb === 'discard' || verb === 'sure' ? 'bad' : '', onclick: () => this.#press(verb, item) });
      Object.assign(node.dataset, { n, verb });
      return node;
    };
    return h('li', { part: 'item' }, h('strong', { textContent: name }), h('p', { className: 'quiet', textContent: words.pendingState(item) }),
      this.#problem?.n === n && h('p', { className: 'problem', role: 'alert', textContent: this.#problem?.text }),
      verbs.length > 0 && h('div', { className: 'row' }, ...verbs.map(button)));
  }

  /** @param {string} verb @param {any} item */
  #press(verb, item) {
    const { n } = item;
    this.#unsure = verb === 'discard' ? n : null;
    switch (verb) {
      case 'choose': return this.#openConflict(item);
      case 'edit': if (this.emit('aloft-edit', item)) this.#openForm(item); return;
      case 'retry': this.#try(n, () => this.db.retry(n)); break;
      case 'sure': this.#try(n, () => this.db.discard(n)); break;
    }
    this.#render();
  }

  /** @param {number} n @param {() => void} work */
  #try(n, work) {
    this.#problem = null;
    try { work(); } catch (error) { this.#problem = { n, text: `${words.failed}: ${/** @type {Error} */ (error).message}` }; }
  }

  /** @param {any} item */
  #openConflict(item) {
    const view = /** @type {any} */ (document.createElement('aloft-conflict'));
    view.db = this.db;
    view.item = item;
    view.addEventListener('aloft-later', () => this.#back());
    // After the element has acted on the choice, the list shows what is left.
    view.addEventListener('aloft-decided', () => queueMicrotask(() => this.#back()));
    this.#open(item.n, view);
  }

  /** @param {any} item */
  #openForm(item) {
    const form = valuesForm(item, (args) => { this.#try(item.n, () => this.db.edit(item.n, args)); this.#back(); }, () => this.#back());
    this.#open(item.n, form);
  }

  /** @param {number} n @param {HTMLElement} view */
  #open(n, view) {
    this.#opened = n;
    this.#body.replaceChildren(view);
    view.focus();
  }
  #back() {
    this.#opened = null;
    this.#render();
    this.#title.focus();
  }
}

customElements.define('aloft-tray', AloftTray);
