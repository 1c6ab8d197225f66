// SPDX-License-Identifier: Apache-2.0
// Runs in every page before the app: notes each state the badge shows, so that a test can ask what it said in between.
(() => {
  const shown = [];
  globalThis.shownStates = shown;
  const note = (node) => {
    const state = node.getAttribute?.('state');
    if (state && shown.at(-1)?.state !== state) shown.push({ state, at: performance.timeOrigin + performance.now() });
  };
  new MutationObserver((records) => {
    for (const { target } of records) if (target.localName === 'aloft-status') note(target);
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ['state'] });
})();
