// SPDX-License-Identifier: Apache-2.0
// Rules of the byte layouts between the engine and its host.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeResponse, encodeTail, parseFrames, u64 } from '../../Web/frames.js';

const text = (value) => new TextEncoder().encode(value);
const u32 = (value) => { const bytes = new Uint8Array(4); new DataView(bytes.buffer).setUint32(0, value, true); return bytes; };
const join = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const frame = (kind, payload) => join([kind], u32(payload.length), payload);
const blob = (bytes) => join(u32(bytes.length), bytes);

test('frames come out in the order they were written', () => {
  const bytes = join(frame(0, text('{"handles":[]}')), frame(4, text('{"pending":true}')), frame(5, []), frame(3, u32(250)));
  assert.deepEqual(parseFrames(bytes), [
    { kind: 'result', value: { handles: [] } }, { kind: 'notify', value: { pending: true } },
    { kind: 'wantCompact' }, { kind: 'timer', delay: 250 }]);
});

test('an all-ones delay cancels the timer', () => {
  assert.deepEqual(parseFrames(frame(3, u32(0xFFFFFFFF))), [{ kind: 'timer', delay: null }]);
});

test('a persist frame names its first number, its durability and its rows', () => {
  const [persist] = parseFrames(frame(1, join(u64(7), [1], u32(2), blob([1, 2]), blob([]))));
  assert.deepEqual(persist, { kind: 'persist', first: 7, strict: true, rows: [Uint8Array.of(1, 2), new Uint8Array()] });
});

test('rows stay what they were when the engine reuses its memory', () => {
  const memory = frame(1, join(u64(1), [0], u32(1), blob([5, 6])));
  const [persist] = parseFrames(memory);
  memory.fill(0);
  assert.deepEqual(persist.rows, [Uint8Array.of(5, 6)]);
});

test('a compact frame carries state, pages and removed pages', () => {
  const payload = join(u64(3), u64(9), u64(8), blob([1]), u32(1), u32(4), blob([2, 2]), u32(2), u32(5), u32(6));
  assert.deepEqual(parseFrames(frame(6, payload)), [{
    kind: 'compact', expected: 3, generation: 9, through: 8, state: Uint8Array.of(1), pages: [[4, Uint8Array.of(2, 2)]], removed: [5, 6] }]);
});

test('a cut answer is an error, never a shorter list', () => {
  const whole = join(frame(2, [1, 2, 3]), frame(1, join(u64(1), [0], u32(1), blob([9]))));
  for (let length = 1; length < whole.length; length++) {
    if (length === frame(2, [1, 2, 3]).length) continue; // a cut between two frames cannot be seen
    assert.throws(() => parseFrames(whole.subarray(0, length)), RangeError, `cut at ${length}`);
  }
});

test('an unknown kind is an error', () => {
  assert.throws(() => parseFrames(frame(99, [])), RangeError);
});

test('a tail repeats number, length and bytes', () => {
  const rows = [{ sequence: 2 ** 40, bytes: Uint8Array.of(1) }, { sequence: 2 ** 40 + 1, bytes: Uint8Array.of(2, 3) }];
  assert.deepEqual(encodeTail(rows), join(u64(2 ** 40), blob([1]), u64(2 ** 40 + 1), blob([2, 3])));
});

test('an answer begins with its status and the seconds to wait', () => {
  assert.deepEqual(encodeResponse(429, 30, Uint8Array.of(7)), join([0xAD, 0x01], u32(30), [7]));
});
