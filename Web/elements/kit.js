// @ts-check
// SPDX-License-Identifier: Apache-2.0
// What the status elements share: the database they show, a way to build nodes, and their look.
//
//   import { provide } from '/aloft/elements/kit.js';
//   provide(db);              // every status element on the page follows this database
//   element.db = other;       // or one element follows another
//
// Look: set these custom properties on any ancestor (each has a default for light and dark):
//   --aloft-font, --aloft-text, --aloft-quiet, --aloft-surface, --aloft-raised, --aloft-border,
//   --aloft-accent, --aloft-on-accent, --aloft-good, --aloft-warn, --aloft-bad, --aloft-radius, --aloft-shadow
// Each element also names its `part`s at the top of its file, for ::part().

/** @type {any} */
let provided = null;
/** @type {Set<DatabaseElement>} */
const elements = new Set();

/** Gives every status element of the page its database; null takes it away.
 * @param {any} db */
export function provide(db) {
  provided = db;
  for (const element of elements) element.bind();
}

/** Builds a node: properties, `on…` listeners, attributes, children. Text only ever enters as text.
 * @param {string} tag @param {Record<string, any>} [properties] @param {...(Node|string|null|false|undefined)} children */
export function h(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name in node) /** @type {any} */ (node)[name] = value;
    else if (value !== undefined && value !== false) node.setAttribute(name, String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== false && child !== undefined).map((child) => /** @type {Node|string} */ (child)));
  return node;
}

/** Icon shapes on a 16 × 16 grid; each state has its own shape, so colour is never the only sign. */
const SHAPES = {
  done: 'M3 8.5l3.2 3.2L13 5', busy: 'M3 8a5 5 0 0 1 9-3M13 8a5 5 0 0 1-9 3M12 2v3H9M4 14v-3h3', device: 'M4 2h8v12H4zM7 12h2',
  cut: 'M2 2l12 12M5 11h6.5M4 6.5A3 3 0 0 0 5 11M7 4.6a3.5 3.5 0 0 1 4.5 2.6A2 2 0 0 1 13 10', door: 'M4 14V2h8v12M2 14h12M10 8h.01',
  person: 'M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM3 14a5 5 0 0 1 10 0', alert: 'M8 2l6.5 12h-13zM8 6.5v3.5M8 12h.01', fork: 'M5 2v12M11 2v3a3 3 0 0 1-3 3H5',
};

/** @param {keyof typeof SHAPES} shape */
export function icon(shape) {
  const namespace = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(namespace, 'svg');
  const path = document.createElementNS(namespace, 'path');
  for (const [name, value] of [['viewBox', '0 0 16 16'], ['aria-hidden', 'true'], ['part', 'icon']]) svg.setAttribute(name, value);
  path.setAttribute('d', SHAPES[shape]);
  svg.append(path);
  return svg;
}

const look = new CSSStyleSheet();
look.replaceSync(`
  :host { --text: var(--aloft-text, #1d232b); --quiet: var(--aloft-quiet, #57606c); --surface: var(--aloft-surface, #fff);
    --raised: var(--aloft-raised, #f3f5f7); --border: var(--aloft-border, #8b95a1); --accent: var(--aloft-accent, #1a56c4);
    --on-accent: var(--aloft-on-accent, #fff); --good: var(--aloft-good, #17713c); --warn: var(--aloft-warn, #8a5200); --bad: var(--aloft-bad, #b3261e);
    --radius: var(--aloft-radius, 10px); font: 1rem/1.45 var(--aloft-font, system-ui, sans-serif); color: var(--text); color-scheme: light dark; }
  @media (prefers-color-scheme: dark) { :host { --text: var(--aloft-text, #e8ecf1); --quiet: var(--aloft-quiet, #aab4c0); --surface: var(--aloft-surface, #171b21);
    --raised: var(--aloft-raised, #232932); --border: var(--aloft-border, #6c7783); --accent: var(--aloft-accent, #8ab4ff); --on-accent: var(--aloft-on-accent, #0c1a33);
    --good: var(--aloft-good, #7bd99c); --warn: var(--aloft-warn, #f2bd6b); --bad: var(--aloft-bad, #ffb0a8); } }
  :host([hidden]), [hidden] { display: none !important; }
  *, ::before { box-sizing: border-box; }
  button { font: inherit; color: var(--text); background: var(--raised); border: 1px solid var(--border); border-radius: var(--radius);
    min-height: 2.25rem; padding: .3rem .75rem; cursor: pointer; }
  button.main { background: var(--accent); color: var(--on-accent); border-color: var(--accent); }
  button.bad { color: var(--bad); }
  button:hover { filter: brightness(.96); }
  :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
  svg { width: 1.1em; height: 1.1em; flex: none; fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
  h2, h3, p, ul, dl, dd { margin: 0; padding: 0; }
  h2 { font-size: 1.2rem; line-height: 1.3; } h2:focus, p:focus { outline: none; } h3 { font-size: .95rem; color: var(--quiet); margin-top: 1rem; }
  .row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
  .quiet { color: var(--quiet); font-size: .9rem; } .problem { color: var(--bad); }
  .spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  input, textarea { font: inherit; color: var(--text); background: var(--surface); border: 1px solid var(--border); border-radius: calc(var(--radius) / 2); padding: .35rem .5rem; }
  @media (forced-colors: active) { button { border-color: ButtonText; } }
`);

/** A style sheet of one element.
 * @param {string} css */
export function sheet(css) {
  const own = new CSSStyleSheet();
  own.replaceSync(css);
  return own;
}

/** An element that follows a database while it is on the page. */
export class DatabaseElement extends HTMLElement {
  /** @type {any} */ #own = null;
  /** @type {any} */ #bound = null;
  /** @type {Array<() => void>} */ #stops = [];

  /** @param {CSSStyleSheet} own */
  constructor(own) {
    super();
    this.root = this.attachShadow({ mode: 'open' });
    this.root.adoptedStyleSheets = [look, own];
  }
  get db() { return this.#own ?? provided; }
  set db(db) { this.#own = db; this.bind(); }
  connectedCallback() { elements.add(this); this.bind(); }
  disconnectedCallback() { elements.delete(this); this.bind(); }

  /** Follows the right database, or none. */
  bind() {
    const db = this.isConnected ? this.db : null;
    if (db === this.#bound) return;
    for (const stop of this.#stops) stop();
    this.#bound = db;
    this.#stops = db ? this.follow(db) : [];
  }
  /** Begins to follow; returns what ends it.
   * @param {any} _db @returns {Array<() => void>} */
  follow(_db) { return []; }

  /** @param {string} type @param {any} [detail] @returns {boolean} false when a listener prevented the default */
  emit(type, detail) { return this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true, cancelable: true })); }
}
