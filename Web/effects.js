// @ts-check
// SPDX-License-Identifier: Apache-2.0
// Executes what the engine asks for: store rows, send a round, set the timer, compact.
//
// Storage work goes through one lane, so there is one persist at a time and a tail is never read
// around it. Work of a former engine instance (an older `life`) may finish, but reports to nobody.

import { delay } from './database-file.js';
import { Op } from './engine.js';
import { encodeResponse, encodeTail, u64 } from './frames.js';
import { post } from './transport.js';

/** @typedef {import('./frames.js').Frame} Frame */
/** @typedef {ReturnType<typeof createEffects>} Effects */

const RETRY_SAVE_MILLISECONDS = 2_000;
const RETRY_SAVE_MILLISECONDS_MAX = 60_000;
const HIDDEN_MILLISECONDS = 1_500;
const SMALL_BYTES = 16 * 1024;
const SMALL_ROUND_PAUSE_MILLISECONDS = 50;

/** @param {{
 *    storage: import('./storage.js').Storage, tabs: import('./tabs.js').Tabs, handles: import('./handles.js').Handles,
 *    syncURL: string | null,
 *    feed: (op:number, input?:Uint8Array|string|null) => void,
 *    reopen: () => void,
 *    notify: (value:any) => void,
 *    onSaved: (head:number) => void,
 *    onTrouble: (detail:'quota'|'storage'|undefined) => void}} host */
