// SPDX-License-Identifier: Apache-2.0
// Asks the person something in a dialog: a form with checked fields, or a question with two answers.
// @ts-check
import { h } from './dom.js';
import { icon } from './icons.js';
import { button, freshId } from './controls.js';

/**
 * @typedef {{name: string, label: string, type?: 'text' | 'password' | 'tel' | 'datetime-local' | 'number' | 'textarea' | 'select',
 *   required?: string, value?: string, hint?: string, options?: Array<[string, string]>, autocomplete?: string, step?: string,
 *   min?: string}} Field `required` is the sentence to show when nothing was entered
 */

/**
 * Opens a form; resolves with the entered texts by name, or with null when the person leaves it (Escape, Cancel).
 * `check` may refuse what was entered with a sentence; the form then stays.
 * @param {{title: string, text?: string, fields?: Field[], submit: string, kind?: string, cancel?: string,
 *   check?: (values: Record<string, string>) => Promise<string | null> | string | null}} options
 * @returns {Promise<Record<string, string> | null>}
 */
export function askForm({ title, text, fields = [], submit, kind = 'primary', cancel = 'Cancel', check }) {
  return new Promise(resolve => {
    const titleId = freshId('dialog');
    const controls = fields.map(formField);
    const problem = h('p', { class: 'problem', role: 'alert' });
    /** @type {HTMLFormElement} */
    const form = h('form', { novalidate: true },
      h('div', { class: 'ask' }, h('h2', { id: titleId }, title), text && h('p', { class: 'soft small' }, text)),
      controls.map(control => control.node), problem,
      h('div', { class: 'buttons' }, button(cancel, { onclick: () => dialog.close() }), button(submit, { kind, type: 'submit' })));
    /** @type {HTMLDialogElement} */
    const dialog = h('dialog', { class: 'form', 'aria-labelledby': titleId }, form);
    /** @type {Record<string, string> | null} */
    let answer = null;

    form.addEventListener('submit', async event => {
      event.preventDefault();
      const wrong = controls.filter(control => !control.check());
      if (wrong.length > 0) return wrong[0].input.focus();
      const values = Object.fromEntries(controls.map(control => [control.name, control.input.value.trim()]));
      const refusal = await check?.(values);
      problem.replaceChildren(...(refusal ? [icon('attention'), refusal] : []));
      if (refusal) return;
      answer = values;
      dialog.close();
    });
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
    controls[0]?.input.focus();
  });
}

/** Leaves every open form as Cancel does: the page under it has changed. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll('dialog.form')) /** @type {HTMLDialogElement} */ (dialog).close();
}

/** @param {Field} field */
export function formField(field) {
  const id = freshId(field.name);
  const { type = 'text', required, hint } = field;
  const common = {
    id, name: field.name, class: 'input', value: field.value ?? '', autocomplete: field.autocomplete ?? 'off',
    'aria-describedby': hint ? `${id}-hint` : null, 'aria-required': required ? 'true' : null,
  };
  /** @type {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} */
  const input = type === 'textarea' ? h('textarea', { ...common, rows: 4 })
    : type === 'select' ? h('select', { ...common, value: null }, field.options?.map(([value, label]) => h('option', { value }, label)))
    : h('input', { ...common, type, step: field.step, min: field.min, inputmode: type === 'number' ? 'decimal' : null });
  if (type === 'select' && field.value) input.value = field.value;
  const problem = h('p', { class: 'problem', id: `${id}-problem`, hidden: true });
  const shown = type === 'select' ? h('div', { class: 'select' }, input, icon('down', 'chevron')) : input;
  const node = h('div', { class: 'field' }, h('label', { for: id }, field.label), shown,
    hint && h('p', { class: 'hint', id: `${id}-hint` }, hint), problem);

  function check() {
    const isMissing = Boolean(required) && input.value.trim() === '';
    problem.hidden = !isMissing;
    problem.replaceChildren(...(isMissing ? [icon('attention'), required ?? ''] : []));
    if (isMissing) {
      input.setAttribute('aria-invalid', 'true');
      input.setAttribute('aria-describedby', `${id}-problem`);
    } else {
      input.removeAttribute('aria-invalid');
      if (hint) input.setAttribute('aria-describedby', `${id}-hint`);
      else input.removeAttribute('aria-describedby');
    }
    return !isMissing;
  }
  input.addEventListener('input', () => { if (input.hasAttribute('aria-invalid')) check(); });
  return { name: field.name, node, input, check };
}
