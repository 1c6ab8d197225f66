// SPDX-License-Identifier: Apache-2.0
// Rules of the tray: it offers nothing that cannot be done.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verbsFor } from '../../Web/elements/verbs.js';

test('a change that waits or is under way offers nothing, least of all to discard it', () => {
  for (const state of ['saving', 'queued', 'sending', 'unheard of']) assert.deepEqual(verbsFor({ state, action: 'update' }), []);
});

test('a refused change can be edited, unless there is nothing to edit', () => {
  assert.deepEqual(verbsFor({ state: 'rejected', action: 'update' }), ['retry', 'edit', 'discard']);
  for (const action of ['delete', 'restore']) assert.deepEqual(verbsFor({ state: 'rejected', action }), ['retry', 'discard']);
});
