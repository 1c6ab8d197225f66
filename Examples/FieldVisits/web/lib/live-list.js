// SPDX-License-Identifier: Apache-2.0
// A list that follows a live query through a window of rows, and says how many more there are.
// @ts-check
import { h, keyedChildren, setText } from './dom.js';
import { button, emptyState } from './controls.js';
import { figure } from './words.js';

const step = 50;

/**
 * @param {import('/aloft/aloft.js').Database} db
 * @param {{label: string, empty: () => HTMLElement, make: (row: any) => {node: HTMLElement, update: (row: any) => void},
 *   oncount?: (count: number) => void}} options `empty` is asked each time the list turns empty
 */
export function liveList(db, { label, empty, make, oncount }) {
  const list = h('ul', { class: 'rows', 'aria-label': label });
  const panel = h('div', { class: 'panel' }, list);
  const extent = h('span');
  const moreButton = button('Show more', { onclick: () => grow() });
  const more = h('div', { class: 'more', hidden: true }, extent, moreButton);
  const node = h('div', null, panel, more);
  const render = keyedChildren(list, make);

  let limit = step;
  let count = 0;
  /** @type {any[]} */
  let rows = [];
  /** @type {any} */
  let query;
  let stopRows = () => {};
  let stopCount = () => {};
  let isArriving = db.status.lastSynced === null;
  const stopStatus = db.onStatus(({ lastSynced }) => {
    if ((lastSynced === null) === isArriving) return;
    isArriving = lastSynced === null;
    if (query) drawEmpty();
  });

  /**
   * Follows another query; the rows of the old one stay until the first rows of the new one are there.
   * @param {any} next
   */
  function show(next) {
    query = next;
    limit = step;
    followRows();
    stopCount();
    stopCount = db.subscribe({ from: query.from, where: query.where, count: true }, /** @param {any} found */ found => {
      count = found;
      oncount?.(count);
      frame();
    });
  }

  function followRows() {
    stopRows();
    stopRows = db.subscribe({ ...query, limit }, found => {
      rows = found;
      render(rows);
      drawEmpty();
      frame();
    });
  }

  /** On a device that has never been in step, an empty list means "not here yet", not "none". */
  function drawEmpty() {
    list.hidden = rows.length === 0;
    if (rows.length > 0) {
      if (panel.childElementCount > 1) panel.replaceChildren(list);
    } else {
      panel.replaceChildren(list, isArriving ? arriving() : empty());
    }
  }

  /** Shows more rows and moves the focus to the first new one, because the button under it has moved away. */
  function grow() {
    const first = rows.length;
    limit += step;
    followRows();
    const stop = new MutationObserver(() => {
      const added = list.children[first]?.querySelector('a, button');
      if (!(added instanceof HTMLElement)) return;
      stop.disconnect();
      added.focus({ preventScroll: true });
    });
    stop.observe(list, { childList: true });
  }

  function frame() {
    more.hidden = count <= rows.length;
    setText(extent, `Showing ${figure(rows.length)} of ${figure(count)}`);
  }

  return {
    node, show,
    /** Draws every row again, when something they show besides the row has changed. */
    redraw: () => render(rows, true),
    close() { stopRows(); stopCount(); stopStatus(); },
  };
}

function arriving() {
  return emptyState(
    'onDevice', 'Your data is on its way',
    'It is fetched once, as soon as the server can be reached. What you add meanwhile is kept.');
}
