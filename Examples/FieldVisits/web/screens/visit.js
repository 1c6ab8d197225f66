// SPDX-License-Identifier: Apache-2.0
// One visit: its status, people counted, tags, notes and summary, and how it ends.
// @ts-check
import { add, increment, remove } from '/aloft/aloft.js';
import { h, setText } from '../lib/dom.js';
import { icon } from '../lib/icons.js';
import { button, emptyState, segments, stepper } from '../lib/controls.js';
import { rememberName } from '../lib/change-words.js';
import { askForm } from '../lib/dialog.js';
import { recordState } from '../lib/record-state.js';
import { savedText } from '../lib/saved-text.js';
import { sharedRichText, sharedText } from '../lib/shared-text.js';
import { tagsEditor } from '../lib/tags-editor.js';
import { date } from '../lib/words.js';
import { editVisit } from './forms.js';
import { followTags } from './visits.js';

/**
 * @param {import('../context.js').Context} context
 * @param {string} id
 */
export function visitScreen(context, id) {
  const { db } = context;
  /** @type {any} */
  let visit = null;
  let stopStore = () => {};
  let storeShown = '';

  const heading = h('h1', { tabindex: -1 }, 'Visit');
  const storeLink = h('a', null, 'Store');
  const planned = h('span');
  const state = recordState({ showSynced: true });
  const status = segments({
    label: 'Status', value: 'open', options: [['open', 'Open', 'open'], ['closed', 'Closed', 'closed']],
    onchange: value => db.update('visits', id, { status: value }),
  });
  const footfall = stepper({
    label: 'Footfall', steps: [-1, 1, 10], big: true, onstep: by => db.update('visits', id, { footfall: increment(by) }),
  });
  const tags = tagsEditor({
    onadd: tag => db.update('visits', id, { tags: add(tag) }),
    onremove: tag => db.update('visits', id, { tags: remove(tag) }),
  });
  const notes = sharedText({ label: 'Notes', rows: 6, text: db.text('visits', id, 'notes') });
  const report = sharedRichText({ label: 'Report', text: db.richText('visits', id, 'report') });
  const summary = savedText({
    label: 'Summary', rows: 4, hint: 'What the team should know. Needed to close the visit.',
    save: text => db.update('visits', id, { summary: text }), resolve: text => db.resolve('visits', id, { summary: text }),
  });
  const closeButton = button('Close visit…', { icon: 'closed', kind: 'primary', onclick: closeVisit });

  const editButton = button('Edit visit', { icon: 'edit', onclick: () => visit && editVisit(context, visit) });
  const facts = h('div', { class: 'facts' }, h('span', null, icon('store'), storeLink), h('span', null, icon('calendar'), planned), state.node);

  const body = h('div', { class: 'page' },
    h('div', { class: 'head' }, h('div', null, heading, facts), h('div', { class: 'buttons' }, editButton, closeButton)),
    h('div', { class: 'cards two' },
      h('div', { class: 'column' },
        h('section', { class: 'panel card', 'aria-labelledby': 'visit-status' }, h('h2', { id: 'visit-status' }, 'Status'), status.node),
        h('section', { class: 'panel card', 'aria-labelledby': 'visit-footfall' },
          h('h2', { id: 'visit-footfall' }, 'Footfall'), h('p', { class: 'hint' }, 'People counted during the visit'),
          h('div', null, footfall.node)),
        h('section', { class: 'panel card', 'aria-labelledby': 'visit-tags' }, h('h2', { id: 'visit-tags' }, 'Tags'), tags.node)),
      h('div', { class: 'column' },
        h('section', { class: 'panel card', 'aria-labelledby': 'visit-words' },
          h('h2', { id: 'visit-words' }, 'What happened'), notes.node, report.node, summary.node),
        h('div', { class: 'buttons' }, button('Delete visit…', { icon: 'trash', kind: 'danger', onclick: deleteVisit })))));
  const missing = emptyState(
    'visits', 'This visit is not on this device', 'It was deleted, belongs to another team, or has not arrived yet.',
    h('a', { class: 'button', href: '#/visits' }, 'All visits'));
  const place = h('div', null, body);
  const node = h('div', { class: 'page' }, h('a', { class: 'crumb', href: '#/visits' }, icon('back'), 'Visits'), notes.refused, report.refused, place);

  const stopVisit = db.subscribe({ from: 'visits', where: { id } }, ([row]) => {
    visit = row;
    const shown = row ? body : missing;
    if (place.firstChild !== shown) place.replaceChildren(shown);
    if (row) show(row);
  });
  const stopTags = followTags(db, tags.suggest);

  /** @param {any} row */
  function show(row) {
    rememberName(id, row.title);
    setText(heading, row.title ?? 'Visit');
    setText(planned, date(row.planned));
    state.update(row);
    status.update(row.status);
    footfall.update(row.footfall ?? 0);
    tags.update(row.tags ?? []);
    notes.update(row);
    report.update(row);
    summary.update(row.summary, row.$candidates?.summary);
    closeButton.hidden = row.status === 'closed';
    if (row.store !== storeShown) followStore(row.store);
  }

  /** @param {string} store */
  function followStore(store) {
    storeShown = store;
    storeLink.href = `#/stores/${encodeURIComponent(store)}`;
    stopStore();
    stopStore = db.subscribe({ from: 'stores', where: { id: store } }, ([row]) => {
      setText(storeLink, row?.name ?? 'Store not on this device');
    });
  }

  async function closeVisit() {
    summary.flush();
    const values = await askForm({
      title: 'Close visit', submit: 'Close visit', text: 'The visit closes on this device at once and for everyone after the next sync.',
      fields: [{
        name: 'summary', label: 'Summary', type: 'textarea', required: 'Write a summary to close the visit', value: visit?.summary ?? '',
      }],
      check: ({ summary: text }) => run(() => db.run('closeVisit', { visit: id, summary: text })),
    });
    if (values) heading.focus();
  }

  async function deleteVisit() {
    const answer = await askForm({
      title: 'Delete this visit?', submit: 'Delete visit', kind: 'danger', cancel: 'Keep it',
      text: context.isManager
        ? 'It disappears here at once and for everyone after the next sync.'
        : 'Only managers may delete visits. You can try: the server decides, and if it refuses, '
          + 'the visit comes back and the refusal waits in your list of changes.',
      check: () => run(() => db.delete('visits', id)),
    });
    if (answer) location.hash = '#/visits';
  }

  return {
    node, heading,
    close() {
      notes.close();
      report.close();
      summary.close();
      stopVisit();
      stopTags();
      stopStore();
    },
  };
}

/**
 * Runs a change that the declaration or the action may refuse at once; the refusal is shown in the dialog.
 * @param {() => void} change
 */
function run(change) {
  try {
    change();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : 'This did not work';
  }
}
