# SPDX-License-Identifier: Apache-2.0
# A person goes on working while the server is away, and everything arrives when it is back.
from lab import field_visits as app
from lab.server import ThirdParty
from lab.waiting import same, until

UNSYNCED_STATES = {'starting', 'syncing', 'queued', 'offline', 'unreachable'}


def work_survives_without_the_server(world):
    """created and edited offline, reloaded offline, reconnected: the server has it, a second device shows it, the badge tells the truth"""
    server = world.demo()
    mia, ada = world.device('mia', server), world.device('ada', server)
    app.enter(mia, 'mia')
    app.enter(ada, 'ada')

    server.stop()
    app.forget_states(mia.page)
    visit = app.write_visit(mia.page, None, 'Cellar check')
    app.write(mia.page, 'Notes', 'Written with no server')
    mia.page.get_by_role('button', name='Footfall: add 10').click()
    app.wait_for_state(mia.page, 'unreachable', 'offline', 'queued')
    same(mia.page.locator('.head .state').text_content().count('Synced'), 0, 'the record does not claim to be synced')
    same(synced_again(mia.page), [], 'the badge never said "synced" while the changes waited')
    assert 'waiting' in app.badge(mia.page)[1], f'the badge says how much waits: {app.badge(mia.page)}'

    mia.page.reload()
    mia.page.get_by_role('heading', name='Cellar check').wait_for()
    until('the notes are there after the reload', lambda: mia.page.get_by_label('Notes').input_value() == 'Written with no server')
    same(app.get(mia.page, 'visits', visit)['footfall'], 10, 'the count after the reload')
    same(set(app.states_shown(mia.page)) - UNSYNCED_STATES, set(), 'states the badge showed after the reload without a server')

    server.start()
    app.sync_now(mia.page)
    app.wait_for_state(mia.page, 'synced')
    same(app.pending(mia.page), [], 'nothing waits when the badge says "synced"')
    found = ThirdParty(server, 'ada').record('visits', visit)
    same([found[name] for name in ('title', 'notes', 'footfall')], ['Cellar check', 'Written with no server', 10], 'the visit on the server')
    app.sync_now(ada.page)
    app.open_visit(ada.page, visit)
    until('the second device shows the notes', lambda: ada.page.get_by_label('Notes').input_value() == 'Written with no server')
    ada.page.get_by_role('heading', name='Cellar check').wait_for()


def synced_again(page):
    """`synced` among the states after the first one, which was shown before the work began."""
    return [state for state in app.states_shown(page)[1:] if state == 'synced']


def a_change_reaches_the_other_device_by_itself(world):
    """a change on one device shows on another by itself, without a reload or a press"""
    server = world.demo()
    mia, ada = world.device('mia', server), world.device('ada', server)
    app.enter(mia, 'mia')
    app.enter(ada, 'ada')
    visit = app.create_visit(mia.page, 'Seen at once')
    until('the other device has the visit', lambda: app.get(ada.page, 'visits', visit))
