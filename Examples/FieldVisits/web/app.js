// SPDX-License-Identifier: Apache-2.0
// Starts Field Visits: whoever signed in last on this device goes straight in, with or without a network.
// @ts-check
import { currentUser, install, onSession, open, signOut } from '/aloft/aloft.js';
import { h } from './lib/dom.js';
import { icon } from './lib/icons.js';
import { button } from './lib/controls.js';
import { makeContext } from './context.js';
import { startRouter } from './router.js';
import { buildShell } from './shell.js';
import { signInAgain, signInPage } from './screens/sign-in.js';

const place = /** @type {HTMLElement} */ (document.getElementById('app'));

async function start() {
  const known = await currentUser().catch(() => null);
  const user = known ?? await signInPage(place);
  place.replaceChildren(h('p', { class: 'starting' }, 'Opening your data…'));
  const db = await open({ app: '/app.json', user: user.user });
  // Signing out here tells every tab, this one too; it must finish its work before the page goes.
  let isLeaving = false;
  const context = makeContext(db, user, {
    async signIn() {
      if (await signInAgain(user.user)) await db.sync();
    },
    async leave(discard) {
      isLeaving = true;
      await signOut(db, { discard });
      startOver();
    },
  });
  const shell = buildShell(context, place);
  startRouter(context, shell.screen, shell.mark, known === null);
  onSession(now => { if (!isLeaving && now?.user !== user.user) startOver(); });
}

/** A fresh page is the only state in which nothing of the last person is left. */
function startOver() {
  history.replaceState(null, '', '/');
  location.reload();
}

/** @param {unknown} error */
function cannotStart(error) {
  place.replaceChildren(h('div', { class: 'starting', role: 'alert' }, icon('attention'),
    h('h1', null, 'Field Visits could not open your data'),
    h('p', { class: 'soft' }, error instanceof Error ? error.message : 'The browser did not say why.'),
    h('p', null, 'Nothing was deleted.'),
    h('div', null, button('Try again', { kind: 'primary', onclick: () => location.reload() }))));
}

// Without a service worker the app still works; it only cannot open while the server is away.
install({
  onUpdate: apply => /** @type {any} */ (document.querySelector('aloft-update')).offer(apply),
}).catch(error => console.info('No service worker:', error));
start().catch(cannotStart);
