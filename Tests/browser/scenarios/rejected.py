# SPDX-License-Identifier: Apache-2.0
# The server refuses one change; it waits for its author, and everything else goes on.
from lab import field_visits as app
from lab.server import ThirdParty
from lab.waiting import same, until


def refusal_parks_alone(world):
    """a rejected change parks alone: later changes of other records go through, the tray shows it, discarding restores"""
    server = world.demo()
    mia = world.device('mia', server)
    app.enter(mia, 'mia')
    page = mia.page
    visit = app.create_visit(page, 'Not yours to delete')
    app.wait_until_sent(page)

    mia.network.mode('refuse')
    app.open_visit(page, visit)
    page.get_by_role('button', name='Delete visit').click()
    page.get_by_role('dialog').get_by_role('button', name='Delete visit').click()
    page.get_by_role('heading', name='Visits', exact=True).wait_for()
    until('the visit is gone here', lambda: app.get(page, 'visits', visit) is None)
    later = app.create_visit(page, 'Made after the delete')
    mia.network.mode('up')
    until('the later visit is on the server', lambda: app.sync_now(page) and ThirdParty(server, 'ada').record('visits', later))
    app.wait_for_state(page, 'attention')
    assert '1 change needs you' in app.badge(page)[1], app.badge(page)
    same([(entry['state'], entry['action']) for entry in app.pending(page)], [('rejected', 'delete')], 'what waits for Mia')
    same(ThirdParty(server, 'ada').record('visits', visit)['title'], 'Not yours to delete', 'the visit is on the server')

    tray = app.open_tray(page)
    tray.get_by_text('Delete “Not yours to delete”').wait_for()
    tray.get_by_role('button', name='Discard').click()
    tray.get_by_role('button', name='Discard for good').click()
    tray.get_by_text('Everything is synced.').wait_for()
    until('the visit is back', lambda: app.get(page, 'visits', visit))
    app.wait_for_state(page, 'synced')
