// SPDX-License-Identifier: Apache-2.0
// Adds tags to a record and takes them off, one at a time, with suggestions from the tags others use.
// @ts-check
import { h } from './dom.js';
import { icon } from './icons.js';
import { button, freshId } from './controls.js';

const tagLengthMax = 40;

/** @param {{onadd: (tag: string) => void, onremove: (tag: string) => void}} options */
export function tagsEditor({ onadd, onremove }) {
  const id = freshId('tags');
  const list = h('ul', { class: 'tags editable', 'aria-label': 'Tags' });
  const none = h('p', { class: 'soft small' }, 'No tags yet');
  const suggestions = h('datalist', { id: `${id}-known` });
  const input = h('input', {
    class: 'input', id, type: 'text', maxlength: tagLengthMax, autocomplete: 'off', autocapitalize: 'off',
    list: `${id}-known`, enterkeyhint: 'done', placeholder: 'For example: restock',
  });
  const form = h('form', { class: 'field', onsubmit: submit },
    h('label', { for: id }, 'Add a tag'), h('div', { class: 'with-button' }, input, button('Add', { type: 'submit' })), suggestions);
  const node = h('div', { class: 'group' }, list, none, form);
  let shown = '';

  /** @param {Event} event */
  function submit(event) {
    event.preventDefault();
    for (const tag of input.value.split(',').map(text => text.trim().toLocaleLowerCase()).filter(Boolean)) onadd(tag);
    input.value = '';
    input.focus();
  }

  /** @param {string[]} tags */
  function update(tags) {
    const sorted = [...tags].sort((a, b) => a.localeCompare(b));
    const key = sorted.join('\n');
    if (key === shown) return;
    shown = key;
    const hadFocus = list.contains(document.activeElement);
    list.replaceChildren(...sorted.map(tag => h('li', { class: 'tag' }, tag,
      h('button', { type: 'button', 'aria-label': `Remove tag ${tag}`, title: 'Remove', onclick: () => onremove(tag) }, icon('close')))));
    none.hidden = sorted.length > 0;
    if (hadFocus) input.focus();
  }

  return {
    node, update,
    /** @param {string[]} known */
    suggest: known => suggestions.replaceChildren(...known.map(tag => h('option', { value: tag }))),
  };
}
