// @ts-check
// SPDX-License-Identifier: Apache-2.0
// The public entry of the browser client: `open` and the Database it returns. Types: aloft.d.ts.

import { kept } from './durable-facts.js';
import { AloftError, loadEngine, Op, startEngine } from './engine.js';
import { createHost } from './host.js';
import { followLive } from './live.js';
import { loadStored } from './loading.js';
import { recall, remember, share } from './marker.js';
import { openStorage } from './storage.js';
import { createTabs } from './tabs.js';
import { startText } from './text-module.js';

export { AloftError };
export { currentUser, onSession, SessionError, signIn, signOut } from './session.js';
export { install } from './install.js';

const BACKGROUND_SYNC = 'aloft-sync';
const BACKGROUND_SYNC_MILLISECONDS = 2_000;
const MARKER_MILLISECONDS = 1_000;
const DECLARATION_MILLISECONDS = 1_500;
/** States in which the live channel is worth a try. */
const REACHABLE = ['synced', 'queued', 'attention', 'slow'];

/** A change of a counter. */
export const increment = (by = 1) => ({ $increment: by });
/** Members to add to a set.
 * @param {...(string|number|boolean)} members */
export const add = (...members) => ({ $add: members });
/** Members to take from a set.
 * @param {...(string|number|boolean)} members */
export const remove = (...members) => ({ $remove: members });

/** The database file of one person.
 * @param {string} app @param {string} user */
export const databaseName = (app, user) => `aloft:${app}:${user}`;

/** @param {{app?:string|Record<string, any>, server?:string, user?:string, wasm?:string|WebAssembly.Module, text?:string|WebAssembly.Module,
 *    sync?:boolean}} options */
export async function open({ app = '/app.json', server = '', user, wasm = '/aloft/aloft.wasm', text = '/aloft/text.wasm', sync = true } = {}) {
  const session = kept('session');
  const asked = user ?? session.then((session) => session?.user ?? 'anyone');
  /** @param {string} name @param {string} user @param {boolean} [mustExist] */
  const readFrom = async (name, user, mustExist) => {
    const storage = await openStorage(databaseName(name, user), mustExist);
    return { storage, stored: await storage.read() };
  };
  // The slow things start together; the declaration of last time is remembered so that none waits for the network. The browser answers
  // the first look into localStorage late, so that comes after them.
  const compiling = Promise.resolve(typeof wasm === 'string' ? loadEngine(wasm) : wasm);
  const last = typeof app === 'string' ? recall(`app:${app}`) : app;
  const known = last?.app;
  /** What an app with collaborative text needs besides; a worker may not import, and shows nothing either.
   * @param {any} declaration */
  async function loadText(declaration) {
    if (!hasText(declaration)) return null;
    const isPage = typeof document !== 'undefined';
    const [module, program, rich] = await Promise.all([
      typeof text === 'string' ? loadEngine(text) : text, isPage ? import('./text.js') : null,
      isPage && hasText(declaration, /^richText$/) ? import('./rich-text.js') : null,
    ]);
    return { module: startText(module), program, rich };
  }
  const texting = loadText(last);
  // Whose data it will be, the tiny database says a little later; nearly always the second witness is right.
  const guess = user ?? recall('session')?.user ?? 'anyone';
  const reading = known ? readFrom(known, guess, true) : null;
  const [declaration, module, early, ahead, earlyText, person, signedIn] = await Promise.all([
    typeof app === 'string' ? fetchDeclaration(app.startsWith('/') ? server + app : app, last) : app,
    compiling,
    reading?.catch(() => null),
    reading && loadAhead(compiling, texting, last, reading),
    texting, asked, session,
  ]);
  const isChanged = JSON.stringify(declaration) !== JSON.stringify(last);
  const loaded = isChanged || person !== guess ? null : ahead;
  const texts = isChanged ? await loadText(declaration) : earlyText;
  if (!loaded) early?.storage.close();
  const { storage, stored } = early && loaded ? early : await readFrom(declaration.app, person);
  const name = signedIn?.user === person ? signedIn.name : person;
  if (typeof app === 'string' && isChanged) remember(`app:${app}`, declaration);
  const facts = typeof app === 'string' && typeof wasm === 'string' ? { app, server, wasm, user: person, ...(texts && { text }) } : null;
  return createDatabase({ declaration, module, texts, storage, stored, loaded, person, name, server, sync, facts });
}

