// SPDX-License-Identifier: Apache-2.0
// Builds elements and keeps lists of them in step with rows, without ever parsing a string as HTML.
// @ts-check

/**
 * Makes an element. Functions become listeners (`onclick`), `true` an empty attribute, `false` and `null` nothing.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any> | null} [properties]
 * @param {...any} children nodes, texts, or lists of both; `null` and `false` are left out
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, properties, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') node.addEventListener(name.slice(2), value);
    else if (name === 'value') /** @type {any} */ (node).value = value;
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return node;
}

/**
 * Writes a text only when it differs, so that an unchanged node is not touched.
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Keeps the children of `parent` in step with rows: a row keeps its element, only rows that changed are updated,
 * and the element with the focus keeps it when it moves.
 * @param {HTMLElement} parent
 * @param {(row: any) => {node: HTMLElement, update: (row: any) => void}} make
 */
export function keyedChildren(parent, make) {
  /** @type {Map<string, {node: HTMLElement, update: (row: any) => void, row: any}>} */
  const shown = new Map();

  /**
   * @param {any[]} rows
   * @param {boolean} [all] update every row, also those that did not change
   */
  return (rows, all = false) => {
    const focused = /** @type {HTMLElement | null} */ (parent.contains(document.activeElement) ? document.activeElement : null);
    const wanted = new Set(rows.map(row => row.id));
    for (const [id, item] of shown) {
      if (wanted.has(id)) continue;
      item.node.remove();
      shown.delete(id);
    }
    let place = parent.firstChild;
    for (const row of rows) {
      let item = shown.get(row.id);
      if (!item) {
        item = { ...make(row), row: null };
        item.node.dataset.record = row.id;
        shown.set(row.id, item);
      }
      if (all || item.row !== row) {
        item.row = row;
        item.update(row);
      }
      if (item.node === place) place = place.nextSibling;
      else parent.insertBefore(item.node, place);
    }
    if (focused && focused.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
  };
}
