// @ts-check
// SPDX-License-Identifier: Apache-2.0
// <aloft-update>: one quiet line that offers a new version, and never reloads by itself.
//
//   const update = document.querySelector('aloft-update');
//   install({ onUpdate: (apply) => update.offer(apply) });
//
// method  offer(apply)    shows the line; a press on "Reload" calls apply()
// property db             names how many unsent changes stay; default: the one given to provide()
// event   aloft-later     the person does not want to reload now; the next start uses the new version
// parts   bar, reload, later

import { DatabaseElement, h, sheet } from './kit.js';
import { words } from './words.js';

const own = sheet(`
  :host { display: block; }
  .bar { padding: .6rem .8rem; background: var(--raised); border: 1px solid var(--border); border-radius: var(--radius); justify-content: space-between; }
  p { flex: 1 1 14rem; }
`);

export class AloftUpdate extends DatabaseElement {
  #region = h('div', { role: 'status' });

  constructor() {
    super(own);
    this.root.append(this.#region);
  }

  /** @param {() => void} apply switches to the new version and reloads */
  offer(apply) {
    const { queued = 0, parked = 0, conflicts = 0 } = this.db?.status ?? {};
    const later = () => { this.#region.replaceChildren(); this.emit('aloft-later'); };
    this.#region.replaceChildren(h('div', { className: 'bar row', part: 'bar' },
      h('p', { textContent: words.updateReady(queued + parked + conflicts) }),
      h('span', { className: 'row' },
        h('button', { type: 'button', className: 'main', part: 'reload', textContent: words.reload, onclick: () => apply() }),
        h('button', { type: 'button', part: 'later', textContent: words.notNow, onclick: later }))));
  }
}

customElements.define('aloft-update', AloftUpdate);
