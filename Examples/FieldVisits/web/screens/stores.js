// SPDX-License-Identifier: Apache-2.0
// The list of stores: search by the start of a name or city, order, and how many visits are open at each.
// @ts-check
import { h, setText } from '../lib/dom.js';
import { icon } from '../lib/icons.js';
import { button, emptyState, searchField, selectField } from '../lib/controls.js';
import { liveList } from '../lib/live-list.js';
import { recordState } from '../lib/record-state.js';
import { allOf, counted, initials, startsWith, tint } from '../lib/words.js';
import { askStore } from './forms.js';
import { teamChoice } from './team-choice.js';

/** @type {Record<string, Array<[string, 'asc' | 'desc']>>} */
const orders = {
  name: [['name', 'asc'], ['id', 'asc']],
  '-name': [['name', 'desc'], ['id', 'asc']],
  city: [['city', 'asc'], ['name', 'asc'], ['id', 'asc']],
  new: [['id', 'desc']],
};

/** How the list was left, so that coming back finds it the same. */
const view = { search: '', order: 'name' };

/** @param {import('../context.js').Context} context */
export function storesScreen(context) {
  const { db } = context;
  /** @type {Map<string, number>} */
  let openVisits = new Map();
  const heading = h('h1', { tabindex: -1 }, 'Stores');
  const extent = h('p');
  const list = liveList(db, {
    label: 'Stores',
    make: () => storeRow(id => openVisits.get(id) ?? 0, team.nameOf),
    empty: () => (view.search
      ? emptyState('search', 'No store starts with that', 'Search looks at the beginning of a name or a city.')
      : emptyState(
        'store', 'No stores yet', 'Stores of your team show here. You can add one now, also without a network.',
        button('New store', { icon: 'plus', kind: 'primary', onclick: add }))),
    oncount: count => setText(extent, counted(count, 'store')),
  });
  const team = teamChoice(context, { onchange: show });
  const stop = db.subscribe({ from: 'visits', where: { status: 'open' } }, visits => {
    openVisits = new Map();
    for (const { store } of visits) openVisits.set(store, (openVisits.get(store) ?? 0) + 1);
    list.redraw();
  });

  function show() {
    list.show({ from: 'stores', where: allOf(team.filter(), startsWith(view.search, ['name', 'city'])), orderBy: orders[view.order] });
  }

  async function add() {
    const id = await askStore(context);
    if (id) location.hash = `#/stores/${id}`;
  }

  const node = h('div', { class: 'page' },
    h('div', { class: 'head' }, h('div', null, heading, extent), button('New store', { icon: 'plus', kind: 'primary', onclick: add })),
    h('div', { class: 'tools' },
      searchField({ label: 'Search stores by name or city', value: view.search, oninput: text => { view.search = text; show(); } }),
      h('div', { class: 'tools-line' }, team.node, selectField({
        label: 'Order of stores', icon: 'sort', value: view.order,
        options: [['name', 'Name A–Z'], ['-name', 'Name Z–A'], ['city', 'City'], ['new', 'Newest first']],
        onchange: order => { view.order = order; show(); },
      }).node)),
    list.node);
  show();
  return { node, heading, close() { stop(); team.close(); list.close(); } };
}

/**
 * @param {(id: string) => number} openCount
 * @param {(team: string) => string | undefined} teamName
 */
function storeRow(openCount, teamName) {
  const tile = h('span', { class: 'tile', 'aria-hidden': 'true' });
  const name = h('div', { class: 'name' });
  const under = h('div', { class: 'under' });
  const count = h('span', { class: 'count' });
  const state = recordState();
  const link = h('a', { class: 'row row-link store-row' }, tile, h('div', { class: 'lead' }, name, under),
    count, h('div', { class: 'marks' }, state.node));
  return {
    node: h('li', null, link),
    /** @param {any} row */
    update(row) {
      const open = openCount(row.id);
      link.href = `#/stores/${encodeURIComponent(row.id)}`;
      setText(tile, initials(row.name ?? ''));
      tile.className = `tile ${tint(row.city ?? row.name ?? '')}`;
      setText(name, row.name ?? 'Unnamed store');
      setText(under, [teamName(row.team), row.city, row.address].filter(Boolean).join(' · ') || 'No address');
      setText(count, open ? `${open} open` : 'None open');
      count.toggleAttribute('data-none', open === 0);
      state.update(row);
    },
  };
}
