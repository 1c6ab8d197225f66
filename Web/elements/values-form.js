// @ts-check
// SPDX-License-Identifier: Apache-2.0
// A plain form of a change's values, for apps that bring no form of their own.

import { h } from './kit.js';
import { words } from './words.js';

const LONG_TEXT = 60;

/** @param {any} item an entry of db.pending() @param {(args:any) => void} onSave @param {() => void} onCancel */
export function valuesForm(item, onSave, onCancel) {
  const key = item.args.changes ? 'changes' : item.args.fields ? 'fields' : null;
  const values = key ? item.args[key] : item.args;
  const collection = item.collection ?? item.args.collection ?? '';
  /** @type {Array<[string, any, HTMLInputElement]>} */
  const inputs = [];
  for (const [name, value] of Object.entries(values)) {
    const isHere = key !== null || (name !== 'id' && name !== 'collection');
    if (!isHere || (value !== null && typeof value === 'object')) continue;
    inputs.push([name, value, inputFor(value)]);
  }
  const form = h('form', {
    onsubmit(/** @type {Event} */ event) {
      event.preventDefault();
      const edited = Object.fromEntries(inputs.map(([name, value, input]) => [name, read(input, value)]));
      onSave(key ? { ...item.args, [key]: { ...values, ...edited } } : { ...item.args, ...edited });
    },
  },
  h('p', { tabIndex: -1 }, h('strong', { textContent: words.label(item) })),
  item.message && h('p', { className: 'problem', textContent: item.message }),
  ...inputs.map(([name, value, input]) => h('label', { className: typeof value === 'boolean' ? 'check' : '' },
    ...(typeof value === 'boolean' ? [input, words.field(collection, name)] : [words.field(collection, name), input]))),
  h('div', { className: 'row' },
    h('button', { type: 'submit', className: 'main', textContent: words.save }),
    h('button', { type: 'button', textContent: words.cancel, onclick: onCancel })));
  form.focus = () => (inputs[0]?.[2] ?? form.querySelector('p'))?.focus();
  return form;
}

/** @param {any} value @returns {HTMLInputElement} */
function inputFor(value) {
  const isLong = typeof value === 'string' && (value.length > LONG_TEXT || value.includes('\n'));
  const input = /** @type {HTMLInputElement} */ (h(isLong ? 'textarea' : 'input'));
  if (typeof value === 'boolean') { input.type = 'checkbox'; input.checked = value; return input; }
  if (typeof value === 'number') { input.type = 'number'; input.step = 'any'; }
  input.value = value === null ? '' : String(value);
  return input;
}

/** @param {HTMLInputElement} input @param {any} before */
function read(input, before) {
  if (typeof before === 'boolean') return input.checked;
  if (typeof before === 'number') return input.value === '' ? null : Number(input.value);
  return before === null && input.value === '' ? null : input.value;
}
