// SPDX-License-Identifier: Apache-2.0
// Shows the versions of one text side by side, marks what differs, and lets the person keep one or all.
// @ts-check
import { h } from './dom.js';
import { icon } from './icons.js';
import { button } from './controls.js';

/** Above this many words the marks are left out: finding them costs the product of both lengths. */
const markedWordsMax = 600;

/**
 * @param {{label: string, versions: Array<{value: string, caption: string}>, onkeep: (value: string) => void,
 *   onboth: (joined: string) => void}} options `onboth` gets all versions, one paragraph each
 */
export function versionChooser({ label, versions, onkeep, onboth }) {
  const cards = versions.map(({ value, caption }, index) => {
    const rival = versions[index === 0 ? 1 : 0].value;
    const text = value === '' ? h('em', { class: 'soft' }, 'Empty') : marked(value, rival);
    return h('li', { class: 'version' },
      h('div', { class: 'group' }, h('h3', { class: 'small' }, caption), h('blockquote', null, text)),
      button('Keep this', { onclick: () => onkeep(value) }));
  });
  for (const [index, card] of cards.entries()) {
    card.querySelector('button')?.setAttribute('aria-label', `Keep this: ${versions[index].caption}`);
  }
  const joined = versions.map(version => version.value.trim()).filter(Boolean).join('\n\n');
  return h('section', { class: 'versions', 'aria-label': `${label}: ${versions.length} versions` },
    h('p', null, icon('versions'),
      h('span', null, `${label} changed in two places. Nothing is lost: keep one, keep both, or decide later.`)),
    h('ul', null, cards),
    h('div', { class: 'buttons' }, button('Keep both', { kind: 'primary', onclick: () => onboth(joined) })));
}

/**
 * The words of a text; those the rival does not have, in their order, are marked.
 * @param {string} text
 * @param {string} rival
 */
function marked(text, rival) {
  const mine = text.split(/(\s+)/);
  const theirs = rival.split(/(\s+)/);
  if (mine.length > markedWordsMax || theirs.length > markedWordsMax) return [text];
  const common = commonWords(mine, theirs);
  return mine.map((word, index) => (common.has(index) || !word.trim() ? word : h('mark', null, word)));
}

/**
 * Places in `a` of a longest common subsequence of both lists.
 * @param {string[]} a
 * @param {string[]} b
 */
function commonWords(a, b) {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i][j] = a[i] === b[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  const places = new Set();
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) {
      places.add(i++);
      j++;
    } else if (lengths[i + 1][j] >= lengths[i][j + 1]) i++;
    else j++;
  }
  return places;
}
