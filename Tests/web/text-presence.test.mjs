// SPDX-License-Identifier: Apache-2.0
// Presence: how often a cursor is told, who is shown, and how places move with the text.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hueOf, writersInWords } from '../../Web/text-cursors.js';
import { createPresence } from '../../Web/text-presence.js';
import { createDevice, createTime, settle } from './text-world.mjs';

function createPage({ status = 204, isReachable = true } = {}) {
  const time = createTime();
  const [posted, shared] = [[], []];
  const presence = createPresence(
    { url: '/live/presence', person: { user: 'mia', name: 'Mia' }, isReachable: () => isReachable, share: (told) => shared.push(told) },
    { ...time, post: async (body) => { posted.push(JSON.parse(body)); return status; } });
  return { time, posted, shared, presence, text: presence.of('visits', 'v1', 'notes') };
}
const ana = (more = {}) => ({ collection: 'visits', id: 'v1', field: 'notes', session: 'session-of-ana', user: 'ana', name: 'Ana', cursor: 4, anchor: 4, ...more });

test('a cursor is told at most ten times a second, newest last, renewed while it stays, and leaves at once', async () => {
  const { time, posted, shared, text } = createPage();
  for (let i = 0; i < 50; i++) { text.tell(i, i); await time.pass(10); }
  assert.ok(posted.length <= 7, `${posted.length}`);
  await time.pass(100);
  assert.equal(posted.at(-1).cursor, 49);
  const count = posted.length;
  await time.pass(20_000);
  assert.equal(posted.length, count + 2);
  text.tell(null, 0);
  await settle();
  assert.equal(posted.at(-1).cursor, null);
  assert.deepEqual(shared, posted);
  await time.pass(60_000);
  assert.equal(posted.length, count + 3);
});

test('a server that refuses is left alone for a while, and one out of reach is not asked; tabs still hear', async () => {
  const refused = createPage({ status: 429 });
  for (let i = 0; i < 20; i++) { refused.text.tell(i, i); await refused.time.pass(200); }
  assert.equal(refused.posted.length, 1);
  assert.equal(refused.shared.length, 20);
  const away = createPage({ isReachable: false });
  away.text.tell(1, 1);
  await away.time.pass(100);
  assert.deepEqual([away.posted.length, away.shared.length], [0, 1]);
});

test('others are shown in their own text only, until they leave or half a minute has passed', async () => {
  const { time, presence, text } = createPage();
  const seen = [];
  text.follow((others) => seen.push(others.map(({ name, cursor }) => `${name} ${cursor}`)));
  presence.hear(ana());
  presence.hear(ana({ id: 'v2', session: 'session-elsewhere' }));
  for (const nonsense of [null, {}, { session: 1 }, ana({ cursor: 'x', session: 'session-broken' })]) presence.hear(nonsense);
  presence.hear(ana({ session: 'session-of-ben', user: 'ben', name: 'Ben', cursor: 1 }));
  presence.hear(ana({ session: 'session-of-ben', user: 'ben', cursor: null }));
  await time.pass(30_000);
  assert.deepEqual(seen, [['Ana 4'], ['Ana 4', 'Ben 1'], ['Ana 4'], []]);
});

test("others' places move with the text until they tell anew, and never lie outside", async () => {
  const device = createDevice();
  let tell;
  const text = device.open({ tell() {}, follow: (fn) => { tell = fn; return () => {}; } });
  text.insert(0, 'Hello world');
  const first = ana({ cursor: 6, anchor: 11 });
  tell([first]);
  text.insert(0, 'Oh. ');
  assert.deepEqual(text.presence.map(({ cursor, anchor }) => [cursor, anchor]), [[10, 15]]);
  tell([first, ana({ session: 'session-of-ben', cursor: 99, anchor: 99 })]);
  assert.deepEqual(text.presence.map(({ cursor }) => cursor), [10, 15]);
  tell([ana({ cursor: 2, anchor: 2 })]);
  assert.deepEqual(text.presence.map(({ cursor }) => cursor), [2]);
});

test('who writes is said in one short line, and a person keeps a colour', () => {
  assert.equal(writersInWords([]), '');
  assert.equal(writersInWords(['Ana']), 'Ana is writing here');
  assert.equal(writersInWords(['Ana', 'Ben']), 'Ana and Ben are writing here');
  assert.equal(writersInWords(['Ana', 'Ben', 'Cy']), 'Ana, Ben and 1 other are writing here');
  assert.equal(writersInWords(['Ana', 'Ben', 'Cy', 'Dee']), 'Ana, Ben and 2 others are writing here');
  assert.equal(hueOf('ana'), hueOf('ana'));
  assert.notEqual(hueOf('ana'), hueOf('mia'));
});
