// SPDX-License-Identifier: Apache-2.0
// Looks at a page as it is now and returns what is wrong with it for people who cannot see it well: one sentence each.
() => {
  const problems = [];
  const TEXT_CONTRAST_MIN = 4.5, LARGE_CONTRAST_MIN = 3, LARGE_PIXELS = 24, LARGE_BOLD_PIXELS = 18.66, BOLD = 700;

  /** Every element, through open shadow roots. */
  function* everything(root) {
    for (const node of root.querySelectorAll('*')) {
      yield node;
      if (node.shadowRoot) yield* everything(node.shadowRoot);
    }
  }
  const parentOf = (node) => node.assignedSlot ?? node.parentElement ?? (node.getRootNode() instanceof ShadowRoot ? node.getRootNode().host : null);
  const isShown = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true });
  const describe = (node) => `<${node.localName}${node.className && typeof node.className === 'string' ? `.${node.className.replaceAll(' ', '.')}` : ''}>`;

  // A modal dialog makes everything outside it inert, so only the dialog counts.
  const modal = [...everything(document)].find((node) => node.matches(':modal'));
  const nodes = [...everything(document)].filter((node) => {
    if (!isShown(node)) return false;
    for (let at = node; modal && at !== modal; at = parentOf(at)) if (!at) return false;
    return true;
  });

  /** A colour as red, green, blue (0…255) and alpha. */
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const parsed = new Map();
  function colour(text) {
    if (!parsed.has(text)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = text;
      canvas.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
      parsed.set(text, [red, green, blue, alpha / 255]);
    }
    return parsed.get(text);
  }
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  /** What is painted behind a node: its own and its ancestors' backgrounds, down to the page. */
  function behind(node) {
    const layers = [];
    for (let at = node; at; at = parentOf(at)) {
      const layer = colour(getComputedStyle(at).backgroundColor);
      if (layer[3] > 0) layers.push(layer);
      if (layer[3] === 1) break;
    }
    return layers.reverse().reduce((under, layer) => over(layer, under), colour('Canvas'));
  }
  function luminance([red, green, blue]) {
    const [r, g, b] = [red, green, blue].map((value) => { const v = value / 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
  function contrast(a, b) {
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  }
  function checkContrast(node, style, text) {
    const ground = behind(node);
    const ratio = contrast(over(colour(style.color), ground), ground);
    const pixels = parseFloat(style.fontSize);
    const isLarge = pixels >= LARGE_PIXELS || (pixels >= LARGE_BOLD_PIXELS && Number(style.fontWeight) >= BOLD);
    if (ratio < (isLarge ? LARGE_CONTRAST_MIN : TEXT_CONTRAST_MIN)) {
      problems.push(`contrast ${ratio.toFixed(2)} of "${text.slice(0, 40)}" in ${describe(node)}`);
    }
  }
  for (const node of nodes) {
    const own = [...node.childNodes].filter((child) => child.nodeType === Node.TEXT_NODE && child.data.trim()).map((child) => child.data.trim()).join(' ');
    const isDisabled = node.closest(':disabled, [aria-disabled=true]');
    if (own && !isDisabled && node.getClientRects().length) checkContrast(node, getComputedStyle(node), own);
    if (node.placeholder) checkContrast(node, { ...picked(getComputedStyle(node, '::placeholder')) }, node.placeholder);
    if (node.localName === 'img' && !node.hasAttribute('alt')) problems.push(`an image without alt: ${node.src}`);
    if (node.localName === 'svg' && !node.closest('[aria-hidden=true]') && !node.getAttribute('aria-label') && !node.querySelector('title')) {
      problems.push(`a picture that is neither named nor hidden in ${describe(parentOf(node))}`);
    }
  }
  function picked({ color, fontSize, fontWeight }) { return { color, fontSize, fontWeight }; }

  // A dialog begins a sequence of headings of its own.
  let level = modal ? 1 : 0;
  for (const node of nodes) {
    const now = Number(/^H([1-6])$/.exec(node.tagName)?.[1] ?? 0);
    if (!now) continue;
    if (now > level + 1) problems.push(`heading h${now} "${node.textContent.trim()}" follows h${level}`);
    level = now;
  }
  if (!modal && nodes.filter((node) => node.tagName === 'H1').length !== 1) problems.push('not exactly one h1');

  const ids = nodes.filter((node) => node.id && node.getRootNode() === document).map((node) => node.id);
  for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) problems.push(`the id ${id} is used twice`);

  const page = document.scrollingElement;
  if (page.scrollWidth > innerWidth) problems.push(`the page is ${page.scrollWidth} pixels wide in a window of ${innerWidth}`);
  return problems;
}
