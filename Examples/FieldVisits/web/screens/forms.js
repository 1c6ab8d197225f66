// SPDX-License-Identifier: Apache-2.0
// The forms that make or change a record: stores, visits and products. Each works without a network.
// @ts-check
import { askForm } from '../lib/dialog.js';
import { fromLocalInput, toLocalInput } from '../lib/words.js';

/**
 * Asks for a store, new or known; resolves with its id, or null when nothing was entered.
 * @param {import('../context.js').Context} context
 * @param {any} [store]
 */
export async function askStore(context, store) {
  const teams = context.teams();
  const values = await askForm({
    title: store ? 'Edit store' : 'New store', submit: store ? 'Save store' : 'Add store',
    fields: [
      { name: 'name', label: 'Name', required: 'A store needs a name', value: store?.name },
      { name: 'city', label: 'City', value: store?.city },
      { name: 'address', label: 'Address', value: store?.address },
      { name: 'phone', label: 'Phone', type: 'tel', value: store?.phone },
      ...(store || teams.length < 2 ? [] : [teamField(teams)]),
    ],
    check: () => (teams.length === 0 ? 'Your team has not arrived on this device yet. Try again after the first sync.' : null),
  });
  if (!values) return null;
  const { team = teams[0].id, ...fields } = values;
  if (!store) return context.db.create('stores', { team, ...filled(fields) }).id;
  const changes = changed(fields, store);
  if (Object.keys(changes).length > 0) context.db.update('stores', store.id, changes);
  return store.id;
}

/**
 * Asks for a visit at a store, or at one of several; resolves with its id, or null when nothing was entered.
 * @param {import('../context.js').Context} context
 * @param {any[]} stores
 */
export async function askVisit(context, stores) {
  const nextHour = Math.ceil(Date.now() / 3_600_000) * 3_600_000;
  const values = await askForm({
    title: 'New visit', text: stores.length === 1 ? `At ${stores[0].name}` : undefined, submit: 'Add visit',
    fields: [
      ...(stores.length === 1 ? [] : [{
        name: 'store', label: 'Store', type: /** @type {const} */ ('select'), required: 'Choose a store',
        options: /** @type {Array<[string, string]>} */ (stores.map(({ id, name, city }) => [id, city ? `${name}, ${city}` : name])),
      }]),
      { name: 'title', label: 'What for', required: 'Say what the visit is for', hint: 'For example: shelf check' },
      { name: 'planned', label: 'Planned', type: 'datetime-local', value: toLocalInput(nextHour) },
    ],
  });
  if (!values) return null;
  const store = stores.find(({ id }) => id === values.store) ?? stores[0];
  return context.db.create('visits', {
    team: store.team, store: store.id, title: values.title, status: 'open', planned: fromLocalInput(values.planned),
  }).id;
}

/**
 * Changes what a visit is for and when.
 * @param {import('../context.js').Context} context
 * @param {any} visit
 */
export async function editVisit(context, visit) {
  const values = await askForm({
    title: 'Edit visit', submit: 'Save visit',
    fields: [
      { name: 'title', label: 'What for', required: 'Say what the visit is for', value: visit.title },
      { name: 'planned', label: 'Planned', type: 'datetime-local', value: toLocalInput(visit.planned) },
    ],
  });
  if (!values) return;
  /** @type {Record<string, any>} */
  const changes = changed({ title: values.title }, visit);
  if (values.planned !== toLocalInput(visit.planned)) changes.planned = fromLocalInput(values.planned);
  if (Object.keys(changes).length > 0) context.db.update('visits', visit.id, changes);
}

/** @param {import('../context.js').Context} context */
export async function askProduct(context) {
  const values = await askForm({
    title: 'New product', submit: 'Add product',
    fields: [
      { name: 'name', label: 'Name', required: 'A product needs a name' },
      { name: 'sku', label: 'Article number' },
      { name: 'category', label: 'Category' },
      priceField(),
    ],
    check: ({ price }) => priceProblem(price),
  });
  if (!values) return;
  const { price, ...fields } = values;
  context.db.create('products', { ...filled(fields), price: cents(price) });
}

/**
 * @param {import('../context.js').Context} context
 * @param {any} product
 */
export async function editPrice(context, product) {
  const before = typeof product.price === 'number' ? (product.price / 100).toFixed(2) : '';
  const values = await askForm({
    title: 'Change price', text: product.name, submit: 'Save price',
    fields: [priceField(before)], check: ({ price }) => priceProblem(price),
  });
  if (values && cents(values.price) !== product.price) context.db.update('products', product.id, { price: cents(values.price) });
}

/**
 * @param {string} [value]
 * @returns {import('../lib/dialog.js').Field}
 */
function priceField(value) {
  return { name: 'price', label: 'Price in euro', type: 'number', step: '0.01', min: '0', required: 'Enter a price, such as 4.90', value };
}

/** @param {string} text */
function priceProblem(text) {
  const value = Number(text);
  return Number.isFinite(value) && value >= 0 && value < 1e9 ? null : 'A price is a number from 0 up, such as 4.90';
}

/** @param {string} text */
const cents = text => Math.round(Number(text) * 100);

/**
 * @param {import('../context.js').Team[]} teams
 * @returns {import('../lib/dialog.js').Field}
 */
function teamField(teams) {
  return { name: 'team', label: 'Team', type: 'select', value: teams[0].id, options: teams.map(({ id, name }) => [id, name]) };
}

/** @param {Record<string, string>} fields */
const filled = fields => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));

/**
 * @param {Record<string, string>} fields
 * @param {any} row
 */
const changed = (fields, row) => Object.fromEntries(Object.entries(fields).filter(([name, value]) => value !== (row[name] ?? '')));
