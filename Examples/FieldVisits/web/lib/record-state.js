// SPDX-License-Identifier: Apache-2.0
// Says where a record's latest change is: on this device, on its way, or waiting for the person.
// @ts-check
import { h } from './dom.js';
import { icon } from './icons.js';

/**
 * A chip that follows one row. While the app is offline a waiting change reads "Saved on this device":
 * both texts are there and the style sheet shows the right one, so that no row is touched when the network goes.
 * @param {{showSynced?: boolean}} options
 */
export function recordState({ showSynced = false } = {}) {
  const node = h('span', { class: 'state', hidden: true });
  /** @type {string | undefined} */
  let shown = 'none yet';

  /** @param {{$state?: string, $candidates?: Record<string, unknown>}} row */
  function update(row) {
    const hasVersions = Object.keys(row.$candidates ?? {}).length > 0;
    const state = row.$state ?? (hasVersions ? 'versions' : undefined);
    if (state === shown) return;
    shown = state;
    node.hidden = state === undefined && !showSynced;
    node.dataset.state = state === 'versions' ? 'attention' : state ?? 'synced';
    node.replaceChildren(...words(state));
  }
  return { node, update };
}

/** @param {string | undefined} state */
function words(state) {
  switch (state) {
    case 'attention': return [icon('attention'), 'Needs you'];
    case 'versions': return [icon('versions'), 'Two versions'];
    case 'saving': return [icon('saving'), 'Saving…'];
    case 'queued': return [
      h('span', { class: 'when-offline' }, icon('onDevice')), h('span', { class: 'when-offline' }, 'Saved on this device'),
      h('span', { class: 'when-online' }, icon('waiting')), h('span', { class: 'when-online' }, 'Waiting to sync'),
    ];
    default: return [icon('synced'), 'Synced'];
  }
}
