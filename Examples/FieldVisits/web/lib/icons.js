// SPDX-License-Identifier: Apache-2.0
// The line icons of the app: each is a list of paths on a 24 by 24 grid.
// @ts-check

const paths = {
  store: ['M4 10v9.5h16V10', 'M3 7.5 5 4h14l2 3.5', 'M3 7.5a3 3 0 0 0 6 0 3 3 0 0 0 6 0 3 3 0 0 0 6 0', 'M10 19.5V14h4v5.5'],
  visits: ['M9 4.5H6.5A1.5 1.5 0 0 0 5 6v13a1.5 1.5 0 0 0 1.5 1.5h11A1.5 1.5 0 0 0 19 19V6a1.5 1.5 0 0 0-1.5-1.5H15', 'M9 3h6v3.5H9z', 'm8.5 13.5 2.5 2.5 4.5-5'],
  product: ['m12 3 8 4.2v9.6L12 21l-8-4.2V7.2z', 'm4 7.2 8 4.3 8-4.3', 'M12 11.5V21'],
  device: ['M8 2.5h8A1.5 1.5 0 0 1 17.5 4v16a1.5 1.5 0 0 1-1.5 1.5H8A1.5 1.5 0 0 1 6.5 20V4A1.5 1.5 0 0 1 8 2.5z', 'M11 18.5h2'],
  search: ['M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13z', 'm15.5 15.5 5 5'],
  sort: ['M7 4v16', 'm3.5 16.5 3.5 3.5 3.5-3.5', 'M13 6h8', 'M13 11h6', 'M13 16h4'],
  tag: ['M3.5 12.5v-8a1 1 0 0 1 1-1h8l8 8a1.4 1.4 0 0 1 0 2l-7 7a1.4 1.4 0 0 1-2 0z', 'M8 8h.01'],
  plus: ['M12 5v14', 'M5 12h14'],
  minus: ['M5 12h14'],
  close: ['m6 6 12 12', 'M18 6 6 18'],
  back: ['m14.5 5.5-6.5 6.5 6.5 6.5'],
  down: ['m5.5 9 6.5 6.5L18.5 9'],
  edit: ['M4 20h4L19.5 8.5a2 2 0 0 0 0-2.8l-1.2-1.2a2 2 0 0 0-2.8 0L4 16z', 'm13.5 6.5 4 4'],
  trash: ['M4 6.5h16', 'M9 6.5V4h6v2.5', 'M6 6.5 7 20h10l1-13.5', 'M10 10.5v6', 'M14 10.5v6'],
  people: ['M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z', 'M2.5 20a6.5 6.5 0 0 1 13 0', 'M16 4.5a3.5 3.5 0 0 1 0 6.3', 'M18 14.5a6.5 6.5 0 0 1 3.5 5.5'],
  calendar: ['M5 5.5h14A1.5 1.5 0 0 1 20.5 7v12a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 19V7A1.5 1.5 0 0 1 5 5.5z', 'M3.5 10h17', 'M8 3v4', 'M16 3v4'],
  place: ['M12 21s7-6.2 7-11.5a7 7 0 1 0-14 0C5 14.8 12 21 12 21z', 'M12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z'],
  phone: ['M5 3.5h4l1.5 5-2.2 1.7a12 12 0 0 0 5.5 5.5l1.7-2.2 5 1.5v4a1.5 1.5 0 0 1-1.5 1.5C10.5 20.5 3.5 13.5 3.5 5A1.5 1.5 0 0 1 5 3.5z'],
  open: ['M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z'],
  closed: ['M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z', 'm8.5 12.5 2.5 2.5 4.5-5'],
  onDevice: ['M8 2.5h8A1.5 1.5 0 0 1 17.5 4v16a1.5 1.5 0 0 1-1.5 1.5H8A1.5 1.5 0 0 1 6.5 20V4A1.5 1.5 0 0 1 8 2.5z', 'm9.5 12 2 2 3-3.5'],
  waiting: ['M12 20V9', 'm7 13.5 5-5 5 5', 'M5 4h14'],
  synced: ['M7 18.5a4 4 0 0 1-.5-8 5.5 5.5 0 0 1 10.7-.8A4.4 4.4 0 0 1 17 18.5z', 'm9.5 13.5 2 2 3.5-4'],
  saving: ['M12 4v3', 'M12 17v3', 'M4 12h3', 'M17 12h3'],
  attention: ['M12 3.5 22 20.5H2z', 'M12 10v4.5', 'M12 17.5h.01'],
  offline: ['M3 9a13 13 0 0 1 5-3', 'M21 9a13 13 0 0 0-9-3.5', 'M6.5 13a8 8 0 0 1 4-2.2', 'M17.5 13a8 8 0 0 0-1.5-1.2', 'M12 18h.01', 'M4 3l16 18'],
  info: ['M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z', 'M12 11v5', 'M12 8h.01'],
  undo: ['M8.5 4.5 4 9l4.5 4.5', 'M4 9h9.5a5.5 5.5 0 0 1 0 11H9'],
  bold: ['M7 4.5h6a3.75 3.75 0 0 1 0 7.5H7z', 'M7 12h7a3.75 3.75 0 0 1 0 7.5H7z'],
  italic: ['M10 4.5h7', 'M7 19.5h7', 'm14 4.5-4 15'],
  link: ['M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7L11.5 6.8', 'M14 10a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7l1.6-1.6'],
  redo: ['M15.5 4.5 20 9l-4.5 4.5', 'M20 9h-9.5a5.5 5.5 0 0 0 0 11H15'],
  versions: ['M4 4.5h7v15H4z', 'M13 4.5h7v15h-7z'],
  leave: ['M14 4h4.5A1.5 1.5 0 0 1 20 5.5v13a1.5 1.5 0 0 1-1.5 1.5H14', 'M4 12h11', 'm7.5 8-4 4 4 4'],
};

