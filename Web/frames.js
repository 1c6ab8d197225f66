// @ts-check
// SPDX-License-Identifier: Apache-2.0
// Reads the effect frames that the engine answers with, and writes the byte layouts it takes.
//
// frames = repeated (u8 kind, u32 length, payload), little-endian. Payloads that outlive the next
// engine call are copied out of wasm memory here, and only those.

const text = new TextDecoder();

/** @typedef {{kind:'result', value:any}
 *  | {kind:'persist', first:number, strict:boolean, rows:Uint8Array[]}
 *  | {kind:'send', body:Uint8Array}
 *  | {kind:'timer', delay:number|null}
 *  | {kind:'notify', value:any}
 *  | {kind:'wantCompact'}
 *  | {kind:'compact', expected:number, generation:number, through:number, state:Uint8Array, pages:[number, Uint8Array][], removed:number[]}} Frame */
/** @typedef {{sequence:number, bytes:Uint8Array}} LogRow */

/** Parses JSON text that lies in a byte view.
 * @param {Uint8Array} bytes */
export function parseJSON(bytes) {
  return bytes.length ? JSON.parse(text.decode(bytes)) : null;
}

/** Splits an engine answer into frames; throws RangeError when the bytes end early.
 * @param {Uint8Array} bytes @returns {Frame[]} */
export function parseFrames(bytes) {
  const frames = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length;) {
    const kind = view.getUint8(at);
    const length = view.getUint32(at + 1, true);
    if (at + 5 + length > bytes.length) throw new RangeError('frame runs past the end');
    frames.push(parseFrame(kind, bytes.subarray(at + 5, at + 5 + length)));
    at += 5 + length;
  }
  return frames;
}

/** @param {number} kind @param {Uint8Array} payload @returns {Frame} */
function parseFrame(kind, payload) {
  const read = reader(payload);
  switch (kind) {
    case 0: return { kind: 'result', value: parseJSON(payload) };
    case 1: {
      const first = read.u64(), strict = read.u8() !== 0, rows = read.list(() => read.bytes());
      return { kind: 'persist', first, strict, rows };
    }
    case 2: return { kind: 'send', body: payload.slice() };
    case 3: { const delay = read.u32(); return { kind: 'timer', delay: delay === 0xFFFFFFFF ? null : delay }; }
    case 4: {
      // Read when its turn comes: the save that stands before it begins the sooner.
      const json = payload.slice();
      return { kind: 'notify', get value() { return parseJSON(json); } };
    }
    case 5: return { kind: 'wantCompact' };
    case 6: return {
      kind: 'compact', expected: read.u64(), generation: read.u64(), through: read.u64(), state: read.bytes(),
      pages: read.list(() => /** @type {[number, Uint8Array]} */ ([read.u32(), read.bytes()])),
      removed: read.list(() => read.u32()),
    };
    default: throw new RangeError(`unknown frame kind ${kind}`);
  }
}

/** A little-endian reader over one payload.
 * @param {Uint8Array} payload */
function reader(payload) {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  let at = 0;
  const read = {
    u8: () => view.getUint8(at++),
    u32: () => { at += 4; return view.getUint32(at - 4, true); },
    u64: () => { at += 8; return Number(view.getBigUint64(at - 8, true)); },
    bytes: () => {
      const length = read.u32();
      if (at + length > payload.length) throw new RangeError('bytes run past the end');
      at += length;
      return payload.slice(at - length, at);
    },
    /** @template T @param {() => T} item @returns {T[]} */
    list: (item) => { const list = []; for (let count = read.u32(); count > 0; count--) list.push(item()); return list; },
  };
  return read;
}

/** Eight little-endian bytes.
 * @param {number} value */
export function u64(value) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

/** Log rows as the engine takes them: repeated (u64 sequence, u32 length, bytes).
 * @param {LogRow[]} rows */
export function encodeTail(rows) {
  const bytes = new Uint8Array(rows.reduce((sum, row) => sum + 12 + row.bytes.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const row of rows) {
    view.setBigUint64(at, BigInt(row.sequence), true);
    view.setUint32(at + 8, row.bytes.length, true);
    bytes.set(row.bytes, at + 12);
    at += 12 + row.bytes.length;
  }
  return bytes;
}

/** A server answer as the engine takes it: u16 status, u32 seconds to wait, body.
 * @param {number} status @param {number} retryAfter @param {Uint8Array} body */
export function encodeResponse(status, retryAfter, body) {
  const bytes = new Uint8Array(6 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, status, true);
  view.setUint32(2, retryAfter, true);
  bytes.set(body, 6);
  return bytes;
}
