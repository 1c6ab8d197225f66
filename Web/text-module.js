// @ts-check
// SPDX-License-Identifier: Apache-2.0
// The wasm module of collaborative text: merges for the engine, and the texts that are open in editors (text-session.js).
//
// It may run out of memory or trap like any wasm. Then its open texts are gone, which `life` tells, and the next call has a new
// instance; for the engine a trap is a refusal, since an exception would stop the engine as well.

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The operation that tells what an edit says. */
const WORDS = 3;

/** @typedef {ReturnType<typeof startText>} TextModule */

/** @param {WebAssembly.Module} module */
export function startText(module) {
  /** @type {any} */
  let wasm = null;
  /** What the last merge for the engine gave. */
  let merged = new Uint8Array();

  /** @param {Uint8Array | string} input @returns {number} its length */
  function put(input) {
    if (!input.length) return 0;
    // At most three bytes for each unit of a string.
    const room = typeof input === 'string' ? 3 * input.length : input.length;
    const pointer = wasm.text_buffer(room) >>> 0; // may replace memory.buffer
    const target = new Uint8Array(wasm.memory.buffer, pointer, room);
    if (typeof input === 'string') return /** @type {number} */ (encoder.encodeInto(input, target).written);
    target.set(input);
    return room;
  }

  const text = {
    /** Counts the instances; a number of an open text means nothing in another life. */
    life: 0,
    /** One operation: its number, and a view of its bytes that lives until the next call. Throws when the module traps.
     * @param {number} op @param {Uint8Array | string} [input] @param {number} [handle] @param {number} [place] @param {number} [count] */
    run(op, input = '', handle = 0, place = 0, count = 0) {
      try {
        if (!wasm) { wasm = new WebAssembly.Instance(module).exports; text.life++; }
        const code = wasm.text_run(op, handle, place, count, put(input));
        return { code, bytes: new Uint8Array(wasm.memory.buffer, wasm.text_output() >>> 0, wasm.text_output_length() >>> 0) };
      } catch (error) {
        wasm = null;
        throw error;
      }
    },
    /** Gives the edits of a tray's entries their words as `$words`, for people to read; an edit itself stays what it was.
     * @param {any[]} entries */
    tellWords(entries) {
      for (const { args } of entries) {
        for (const value of Object.values(args?.changes ?? args?.fields ?? {})) {
          if (typeof value?.$edit !== 'string') continue;
          const edit = Uint8Array.from(atob(value.$edit.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
          const { code, bytes } = text.run(WORDS, edit);
          if (code >= 0) Object.defineProperty(value, '$words', { value: decoder.decode(bytes) });
        }
      }
      return entries;
    },
    /** What the engine imports.
     * @param {() => WebAssembly.Memory} memory of the engine */
    imports: (memory) => ({
      /** @param {number} op @param {number} input @param {number} length */
      text_call(op, input, length) {
        try {
          const { code, bytes } = text.run(op, new Uint8Array(memory().buffer, input >>> 0, length));
          merged = bytes;
          return code;
        } catch { return -1; }
      },
      /** @param {number} into */
      text_take(into) { new Uint8Array(memory().buffer).set(merged, into >>> 0); },
    }),
  };
  return text;
}

/** What the engine imports in an app without text.
 * @returns {WebAssembly.ModuleImports} */
export const noText = () => ({ text_call: () => -1, text_take: () => {} });
