// SPDX-License-Identifier: Apache-2.0
// What is on this device and how safe it is there, installing the app, and signing out.
// @ts-check
import { h, setText } from '../lib/dom.js';
import { button } from '../lib/controls.js';
import { askForm } from '../lib/dialog.js';
import { counted, date, size } from '../lib/words.js';

/** Chromium offers installation through an event, once; it is kept for when the person asks. */
let installOffer = /** @type {any} */ (null);
addEventListener('beforeinstallprompt', event => {
  event.preventDefault();
  installOffer = event;
});

/** @param {import('../context.js').Context} context */
export function deviceScreen(context) {
  const { db, user } = context;
  const heading = h('h1', { tabindex: -1 }, 'This device');
  const network = h('dd');
  const last = h('dd');
  const waiting = h('dd');
  const used = h('dd', null, 'Looking…');
  const kept = h('dd', null, 'Looking…');
  const keep = button('Ask the browser to keep it', { onclick: askToKeep });
  keep.hidden = true;
  const installButton = button('Install on this device', { icon: 'device', onclick: install });
  installButton.hidden = installOffer === null || matchMedia('(display-mode: standalone)').matches;

  const stop = db.onStatus(status => {
    setText(network, stateInWords(status.state));
    setText(last, status.lastSynced === null ? 'Not yet' : date(status.lastSynced));
    setText(waiting, unsent(status) === 0 ? 'Everything is on the server' : `${counted(unsent(status), 'change')} only on this device`);
  });

  const node = h('div', { class: 'page' },
    h('div', { class: 'head' }, h('div', null, heading, h('p', null, 'What is kept here, and how safe it is'))),
    h('div', { class: 'cards narrow' },
      card('sync', 'Sync', h('dl', { class: 'details' }, pair('State', network), pair('Last in step', last), pair('Waiting', waiting)),
        h('div', { class: 'buttons' }, button('Sync now', { icon: 'waiting', onclick: () => void db.sync() }))),
      card('storage', 'Storage', h('dl', { class: 'details' }, pair('Used by this app', used), pair('Kept when space is short', kept)),
        h('div', { class: 'buttons' }, keep, installButton)),
      card('account', 'Account', h('dl', { class: 'details' },
        pair('Signed in as', h('dd', null, `${user.name} (${user.user})`)),
        pair('Role', h('dd', null, context.isManager ? 'Manager' : 'Representative')),
        pair('Teams', h('dd', null, context.teams().map(({ name }) => name).join(', ') || 'None'))),
      h('div', { class: 'buttons' }, button('Sign out…', { icon: 'leave', kind: 'danger', onclick: signOut })))));
  void readStorage();

  async function readStorage() {
    const estimate = await navigator.storage?.estimate?.().catch(() => null);
    setText(used, typeof estimate?.usage === 'number' ? size(estimate.usage) : 'The browser does not say');
    const isKept = await navigator.storage?.persisted?.().catch(() => false);
    setText(kept, isKept ? 'Yes, the browser keeps it until you remove it'
      : 'Not promised: the browser may drop it if space runs out. What is synced comes back from the server.');
    keep.hidden = Boolean(isKept) || !navigator.storage?.persist;
  }

  async function askToKeep() {
    const isKept = await navigator.storage.persist();
    await readStorage();
    if (!isKept) setText(kept, 'The browser declined. Installing the app, or using it more often, usually changes that.');
  }

  async function install() {
    await installOffer?.prompt();
    installOffer = null;
    installButton.hidden = true;
  }

  async function signOut() {
    const count = unsent(db.status);
    const answer = await askForm(count === 0
      ? { title: 'Sign out?', text: 'Everything is on the server. The copy on this device is removed.', submit: 'Sign out', cancel: 'Stay' }
      : {
        title: `${counted(count, 'change')} would be lost`, kind: 'danger',
        text: 'They are only on this device. Stay, and they are sent when the server can be reached. '
          + 'Sign out now, and they are gone for good.',
        submit: `Sign out and lose ${counted(count, 'change')}`, cancel: 'Stay signed in',
      });
    if (answer) await context.leave(count > 0);
  }

  return { node, heading, close: stop };
}

/** @param {import('/aloft/aloft.js').Status} status */
const unsent = ({ queued, parked, conflicts }) => queued + parked + conflicts;

/**
 * @param {string} id
 * @param {string} title
 * @param {...HTMLElement} content
 */
function card(id, title, ...content) {
  return h('section', { class: 'panel card', 'aria-labelledby': `device-${id}` }, h('h2', { id: `device-${id}` }, title), content);
}

/**
 * @param {string} term
 * @param {HTMLElement} value
 */
const pair = (term, value) => h('div', null, h('dt', null, term), value);

/** @param {import('/aloft/aloft.js').State} state */
function stateInWords(state) {
  switch (state) {
    case 'synced': return 'In step with the server';
    case 'syncing': return 'Syncing now';
    case 'queued': return 'Changes wait to be sent';
    case 'offline': return 'Offline';
    case 'unreachable': return 'Network, but no server';
    case 'portal': return 'The network wants a sign-in';
    case 'slow': return 'The connection is very slow';
    case 'signedOut': return 'The session has ended: sign in to sync';
    case 'attention': return 'Something needs you';
    case 'notSaved': return 'The browser cannot save right now';
    default: return 'Starting';
  }
}
