// SPDX-License-Identifier: Apache-2.0
// Signing in: a name and a password, the demo accounts one press away, and a clear word when the server is out of reach.
// @ts-check
import { signIn } from '/aloft/aloft.js';
import { h } from '../lib/dom.js';
import { brandMark, icon } from '../lib/icons.js';
import { button } from '../lib/controls.js';
import { askForm, formField } from '../lib/dialog.js';

const demoAccounts = [
  { user: 'mia', name: 'Mia', role: 'Representative', team: 'North' },
  { user: 'noah', name: 'Noah', role: 'Representative', team: 'South' },
  { user: 'ada', name: 'Ada', role: 'Manager', team: 'North, South' },
];
const demoPassword = 'demo';

/**
 * Shows the sign-in page in `place`; resolves with the person once the server has agreed.
 * @param {HTMLElement} place
 * @returns {Promise<import('/aloft/aloft.js').User>}
 */
export function signInPage(place) {
  return new Promise(resolve => {
    const user = formField({ name: 'user', label: 'User name', required: 'Enter your user name', autocomplete: 'username' });
    const password = formField({
      name: 'password', label: 'Password', type: 'password', required: 'Enter your password', autocomplete: 'current-password',
    });
    user.input.setAttribute('autocapitalize', 'off');
    user.input.setAttribute('spellcheck', 'false');
    const refusal = h('div', { role: 'alert' });
    const enter = button('Sign in', { kind: 'primary', type: 'submit' });
    const form = h('form', { novalidate: true, onsubmit: submit }, refusal, user.node, password.node, enter);

    const heading = h('h1', null, 'Sign in');
    place.replaceChildren(h('div', { class: 'welcome' }, h('main', null,
      h('div', { class: 'brand' }, brandMark(), 'Field Visits'),
      heading, h('p', { class: 'soft small' }, 'Once you have signed in on this device, everything works without a network.'),
      form,
      h('section', { 'aria-labelledby': 'demo-accounts' },
        h('h2', { id: 'demo-accounts', class: 'label' }, 'Demo accounts'),
        h('p', { class: 'hint' }, `The password is “${demoPassword}”.`),
        h('div', { class: 'people' }, demoAccounts.map(account => h('button', {
          class: 'button', type: 'button', onclick: () => fill(account.user),
        }, account.name, h('small', null, account.role), h('small', null, account.team))))))));
    document.title = 'Sign in · Field Visits';
    if (!navigator.onLine) say('This device is offline. The first sign-in needs the server.', 'calm');

    /** @param {string} name */
    function fill(name) {
      user.input.value = name;
      password.input.value = demoPassword;
      user.check();
      password.check();
      enter.focus();
    }

    /**
     * @param {string} text
     * @param {string} tone
     */
    function say(text, tone) {
      refusal.replaceChildren(h('div', { class: 'alert', 'data-tone': tone },
        icon(tone === 'calm' ? 'offline' : 'attention'), h('span', null, text)));
    }

    /** @param {Event} event */
    async function submit(event) {
      event.preventDefault();
      const wrong = [user, password].filter(field => !field.check());
      if (wrong.length > 0) return wrong[0].input.focus();
      enter.disabled = true;
      refusal.replaceChildren();
      try {
        resolve(await signIn({ user: user.input.value.trim(), password: password.input.value }));
      } catch (error) {
        say(signInProblem(error), isNetworkProblem(error) ? 'calm' : 'danger');
        enter.disabled = false;
        (isNetworkProblem(error) ? enter : password.input).focus();
      }
    }
  });
}

/**
 * Asks for the password again when the session has ended; the work on the device stays as it is.
 * @param {string} user
 */
export function signInAgain(user) {
  return askForm({
    title: 'Sign in to sync', submit: 'Sign in', text: `Your changes are safe on this device. Sign in as ${user} to send them.`,
    fields: [{ name: 'password', label: 'Password', type: 'password', required: 'Enter your password', autocomplete: 'current-password' }],
    check: ({ password }) => signIn({ user, password }).then(() => null, signInProblem),
  });
}

/** @param {any} error */
const isNetworkProblem = error => error?.code === 'offline' || error?.code === 'portal';

/** @param {any} error */
function signInProblem(error) {
  switch (error?.code) {
    case 'refused': return 'The user name or the password is not right.';
    case 'tooMany': return 'Too many tries. Wait a minute, then try again.';
    case 'portal': return 'This network wants you to sign in to it first. Open any web page to do so, then come back.';
    case 'offline': return 'Cannot reach the server. Check the connection and try again.';
    default: return 'Signing in did not work. Try again in a moment.';
  }
}
