// SPDX-License-Identifier: Apache-2.0
// The small controls that several screens share: buttons, search, choices, segments and steppers.
// @ts-check
import { h, setText } from './dom.js';
import { icon } from './icons.js';
import { figure } from './words.js';

let nextId = 1;
/**
 * An id no other element has.
 * @param {string} stem
 */
export const freshId = stem => `${stem}-${nextId++}`;

/**
 * @param {string} label
 * @param {{icon?: import('./icons.js').IconName, kind?: string, onclick?: (event: Event) => void, type?: string}} options
 */
export function button(label, { icon: name, kind = '', onclick, type = 'button' } = {}) {
  return h('button', { class: `button ${kind}`.trim(), type, onclick }, name && icon(name), label);
}

/**
 * @param {string} label
 * @param {{icon: import('./icons.js').IconName, onclick: (event: Event) => void}} options
 */
export function iconButton(label, { icon: name, onclick }) {
  return h('button', { class: 'icon-button', type: 'button', 'aria-label': label, title: label, onclick }, icon(name));
}

/**
 * A search field that reports what is typed, at once.
 * @param {{label: string, value: string, oninput: (text: string) => void}} options
 */
export function searchField({ label, value, oninput }) {
  const input = h('input', {
    class: 'input', type: 'search', 'aria-label': label, placeholder: label, value,
    autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', enterkeyhint: 'search',
    oninput: () => oninput(input.value),
  });
  return h('div', { class: 'search', role: 'search' }, icon('search'), input);
}

/**
 * @param {{label: string, icon: import('./icons.js').IconName, options: Array<[value: string, text: string]>, value: string,
 *   onchange: (value: string) => void}} options
 */
export function selectField({ label, icon: name, options, value, onchange }) {
  const select = h('select', { class: 'input', 'aria-label': label, title: label, onchange: () => onchange(select.value) });
  const node = h('div', { class: 'select' }, icon(name, 'lead'), select, icon('down', 'chevron'));

  /**
   * @param {Array<[string, string]>} list
   * @param {string} chosen
   */
  function fill(list, chosen) {
    select.replaceChildren(...list.map(([key, text]) => h('option', { value: key }, text)));
    select.value = chosen;
  }
  fill(options, value);
  return { node, fill };
}

/**
 * A row of choices of which one holds: radio buttons, so arrow keys move between them.
 * @param {{label: string, options: Array<[value: string, text: string, icon?: import('./icons.js').IconName]>, value: string,
 *   onchange: (value: string) => void}} options
 */
export function segments({ label, options, value, onchange }) {
  const name = freshId('segments');
  const inputs = options.map(([key]) => h('input', { type: 'radio', name, value: key, onchange: () => onchange(key) }));
  const node = h('div', { class: 'segments', role: 'radiogroup', 'aria-label': label },
    options.map(([, text, picture], index) => h('label', { class: 'segment' },
      inputs[index], h('span', null, picture && icon(picture), text))));

  /** @param {string} chosen */
  function update(chosen) {
    for (const input of inputs) if (input.checked !== (input.value === chosen)) input.checked = input.value === chosen;
  }
  update(value);
  return { node, update };
}

/**
 * A figure with buttons that change it by fixed steps and never below zero.
 * @param {{label: string, steps: number[], big?: boolean, onstep: (by: number) => void}} options
 */
export function stepper({ label, steps, big = false, onstep }) {
  let value = 0;
  const output = h('output', { class: 'figures', 'aria-label': label, 'aria-live': 'off' }, '0');
  const buttons = steps.map(by => h('button', {
    type: 'button', 'aria-label': by < 0 ? `${label}: take ${-by} off` : `${label}: add ${by}`,
    onclick: () => { if (value + by >= 0) onstep(by); },
  }, by === -1 ? icon('minus') : by === 1 ? icon('plus') : by > 0 ? `+${by}` : `−${-by}`));
  const before = buttons.filter((_, index) => steps[index] < 0);
  const after = buttons.filter((_, index) => steps[index] > 0);
  const node = h('div', { class: big ? 'stepper big' : 'stepper', role: 'group', 'aria-label': label }, before, output, after);

  // Announced while the person is at this figure only: a list of fifty figures must not talk.
  node.addEventListener('focusin', () => output.setAttribute('aria-live', 'polite'));
  node.addEventListener('focusout', () => output.setAttribute('aria-live', 'off'));

  /** @param {number} now */
  function update(now) {
    value = now;
    setText(output, figure(now));
    steps.forEach((by, index) => buttons[index].setAttribute('aria-disabled', String(value + by < 0)));
  }
  update(0);
  return { node, update };
}

/**
 * What a list shows when it has nothing to show, and what to do about it.
 * @param {import('./icons.js').IconName} name
 * @param {string} title
 * @param {string} text
 * @param {HTMLElement} [action]
 */
export function emptyState(name, title, text, action) {
  return h('div', { class: 'empty' }, icon(name), h('strong', null, title), h('p', null, text), action);
}
