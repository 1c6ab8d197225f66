// @ts-check
// SPDX-License-Identifier: Apache-2.0
// One open text inside the wasm module: its document stays there, and only edits and changes cross the border.

// A mark of byte order at the head of a piece is a character like any other here.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();
const Op = { open: 10, close: 11, edit: 12, absorb: 13, unsent: 14, sent: 15, value: 16, undo: 17, redo: 18, can: 19, endGroup: 20 };
/** What a document may lack: what was sent, or what others had written and took back. */
export const Lacks = { nothing: 0, sent: 1, others: 2 };

/** @typedef {ReturnType<typeof openSession>} Session */

/** The text is gone from the module, or the module refused: it must be opened again. */
export class SessionLost extends Error {}

/** @param {import('./text-module.js').TextModule} module @param {Uint8Array} saved empty for a text nobody wrote yet */
export function openSession(module, saved) {
  // An agent of its own for each session: one that wrote before must never write again.
  const agent = encoder.encode(base64url(crypto.getRandomValues(new Uint8Array(16))));
  let [handle, life] = [0, 0];
  handle = run(Op.open, joined([agent, saved])).code;
  life = module.life;

  /** @param {number} op @param {Uint8Array | string} [input] @param {number} [place] @param {number} [count] */
  function run(op, input, place, count) {
    if (life && life !== module.life) throw new SessionLost('the text module began anew');
    let answer;
    try { answer = module.run(op, input, handle, place, count); } catch (error) { throw new SessionLost(String(error), { cause: error }); }
    if (answer.code < 0) throw new SessionLost(`the text module refused ${op}: ${answer.code}`);
    return answer;
  }

  return {
    get value() { return decoder.decode(run(Op.value).bytes); },
    /** @param {import('./text-changes.js').Change} change */
    edit: ({ at, deleted, inserted }) => { run(Op.edit, inserted, at, deleted); },
    /** Own edits that were not handed on, as a message; empty when there are none. */
    unsent: () => run(Op.unsent).bytes.slice(),
    sent: () => { run(Op.sent); },
    /** Takes what another document of the text knows more. Nothing changes when it lacks something.
     * @param {Uint8Array} other @returns {{lacks:number, changes:import('./text-changes.js').Change[]}} */
    absorb(other) {
      const { code, bytes } = run(Op.absorb, other);
      return { lacks: code, changes: parseChanges(bytes) };
    },
    /** @param {'undo'|'redo'} step */
    step: (step) => parseChanges(run(Op[step]).bytes),
    /** Whether there is something to undo (1) and to redo (2). */
    get can() { return run(Op.can).code; },
    /** What is typed next is undone on its own. */
    endGroup: () => { run(Op.endGroup); },
    close() { try { run(Op.close); } catch { /* gone already */ } },
  };
}

/** The text at the head of a saved document: two numbers of seven bits a byte, then UTF-8.
 * @param {Uint8Array} saved */
export function textOf(saved) {
  let at = 0;
  const number = () => {
    let value = 0;
    for (let weight = 1; at < saved.length; weight *= 128) {
      const byte = saved[at++];
      value += (byte & 0x7F) * weight;
      if (byte < 0x80) break;
    }
    return value;
  };
  number(); // the format
  const length = number();
  return decoder.decode(saved.subarray(at, at + length));
}

/** @param {Uint8Array} bytes @returns {import('./text-changes.js').Change[]} */
function parseChanges(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const changes = [];
  for (let at = 0; at < bytes.length;) {
    const length = view.getUint32(at + 8, true);
    changes.push({
      at: view.getUint32(at, true), deleted: view.getUint32(at + 4, true), inserted: decoder.decode(bytes.subarray(at + 12, at + 12 + length)),
    });
    at += 12 + length;
  }
  return changes;
}

/** Items as the module takes them: each u32 length, bytes.
 * @param {Uint8Array[]} items */
export function joined(items) {
  const bytes = new Uint8Array(items.reduce((sum, item) => sum + 4 + item.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const item of items) {
    view.setUint32(at, item.length, true);
    bytes.set(item, at + 4);
    at += 4 + item.length;
  }
  return bytes;
}

/** @param {Uint8Array} bytes */
export function base64url(bytes) {
  let binary = '';
  // In pieces: a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8_192) binary += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
