// SPDX-License-Identifier: Apache-2.0
// For people in several teams: which team's records a list shows, and a team's name beside each record.
// @ts-check
import { selectField } from '../lib/controls.js';

/** The team both lists show; '' stands for all of them. */
let chosen = '';

/**
 * @param {import('../context.js').Context} context
 * @param {{onchange: () => void}} options called when another team was chosen, and when the names of teams have arrived
 */
export function teamChoice({ db }, { onchange }) {
  /** @type {Map<string, string>} */
  let names = new Map();
  const { node, fill } = selectField({
    label: 'Team', icon: 'people', value: '', options: [],
    onchange: team => { chosen = team; onchange(); },
  });
  node.hidden = true;
  const close = db.subscribe({ from: 'teams', orderBy: [['name', 'asc']] }, teams => {
    names = new Map(teams.map(({ id, name }) => [id, name]));
    if (!names.has(chosen)) chosen = '';
    node.hidden = names.size < 2;
    fill([['', 'All teams'], ...names], chosen);
    onchange();
  });
  return {
    node, close,
    /** A filter for the chosen team, or null. */
    filter: () => (chosen ? { team: chosen } : null),
    /**
     * The team's name where there is more than one to tell apart.
     * @param {string} id
     */
    nameOf: id => (names.size > 1 ? names.get(id) : undefined),
  };
}
