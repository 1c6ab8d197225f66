// @ts-check
// SPDX-License-Identifier: Apache-2.0
// <aloft-conflict>: two versions of one change side by side, and a choice that nobody makes for the person.
//
//   <aloft-conflict></aloft-conflict>   element.item = (await db.pending()).find(item => item.state === 'conflict')
//
// property  item     an entry of db.pending() whose state is 'conflict'
// property  db       default: the one given to provide()
// event     aloft-decided   {n, choice: 'mine'|'theirs'}; cancelable: without preventDefault db.keepMine / db.keepTheirs is called
// event     aloft-later     the person decides another time; nothing has changed
// parts     title, columns, column, choose, later

import { DatabaseElement, h, sheet } from './kit.js';
import { words } from './words.js';

const own = sheet(`
  :host { display: block; }
  form { display: grid; gap: .8rem; }
  fieldset { border: 0; margin: 0; padding: 0; min-width: 0; } legend { padding: 0 0 .6rem; }
  .columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(7rem, 100%), 1fr)); gap: .6rem; }
  label { display: block; padding: .7rem; border: 1px solid var(--border); border-radius: var(--radius); background: var(--surface); cursor: pointer; min-width: 0; }
  label:has(:checked) { outline: 3px solid var(--accent); outline-offset: -2px; }
  label:has(:focus-visible) { outline: 3px solid var(--accent); outline-offset: 2px; }
  .head { font-weight: 650; align-items: flex-start; flex-wrap: nowrap; }
  input { width: 1.25rem; height: 1.25rem; margin: .1rem 0 0; flex: none; accent-color: var(--accent); }
  dt { color: var(--quiet); font-size: .85rem; margin-top: .5rem; }
  dd { overflow-wrap: anywhere; white-space: pre-wrap; }
`);

export class AloftConflict extends DatabaseElement {
  /** @type {any} */ #item = null;
  constructor() { super(own); }

  get item() { return this.#item; }
  set item(item) {
    this.#item = item;
    this.#render();
  }

  /** Puts the focus on the title, so that a screen reader starts there. */
  focus() { /** @type {HTMLElement | null} */ (this.root.querySelector('h2'))?.focus(); }

  #render() {
    const item = this.#item;
    if (!item) return this.root.replaceChildren();
    const collection = item.collection ?? item.args.collection ?? '';
    const mine = item.args.changes ?? item.args.fields ?? item.args;
    const disputed = item.fields?.length ? item.fields : Object.keys(mine).filter((name) => name !== 'id' && name !== 'collection');
    const alsoMine = Object.keys(mine).filter((name) => !disputed.includes(name) && name !== 'id' && name !== 'collection');
    const problem = h('p', { className: 'problem', role: 'alert' });
    const deletedThere = item.current === null || item.current?.$deleted === true;
    const theirs = item.current ?? {};

    /** @param {string} choice @param {string} title @param {string} spoken @param {Node} values */
    const column = (choice, title, spoken, values) => h('label', { part: 'column' },
      h('span', { className: 'head row' },
        h('input', { type: 'radio', name: 'choice', value: choice, 'aria-label': spoken, 'aria-describedby': `is-${choice}`, onchange: () => { problem.textContent = ''; } }),
        h('span', { textContent: title })),
      values);
    /** @param {string[]} names @param {any} source @param {{id?:string}} [properties] */
    const list = (names, source, properties) => h('dl', properties, ...names.flatMap((name) => [
      h('dt', { textContent: words.field(collection, name) }), h('dd', { textContent: words.value(source[name], collection, name) })]));

    const yours = h('div', { id: 'is-mine' }, list(disputed, mine),
      alsoMine.length > 0 && h('p', { className: 'quiet', textContent: words.alsoYours }), alsoMine.length > 0 && list(alsoMine, mine));
    const others = deletedThere ? h('p', { id: 'is-theirs', textContent: words.deletedThere }) : list(disputed, theirs, { id: 'is-theirs' });

    /** @param {Event} event */
    const submit = (event) => {
      event.preventDefault();
      const chosen = /** @type {HTMLInputElement | null} */ (this.root.querySelector(':checked'));
      if (!chosen) { problem.textContent = words.chooseFirst; return; }
      this.#decide(chosen.value, problem);
    };
    this.root.replaceChildren(h('form', { onsubmit: submit },
      h('h2', { part: 'title', tabIndex: -1, textContent: words.conflictTitle }),
      h('p', {}, h('strong', { textContent: words.label(item) })),
      h('fieldset', {},
        h('legend', { className: 'quiet', textContent: words.conflictHelp }),
        h('div', { className: 'columns', part: 'columns' },
          column('mine', words.yours, words.keepYours, yours),
          column('theirs', words.theirs, words.keepTheirs, others))),
      problem,
      h('div', { className: 'row' },
        h('button', { type: 'submit', className: 'main', part: 'choose', textContent: words.useChoice }),
        h('button', { type: 'button', part: 'later', textContent: words.later, onclick: () => this.emit('aloft-later') }))));
  }

  /** @param {string} choice @param {HTMLElement} problem */
  #decide(choice, problem) {
    const { n } = this.#item;
    if (!this.emit('aloft-decided', { n, choice })) return;
    try {
      if (choice === 'mine') this.db.keepMine(n);
      else this.db.keepTheirs(n);
    } catch (error) {
      problem.textContent = `${words.failed}: ${/** @type {Error} */ (error).message}`;
    }
  }
}

customElements.define('aloft-conflict', AloftConflict);
