// @ts-check
// SPDX-License-Identifier: Apache-2.0
// The wasm engine as a JavaScript value: load it, call it, read its answers.
//
// An engine is a pure state machine. When it traps, its memory cannot be trusted any more: every
// later call throws EngineTrap too, and the host builds a new instance from storage.

import { parseFrames, parseJSON } from './frames.js';
import { noText } from './text-module.js';

/** Operation numbers of the wasm boundary. */
export const Op = {
  configure: 1, loadState: 2, loadLog: 4, opened: 5, loadPage: 6,
  query: 10, subscribe: 11, unsubscribe: 12, get: 13, status: 14, pending: 15, text: 16,
  mutate: 20, persisted: 21, persistConflict: 22, foreignRows: 23, persistFailed: 24,
  response: 26, transportFailed: 27, timer: 28, wake: 29, tray: 31, compact: 32, compacted: 33,
};

/** A request the engine refused; nothing changed. */
export class AloftError extends Error {
  /** @param {{code?:string, path?:string, message?:string}} refusal */
  constructor({ code = 'invalid', path = '', message = 'refused' }) {
    super(path ? `${path}: ${message}` : message);
    this.name = 'AloftError';
    this.code = code;
    this.path = path;
  }
}

/** The engine stopped in the middle of a call. */
export class EngineTrap extends Error {}

/** Fetches and compiles the engine.
 * @param {string} url @returns {Promise<WebAssembly.Module>} */
export async function loadEngine(url) {
  const response = await fetch(url, { credentials: 'same-origin' });
  if (!response.ok) throw new Error(`the engine at ${url} answered ${response.status}`);
  if (response.headers.get('content-type')?.startsWith('application/wasm')) return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}

const encoder = new TextEncoder();

/** @typedef {ReturnType<typeof startEngine>} Engine */

/** A fresh engine for one app declaration.
 * @param {WebAssembly.Module} module @param {any} app @param {import('./text-module.js').TextModule | null} [text] */
export function startEngine(module, app, text) {
  const aloft = (text?.imports ?? noText)(() => wasm.memory);
  const wasm = /** @type {any} */ (new WebAssembly.Instance(module, { aloft }).exports);
  let isTrapped = false;

  /** Runs wasm code; anything thrown from there is a trap.
   * @template T @param {() => T} body @returns {T} */
  const guarded = (body) => {
    if (isTrapped) throw new EngineTrap('the engine has stopped');
    try {
      return body();
    } catch (error) {
      isTrapped = true;
      throw new EngineTrap(String(error), { cause: error });
    }
  };

  /** Writes the input into wasm memory.
   * @param {Uint8Array | string | null} input @returns {number} its length */
  const put = (input) => {
    if (input === null) return 0;
    if (typeof input === 'string') {
      // Text is mostly ASCII: then it has as many bytes as letters and is written in place.
      const pointer = wasm.aloft_buffer(input.length) >>> 0; // may replace memory.buffer
      const { read, written } = encoder.encodeInto(input, new Uint8Array(wasm.memory.buffer, pointer, input.length));
      if (read === input.length) return /** @type {number} */ (written);
    }
    const bytes = typeof input === 'string' ? encoder.encode(input) : input;
    const pointer = wasm.aloft_buffer(bytes.length) >>> 0;
    new Uint8Array(wasm.memory.buffer).set(bytes, pointer);
    return bytes.length;
  };

  const engine = {
    get isTrapped() { return isTrapped; },

    /** One call; the answer is a view that lives until the next call. Throws AloftError or EngineTrap.
     * @param {number} op @param {Uint8Array | string | null} [input] */
    call(op, input = null) {
      const [refused, output] = guarded(() => {
        const length = put(input);
        const code = wasm.aloft_call(op, length, Date.now());
        return [code, new Uint8Array(wasm.memory.buffer, wasm.aloft_output() >>> 0, wasm.aloft_output_length() >>> 0)];
      });
      if (refused) throw new AloftError(parseJSON(output) ?? {});
      return output;
    },
    /** A call with a JSON question and a JSON answer.
     * @param {number} op @param {any} [question] */
    json(op, question) { return parseJSON(engine.call(op, question === undefined ? null : JSON.stringify(question))); },
    /** A call that answers with effect frames.
     * @param {number} op @param {Uint8Array | string | null} [input] */
    frames(op, input = null) {
      const output = engine.call(op, input);
      return guarded(() => parseFrames(output));
    },
    /** Hands over one stored page; false when it is damaged. The engine keeps the very bytes that are written here.
     * @param {Uint8Array} page */
    loadPage(page) { return guarded(() => wasm.aloft_call(Op.loadPage, put(page), Date.now())) === 0; },
    /** Hands over one log row; false when it is damaged.
     * @param {number} sequence @param {Uint8Array} row */
    loadLog(sequence, row) {
      return guarded(() => {
        const length = 8 + row.length;
        const pointer = wasm.aloft_buffer(length) >>> 0;
        new DataView(wasm.memory.buffer, pointer, 8).setBigUint64(0, BigInt(sequence), true);
        new Uint8Array(wasm.memory.buffer).set(row, pointer + 8);
        return wasm.aloft_call(Op.loadLog, length, Date.now());
      }) === 0;
    },
    /** Makes room ahead: a memory that grows step by step costs a collection of the JavaScript heap for each of them.
     * @param {number} bytes */
    reserve(bytes) { try { wasm.memory.grow(bytes >> 16); } catch { /* step by step, then */ } },
    /** Bytes of wasm memory in use. */
    get memoryBytes() { return wasm.memory.buffer.byteLength; },
  };

  const entropy = Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  // An engine with an app's own actions compiled in makes them known here.
  guarded(() => wasm.aloft_setup?.());
  engine.call(Op.configure, JSON.stringify({ app, entropy }));
  return engine;
}
