// @ts-check
// SPDX-License-Identifier: Apache-2.0
// <aloft-status>: the badge that says in words whether everything is saved and synced.
//
//   <aloft-status tray="changes"></aloft-status>  <aloft-tray id="changes"></aloft-tray>
//
// attribute  tray     id of the <aloft-tray> that a press opens (same document or shadow root)
// property   db       the database; default: the one given to provide()
// event      aloft-open   a press; cancelable; bubbles. Without preventDefault the tray opens.
// attribute  state    set by the element: the present state, for styling (aloft-status[state=offline])
// parts      button, icon, text
//
// A screen reader hears turns of the state only, at most one in five seconds; "not saved" at once.

import { DatabaseElement, h, icon, sheet } from './kit.js';
import { words } from './words.js';

const SPEECH_MILLISECONDS = 5_000;
const LOOKS = {
  starting: ['busy', 'quiet'], synced: ['done', 'good'], syncing: ['busy', 'quiet'], queued: ['device', 'quiet'], offline: ['cut', 'warn'],
  unreachable: ['cut', 'warn'], slow: ['busy', 'warn'], portal: ['door', 'warn'], signedOut: ['person', 'warn'], attention: ['fork', 'bad'], notSaved: ['alert', 'bad'],
};
/** States that pass by in normal work and are never announced. */
const PASSING = ['starting', 'syncing', 'queued', 'slow'];

const own = sheet(`
  :host { display: inline-block; max-width: 100%; }
  button { display: inline-flex; align-items: center; gap: .45rem; max-width: 100%; text-align: start; border-radius: 999px; }
  .good svg { color: var(--good); } .warn svg { color: var(--warn); } .bad { border-color: var(--bad); } .bad svg { color: var(--bad); }
  .words { overflow-wrap: anywhere; }
`);

export class AloftStatus extends DatabaseElement {
  #words = h('span', { className: 'words', part: 'text' });
  #icon = h('span', { className: 'row' });
  #button = h('button', { type: 'button', part: 'button', onclick: () => this.#press() }, this.#icon, this.#words, h('span', { className: 'spoken', textContent: `. ${words.details}` }));
  #polite = h('span', { className: 'spoken', role: 'status', 'aria-atomic': 'true' });
  #urgent = h('span', { className: 'spoken', role: 'alert' });
  #told = '';
  #toldAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;

  constructor() {
    super(own);
    this.root.append(this.#button, this.#polite, this.#urgent);
  }

  /** @param {any} db */
  follow(db) {
    this.#show(db.status);
    return [db.onStatus((/** @type {any} */ status) => this.#show(status)), () => clearTimeout(this.#timer)];
  }

  /** @param {any} status */
  #show(status) {
    const [shape, tone] = LOOKS[/** @type {keyof typeof LOOKS} */ (status.state)] ?? LOOKS.starting;
    const text = words.state(status);
    if (this.#words.textContent !== text) this.#words.textContent = text;
    if (this.getAttribute('state') !== status.state) {
      this.setAttribute('state', status.state);
      this.#button.className = tone;
      this.#icon.replaceChildren(icon(/** @type {any} */ (shape)));
    }
    this.#announce(status);
  }

  /** @param {any} status */
  #announce(status) {
    if (PASSING.includes(status.state) || (status.state === 'synced' && status.queued)) return;
    const isFirst = this.#told === '';
    if (status.state === this.#told) return clearTimeout(this.#timer); // it turned back before it was told
    if (isFirst && status.state !== 'notSaved') { this.#told = status.state; return; }
    const speak = () => {
      this.#told = status.state;
      this.#toldAt = Date.now();
      (status.state === 'notSaved' ? this.#urgent : this.#polite).textContent = words.turn(status);
    };
    clearTimeout(this.#timer);
    if (status.state === 'notSaved') speak();
    else this.#timer = setTimeout(speak, Math.max(500, this.#toldAt + SPEECH_MILLISECONDS - Date.now()));
  }

  #press() {
    if (!this.emit('aloft-open')) return;
    const scope = /** @type {Document | ShadowRoot} */ (this.getRootNode());
    /** @type {any} */ (scope.getElementById(this.getAttribute('tray') ?? ''))?.show();
  }
}

customElements.define('aloft-status', AloftStatus);