/** @typedef {keyof typeof paths} IconName */

const svg = 'http://www.w3.org/2000/svg';

/**
 * An icon that assistive technology does not read: a text beside it, or the label of its button, says the same.
 * @param {IconName} name
 * @param {string} [className]
 */
export function icon(name, className = '') {
  const node = document.createElementNS(svg, 'svg');
  node.setAttribute('viewBox', '0 0 24 24');
  node.setAttribute('class', `icon ${className}`.trim());
  node.setAttribute('aria-hidden', 'true');
  node.setAttribute('focusable', 'false');
  for (const d of paths[name]) {
    const path = document.createElementNS(svg, 'path');
    path.setAttribute('d', d);
    node.append(path);
  }
  return node;
}

/** The mark of the app: a pin whose head is a storefront's awning, in two colours. */
export function brandMark() {
  const node = document.createElementNS(svg, 'svg');
  node.setAttribute('viewBox', '0 0 32 32');
  node.setAttribute('aria-hidden', 'true');
  node.setAttribute('focusable', 'false');
  for (const [d, fill] of [
    ['M16 2.5A11 11 0 0 0 5 13.5c0 7 7.5 13.3 10.3 15.7a1.1 1.1 0 0 0 1.4 0C19.5 26.8 27 20.5 27 13.5a11 11 0 0 0-11-11z', '#f2b544'],
    ['M9.5 11.5 11 8.5h10l1.5 3a2.2 2.2 0 0 1-4.3.5 2.2 2.2 0 0 1-4.4 0 2.2 2.2 0 0 1-4.3-.5zM11 15.3a3.4 3.4 0 0 0 2.8-.7 3.6 3.6 0 0 0 4.4 0 3.4 3.4 0 0 0 2.8.7v3.7H11z', '#0f372f'],
  ]) {
    const path = document.createElementNS(svg, 'path');
    path.setAttribute('d', d);
    path.setAttribute('fill', fill);
    node.append(path);
  }
  return node;
}
