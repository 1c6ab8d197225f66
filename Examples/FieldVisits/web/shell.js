// SPDX-License-Identifier: Apache-2.0
// The frame around every screen: brand, status, navigation, and one banner for the state of the network.
// @ts-check
import { provide } from '/aloft/elements/index.js';
import { h } from './lib/dom.js';
import { brandMark, icon } from './lib/icons.js';
import { button, iconButton } from './lib/controls.js';
import { speakOfVisits } from './lib/change-words.js';

/** @type {Array<[section: string, label: string, icon: import('./lib/icons.js').IconName]>} */
const sections = [
  ['stores', 'Stores', 'store'], ['visits', 'Visits', 'visits'], ['products', 'Products', 'product'], ['device', 'This device', 'device'],
];

/**
 * Builds the frame in `place`; returns where screens go and how to mark the section that is shown.
 * @param {import('./context.js').Context} context
 * @param {HTMLElement} place
 */
export function buildShell(context, place) {
  const { db, user } = context;
  const main = h('main', { id: 'main', tabindex: -1 });
  const banner = networkBanner(context);
  const screen = h('div');
  // The page had the element from the start, so that an offer made meanwhile is not lost.
  const update = document.querySelector('aloft-update') ?? document.createElement('aloft-update');
  main.append(update, banner.node, screen);
  const links = sections.map(([section, label, picture]) => h('a', { href: `#/${section}` }, icon(picture), label));
  const status = document.createElement('aloft-status');
  status.setAttribute('tray', 'changes');
  const tray = document.createElement('aloft-tray');
  tray.id = 'changes';
  speakOfVisits(db);
  provide(db);

  place.replaceChildren(
    h('button', { class: 'skip', type: 'button', onclick: () => main.focus() }, 'Skip to content'),
    h('div', { class: 'frame' },
      h('div', { class: 'side' },
        h('header', { class: 'top' }, h('a', { class: 'brand', href: '#/stores' }, brandMark(), h('span', null, 'Field Visits')), status),
        h('nav', { class: 'nav', 'aria-label': 'Main' }, h('ul', null, links.map(link => h('li', null, link)))),
        h('footer', { class: 'who' }, h('strong', null, user.name), context.isManager ? 'Manager' : 'Representative')),
      main),
    tray);

  db.onStatus(({ state }) => {
    document.documentElement.dataset.network = ['offline', 'unreachable', 'portal', 'signedOut'].includes(state) ? 'offline' : 'online';
    banner.update(state);
  });

  return {
    screen,
    /** @param {string} section */
    mark(section) {
      links.forEach((link, index) => {
        if (sections[index][0] === section) link.setAttribute('aria-current', 'page');
        else link.removeAttribute('aria-current');
      });
    },
  };
}

/**
 * One banner, which can be dismissed and comes back only when the state changes.
 * @param {import('./context.js').Context} context
 */
function networkBanner(context) {
  const node = h('div', { class: 'banner', hidden: true });
  let shown = '';

  /** @param {import('/aloft/aloft.js').State} state */
  function update(state) {
    const content = bannerFor(state, context);
    const key = content ? state : '';
    if (key === shown) return;
    shown = key;
    node.hidden = content === null;
    if (!content) return node.replaceChildren();
    const { strong, text, tone = 'calm', action, picture = 'offline' } = content;
    node.dataset.tone = tone;
    if (tone === 'danger') node.setAttribute('role', 'alert');
    else node.removeAttribute('role');
    node.replaceChildren(icon(picture), h('p', null, h('strong', null, strong), ` ${text}`), ...(action ? [action] : []),
      iconButton('Hide this message', { icon: 'close', onclick: () => { node.hidden = true; } }));
  }
  return { node, update };
}

/**
 * @param {import('/aloft/aloft.js').State} state
 * @param {import('./context.js').Context} context
 * @returns {{strong: string, text: string, tone?: string, action?: HTMLElement, picture?: import('./lib/icons.js').IconName} | null}
 */
function bannerFor(state, context) {
  switch (state) {
    case 'offline': return {
      strong: 'Offline: you can keep working.', text: 'Changes are saved on this device and sent when the network is back.',
    };
    case 'unreachable': return {
      strong: 'Cannot reach the server: you can keep working.', text: 'Changes are saved on this device and sent later.',
    };
    case 'portal': return {
      strong: 'This network wants you to sign in.', text: 'Until then, changes stay on this device. You can keep working.', picture: 'info',
    };
    case 'signedOut': return {
      strong: 'Sign in to sync.', text: 'Your session has ended. Your changes are safe on this device.', tone: 'attention', picture: 'info',
      action: button('Sign in', { onclick: () => void context.signIn() }),
    };
    case 'notSaved': return {
      strong: 'Not saved. Keep this page open.', text: 'The browser cannot write to its storage right now; the app keeps trying.',
      tone: 'danger', picture: 'attention',
    };
    default: return null;
  }
}
