// SPDX-License-Identifier: Apache-2.0
// What every screen is given: the database, the person, and the few questions several screens ask about them.
// @ts-check

/**
 * @typedef {import('/aloft/aloft.js').Database} Database
 * @typedef {import('/aloft/aloft.js').User} User
 * @typedef {{id: string, name: string}} Team
 * @typedef {{db: Database, user: User, isManager: boolean, teams: () => Team[], signIn: () => Promise<void>,
 *   leave: (discard: boolean) => Promise<void>}} Context
 */

/**
 * @param {Database} db
 * @param {User} user
 * @param {{signIn: () => Promise<void>, leave: (discard: boolean) => Promise<void>}} session
 * @returns {Context}
 */
export function makeContext(db, user, session) {
  /** @type {Team[]} */
  let known = [];
  db.subscribe({ from: 'teams', orderBy: [['name', 'asc']] }, rows => {
    known = rows.map(({ id, name }) => ({ id, name }));
  });
  return {
    db, user, ...session,
    isManager: roles(user).some(({ role }) => role === 'manager'),
    teams: () => (known.length > 0 ? known : teamsOf(user)),
  };
}

/**
 * The teams a person's roles name; they are known before the first round with the server.
 * @param {User} user
 * @returns {Team[]}
 */
function teamsOf(user) {
  const ids = roles(user).flatMap(({ scope }) => /^team:(.+)$/.exec(scope)?.[1] ?? []);
  return [...new Set(ids)].map(id => ({ id, name: id.charAt(0).toUpperCase() + id.slice(1) }));
}

/** @param {User} user */
function roles(user) {
  return (user.roles ?? []).map(each => (typeof each === 'string' ? { role: each, scope: '' } : each));
}
