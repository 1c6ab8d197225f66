// SPDX-License-Identifier: Apache-2.0
// Follows the part of the address after "#" and shows the screen it names; goes back to where a list was left.
// @ts-check
import { closeDialogs } from './lib/dialog.js';
import { storesScreen } from './screens/stores.js';
import { storeScreen } from './screens/store.js';
import { visitsScreen } from './screens/visits.js';
import { visitScreen } from './screens/visit.js';
import { productsScreen } from './screens/products.js';
import { deviceScreen } from './screens/device.js';

/**
 * @typedef {{node: HTMLElement, heading: HTMLElement, close: () => void}} Screen a screen's element, the heading that takes
 *   the focus when the screen opens, and what to stop when it goes
 */

/** @type {Record<string, (context: import('./context.js').Context, id: string) => Screen>} */
const screens = {
  stores: (context, id) => (id ? storeScreen(context, id) : storesScreen(context)),
  visits: (context, id) => (id ? visitScreen(context, id) : visitsScreen(context)),
  products: productsScreen,
  device: deviceScreen,
};

/**
 * Shows screens in `place` from now on.
 * @param {import('./context.js').Context} context
 * @param {HTMLElement} place
 * @param {(section: string) => void} onsection told which part of the app is shown
 * @param {boolean} hasEntered whether the person has just signed in, so that the first screen takes the focus too
 */
export function startRouter(context, place, onsection, hasEntered) {
  /** @type {Map<string, number>} */
  const scrolled = new Map();
  /** @type {Screen | null} */
  let screen = null;
  let shown = '';
  const titles = new MutationObserver(nameDocument);

  function show() {
    const path = location.hash.replace(/^#\/?/, '');
    const [section, id] = path.split('/').map(decodeURIComponent);
    if (!Object.hasOwn(screens, section)) return location.replace('#/stores');
    if (path === shown) return;
    const isFirst = shown === '';
    if (!isFirst) scrolled.set(shown, scrollY);
    closeDialogs();
    screen?.close();
    shown = path;
    screen = screens[section](context, id ?? '');
    place.replaceChildren(screen.node);
    onsection(section);
    titles.disconnect();
    titles.observe(screen.heading, { childList: true, characterData: true, subtree: true });
    nameDocument();
    if (!isFirst || hasEntered) screen.heading.focus({ preventScroll: true });
    returnTo(id ? 0 : scrolled.get(path) ?? 0);
  }

  /**
   * The rows arrive a moment after the screen, so the place is taken once they are there.
   * @param {number} top
   */
  function returnTo(top) {
    scrollTo(0, 0);
    if (top > 0) requestAnimationFrame(() => requestAnimationFrame(() => scrollTo(0, top)));
  }

  function nameDocument() {
    document.title = `${screen?.heading.textContent || 'Field Visits'} · Field Visits`;
  }

  addEventListener('hashchange', show);
  addEventListener('pagehide', () => screen?.close());
  addEventListener('pageshow', event => {
    if (!event.persisted) return;
    shown = '';
    show();
  });
  show();
}
