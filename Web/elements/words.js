// @ts-check
// SPDX-License-Identifier: Apache-2.0
// Every word the status elements say, in one place.
//
// An app translates or renames by assigning:   Object.assign(words, { yours: 'Deine' })
// `field` and `value` turn the declaration's names and stored values into the person's words.

/** @param {number} count @param {string} one @param {string} many */
const counted = (count, one, many) => `${count} ${count === 1 ? one : many}`;
/** @param {number} count */
const changes = (count) => counted(count, 'change', 'changes');
/** @param {number} milliseconds */
const clock = (milliseconds) => new Date(milliseconds).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
/** @param {string} text @param {number} queued */
const waiting = (text, queued) => (queued ? `${text} · ${changes(queued)} waiting` : text);

export const words = {
  /** The badge.
   * @param {any} status */
  state({ state, detail, queued, parked, conflicts, lastSynced }) {
    if (detail === 'restoring') return 'Restoring your data';
    switch (state) {
      case 'starting': return 'Opening';
      case 'synced': return lastSynced ? `Synced ${clock(lastSynced)}` : 'Synced';
      case 'syncing': return queued ? `Syncing ${changes(queued)}` : 'Checking for news';
      case 'queued': return waiting('Saved on this device', queued);
      case 'offline': return waiting('Offline', queued);
      case 'unreachable': return waiting('Cannot reach the server', queued);
      case 'slow': return waiting('Slow network', queued);
      case 'portal': return waiting('This network wants you to sign in', queued);
      case 'signedOut': return waiting('Sign in to sync', queued);
      case 'attention': return counted(parked + conflicts, 'change needs you', 'changes need you');
      case 'notSaved': return 'Not saved. Keep this tab open';
      default: return String(state);
    }
  },
  /** What a screen reader hears when the state turns; '' for nothing.
   * @param {any} status */
  turn({ state, detail }) {
    if (detail === 'quota') return 'Not saved: this device is full. Keep this tab open and free some space.';
    switch (state) {
      case 'synced': return 'Back online. All changes are synced.';
      case 'offline': return 'Offline. Changes are saved on this device.';
      case 'unreachable': return 'The server cannot be reached. Changes are saved on this device.';
      case 'portal': return 'This network wants you to sign in. Changes are saved on this device.';
      case 'signedOut': return 'Sign in to sync. Changes are saved on this device.';
      case 'attention': return 'A change needs you.';
      case 'notSaved': return 'Not saved. Keep this tab open.';
      default: return '';
    }
  },
  details: 'Show changes',

  trayTitle: 'Changes on this device',
  trayEmpty: 'Everything is synced.',
  needsYou: 'These need you',
  onTheirWay: 'Waiting to sync',
  close: 'Close',
  retry: 'Try again', edit: 'Edit', discard: 'Discard', choose: 'Choose a version',
  sure: 'Discard for good', keep: 'Keep it',
  save: 'Save', cancel: 'Cancel',
  failed: 'That did not work',
  /** @param {any} pending */
  label: (pending) => pending.label || pending.action,
  /** @param {any} pending */
  pendingState({ state, at, message }) {
    const since = at ? `, ${clock(at)}` : '';
    switch (state) {
      case 'saving': return `Being saved${since}`;
      case 'queued': return `Saved on this device${since}`;
      case 'sending': return `Being sent${since}`;
      case 'conflict': return 'Changed in two places';
      case 'parked': return message || 'Waits for another change that needs you';
      default: return message || 'The server did not accept this';
    }
  },

  conflictTitle: 'Changed in two places',
  conflictHelp: 'Somebody else changed the same thing while you were working. Which version should stay?',
  yours: 'Yours',
  theirs: 'On the server',
  keepYours: 'Keep yours',
  keepTheirs: 'Keep the one on the server',
  alsoYours: 'Also in your change',
  useChoice: 'Use this version',
  later: 'Decide later',
  chooseFirst: 'Choose one of the two versions first.',
  deletedThere: 'Deleted',

  /** @param {number} unsynced */
  updateReady: (unsynced) => `A new version is ready.${unsynced ? ` Your ${counted(unsynced, 'unsent change stays', 'unsent changes stay')} on this device.` : ''}`,
  reload: 'Reload',
  notNow: 'Not now',

  /** The name of a field in words.
   * @param {string} _collection @param {string} field */
  field: (_collection, field) => field.charAt(0).toUpperCase() + field.slice(1).replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
  /** A stored value in words.
   * @param {any} value @param {string} _collection @param {string} _field */
  value(value, _collection, _field) {
    if (value === null || value === undefined || value === '') return '(empty)';
    if (value === true) return 'Yes';
    if (value === false) return 'No';
    if (Array.isArray(value)) return value.length ? value.join(', ') : '(none)';
    if (typeof value === 'object') {
      if ('$edit' in value) return value.$words ? `“${value.$words}”` : '(deletions)';
      if ('$increment' in value) return `${value.$increment < 0 ? '' : '+'}${value.$increment}`;
      return [...(value.$add ?? []).map((/** @type {any} */ member) => `+ ${member}`), ...(value.$remove ?? []).map((/** @type {any} */ member) => `− ${member}`)].join(', ');
    }
    return String(value);
  },
};
