// SPDX-License-Identifier: Apache-2.0
// Teaches the platform's tray to speak of this app's things: "Close “Shelf check”" instead of an action and an id.
// @ts-check
import { words } from '/aloft/elements/index.js';
import { date, price } from './words.js';

/**
 * Names by record id, because a tray shows also records that were deleted here or that only another screen has seen.
 * @type {Map<string, string>}
 */
const names = new Map();
/** @type {Record<string, string>} */
const things = { stores: 'store', visits: 'visit', products: 'product', teams: 'team' };

/**
 * Keeps a record's name for the tray.
 * @param {string} id
 * @param {string | undefined} name
 */
export function rememberName(id, name) {
  if (name) names.set(id, name);
}

/**
 * Makes the tray's words this app's, and learns the names of records in it.
 * @param {import('../context.js').Database} db
 */
export function speakOfVisits(db) {
  const { value, pendingState } = words;
  words.label = changeInWords;
  words.value = (stored, collection, field) => {
    if (field === 'price' && typeof stored === 'number') return price(stored);
    if (field === 'planned' && typeof stored === 'number') return date(stored);
    if (typeof stored === 'string' && names.has(stored)) return names.get(stored) ?? stored;
    // Closing names no status, because it has only one: a conflict shows what it would write.
    if (stored === undefined && field === 'status') return 'closed';
    return value(stored, collection, field);
  };
  words.pendingState = pending => (pending.code === 'forbidden' && pending.action === 'delete'
    ? `Only a manager may delete a ${things[pending.args.collection]}. It is back in your list.` : pendingState(pending));
  return db.onPending(list => {
    for (const { args, action } of list) {
      if (action === 'create') rememberName(args.id, args.fields?.title ?? args.fields?.name);
      const id = args.id ?? args.visit;
      if (id && !names.has(id)) void db.get(args.collection ?? 'visits', id).then(row => rememberName(id, row?.title ?? row?.name));
    }
  });
}

/** @param {import('/aloft/aloft.js').Pending} pending */
function changeInWords({ action, args, label }) {
  const thing = things[args.collection ?? 'visits'] ?? args.collection;
  const name = names.get(args.id ?? args.visit);
  const called = name ? `“${name}”` : `a ${thing}`;
  switch (action) {
    case 'create': return `New ${thing} ${name ? called : ''}`.trim();
    case 'delete': return `Delete ${called}`;
    case 'restore': return `Bring back ${called}`;
    case 'closeVisit': return `Close ${called}`;
    case 'resolve': return `${called}: choice of ${fieldsInWords(args.fields)}`;
    case 'update': return `${called}: ${changesInWords(args.collection, args.changes)}`;
    default: return label;
  }
}

/** @param {Record<string, any>} [fields] */
const fieldsInWords = (fields = {}) => Object.keys(fields).join(', ');

const valueLengthMax = 40;

/**
 * @param {string} collection
 * @param {Record<string, any>} [changes]
 */
function changesInWords(collection, changes = {}) {
  return Object.entries(changes).map(([field, changed]) => {
    const value = words.value(changed, collection, field);
    return `${field} ${value.length > valueLengthMax ? `${value.slice(0, valueLengthMax)}…` : value}`;
  }).join(', ');
}
