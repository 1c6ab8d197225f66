// SPDX-License-Identifier: Apache-2.0
// One line of a list of visits: what for, where, when, tags, people counted, and where its latest change is.
// @ts-check
import { h, setText } from '../lib/dom.js';
import { icon } from '../lib/icons.js';
import { recordState } from '../lib/record-state.js';
import { date, figure } from '../lib/words.js';

const tagsShownMax = 3;

/**
 * @param {((id: string) => string | undefined) | null} storeName null where every visit is at the same store
 * @param {(team: string) => string | undefined} [teamName]
 */
export function visitRow(storeName, teamName) {
  const phase = h('span', { class: 'phase' });
  const title = h('div', { class: 'name' });
  const under = h('div', { class: 'under' });
  const tags = h('span', { class: 'tags' });
  const crowd = h('span', { class: 'figures' });
  const state = recordState();
  const link = h('a', { class: 'row row-link visit-row' }, phase, h('div', { class: 'lead' }, title, under),
    h('span', { class: 'crowd' }, icon('people'), h('span', { class: 'unseen' }, 'Footfall '), crowd),
    h('div', { class: 'marks' }, tags, state.node));
  let phaseShown = '';
  let tagsShown = '';

  return {
    node: h('li', null, link),
    /** @param {any} row */
    update(row) {
      link.href = `#/visits/${encodeURIComponent(row.id)}`;
      setText(title, row.title ?? 'Visit');
      setText(under, [teamName?.(row.team), storeName?.(row.store), date(row.planned)].filter(Boolean).join(' · '));
      setText(crowd, figure(row.footfall ?? 0));
      if (phaseShown !== row.status) {
        phaseShown = row.status;
        phase.dataset.phase = row.status;
        const isClosed = row.status === 'closed';
        phase.replaceChildren(icon(isClosed ? 'closed' : 'open'), h('span', { class: 'unseen' }, isClosed ? 'Closed' : 'Open'));
      }
      const names = [...(row.tags ?? [])].sort((a, b) => a.localeCompare(b));
      if (tagsShown !== names.join('\n')) {
        tagsShown = names.join('\n');
        const hidden = names.length - tagsShownMax;
        tags.replaceChildren(...names.slice(0, tagsShownMax).map(name => h('span', { class: 'tag' }, name)),
          ...(hidden > 0 ? [h('span', { class: 'tag' }, `+${hidden}`)] : []));
      }
      tags.hidden = names.length === 0;
      state.update(row);
    },
  };
}
