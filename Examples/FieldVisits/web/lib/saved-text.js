// SPDX-License-Identifier: Apache-2.0
// A text area that saves itself: shortly after the last key, when it loses the focus, and when the page goes away.
//
// The engine takes each save as made with knowledge of what the device held at that moment. So a text that arrives
// from elsewhere while the person is typing must not be overwritten by the draft: both are shown and the person chooses.
// @ts-check
import { h, setText } from './dom.js';
import { freshId } from './controls.js';
import { date } from './words.js';
import { versionChooser } from './versions.js';

const pauseMilliseconds = 700;
const savingShownAfterMilliseconds = 300;

/**
 * @param {{label: string, hint?: string, rows?: number, save: (text: string) => import('/aloft/aloft.js').Handle,
 *   resolve: (text: string) => import('/aloft/aloft.js').Handle}} options
 */
export function savedText({ label, hint, rows = 4, save, resolve }) {
  const id = freshId('text');
  const input = h('textarea', { id, class: 'input', rows, 'aria-describedby': `${id}-written` });
  const written = h('p', { class: 'written', id: `${id}-written` });
  const chooser = h('div', { hidden: true });
  const node = h('div', { class: 'field' },
    h('label', { for: id }, label), hint && h('p', { class: 'hint' }, hint), chooser, input, written);

  let known = '';                      // what the record held when it was last shown or sent
  let isDirty = false;                 // the field holds keys that were not sent yet
  let rival = /** @type {string | null} */ (null);
  let candidates = '';
  const sent = new Set();              // sent and not seen in the record yet: their echo is no change from elsewhere
  let timer = 0;
  let turn = 0;

  input.addEventListener('input', () => {
    isDirty = true;
    clearTimeout(timer);
    timer = setTimeout(flush, pauseMilliseconds);
  });
  input.addEventListener('blur', flush);
  document.addEventListener('visibilitychange', flush);

  /** Sends the draft now, if there is one and nothing has to be chosen first. */
  function flush() {
    clearTimeout(timer);
    if (!isDirty || rival !== null) return;
    isDirty = false;
    if (input.value === known) return;
    send(save, input.value);
  }

  /**
   * @param {(text: string) => import('/aloft/aloft.js').Handle} how
   * @param {string} text
   */
  function send(how, text) {
    known = text;
    sent.add(text);
    report(how(text));
  }

  /** @param {import('/aloft/aloft.js').Handle} handle */
  function report(handle) {
    const mine = ++turn;
    const say = /** @param {string} text */ text => { if (mine === turn) setText(written, text); };
    const slow = setTimeout(() => say('Saving…'), savingShownAfterMilliseconds);
    handle.saved.then(() => say('Saved on this device'), () => say('Not saved. Keep this page open')).finally(() => clearTimeout(slow));
    handle.synced.then(({ outcome }) => say(outcomeInWords(outcome)));
  }

  /**
   * @param {Array<{value: string, caption: string}>} versions
   * @param {(text: string) => import('/aloft/aloft.js').Handle} how
   */
  function choose(versions, how) {
    const settle = /** @param {string} text */ text => {
      rival = null;
      isDirty = false;
      input.value = text;
      send(how, text);
      hideChooser();
      input.focus();
    };
    chooser.replaceChildren(versionChooser({ label, versions, onkeep: settle, onboth: settle }));
    chooser.hidden = false;
    input.hidden = true;
  }

  function hideChooser() {
    candidates = '';
    chooser.hidden = true;
    chooser.replaceChildren();
    input.hidden = false;
  }

  /**
   * Shows what the record holds.
   * @param {string | null | undefined} value
   * @param {Array<{value: any, time: number}>} [found] concurrent values that nobody has resolved yet
   */
  function update(value, found = []) {
    const text = value ?? '';
    if (found.length > 1) {
      const key = JSON.stringify(found);
      if (key !== candidates && rival === null) {
        flush();
        choose(found.map((each, index) => ({ value: each.value ?? '', caption: `Version ${index + 1} · ${date(each.time)}` })), resolve);
        candidates = key;
      }
      return;
    }
    if (candidates) {
      hideChooser();
      show(text);
    } else if (text === known) {
      sent.clear();
    } else if (!sent.has(text)) {
      if (isDirty) meetRival(text);
      else show(text);
    }
  }

  /** @param {string} text */
  function show(text) {
    known = text;
    const { selectionStart, selectionEnd } = input;
    input.value = text;
    if (document.activeElement === input) input.setSelectionRange(selectionStart, selectionEnd);
  }

  /** @param {string} text */
  function meetRival(text) {
    clearTimeout(timer);
    rival = text;
    choose([{ value: input.value, caption: 'Yours, not saved yet' }, { value: text, caption: 'Arrived while you were typing' }], save);
  }

  return {
    node, update, flush,
    /** Saves what is left; a choice nobody made keeps both texts. */
    close() {
      document.removeEventListener('visibilitychange', flush);
      if (rival !== null) {
        const both = `${input.value}\n\n${rival}`;
        rival = null;
        send(save, both);
      }
      flush();
    },
  };
}

/** @param {import('/aloft/aloft.js').Outcome['outcome']} outcome */
function outcomeInWords(outcome) {
  switch (outcome) {
    case 'applied': case 'merged': return 'Saved and synced';
    case 'discarded': return '';
    default: return 'Needs you: see the list of changes';
  }
}
