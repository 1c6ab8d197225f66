// @ts-check
// SPDX-License-Identifier: Apache-2.0
// Shows where others are in a <textarea> or another element with a text: their cursors over it, and one line below it in words.
//
// A text area tells nobody where its letters are. So the same text is laid out invisibly in a box of the same shape, and a mark in it
// tells the place. Styles enter through the object model only, which every content security policy allows.

import { listenTo } from './text-handle.js';

/** What shapes the lines of a text area. */
const SHAPE = ['font', 'letter-spacing', 'word-spacing', 'text-transform', 'text-indent', 'text-align', 'direction', 'tab-size', 'padding'];

const SHEET = `
:host { display: block; position: relative; }
.view { position: absolute; overflow: hidden; pointer-events: none; }
.mirror { position: absolute; inset: 0 auto auto 0; box-sizing: border-box; white-space: pre-wrap; overflow-wrap: break-word; color: transparent; }
.cursor { position: relative; --colour: light-dark(hsl(var(--hue) 65% 27%), hsl(var(--hue) 65% 78%)); --on-colour: light-dark(#fff, #101412); }
.cursor::before { content: ''; position: absolute; inset: -.1em auto auto -1px; inline-size: 2px; block-size: 1.3em; background: var(--colour); }
.name { position: absolute; inset: auto auto 1em -1px; padding: 0 .35em; border-radius: .25em .25em .25em 0; background: var(--colour); color: var(--on-colour);
  font: 600 .6875rem/1.4 system-ui, sans-serif; letter-spacing: 0; text-indent: 0; text-transform: none; white-space: nowrap; animation: gone .2s 3s forwards; }
@keyframes gone { to { opacity: 0; } }
.name.below { inset: 1.35em auto auto -1px; border-radius: 0 .25em .25em .25em; }
.name.before { left: auto; right: -1px; }
.line { margin: 0; color: var(--aloft-quiet, inherit); font: inherit; font-size: .8125rem; }
.line:empty { display: none; }
@media (forced-colors: active) { .cursor { --colour: Highlight; --on-colour: HighlightText; forced-color-adjust: none; } }
`;

/** "Ana is writing here", "Ana and Ben are writing here", "Ana, Ben and 2 others are writing here".
 * @param {string[]} names */
export function writersInWords(names) {
  const [first, second, ...rest] = names;
  if (!first) return '';
  if (!second) return `${first} is writing here`;
  if (!rest.length) return `${first} and ${second} are writing here`;
  return `${first}, ${second} and ${rest.length === 1 ? '1 other' : `${rest.length} others`} are writing here`;
}

/** A hue that is a person's on every device.
 * @param {string} user */
export const hueOf = (user) => [...user].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9_973, 7) * 47 % 360;

/** Shows others until the returned function is called.
 * @param {Pick<import('./text-handle.js').Text, 'value'|'presence'|'onPresence'>
 *    & {subscribe:(fn:() => void) => () => void}} text
 * @param {HTMLElement} area @param {(names:string[]) => string} [words]
 * @param {(from:number, to:number) => string | Node} [piece] some of the text as it looks in the area */
export function showCursors(text, area, words = writersInWords, piece = (from, to) => text.value.slice(from, to)) {
  const document = area.ownerDocument;
  const host = document.createElement('div');
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(SHEET);
  root.adoptedStyleSheets = [sheet];
  const make = (/** @type {string} */ tag, /** @type {string} */ name, /** @type {any[]} */ ...children) => {
    const node = document.createElement(tag);
    node.className = name;
    node.append(...children);
    return node;
  };
  const mirror = make('div', 'mirror');
  const view = make('div', 'view', mirror);
  view.setAttribute('aria-hidden', 'true');
  const line = make('p', 'line');
  line.setAttribute('part', 'presence');
  line.setAttribute('role', 'status');
  root.append(view, line);
  area.after(host);
  let isPlanned = false;

  /** At most once a frame: a place in a text area costs laying its text out. */
  function plan() {
    if (isPlanned) return;
    isPlanned = true;
    requestAnimationFrame(() => { isPlanned = false; draw(); });
  }

  function draw() {
    const others = text.presence;
    const said = words([...new Set(others.map((other) => other.name))]);
    if (line.textContent !== said) line.textContent = said;
    mirror.replaceChildren();
    view.hidden = !others.length || !area.offsetParent;
    if (view.hidden) return;
    shape();
    let at = 0;
    for (const { cursor, user, name } of [...others].sort((a, b) => a.cursor - b.cursor)) {
      const mark = make('span', 'cursor', '\u200B', make('span', 'name', name));
      mark.style.setProperty('--hue', String(hueOf(user)));
      mirror.append(piece(at, cursor), mark);
      at = cursor;
    }
    // The word that a cursor stands in must break where it breaks in the area.
    mirror.append(/^\S*/.exec(text.value.slice(at, at + 200))?.[0] ?? '');
    place();
  }

  function shape() {
    const style = getComputedStyle(area);
    for (const property of SHAPE) mirror.style.setProperty(property, style.getPropertyValue(property));
    mirror.style.width = view.style.width = `${area.clientWidth}px`;
    view.style.height = `${area.clientHeight}px`;
    // From the host, which moves with the area when the page above them changes.
    view.style.left = `${area.offsetLeft + area.clientLeft - host.offsetLeft}px`;
    view.style.top = `${area.offsetTop + area.clientTop - host.offsetTop}px`;
  }

  function place() {
    mirror.style.transform = `translate(${-area.scrollLeft}px, ${-area.scrollTop}px)`;
    for (const cursor of /** @type {NodeListOf<HTMLElement>} */ (mirror.querySelectorAll('.cursor'))) {
      const name = cursor.querySelector('.name');
      // A name stays inside the area: below the line at the top, before the cursor at the right.
      name?.classList.toggle('below', cursor.offsetTop - area.scrollTop < 18);
      name?.classList.toggle('before', cursor.offsetLeft > area.clientWidth / 2);
    }
  }

  const resized = new ResizeObserver(plan);
  resized.observe(area);
  const stops = [text.onPresence(plan), text.subscribe(plan), listenTo(area, 'scroll', place)];
  plan();
  return () => {
    for (const stop of stops) stop();
    resized.disconnect();
    host.remove();
  };
}
