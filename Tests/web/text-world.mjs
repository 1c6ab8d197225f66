// SPDX-License-Identifier: Apache-2.0
// What a text handle lives in, for tests: the real text module, a stand-in for the engine that holds one saved document, and time
// that passes when a test says so.

import { existsSync, readFileSync } from 'node:fs';
import { joined } from '../../Web/text-session.js';
import { createText } from '../../Web/text-handle.js';
import { startText } from '../../Web/text-module.js';

const FILE = new URL('../../build/web/text.wasm', import.meta.url);
if (!existsSync(FILE)) throw new Error('there is no build/web/text.wasm: run Scripts/build-wasm.sh text-module');
export const module = await WebAssembly.compile(readFileSync(FILE));

/** Timers that run when `pass` is called. */
export function createTime() {
  let now = 0;
  const waiting = new Set();
  return {
    now: () => now,
    later: (fn, milliseconds) => { const timer = { at: now + milliseconds, fn }; waiting.add(timer); return timer; },
    forget: (timer) => { waiting.delete(timer); },
    /** Lets time pass, and everything that follows from it happen. */
    async pass(milliseconds) {
      const end = now + milliseconds;
      for (let next; (next = [...waiting].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]);) {
        now = next.at;
        waiting.delete(next);
        next.fn();
        await settle();
      }
      now = end;
      await settle();
    },
  };
}

/** Lets promises that are ready go on. */
export const settle = () => new Promise(setImmediate);

/** A device whose engine holds one text. `isHolding`: saves wait until `save` is called; `make` makes the handle. */
export function createDevice({ isHolding = false, make = createText } = {}) {
  const time = createTime();
  const text = startText(module);
  const saves = [];
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  const engine = {
    saved: new Uint8Array(), sent: [], listeners: new Set(), isRefusing: false,
    /** Merges messages, of this device or others, and tells everybody. */
    take(...messages) {
      const { code, bytes } = text.run(1, joined([engine.saved, ...messages]));
      if (code < 0) throw new Error('refused');
      engine.set(bytes.slice());
    },
    set(saved) {
      engine.saved = saved;
      queueMicrotask(() => { for (const fn of engine.listeners) fn(engine.value); });
    },
    get value() {
      if (!engine.saved.length) return '';
      const handle = text.run(10, joined([new TextEncoder().encode('reader'), engine.saved])).code;
      const value = new TextDecoder('utf-8', { ignoreBOM: true }).decode(text.run(16, '', handle).bytes);
      text.run(11, '', handle);
      return value;
    },
  };
  const device = {
    time, engine, page, module: text,
    /** The oldest save comes to its end. */
    async save() { saves.shift()?.(); await settle(); },
    open(presence) {
      return make({
        module: text, presence,
        read: () => engine.saved,
        send($edit) {
          if (engine.isRefusing) throw Object.assign(new Error('no such record'), { code: 'notFound' });
          const message = Uint8Array.from(Buffer.from($edit, 'base64url'));
          const before = engine.saved;
          engine.sent.push(message);
          engine.take(message);
          const handle = { verdict: null, undo: () => engine.set(before) };
          handle.saved = isHolding ? new Promise((resolve) => saves.push(resolve)) : Promise.resolve();
          handle.synced = new Promise((resolve) => { handle.judge = resolve; });
          device.last = handle;
          return handle;
        },
        follow(fn) { engine.listeners.add(fn); return () => { engine.listeners.delete(fn); }; },
      }, { later: time.later, forget: time.forget, page, window: new EventTarget() });
    },
  };
  return device;
}
