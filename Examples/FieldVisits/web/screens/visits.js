// SPDX-License-Identifier: Apache-2.0
// The list of visits: filter by status and tag, search by the start of a title, order.
// @ts-check
import { h, setText } from '../lib/dom.js';
import { button, emptyState, searchField, segments, selectField } from '../lib/controls.js';
import { liveList } from '../lib/live-list.js';
import { allOf, counted, startsWith } from '../lib/words.js';
import { askVisit } from './forms.js';
import { teamChoice } from './team-choice.js';
import { visitRow } from './visit-row.js';

/** @type {Record<string, Array<[string, 'asc' | 'desc']>>} */
const orders = {
  planned: [['planned', 'asc'], ['id', 'asc']],
  '-planned': [['planned', 'desc'], ['id', 'desc']],
  title: [['title', 'asc'], ['id', 'asc']],
  '-footfall': [['footfall', 'desc'], ['id', 'asc']],
};

/** How the list was left, so that coming back finds it the same. */
const view = { search: '', status: 'open', tag: '', order: 'planned' };

/** @param {import('../context.js').Context} context */
export function visitsScreen(context) {
  const { db } = context;
  /** @type {any[]} */
  let stores = [];
  /** @type {Map<string, string>} */
  let storeNames = new Map();
  const heading = h('h1', { tabindex: -1 }, 'Visits');
  const extent = h('p');
  const list = liveList(db, {
    label: 'Visits', make: () => visitRow(id => storeNames.get(id), team.nameOf), empty: nothing,
    oncount: count => setText(extent, counted(count, view.status === 'all' ? 'visit' : `${view.status} visit`)),
  });
  const tagChoice = selectField({
    label: 'Tag', icon: 'tag', value: view.tag, options: [['', 'All tags']],
    onchange: tag => { view.tag = tag; show(); },
  });
  const team = teamChoice(context, { onchange: show });
  const stops = [
    team.close,
    db.subscribe({ from: 'stores', orderBy: [['name', 'asc']] }, rows => {
      stores = rows;
      storeNames = new Map(rows.map(({ id, name }) => [id, name]));
      list.redraw();
    }),
    followTags(db, tags => {
      if (view.tag && !tags.includes(view.tag)) tags.push(view.tag);
      tagChoice.fill([['', 'All tags'], ...tags.map(tag => /** @type {[string, string]} */ ([tag, tag]))], view.tag);
    }),
  ];

  function show() {
    const where = allOf(
      view.status === 'all' ? null : { status: view.status }, view.tag ? { tags: { has: view.tag } } : null,
      team.filter(), startsWith(view.search, ['title']));
    list.show({ from: 'visits', where, orderBy: orders[view.order] });
  }

  function nothing() {
    if (view.search) return emptyState('search', 'No visit starts with that', 'Search looks at the beginning of a title, within the filter above.');
    if (view.tag) return emptyState('tag', `No visit tagged “${view.tag}” here`, 'Choose another tag or status above.');
    if (view.status === 'open') return emptyState('closed', 'Nothing open', 'All visits are closed. Plan the next one from a store.');
    return emptyState('visits', 'No visits yet', 'Visits of your team show here.');
  }

  async function add() {
    if (stores.length === 0) return void (location.hash = '#/stores');
    const id = await askVisit(context, stores);
    if (id) location.hash = `#/visits/${id}`;
  }

  const node = h('div', { class: 'page' },
    h('div', { class: 'head' }, h('div', null, heading, extent), button('New visit', { icon: 'plus', kind: 'primary', onclick: add })),
    h('div', { class: 'tools' },
      searchField({ label: 'Search visits by title', value: view.search, oninput: text => { view.search = text; show(); } }),
      h('div', { class: 'tools-line' },
        segments({
          label: 'Status', value: view.status, options: [['open', 'Open'], ['closed', 'Closed'], ['all', 'All']],
          onchange: status => { view.status = status; show(); },
        }).node,
        team.node, tagChoice.node,
        selectField({
          label: 'Order of visits', icon: 'sort', value: view.order,
          options: [['planned', 'Earliest first'], ['-planned', 'Latest first'], ['title', 'Title A–Z'], ['-footfall', 'Most people']],
          onchange: order => { view.order = order; show(); },
        }).node)),
    list.node);
  show();
  return { node, heading, close() { for (const stop of stops) stop(); list.close(); } };
}

/**
 * Tells the tags in use, in order, whenever they change.
 * @param {import('../context.js').Database} db
 * @param {(tags: string[]) => void} ontags
 */
export function followTags(db, ontags) {
  let shown = 'none yet';
  return db.subscribe({ from: 'visits' }, visits => {
    const tags = [...new Set(visits.flatMap(({ tags }) => tags ?? []))].sort((a, b) => a.localeCompare(b));
    const key = tags.join('\n');
    if (key !== shown) ontags(tags);
    shown = key;
  });
}
