# SPDX-License-Identifier: Apache-2.0
# Field Visits without a mouse, on the narrowest phone, in the dark, and through a screen reader.
from lab import field_visits as app
from lab.audit import problems
from lab.keyboard import focused, walk_to
from lab.server import ThirdParty
from lab.waiting import same, until

NARROWEST = {'width': 320, 'height': 640}


def keyboard_only(world):
    """with the keyboard only: sign in, make a visit, count, close it with a summary"""
    server = world.demo()
    mia = world.device('mia', server)
    page = mia.page
    page.get_by_role('heading', name='Sign in').wait_for()
    press = page.keyboard.press
    walk_to(page, 'textbox', 'User name')
    page.keyboard.type('mia')
    walk_to(page, 'textbox', 'Password')
    page.keyboard.type('demo')
    press('Enter')
    page.get_by_role('heading', name='Stores', exact=True).wait_for()
    app.wait_for_state(page, 'synced')

    walk_to(page, 'link', '^Visits$')
    press('Enter')
    page.get_by_role('heading', name='Visits', exact=True).wait_for()
    same(focused(page)[1], 'Visits', 'the heading of the new screen has the focus')
    walk_to(page, 'button', 'New visit')
    press('Enter')
    page.get_by_role('dialog').wait_for()
    walk_to(page, 'textbox', 'What for')
    page.keyboard.type('By keyboard')
    press('Enter')
    page.get_by_role('heading', name='By keyboard').wait_for()
    visit = page.evaluate("location.hash.split('/').pop()")
    walk_to(page, 'button', 'Footfall: add 10')
    press('Enter')
    press('Space')
    until('both presses count', lambda: app.get(page, 'visits', visit)['footfall'] == 20)
    page.evaluate('document.activeElement.blur()')
    walk_to(page, 'button', 'Close visit')
    press('Enter')
    dialog = page.get_by_role('dialog')
    dialog.wait_for()
    press('Escape')
    dialog.wait_for(state='detached')
    assert 'Close visit' in focused(page)[1], f'after Escape the focus is back where it was, not on {focused(page)}'
    press('Enter')
    walk_to(page, 'textbox', 'Summary')
    page.keyboard.type('Closed without a mouse')
    walk_to(page, 'button', '^Close visit$')
    press('Enter')
    dialog.wait_for(state='detached')
    app.wait_until_sent(page)
    found = ThirdParty(server, 'ada').record('visits', visit)
    same([found['status'], found['summary'], found['footfall']], ['closed', 'Closed without a mouse', 20], 'the visit on the server')


def every_screen_in_light(world):
    """every screen in light colours at 320 pixels: nothing scrolls sideways, controls have names, headings are in order, text has contrast"""
    look_at_every_screen(world, 'light')


def every_screen_in_dark(world):
    """every screen in dark colours at 320 pixels: nothing scrolls sideways, controls have names, headings are in order, text has contrast"""
    look_at_every_screen(world, 'dark')


def look_at_every_screen(world, colours):
    server = world.demo()
    ada = world.device('ada', server, viewport=NARROWEST, color_scheme=colours)
    page = ada.page
    page.get_by_role('heading', name='Sign in').wait_for()
    found = named(page, 'sign in')
    app.enter(ada, 'ada')
    [store] = app.on_db(page, "(db) => db.query({ from: 'stores', where: { team: 'north' }, orderBy: [['id', 'asc']], limit: 1 })")
    visit = app.create_visit(page, 'A long title that has to wrap somewhere on a narrow screen', tags=['priority', 'cold chain', 'owner present'],
                             notes='Notes', summary='Summary')
    app.wait_until_sent(page)
    found += screens(page, store, visit) + forms(page, visit) + troubles(world, server, ada, visit) + badges(page)
    same(found, [], 'problems')


def screens(page, store, visit):
    found = []
    for path, heading in (('stores', 'Stores'), (f'stores/{store["id"]}', store['name']), ('visits', 'Visits'), (f'visits/{visit}', 'A long title'),
                          ('products', 'Products'), ('device', 'This device')):
        app.go(page, f'#/{path}')
        page.get_by_role('heading', name=heading).first.wait_for()
        found += named(page, path)
    return found


def forms(page, visit):
    found = []
    for path, button in (('stores', 'New store'), ('visits', 'New visit'), (f'visits/{visit}', 'Close visit'), (f'visits/{visit}', 'Delete visit'),
                         ('products', 'New product'), ('device', 'Sign out')):
        app.go(page, f'#/{path}')
        page.get_by_role('button', name=button).first.click()
        page.get_by_role('dialog').wait_for()
        found += named(page, f'{path}, {button}')
        page.keyboard.press('Escape')
        page.get_by_role('dialog').wait_for(state='detached')
    return found


def troubles(world, server, ada, visit):
    """Without a network: the banner, a record that waits, the tray; then a conflict and two versions of a text, with their choosers."""
    page = ada.page
    mia = world.device('mia', server)
    app.enter(mia, 'mia')
    ada.network.mode('refuse')
    # The text first: what follows a conflict in the same record waits behind it.
    app.update_visit(page, visit, {'summary': 'Summary of Ada'})
    app.update_visit(page, visit, {'status': 'closed'})
    app.go(page, f'#/visits/{visit}')
    app.wait_for_state(page, 'unreachable', 'offline')
    found = named(page, 'a visit without a network')
    app.open_tray(page)
    found += named(page, 'the tray')
    page.keyboard.press('Escape')

    for changes in ({'status': 'closed'}, {'status': 'open'}, {'summary': 'Summary of Mia'}):
        app.update_visit(mia.page, visit, changes)
    app.wait_until_sent(mia.page)
    ada.network.mode('up')
    until('the conflict has come', lambda: app.sync_now(page)['conflicts'] == 1)
    page.get_by_role('region', name='Summary: 2 versions').wait_for()
    found += named(page, 'two versions of the summary')
    app.open_tray(page).get_by_role('button', name='Choose a version').click()
    page.get_by_role('radio', name='Keep yours').wait_for()
    return found + named(page, 'the conflict chooser')


def badges(page):
    """The badge in every state, of which some pass too quickly to be met: it is told them."""
    page.reload()
    app.wait_for_state(page, 'attention')
    found = []
    for state in ('starting', 'synced', 'syncing', 'queued', 'offline', 'unreachable', 'slow', 'portal', 'signedOut', 'attention', 'notSaved'):
        page.evaluate("""(state) => {
          const status = { state, queued: 3, parked: 1, conflicts: 1, lastSynced: 0 };
          document.querySelector('aloft-status').db = { status, onStatus: () => () => {} };
        }""", state)
        same(page.locator('aloft-status').get_attribute('state'), state, 'the badge shows the state')
        found += named(page, f'the badge, {state}')
    return found


def named(page, screen):
    return [f'{screen}: {problem}' for problem in problems(page)]
