# SPDX-License-Identifier: Apache-2.0
# Checks of a page for people who use it by keyboard or by ear, or need contrast: our own, and the browser's own names.
from pathlib import Path

LOOK = Path(__file__).with_name('audit.js').read_text()
LOOK = LOOK[LOOK.index('() =>'):]
NAMED_ROLES = {'button', 'link', 'textbox', 'searchbox', 'combobox', 'listbox', 'checkbox', 'radio', 'radiogroup', 'spinbutton', 'slider',
               'switch', 'menuitem', 'tab', 'dialog', 'alertdialog', 'image', 'img', 'DateTime', 'InputTime', 'navigation'}


def problems(page):
    """Sentences about what is wrong on the page as it is now; none is good."""
    return page.evaluate(LOOK) + unnamed_controls(page)


def unnamed_controls(page):
    """Controls for which the browser tells a screen reader no name."""
    session = page.context.new_cdp_session(page)
    try:
        tree = session.send('Accessibility.getFullAXTree')['nodes']
    finally:
        session.detach()
    found = []
    for node in tree:
        role, name = node.get('role', {}).get('value'), node.get('name', {}).get('value', '').strip()
        if not node.get('ignored') and role in NAMED_ROLES and not name:
            found.append(f'a {role} without a name')
    return found
