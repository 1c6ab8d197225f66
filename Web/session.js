// @ts-check
// SPDX-License-Identifier: Apache-2.0
// Who is using this device: sign in, sign out, and the person remembered for starts without a network.
//
// The proof is the server's HttpOnly cookie; what is remembered here only says whose data to open.

import { delay, deleteFile } from './database-file.js';
import { keep, kept } from './durable-facts.js';
import { remember, share } from './marker.js';

const FLUSH_MILLISECONDS_MAX = 2_000;

/** Why a session could not begin or end. */
export class SessionError extends Error {
  /** @param {string} code @param {string} message @param {number} [count] */
  constructor(code, message, count) {
    super(message);
    this.name = 'SessionError';
    this.code = code;
    this.count = count;
  }
}

/** Tells every context, this one included.
 * @param {any} message */
function tell(message) {
  const channel = new BroadcastChannel('aloft:session');
  channel.postMessage(message);
  channel.close();
}

/** One request to /session.
 * @param {string} server @param {string} method @param {any} [body] */
async function request(server, method, body) {
  let response;
  try {
    response = await fetch(`${server}/session`, {
      method, body: body && JSON.stringify(body),
      headers: { 'X-Aloft': '1', 'Accept': 'application/json', ...(body && { 'Content-Type': 'application/json' }) },
      redirect: 'error', cache: 'no-store', credentials: 'same-origin', signal: /** @type {any} */ (AbortSignal).timeout(8_000),
    });
  } catch {
    throw new SessionError('offline', 'The server cannot be reached.');
  }
  const isJSON = response.headers.get('Content-Type')?.startsWith('application/json');
  const answer = isJSON ? await response.json().catch(() => null) : null;
  if (response.ok && method === 'DELETE') return null;
  if (response.ok && typeof answer?.user === 'string') return answer;
  if (response.status === 429) throw new SessionError('tooMany', 'Too many attempts. Try again in a while.');
  if (response.status >= 500) throw new SessionError('offline', 'The server cannot be reached.');
  if (!isJSON) throw new SessionError('portal', 'This network wants you to sign in to it first.');
  throw new SessionError('refused', answer?.error?.message ?? 'The name or the password is not right.');
}

/** @param {{user:string, password:string, server?:string}} options */
export async function signIn({ user, password, server = '' }) {
  const { user: id, name, roles } = await request(server, 'POST', { user, password });
  const person = { user: id, name, roles };
  await keep({ session: person, signOut: null });
  tell({ signedIn: person.user, person });
  return person;
}

/** @param {any} db @param {{discard?:boolean, server?:string}} options */
export async function signOut(db, { discard = false, server = '' } = {}) {
  // What somebody is typing counts as well, if the disk takes it.
  await Promise.race([db?.flush?.(), delay(FLUSH_MILLISECONDS_MAX)]);
  const { queued = 0, parked = 0, conflicts = 0 } = db?.status ?? {};
  const count = queued + parked + conflicts;
  if (count && !discard) throw new SessionError('unsynced', `${count} unsynced changes would be lost.`, count);
  const person = db?.user ?? (await kept('session'))?.user;
  // Without a network the cookie stays for now; `signOut` has it ended at the next chance.
  await keep({ session: null, signOut: true });
  await db?.close();
  tell({ signedOut: person });
  if (db) {
    remember(`${db.app}:${person}`, null);
    await deleteFile(`aloft:${db.app}:${person}`);
  }
  await share(null);
  for (const name of globalThis.caches ? await caches.keys() : []) if (name.startsWith('aloft-data')) await caches.delete(name);
  await endSession(server);
}

/** @param {string} server */
async function endSession(server) {
  await request(server, 'DELETE').then(() => keep({ signOut: null }), () => {});
}

/** @param {{server?:string}} options */
export async function currentUser({ server = '' } = {}) {
  const person = await kept('session');
  if (person) return person;
  if (await kept('signOut')) { await endSession(server); return null; }
  try {
    const { user, name, roles } = await request(server, 'GET');
    await keep({ session: { user, name, roles } });
    return { user, name, roles };
  } catch {
    return null;
  }
}

/** @param {(user:any) => void} fn */
export function onSession(fn) {
  const channel = new BroadcastChannel('aloft:session');
  channel.onmessage = ({ data }) => {
    if (data?.person) fn(data.person);
    else if (data?.signedOut) fn(null);
  };
  return () => channel.close();
}