/** An engine for the declaration of last time, which takes in what is stored as it is read.
 * @param {Promise<WebAssembly.Module>} compiling @param {Promise<Texts | null>} texting @param {any} declaration
 * @param {Promise<{storage:import('./storage.js').Storage, stored:import('./host.js').Stored}>} reading
 * @returns {Promise<import('./loading.js').Loaded | null>} null when something is wrong: it will show again when the host builds one */
async function loadAhead(compiling, texting, declaration, reading) {
  try {
    const [module, texts] = await Promise.all([compiling, texting]);
    const engine = startEngine(module, declaration, texts?.module);
    const { storage, stored } = await reading;
    return await loadStored(engine, storage, stored);
  } catch {
    return null;
  }
}

/** @param {any} declaration */
const hasText = (declaration, kind = /^(text|richText)$/) => declaration?.collections?.some((/** @type {any} */ { fields }) => fields?.some(
  (/** @type {any} */ { type }) => kind.test(type)));

/** The declaration as the server has it, or as it was last time when the server does not answer at once.
 * @param {string} url @param {any} last */
async function fetchDeclaration(url, last) {
  try {
    const signal = last ? /** @type {any} */ (AbortSignal).timeout(DECLARATION_MILLISECONDS) : undefined;
    const response = await fetch(url, { credentials: 'same-origin', signal });
    if (!response.ok || response.redirected) throw new Error(`the app declaration at ${url} answered ${response.status}`);
    const declaration = await response.json();
    if (typeof declaration?.app !== 'string') throw new Error(`${url} is not an app declaration`);
    return declaration;
  } catch (error) {
    if (last) return last;
    throw error;
  }
}

/** @typedef {{module:import('./text-module.js').TextModule, program:typeof import('./text.js') | null,
 *    rich:typeof import('./rich-text.js') | null}} Texts */

/** @param {{declaration:any, module:WebAssembly.Module, texts:Texts|null, storage:import('./storage.js').Storage,
 *    stored:import('./host.js').Stored, loaded:import('./loading.js').Loaded|null, person:string, name:string, server:string, sync:boolean, facts:any}} parts */
