// @ts-check
// SPDX-License-Identifier: Apache-2.0
// Gives a fresh engine what lies in storage, and sets aside what cannot be read.

import { FORMAT } from './database-file.js';
import { AloftError, Op } from './engine.js';

/** An engine that holds all that was stored up to the log's row `head`; it has not been told yet for whom it is opened.
 * @typedef {{engine:import('./engine.js').Engine, head:number}} Loaded */

/** Loads while the pages are still arriving. Uses up what is stored: whoever builds another engine reads it again.
 * @param {import('./engine.js').Engine} engine @param {import('./storage.js').Storage} storage
 * @param {import('./storage.js').Stored} stored @returns {Promise<Loaded>} */
export async function loadStored(engine, storage, stored) {
  if (stored.format > FORMAT) throw new AloftError({ code: 'newerFormat', message: 'this data belongs to a newer version of the app; reload the page' });
  engine.reserve(stored.room);
  /** @param {string} what @param {Uint8Array} bytes */
  const bury = (what, bytes) => { void storage.bury(what, bytes); };
  if (stored.state) {
    try { engine.call(Op.loadState, stored.state); } catch (error) {
      if (!(error instanceof AloftError)) throw error;
      bury('state', stored.state);
    }
  }
  let graves = 0;
  for (const arriving of stored.pages) {
    for (const page of await arriving) {
      if (!engine.loadPage(page)) bury(`page ${graves++}`, page);
      // Its memory serves the next one at once: fresh memory costs as much as filling it.
      else /** @type {any} */ (page.buffer).transfer?.(0);
    }
  }
  // What follows a damaged row hangs on it: the device goes back to the row before, and the server fills the rest in.
  let count = stored.rows.findIndex((row, i) => !engine.loadLog(stored.sequences[i], row));
  if (count < 0) count = stored.rows.length;
  else void storage.cut(stored.sequences[count]);
  return { engine, head: stored.sequences[count - 1] ?? stored.generation };
}
