# SPDX-License-Identifier: Apache-2.0
# A new version of the app arrives as a whole or not at all, and a person decides when to use it.
import shutil

from lab import field_visits as app
from lab.waiting import same, until

CHECK = "async () => (await import('/aloft/aloft.js')).install().then((installation) => installation.check())"
VERSION = "async () => (await import('/aloft/aloft.js')).install().then((installation) => installation.version())"


def copy_of_the_app(world, name='site'):
    site = world.folder / name
    shutil.copytree(world.repository('Examples/FieldVisits/web'), site)
    return site


def rename(world, site, name):
    """A new version of the app, which shows another brand."""
    before = world.repository('Examples/FieldVisits/web/shell.js').read_text()
    after = before.replace("null, 'Field Visits')", f"null, '{name}')")
    assert after != before, 'the brand of the shell was not found'
    (site / 'shell.js').write_text(after)


def promise(world, site, version):
    """Puts the list of another version's files into the app, in place of the list that the server makes of what is there."""
    built = world.settings.root / 'build/web'
    world.run('node', 'Scripts/precache.mjs', '--out', version / 'precache.json', '--skip', '.gz', '--skip', 'field-visits.wasm',
              f'/={version}', f'/aloft/={built}', f'/aloft/aloft.wasm={built}/field-visits.wasm')
    shutil.move(version / 'precache.json', site / 'precache.json')


def brand(page):
    return page.locator('.brand').text_content().strip()


def update_is_offered(world):
    """an update of the app is offered, not forced; once applied, the new version runs"""
    site = copy_of_the_app(world)
    server = world.demo('--app', str(site))
    mia = world.device('mia', server)
    app.enter(mia, 'mia')
    page = mia.page
    visit = app.create_visit(page, 'Before the update')
    old = page.evaluate(VERSION)

    rename(world, site, 'Field Visits Two')
    same(page.evaluate(CHECK), True, 'the update is found')
    offer = page.get_by_text('A new version is ready.')
    offer.wait_for()
    same([brand(page), page.evaluate(VERSION)], ['Field Visits', old], 'the page keeps its version until somebody asks')
    page.get_by_role('button', name='Reload').click()
    until('the new version runs', lambda: page.locator('.brand').count() and brand(page) == 'Field Visits Two')
    assert page.evaluate(VERSION) != old
    until('the data is there', lambda: app.get(page, 'visits', visit))
    server.stop()
    page.reload()
    until('the new version runs without the server', lambda: page.locator('.brand').count() and brand(page) == 'Field Visits Two')


def broken_update_changes_nothing(world):
    """an update of which a required file is missing changes nothing"""
    site = copy_of_the_app(world)
    server = world.demo('--app', str(site))
    mia = world.device('mia', server)
    app.enter(mia, 'mia')
    page = mia.page
    old = page.evaluate(VERSION)

    next_version = copy_of_the_app(world, 'next')
    rename(world, next_version, 'Field Visits Two')
    promise(world, site, next_version)
    same(page.evaluate(CHECK), False, 'no update is offered when a file does not match its hash')
    rename(world, next_version, 'Field Visits Three')
    (site / 'shell.js').unlink()
    promise(world, site, next_version)
    same(page.evaluate(CHECK), False, 'no update is offered when a file is missing')
    same(page.get_by_text('A new version is ready.').count(), 0, 'offers on the page')
    for is_up in (True, False):
        if not is_up:
            server.stop()
        page.reload()
        page.get_by_role('heading', name='Stores', exact=True).wait_for()
        same([brand(page), page.evaluate(VERSION)], ['Field Visits', old], 'the old version runs')
