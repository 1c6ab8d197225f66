// @ts-check
// SPDX-License-Identifier: Apache-2.0
// What a person can do about a change, by its state: only what the engine can do, and only what makes sense.

/** A change that waits or is under way cannot be called back: the server may have it already.
 * @type {Record<string, string[]>} */
const VERBS = { conflict: ['choose'], rejected: ['retry', 'edit', 'discard'], parked: ['retry', 'discard'], queued: [], saving: [], sending: [] };
/** Actions that have no values to edit. */
const WITHOUT_VALUES = ['delete', 'restore'];

/** @param {{state:string, action:string}} item an entry of db.pending() @returns {string[]} */
export function verbsFor({ state, action }) {
  return (VERBS[state] ?? []).filter((verb) => verb !== 'edit' || !WITHOUT_VALUES.includes(action));
}
