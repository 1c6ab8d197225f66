// SPDX-License-Identifier: Apache-2.0
// A field that several people write in at once, plain or with marks: everybody's words merge, so nobody is ever asked to choose.
// @ts-check
import { h, setText } from './dom.js';
import { button, freshId, iconButton } from './controls.js';
import { askForm } from './dialog.js';
import { icon } from './icons.js';

const savingShownAfterMilliseconds = 300;

/** @param {{label: string, rows?: number, text: import('/aloft/aloft.js').SharedText}} options */
export function sharedText({ label, rows = 4, text }) {
  const id = freshId('text');
  const input = h('textarea', { id, class: 'input', rows, 'aria-describedby': `${id}-written` });
  return field(label, text, input, [], () => text.bind(input));
}

/** @param {{label: string, text: import('/aloft/aloft.js').RichText}} options */
export function sharedRichText({ label, text }) {
  const id = freshId('text');
  const input = h('div', { id, class: 'input rich', 'aria-labelledby': `${id}-label`, 'aria-describedby': `${id}-written` });
  const tools = h('div', { class: 'buttons', role: 'toolbar', 'aria-label': `Style of ${label.toLowerCase()}`, 'aria-controls': id },
    [['bold', 'Bold'], ['italic', 'Italic'], ['link', 'Link']].map(([mark, name]) => {
      const tool = iconButton(name, { icon: /** @type {import('./icons.js').IconName} */ (mark), onclick: () => {} });
      tool.dataset.mark = mark;
      return tool;
    }));
  return field(label, text, input, [tools], () => text.bind(input, { toolbar: tools, askLink }));
}

/**
 * Where a link leads; empty takes it away, null leaves everything as it is.
 * @param {string} current
 */
async function askLink(current) {
  const values = await askForm({
    title: 'Link', submit: 'Set link', text: 'Leave it empty to take the link away.',
    fields: [{ name: 'address', label: 'Address', value: current || 'https://' }],
  });
  return values && (values.address === 'https://' ? '' : values.address);
}

/**
 * @param {string} label
 * @param {import('/aloft/aloft.js').SharedText | import('/aloft/aloft.js').RichText} text
 * @param {HTMLElement} input
 * @param {HTMLElement[]} tools
 * @param {() => () => void} bind
 */
function field(label, text, input, tools, bind) {
  const id = input.id;
  const written = h('p', { class: 'written', id: `${id}-written` });
  const isPlain = input instanceof HTMLTextAreaElement;
  const where = isPlain ? 'typing' : `in ${label.toLowerCase()}`;
  const undo = iconButton(`Undo ${where}`, { icon: 'undo', onclick: () => { text.undo(); } });
  const redo = iconButton(`Redo ${where}`, { icon: 'redo', onclick: () => { text.redo(); } });
  const refused = h('div', { hidden: true });
  const node = h('div', { class: 'field' },
    h('div', { class: 'label-line' }, h(isPlain ? 'label' : 'span', { class: 'label', id: `${id}-label`, for: isPlain && id }, label), h('div', { class: 'buttons' }, tools, undo, redo)),
    input, written);
  let hasWritten = false;
  let isSynced = true;
  let slow = 0;

  const stops = [
    bind(),
    text.subscribe(({ isLocal }) => {
      hasWritten ||= isLocal;
      offerSteps();
    }),
    text.onStatus(say),
    text.onRefused(({ text: before }) => showRefused(before)),
  ];
  offerSteps();

  function offerSteps() {
    undo.setAttribute('aria-disabled', String(!text.canUndo));
    redo.setAttribute('aria-disabled', String(!text.canRedo));
  }

  function say() {
    clearTimeout(slow);
    if (!hasWritten) return;
    switch (text.status) {
      case 'saving': slow = setTimeout(() => setText(written, 'Saving…'), savingShownAfterMilliseconds); break;
      case 'saved': setText(written, isSynced ? 'Saved and synced' : 'Saved on this device'); break;
      case 'refused': setText(written, 'Needs you: see the list of changes'); break;
    }
  }

  /**
   * The words that were not taken stay on the screen until the person has read them.
   * @param {string} before
   */
  function showRefused(before) {
    refused.replaceChildren(h('section', { class: 'versions', 'aria-label': `${label}: not accepted` },
      h('p', null, icon('attention'), h('span', null, 'Your last words were not accepted. This is what stood here with them:')),
      h('div', { class: 'version' }, h('blockquote', null, before)),
      h('div', { class: 'buttons' }, button('I have read it', { onclick: () => { refused.hidden = true; input.focus(); } }))));
    refused.hidden = false;
  }

  return {
    node,
    /** Words that were not accepted; not a part of the field, since they outlive the record that it belongs to. */
    refused,
    /**
     * What the row says of the record's way to the server.
     * @param {any} row
     */
    update(row) {
      isSynced = !row.$state;
      say();
    },
    /** Saves what is left. */
    close() {
      clearTimeout(slow);
      for (const stop of stops) stop();
      text.close().catch(() => {}); // the list of changes says what could not be saved
    },
  };
}
