// SPDX-License-Identifier: Apache-2.0
// One store: where it is, how to reach it, and its visits.
// @ts-check
import { h, setText } from '../lib/dom.js';
import { icon } from '../lib/icons.js';
import { button, emptyState } from '../lib/controls.js';
import { liveList } from '../lib/live-list.js';
import { recordState } from '../lib/record-state.js';
import { counted } from '../lib/words.js';
import { askStore, askVisit } from './forms.js';
import { visitRow } from './visit-row.js';

/**
 * @param {import('../context.js').Context} context
 * @param {string} id
 */
export function storeScreen(context, id) {
  const { db } = context;
  /** @type {any} */
  let store = null;
  const heading = h('h1', { tabindex: -1 }, 'Store');
  const facts = h('div', { class: 'facts' });
  const state = recordState({ showSynced: true });
  const extent = h('span', { class: 'soft small' });
  const list = liveList(db, {
    label: 'Visits at this store',
    make: () => visitRow(null),
    empty: () => emptyState('visits', 'No visits yet', 'Plan the first one: it is saved on this device at once.'),
    oncount: count => setText(extent, counted(count, 'visit')),
  });
  const body = h('div', { class: 'page' },
    h('div', { class: 'head' }, h('div', null, heading, facts),
      h('div', { class: 'buttons' },
        button('Edit store', { icon: 'edit', onclick: () => store && askStore(context, store) }),
        button('New visit', { icon: 'plus', kind: 'primary', onclick: add }))),
    h('section', { class: 'group', 'aria-labelledby': 'store-visits' },
      h('div', { class: 'card-head' }, h('h2', { id: 'store-visits' }, 'Visits'), extent), list.node));
  const missing = emptyState(
    'store', 'This store is not on this device', 'It was deleted, belongs to another team, or has not arrived yet.',
    h('a', { class: 'button', href: '#/stores' }, 'All stores'));
  const place = h('div', null, body);
  const node = h('div', { class: 'page' }, h('a', { class: 'crumb', href: '#/stores' }, icon('back'), 'Stores'), place);

  const stop = db.subscribe({ from: 'stores', where: { id } }, ([row]) => {
    store = row;
    const shown = row ? body : missing;
    if (place.firstChild !== shown) place.replaceChildren(shown);
    if (!row) return;
    setText(heading, row.name ?? 'Store');
    state.update(row);
    facts.replaceChildren(...placeFacts(row), state.node);
  });
  list.show({ from: 'visits', where: { store: id }, orderBy: [['status', 'desc'], ['planned', 'desc'], ['id', 'desc']] });

  async function add() {
    const visit = store && await askVisit(context, [store]);
    if (visit) location.hash = `#/visits/${visit}`;
  }
  return { node, heading, close() { stop(); list.close(); } };
}

/** @param {any} store */
function placeFacts(store) {
  const where = [store.address, store.city].filter(Boolean).join(', ');
  return [
    where && h('span', null, icon('place'), where),
    store.phone && h('a', { href: `tel:${store.phone.replace(/[^+\d]/g, '')}` }, icon('phone'), store.phone),
  ].filter(Boolean);
}
