// SPDX-License-Identifier: Apache-2.0
// Turns values into the words and figures a person reads, in the language of the browser.
// @ts-check

const money = new Intl.NumberFormat(undefined, { style: 'currency', currency: 'EUR' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const number = new Intl.NumberFormat();
const bytes = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** @param {number | null | undefined} cents */
export const price = cents => (typeof cents === 'number' ? money.format(cents / 100) : 'No price');

/** @param {number} value */
export const figure = value => number.format(value);

/**
 * @param {number} count
 * @param {string} one
 * @param {string} many
 */
export const counted = (count, one, many = `${one}s`) => `${number.format(count)} ${count === 1 ? one : many}`;

/** @param {number | null | undefined} time milliseconds since 1970 */
export function date(time) {
  if (typeof time !== 'number') return 'Not planned';
  const then = new Date(time);
  const away = Math.round((startOfDay(time) - startOfDay(Date.now())) / 86_400_000);
  if (away === 0) return `Today ${clock.format(then)}`;
  if (away === 1) return `Tomorrow ${clock.format(then)}`;
  if (away === -1) return `Yesterday ${clock.format(then)}`;
  return then.getFullYear() === new Date().getFullYear() ? `${day.format(then)}, ${clock.format(then)}` : dayOfYear.format(then);
}


/** @param {number} count */
export function size(count) {
  if (count < 1024 * 1024) return `${bytes.format(Math.max(count / 1024, 0.1))} KB`;
  if (count < 1024 ** 3) return `${bytes.format(count / 1024 ** 2)} MB`;
  return `${bytes.format(count / 1024 ** 3)} GB`;
}

/**
 * Two letters for a tile.
 * @param {string} name
 */
export function initials(name) {
  const words = name.split(/[\s-]+/).filter(word => /^[\p{L}\p{N}]/u.test(word));
  return ((words[0]?.[0] ?? '?') + (words[1]?.[0] ?? words[0]?.[1] ?? '')).toLocaleUpperCase();
}

/**
 * A steady choice of one of five tints for a word.
 * @param {string} word
 */
export function tint(word) {
  let sum = 0;
  for (const letter of word) sum = (sum * 31 + /** @type {number} */ (letter.codePointAt(0))) % 997;
  return `tint-${sum % 5}`;
}

/**
 * The spellings under which a name may start, because the engine compares prefixes letter by letter.
 * @param {string} typed
 */
export function spellings(typed) {
  const text = typed.trim();
  const words = text.toLocaleLowerCase().replace(/(^|\s)\S/gu, letter => letter.toLocaleUpperCase());
  const sentence = text.charAt(0).toLocaleUpperCase() + text.slice(1);
  return [...new Set([text, text.toLocaleLowerCase(), text.toLocaleUpperCase(), words, sentence])];
}

/**
 * A filter for rows of which one of the fields starts with what was typed.
 * @param {string} typed
 * @param {string[]} fields
 */
export function startsWith(typed, fields) {
  if (!typed.trim()) return null;
  return { or: fields.flatMap(field => spellings(typed).map(prefix => ({ [field]: { prefix } }))) };
}

/**
 * One filter out of several, of which any may be absent.
 * @param {...(object | null)} filters
 */
export function allOf(...filters) {
  const present = filters.filter(filter => filter !== null);
  return present.length > 0 ? { and: present } : undefined;
}

/**
 * The value of a `datetime-local` field.
 * @param {number | null | undefined} time
 */
export function toLocalInput(time) {
  if (typeof time !== 'number') return '';
  const then = new Date(time);
  return new Date(time - then.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** @param {string} text the value of a `datetime-local` field */
export function fromLocalInput(text) {
  const time = text ? new Date(text).getTime() : NaN;
  return Number.isNaN(time) ? null : time;
}

/** @param {number} time */
function startOfDay(time) {
  const then = new Date(time);
  return new Date(then.getFullYear(), then.getMonth(), then.getDate()).getTime();
}
