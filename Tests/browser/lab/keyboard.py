# SPDX-License-Identifier: Apache-2.0
# Uses a page as somebody without a mouse: Tab until the wanted control has the focus, then keys.
import re

STOPS_MAX = 120

#: The role and the name of what has the focus, through shadow roots.
FOCUSED = """() => {
  let node = document.activeElement;
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  if (!node || node === document.body) return ['', ''];
  const role = node.getAttribute('role') ?? { A: 'link', BUTTON: 'button', SELECT: 'combobox', TEXTAREA: 'textbox',
    INPUT: node.type === 'radio' || node.type === 'checkbox' ? node.type : 'textbox' }[node.tagName] ?? node.tagName.toLowerCase();
  const name = node.getAttribute('aria-label') ?? node.labels?.[0]?.textContent ?? node.textContent;
  return [role, (name ?? '').replace(/\\s+/g, ' ').trim()];
}"""


def focused(page):
    return tuple(page.evaluate(FOCUSED))


def walk_to(page, role, name):
    """Presses Tab until a control of this role whose name matches has the focus; a focus that is nowhere fails too."""
    seen = []
    for _ in range(STOPS_MAX):
        found_role, found_name = focused(page)
        if found_role == role and re.search(name, found_name):
            return
        seen.append(f'{found_role} {found_name!r}')
        page.keyboard.press('Tab')
    raise AssertionError(f'no {role} {name!r} can be reached with Tab; the focus was on {", ".join(seen[:25])}')


def choose(page, name):
    """Chooses a radio button: Tab to its group, then the arrow keys."""
    walk_to(page, 'radio', '')
    for _ in range(10):
        page.keyboard.press('Space')
        if re.search(name, focused(page)[1]):
            return
        page.keyboard.press('ArrowDown')
    raise AssertionError(f'no choice {name!r} can be reached with the arrow keys; the focus is on {focused(page)}')
