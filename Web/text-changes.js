// @ts-check
// SPDX-License-Identifier: Apache-2.0
// Changes of a text as an editor sees them: places and lengths in UTF-16 units, as JavaScript counts.

/** @typedef {{at:number, deleted:number, inserted:string}} Change */

/** The text after a change.
 * @param {string} text @param {Change} change */
export const applied = (text, { at, deleted, inserted }) => text.slice(0, at) + inserted + text.slice(at + deleted);

/** The smallest single change from one text to another. Where several would do (a letter typed beside its like), the one that ends at
 * the caret.
 * @param {string} before @param {string} after @param {number} [caret] in `after` @returns {Change} */
export function difference(before, after, caret = after.length) {
  const shorter = Math.min(before.length, after.length);
  const tailMax = Math.min(shorter, after.length - caret);
  let tail = 0;
  while (tail < tailMax && before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)) tail++;
  let at = 0;
  while (at < shorter - tail && before.charCodeAt(at) === after.charCodeAt(at)) at++;
  // What the caret kept apart may still be alike.
  while (tail < shorter - at && before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)) tail++;
  return { at, deleted: before.length - at - tail, inserted: after.slice(at, after.length - tail) };
}

/** Where a place is after a change. Text inserted exactly there goes behind it; a place in deleted text moves to where that was.
 * @param {number} place @param {Change} change */
export function moved(place, { at, deleted, inserted }) {
  return place <= at ? place : Math.max(place - deleted, at) + inserted.length;
}

/** The same for the cursor of somebody else. Its owner may have told it before the text typed there arrived: then it stays.
 * @param {number} place @param {Change} change */
export function movedCursor(place, change) {
  const { at, deleted, inserted } = change;
  return deleted === 0 && place <= at + inserted.length ? place : moved(place, change);
}

const isHigh = (/** @type {number} */ unit) => unit >= 0xD800 && unit < 0xDC00;
const isLow = (/** @type {number} */ unit) => unit >= 0xDC00 && unit < 0xE000;

/** The same change with no half of a surrogate pair in it: a pair that it cuts is replaced whole, and halves alone become U+FFFD.
 * @param {string} text @param {Change} change @returns {Change} */
export function wholePairs(text, { at, deleted, inserted }) {
  const cuts = (/** @type {number} */ place) => isHigh(text.charCodeAt(place - 1)) && isLow(text.charCodeAt(place));
  let end = at + deleted;
  if (cuts(end)) inserted += text[end++];
  if (cuts(at)) inserted = text[--at] + inserted;
  return { at, deleted: end - at, inserted: inserted.replace(/\p{Cs}/gu, '\uFFFD') };
}