export function createEffects(host) {
  const { storage, tabs, handles, feed } = host;
  let life = 0;
  let head = 0;
  let laneCount = 0;
  let persistCount = 0;
  let conflictAt = 0;
  let sendCount = 0;
  let saveFailures = 0;
  let quietUntil = 0;
  let isClosed = false;
  /** @type {Promise<void>} */
  let lane = Promise.resolve();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let saveTimer;
  /** @type {Array<() => void>} */
  let waiting = [];
  /** The transaction of a persist that is about to be asked for.
   * @type {IDBTransaction | null} */
  let begun = null;
  /** The head of a save that is on the disk, while the engine does not know of it yet. */
  let untold = 0;
  /** The save whose end the engine has not heard. It stays when a failure leaves open whether the rows arrived: they may not be
   * offered as new ones before that is known.
   * @type {{frame:Extract<Frame, {kind:'persist'}>, covered:import('./handles.js').Change[]} | null} */
  let unfinished = null;

  /** Queues storage work of the present life; in a free lane it begins at once.
   * @param {() => Promise<void>} work @param {() => void} [onStart] called when its turn has come, wanted or not */
  function enqueue(work, onStart) {
    const mine = life;
    const turn = async () => {
      onStart?.();
      if (mine === life && !isClosed) await work();
    };
    lane = (laneCount++ ? lane.then(turn) : turn()).catch((error) => {
      if (!(error instanceof DOMException)) globalThis.reportError?.(error);
      retrySave('storage');
    }).then(() => { laneCount--; settle(); });
    return lane;
  }

  /** After the last effect: give the lease back, and tell who waits. */
  function settle() {
    if (laneCount || sendCount) return;
    tabs.lease.release();
    const ready = waiting;
    waiting = [];
    for (const resolve of ready) resolve();
  }

  /** @param {Extract<Frame, {kind:'persist'}>} frame @param {import('./handles.js').Change[]} covered
   * @param {IDBTransaction | null} [ahead] */
  async function persist(frame, covered, ahead = null) {
    const mine = life;
    const isAgain = unfinished !== null;
    unfinished = { frame, covered };
    const appended = await storage.append(frame.first, frame.rows, frame.strict, frame.strict ? ahead : null, isAgain);
    if (appended.kind === 'done') handles.store(covered);
    if (appended.kind === 'done' || appended.kind === 'failed' && !appended.isInDoubt) unfinished = null;
    if (mine !== life) return;
    switch (appended.kind) {
      case 'done':
        head = frame.first + frame.rows.length - 1;
        saveFailures = conflictAt = 0;
        host.onTrouble(undefined);
        untold = head;
        await null; // whoever waits for `saved` goes first
        tellSaved();
        tabs.announce(head);
        host.onSaved(head);
        break;
      case 'conflict':
        // The same number twice: the row there is one that the engine cannot read. Reopening sets it aside.
        if (conflictAt === frame.first) return host.reopen();
        conflictAt = frame.first;
        await follow(Op.persistConflict, frame.first - 1);
        unfinished = null;
        break;
      case 'gap': host.reopen(); break;
      case 'failed':
        if (!appended.isInDoubt) feed(Op.persistFailed, JSON.stringify({ reason: appended.reason }));
        retrySave(appended.reason);
    }
  }

  /** The engine's answer takes a while, so the app hears of its save first; but no question comes before this. */
  function tellSaved() {
    if (!untold) return;
    const through = untold;
    untold = 0;
    feed(Op.persisted, u64(through));
  }

  /** Storage is in trouble: say so, and try again for ever, ever slower.
   * @param {'quota'|'storage'} detail */
  function retrySave(detail) {
    if (isClosed) return;
    host.onTrouble(detail);
    clearTimeout(saveTimer);
    const pause = Math.min(RETRY_SAVE_MILLISECONDS_MAX, RETRY_SAVE_MILLISECONDS * 2 ** saveFailures++);
    saveTimer = setTimeout(effects.catchUp, pause);
  }

  /** Reads what other contexts wrote after `known`.
   * @param {number} op how to hand it to the engine @param {number} known */
  async function follow(op, known) {
    const mine = life;
    const { rows, isGap } = await storage.tail(known);
    if (mine !== life) return;
    if (isGap) return host.reopen();
    if (!rows.length && op === Op.foreignRows) return;
    head = rows.at(-1)?.sequence ?? head;
    feed(op, encodeTail(rows));
  }

  /** The same for a hint. While a persist of ours is on its way, its conflict will bring the rows. */
  async function followHint() {
    if (!persistCount && !unfinished) await follow(Op.foreignRows, head);
  }

  async function askCompaction() {
    const mine = life;
    const generation = await storage.generation();
    if (mine !== life) return;
    if (generation > head) return host.reopen();
    feed(Op.compact, u64(generation));
  }

  /** @param {Extract<Frame, {kind:'compact'}>} frame */
  async function compact(frame) {
    const mine = life;
    const isDone = await storage.compact(frame);
    if (mine !== life) return;
    if (isDone) feed(Op.compacted, u64(frame.generation));
    else await askCompaction();
  }

  /** Small rounds keep a distance, so that changes made in a row share one and their saving is not held up by its answers.
   * @param {Uint8Array} body */
  async function pause(body) {
    const milliseconds = quietUntil - performance.now();
    if (milliseconds > 0 && body.length < SMALL_BYTES) await delay(milliseconds);
  }

  /** One round. The lease is kept while its answer is being stored and while further rounds follow.
   * @param {Uint8Array} body */
  async function send(body) {
    const mine = life;
    sendCount++;
    try {
      await null; // whoever waits for a save goes first
      const signal = host.syncURL === null ? null : await tabs.lease.take();
      // Under the lease: what another context sent meanwhile would make this body old, and its answer of no use.
      if (signal) await pause(body);
      if (mine !== life || isClosed) return;
      const answer = signal && host.syncURL !== null ? await post(host.syncURL, body, signal)
        : { failure: /** @type {'busy'|'offline'} */ (host.syncURL === null ? 'offline' : 'busy') };
      if (mine !== life || isClosed) return;
      quietUntil = body.length + (answer.failure ? 0 : answer.body.length) < SMALL_BYTES ? performance.now() + SMALL_ROUND_PAUSE_MILLISECONDS : 0;
      if (answer.failure) feed(Op.transportFailed, JSON.stringify({ kind: answer.failure }));
      else feed(Op.response, encodeResponse(answer.status, answer.retryAfter, answer.body));
    } finally {
      sendCount--;
      settle();
    }
  }

  const effects = {
    /** The last log number this engine has seen. */
    get head() { return head; },
    set head(value) { head = value; },
    tellSaved,
    get isIdle() { return laneCount + sendCount === 0; },

    /** Runs `work`, which makes a change: when nothing stands before its persist, storage gets ready meanwhile.
     * @param {() => void} work */
    expectPersist(work) {
      begun = laneCount ? null : storage.begin();
      try { work(); } finally { begun = null; }
    },
    /** @param {Frame[]} frames @param {(result:any) => void} [onResult] */
    run(frames, onResult) {
      // What goes to the server waits for what concerns the app.
      for (const frame of frames.sort((a, b) => Number(a.kind === 'send') - Number(b.kind === 'send'))) {
        switch (frame.kind) {
          case 'result': onResult?.(frame.value); break;
          case 'persist': {
            // Changes wait for a row that gives the device a new identity; such a row goes alone.
            const covered = frame.strict ? handles.covered() : [];
            persistCount++;
            const ahead = begun;
            begun = null;
            enqueue(() => persist(frame, covered, ahead), () => { persistCount--; });
            break;
          }
          case 'send': void send(frame.body); break;
          case 'timer':
            clearTimeout(timer);
            if (frame.delay !== null) timer = setTimeout(() => feed(Op.timer), frame.delay);
            break;
          case 'notify': host.notify(frame.value); break;
          // Every context is asked; a hidden one leaves it to a visible one, and finds it done.
          case 'wantCompact': setTimeout(() => enqueue(askCompaction), tabs.isVisible ? 0 : HIDDEN_MILLISECONDS); break;
          case 'compact': enqueue(() => compact(frame)); break;
        }
      }
    },
    /** Another context says its log has grown.
     * @param {number} foreignHead */
    hear(foreignHead) { if (foreignHead > head) enqueue(followHint); },
    /** Reads the tail, whatever hints were lost, and lets the engine go on with `reason`.
     * @param {string} reason @param {any} [hint] what the server's hint said */
    wake: (reason, hint) => enqueue(followHint)
      .then(() => { if (!isClosed) feed(Op.wake, JSON.stringify({ ...hint, reason })); }),
    /** Tries again to save what could not be saved. */
    catchUp() {
      void enqueue(async () => { if (unfinished) await persist(unfinished.frame, unfinished.covered); }).then(() => effects.wake('retrySave'));
    },
    /** Whether a save has not ended. */
    get isSaving() { return unfinished !== null; },
    /** Finds out whether a save that failed arrived after all, before its changes are given to a new engine. */
    async settleDoubt() {
      if (unfinished && await storage.hasArrived(unfinished.frame.first, unfinished.frame.rows[0])) handles.store(unfinished.covered);
      unfinished = null;
    },
    /** Begins a new life: `work` runs when the old one's storage work is over.
     * @param {() => Promise<void>} work */
    restart(work) {
      life++;
      untold = 0; // the new engine reads it
      clearTimeout(timer);
      tabs.lease.abandon();
      return enqueue(work);
    },
    /** Resolves when nothing is being stored or sent.
     * @returns {Promise<void>} */
    idle: () => (effects.isIdle ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    close() { isClosed = true; clearTimeout(timer); clearTimeout(saveTimer); },
  };
  return effects;
}
