# SPDX-License-Identifier: Apache-2.0
# Signing out never loses work silently and leaves nothing for the next person.
from lab import field_visits as app
from lab.server import ThirdParty
from lab.waiting import same, until

DATABASES = 'async () => (await indexedDB.databases()).map(({ name }) => name)'


def unsynced_work_is_named_and_kept(world):
    """signing out with unsynced changes says how many, and keeps them unless they are discarded"""
    server = world.demo()
    mia = world.device('mia', server)
    app.enter(mia, 'mia')
    page = mia.page
    mia.network.mode('refuse')
    ids = [app.create_visit(page, f'Unsent {i}') for i in range(3)]
    app.go(page, '#/device')
    page.get_by_role('button', name='Sign out').click()
    dialog = page.get_by_role('dialog')
    dialog.get_by_role('heading', name='3 changes would be lost').wait_for()
    dialog.get_by_role('button', name='Stay signed in').click()
    same(app.status(page)['queued'], 3, 'the changes are still there')
    refused = page.evaluate("""async () => {
      const { signOut } = await import('/aloft/aloft.js');
      return signOut(document.querySelector('aloft-status').db).then(() => null, ({ code, count }) => [code, count]);
    }""")
    same(refused, ['unsynced', 3], 'the platform refuses by itself, whatever the app asks')
    mia.network.mode('up')
    app.wait_until_sent(page)
    held = ThirdParty(server, 'ada').records('visits')
    same([id in held for id in ids], [True, True, True], 'the changes arrived')


def next_person_sees_nothing(world):
    """after signing out, another person on the same device sees none of the first one's data"""
    server = world.demo()
    device = world.device('mia', server)
    app.enter(device, 'mia')
    page = device.page
    device.network.mode('refuse')
    visit = app.create_visit(page, 'Secret of Mia')
    app.go(page, '#/device')
    page.get_by_role('button', name='Sign out').click()
    page.get_by_role('button', name='Sign out and lose 1 change').click()
    page.get_by_role('heading', name='Sign in').wait_for()
    same([name for name in page.evaluate(DATABASES) if 'mia' in name], [], "databases of the first person")

    device.network.mode('up')
    app.enter(device, 'noah')
    same(app.get(page, 'visits', visit), None, 'the discarded visit')
    teams = app.on_db(page, "async (db) => [...new Set((await db.query({ from: 'visits' })).map(({ team }) => team))]")
    same(teams, ['south'], "teams of the visits on Noah's device")
    same(ThirdParty(server, 'ada').record('visits', visit), None, 'the discarded visit on the server')
    shown = until('the list has rows', lambda: page.locator('.rows li').count())
    assert shown > 0 and page.get_by_text('Secret of Mia').count() == 0


def stale_name_opens_nothing(world):
    """a name that the browser's quick storage has kept by mistake opens no database, and its person's is found all the same"""
    mia = world.device('mia', world.demo())
    app.enter(mia, 'mia')
    visit = app.create_visit(mia.page, 'Still there')
    found = mia.page.evaluate("""async (visit) => {
      localStorage.setItem('aloft:session', JSON.stringify({ user: 'ghost' }));
      const { open } = await import('/aloft/aloft.js');
      const db = await open({ sync: false });
      const row = await db.get('visits', visit);
      await db.close();
      return [db.user, row?.id === visit, (await indexedDB.databases()).filter(({ name }) => name.includes('ghost')).length];
    }""", visit)
    same(found, ['mia', True, 0], 'whose data was opened, whether it is all there, and how many databases the other name has')
