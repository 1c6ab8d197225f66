// @ts-check
// SPDX-License-Identifier: Apache-2.0
// Collaborative text for pages: what `db.text` opens. Loaded only when the app declares a text field.

import { bindArea } from './text-area.js';
import { showCursors } from './text-cursors.js';
import { createText } from './text-handle.js';
import { createPresence } from './text-presence.js';

/** @typedef {ReturnType<typeof createTexts>} Texts */

/** @param {{module:import('./text-module.js').TextModule, host:import('./host.js').Host, presence:Parameters<typeof createPresence>[0]}} parts */
export function createTexts({ module, host, presence: parts }) {
  /** @type {Set<import('./text-handle.js').Text>} */
  const open = new Set();
  const presence = createPresence(parts);

  return {
    /** What somebody else tells. */
    hear: presence.hear,
    /** @param {string} collection @param {string} id @param {string} field @param {any} [kind] rich-text.js, for such a text */
    open(collection, id, field, kind = { createText, bindArea, showCursors }) {
      const text = kind.createText({
        module,
        read: () => host.text({ collection, id, field }),
        send: ($edit) => host.mutate([{ action: 'update', args: { collection, id, changes: { [field]: { $edit } } } }])[0],
        follow: (fn) => host.subscribe({ from: collection, where: { id } }, ([row]) => fn(row ? String(row[field] ?? '') : null)),
        presence: presence.of(collection, id, field),
      });
      const { close } = text;
      /** @type {Set<() => void>} */
      const bindings = new Set();
      open.add(text);
      return Object.assign(text, {
        /** @param {HTMLElement} area @param {{cursors?:boolean, words?:(names:string[]) => string}} [options] */
        bind(area, options = {}) {
          const stops = [kind.bindArea(text, area, options)];
          if (options.cursors !== false) stops.push(kind.showCursors(text, area, options.words));
          const unbind = () => { if (bindings.delete(unbind)) for (const stop of stops) stop(); };
          bindings.add(unbind);
          return unbind;
        },
        close() {
          for (const unbind of [...bindings]) unbind();
          open.delete(text);
          return close();
        },
      });
    },
    /** Saves what was typed everywhere; what could not be saved says so itself. */
    flush: () => Promise.allSettled([...open].map((text) => text.flush())),
    /** The same, and lets go. */
    async close() {
      await Promise.allSettled([...open].map((text) => text.close()));
      presence.close();
    },
  };
}