async function createDatabase({ declaration, module, texts: loadedTexts, storage, stored, loaded, person, name, server, sync, facts }) {
  const isPage = typeof document !== 'undefined';
  const markerKey = `${declaration.app}:${person}`;
  let hasWritten = false;
  let isReachable = false;
  let isClosed = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let markerTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let syncTimer;

  const tabs = createTabs(storage.name, {
    onHead: (head) => host.effects.hear(head),
    onPresence: (presence) => texts?.hear(presence),
    onWake(reason) {
      void host.effects.wake(reason);
      if (reason === 'visible' || reason === 'online') live?.start();
    },
    onHide() { live?.pause(); keepMarker(); if (host.status.queued) askBackgroundSync(); },
    onSession(message) {
      // With another person's session the server takes nothing from here; one round makes the status say so.
      if (message?.signedIn) void host.effects.wake(message.signedIn === person ? 'signedIn' : 'hint');
      if (message?.signedOut === person) void db.close();
    },
  });
  const syncURL = sync ? `${server}/sync` : null;
  const text = loadedTexts?.module ?? null;
  const host = createHost({ module, app: declaration, text, user: person, syncURL, storage, tabs, onSaved });
  const live = sync && isPage
    ? followLive(`${server}/live`, `${storage.name}:live`, (hint) => void host.effects.wake('hint', hint), () => isReachable, {
      // One tab has the stream for all.
      onPresence: (presence) => { texts?.hear(presence); tabs.share(presence); },
    }) : null;
  const texts = text && loadedTexts?.program?.createTexts({ module: text, host, presence: {
    url: sync ? `${server}/live/presence` : null, person: { user: person, name }, isReachable: () => isReachable, share: tabs.share,
  } });

  const marker = recall(markerKey);
  host.details.restoring = marker?.head > 0 && !stored.state && !stored.rows.length;
  host.onStatus((status) => {
    if (status.lastSynced !== null && host.details.restoring) { host.details.restoring = false; host.changeStatus(); }
    if (status.state === 'syncing') return;
    const wasReachable = isReachable;
    isReachable = REACHABLE.includes(status.state);
    if (isReachable && !wasReachable) live?.start();
    // What is announced to another person's session is not for this page.
    if (status.state === 'signedOut') live?.pause();
  });
  await host.start(stored, loaded);
  host.effects.hear(Infinity); // what others wrote meanwhile

  /** Rows of this context are on disk. */
  function onSaved() {
    if (!hasWritten) {
      hasWritten = true;
      if (isPage) navigator.storage?.persist?.().catch(() => false);
      if (facts) share(facts).catch(() => {});
    }
    markerTimer ??= setTimeout(keepMarker, MARKER_MILLISECONDS);
    // While the server answers, the queue is empty again before this runs.
    syncTimer ??= setTimeout(() => { syncTimer = undefined; if (!isClosed && host.status.queued) askBackgroundSync(); }, BACKGROUND_SYNC_MILLISECONDS);
  }

  function keepMarker() {
    clearTimeout(markerTimer);
    markerTimer = undefined;
    if (!isClosed && isPage && host.effects.head) remember(markerKey, { user: person, head: host.effects.head });
  }

  function askBackgroundSync() {
    const worker = isPage ? navigator.serviceWorker : undefined;
    if (!sync || !worker?.controller) return;
    worker.ready.then((registration) => /** @type {any} */ (registration).sync?.register(BACKGROUND_SYNC)).catch(() => {});
  }

  /** @param {string} action @param {Record<string, any>} args */
  const run = (action, args) => host.mutate([{ action, args }])[0];
  /** @param {string} verb @param {number} n @param {any} [args] */
  const tray = (verb, n, args) => host.tray({ do: verb, n, ...(args && { args }) });

  const db = {
    app: declaration.app,
    user: person,
    /** @param {string} collection @param {any} fields @param {{id?:string}} options */
    create: (collection, fields, options) => run('create', { collection, ...(options?.id && { id: options.id }), fields }),
    /** @param {string} collection @param {string} id @param {any} changes */
    update: (collection, id, changes) => run('update', { collection, id, changes }),
    /** @param {string} collection @param {string} id */
    delete: (collection, id) => run('delete', { collection, id }),
    /** @param {string} collection @param {string} id */
    restore: (collection, id) => run('restore', { collection, id }),
    /** @param {string} collection @param {string} id @param {any} fields */
    resolve: (collection, id, fields) => run('resolve', { collection, id, fields }),
    run,
    mutate: host.mutate,
    /** @param {string} collection @param {string} id @param {string} field @param {any} [kind] */
    text(collection, id, field, kind) {
      if (!texts || kind === null) throw new AloftError({ code: 'unavailable', path: field, message: 'the app declares no such text, or this is no page' });
      return texts.open(collection, id, field, kind);
    },
    /** @param {string} collection @param {string} id @param {string} field */
    richText: (collection, id, field) => db.text(collection, id, field, loadedTexts?.rich ?? null),
    flush: async () => { await texts?.flush(); },
    /** @param {string} collection @param {string} id */
    get: (collection, id) => host.ask(Op.get, { collection, id }),
    /** @param {any} query */
    query: (query) => host.ask(Op.query, query),
    subscribe: host.subscribe,
    get status() { return host.status; },
    onStatus: host.onStatus,
    pending: () => host.ask(Op.pending),
    onPending: host.onPending,
    /** @param {number} n */ retry: (n) => tray('retry', n),
    /** @param {number} n @param {any} args */ edit: (n, args) => tray('edit', n, args),
    /** @param {number} n */ discard: (n) => tray('discard', n),
    /** @param {number} n */ keepMine: (n) => tray('keepMine', n),
    /** @param {number} n */ keepTheirs: (n) => tray('keepTheirs', n),
    async sync() {
      await host.effects.wake('tap');
      await host.effects.idle();
      return host.status;
    },
    async close() {
      if (isClosed) return;
      keepMarker();
      void texts?.close(); // what was typed is a change like any other from here on
      isClosed = true;
      clearTimeout(syncTimer);
      live?.stop();
      await host.close();
      tabs.close();
      storage.close();
    },
  };
  return db;
}
