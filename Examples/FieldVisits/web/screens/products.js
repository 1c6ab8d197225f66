// SPDX-License-Identifier: Apache-2.0
// The catalogue: search, order, the stock anybody may count, and prices that managers may change.
// @ts-check
import { increment } from '/aloft/aloft.js';
import { h, setText } from '../lib/dom.js';
import { icon } from '../lib/icons.js';
import { button, emptyState, searchField, selectField, stepper } from '../lib/controls.js';
import { liveList } from '../lib/live-list.js';
import { recordState } from '../lib/record-state.js';
import { allOf, counted, price, startsWith } from '../lib/words.js';
import { askProduct, editPrice } from './forms.js';

const lowStock = 5;

/** @type {Record<string, Array<[string, 'asc' | 'desc']>>} */
const orders = {
  name: [['name', 'asc'], ['id', 'asc']],
  price: [['price', 'asc'], ['id', 'asc']],
  '-price': [['price', 'desc'], ['id', 'asc']],
  stock: [['stock', 'asc'], ['id', 'asc']],
};

/** How the list was left, so that coming back finds it the same. */
const view = { search: '', order: 'name' };

/** @param {import('../context.js').Context} context */
export function productsScreen(context) {
  const { db } = context;
  const heading = h('h1', { tabindex: -1 }, 'Products');
  const extent = h('p');
  const list = liveList(db, {
    label: 'Products', make: () => productRow(context),
    empty: () => (view.search
      ? emptyState('search', 'No product starts with that', 'Search looks at the beginning of a name or an article number.')
      : emptyState('product', 'No products yet', context.isManager ? 'Add the first one.' : 'Managers fill the catalogue.')),
    oncount: count => setText(extent, counted(count, 'product')),
  });
  const show = () => list.show({
    from: 'products', where: allOf(startsWith(view.search, ['name', 'sku'])), orderBy: orders[view.order],
  });

  const node = h('div', { class: 'page' },
    h('div', { class: 'head' }, h('div', null, heading, extent),
      context.isManager && button('New product', { icon: 'plus', kind: 'primary', onclick: () => askProduct(context) })),
    h('div', { class: 'tools' },
      searchField({
        label: 'Search products by name or article number', value: view.search,
        oninput: text => { view.search = text; show(); },
      }),
      h('div', { class: 'tools-line' }, selectField({
        label: 'Order of products', icon: 'sort', value: view.order,
        options: [['name', 'Name A–Z'], ['price', 'Lowest price'], ['-price', 'Highest price'], ['stock', 'Lowest stock']],
        onchange: order => { view.order = order; show(); },
      }).node)),
    list.node);
  show();
  return { node, heading, close: list.close };
}

/** @param {import('../context.js').Context} context */
function productRow(context) {
  /** @type {any} */
  let product = null;
  const name = h('div', { class: 'name' });
  const under = h('div', { class: 'under' });
  const amount = h('span', { class: 'figures' });
  const cost = context.isManager
    ? h('button', { class: 'price', type: 'button', onclick: () => editPrice(context, product) }, amount, icon('edit'))
    : h('div', { class: 'price' }, amount);
  const low = h('span', { class: 'low', hidden: true });
  const counter = h('div', { class: 'stock' });
  const state = recordState();
  /** @type {ReturnType<typeof stepper> | null} */
  let stock = null;
  return {
    node: h('li', null, h('div', { class: 'row product-row' },
      h('div', { class: 'lead' }, name, under), h('div', { class: 'cost' }, cost, low), counter, h('div', { class: 'marks' }, state.node))),
    /** @param {any} row */
    update(row) {
      product = row;
      if (!stock) {
        stock = stepper({
          label: `Stock of ${row.name}`, steps: [-1, 1],
          onstep: by => context.db.update('products', row.id, { stock: increment(by) }),
        });
        counter.append(stock.node);
      }
      setText(name, row.name ?? 'Unnamed product');
      setText(under, [row.sku, row.category].filter(Boolean).join(' · ') || 'No article number');
      setText(amount, price(row.price));
      if (context.isManager) cost.setAttribute('aria-label', `Change price of ${row.name}, now ${price(row.price)}`);
      const count = row.stock ?? 0;
      setText(low, count === 0 ? 'Sold out' : 'Low stock');
      low.hidden = count > lowStock;
      stock.update(count);
      state.update(row);
    },
  };
}
