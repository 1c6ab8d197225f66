// SPDX-License-Identifier: Apache-2.0
// The same work done with Aloft.

import { open } from '/aloft/aloft.js';
import { EDIT_PAUSE_MILLISECONDS, EQUAL_OWNER, median, record } from './records.js';

const EQUAL = { from: 'items', where: { owner: EQUAL_OWNER } };
const TOP = { from: 'items', orderBy: [['due', 'asc']], limit: 50 };
const SETTLE_MILLISECONDS = 600_000;

/** Writes all records; ends when the last one is on the disk. The server gets them afterwards. @param {number} count */
export async function fill(count) {
  const db = await open();
  const mutations = Array.from({ length: count }, (_, i) => ({ action: 'create', args: { collection: 'items', fields: record(i) } }));
  const milliseconds = await median(1, async () => { await db.mutate(mutations).at(-1).saved; });
  await settle(db);
  await db.close();
  return milliseconds;
}

/** Until the server has everything and the log is folded into pages: the state in which a device normally is. */
async function settle(db) {
  const end = Date.now() + SETTLE_MILLISECONDS;
  while (db.status.state !== 'synced' || db.status.queued > 0) {
    if (Date.now() > end) throw new Error(`not synced: ${JSON.stringify(db.status)}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  await new Promise((resolve) => setTimeout(resolve, 3_000));
}

/** Opens and answers the first query; the network is not waited for. */
export async function cold() {
  let db;
  const milliseconds = await median(1, async () => {
    db = await open();
    if (!(await db.query(EQUAL)).length) throw new Error(`nothing found: ${JSON.stringify(db.status)}, ${await db.query({ from: 'items', count: true })} records`);
  });
  await db.close();
  return milliseconds;
}

/** Queries and edits on an open database. @param {number} runs */
export async function warm(runs) {
  const db = await open();
  const [one] = await db.query(EQUAL);
  const result = {
    equal: await median(runs, () => db.query(EQUAL)),
    top: await median(runs, () => db.query(TOP)),
    edit: await median(runs * 4, (run) => db.update('items', one.id, { title: `edit ${run}` }).saved, EDIT_PAUSE_MILLISECONDS),
    editRush: await median(runs * 4, (run) => db.update('items', one.id, { title: `rush ${run}` }).saved),
  };
  let show = () => {};
  const stop = db.subscribe(EQUAL, (rows) => show(rows));
  result.live = await median(runs, (run) => new Promise((resolve) => {
    show = (rows) => { if (rows.some(({ title }) => title === `live ${run}`)) resolve(undefined); };
    db.update('items', one.id, { title: `live ${run}` });
  }));
  stop();
  await db.close();
  return result;
}
