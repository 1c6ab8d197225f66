# SPDX-License-Identifier: Apache-2.0
# Two people change one visit while neither can reach the server; what each rule makes of it.
from lab import field_visits as app
from lab.keyboard import choose, walk_to
from lab.server import ThirdParty
from lab.waiting import same, until


def two_offline(world, **fields):
    """Mia and Ada hold one visit, and both are cut off. Returns server, mia, ada, the visit's id."""
    server = world.demo()
    mia, ada = world.device('mia', server), world.device('ada', server)
    app.enter(mia, 'mia')
    app.enter(ada, 'ada')
    visit = app.create_visit(mia.page, 'Shared visit', **fields)
    app.wait_until_sent(mia.page)
    until('the other device has the visit', lambda: app.get(ada.page, 'visits', visit))
    app.wait_until_sent(ada.page)
    for device in (mia, ada):
        device.network.mode('refuse')
    return server, mia, ada, visit


def reconnect(first, *others):
    """One device after the other sends what it has; then all fetch the rest."""
    for device in (first, *others):
        device.network.mode('up')
        until('the queue is empty', lambda: app.sync_now(device.page)['queued'] == 0, 60)
    for device in (first, *others):
        app.sync_now(device.page)


def everywhere(server, visit, devices):
    """The visit as the server and every device have it."""
    rows = [ThirdParty(server, 'ada').record('visits', visit)]
    return rows + [app.get(device.page, 'visits', visit) for device in devices]


def different_fields_both_survive(world):
    """two devices edit different fields of one record offline: both edits survive"""
    server, mia, ada, visit = two_offline(world)
    app.update_visit(mia.page, visit, {'title': 'Named by Mia'})
    app.update_visit(ada.page, visit, {'planned': 1_800_000_000_000})
    reconnect(mia, ada)
    for row in everywhere(server, visit, [mia, ada]):
        same([row['title'], row['planned']], ['Named by Mia', 1_800_000_000_000], 'title and plan')
    same(app.pending(mia.page) + app.pending(ada.page), [], 'nobody is asked anything')


def guarded_field_asks(world):
    """two devices edit the same guarded field offline: a conflict, chosen with the keyboard, and the choice syncs"""
    server, mia, ada, visit = two_offline(world)
    app.update_visit(ada.page, visit, {'status': 'closed'})
    app.update_visit(ada.page, visit, {'status': 'open'})
    app.open_visit(mia.page, visit)
    mia.page.get_by_role('radio', name='Closed').check(force=True)
    until('the change is on the device', lambda: [entry['state'] for entry in app.pending(mia.page)] == ['queued'])
    reconnect(ada, mia)
    app.wait_for_state(mia.page, 'attention')
    same(app.pending(mia.page)[0]['state'], 'conflict', "Mia's change")
    same(ThirdParty(server, 'ada').record('visits', visit)['status'], 'open', 'the server keeps its value until somebody chooses')

    page = mia.page
    walk_to(page, 'button', 'change needs you')
    page.keyboard.press('Enter')
    walk_to(page, 'button', 'Choose a version')
    page.keyboard.press('Enter')
    choose(page, 'Keep yours')
    walk_to(page, 'button', 'Use this version')
    page.keyboard.press('Enter')
    app.wait_until_sent(page)
    same(ThirdParty(server, 'ada').record('visits', visit)['status'], 'closed', 'the choice on the server')
    until('the choice on the other device', lambda: app.get(ada.page, 'visits', visit)['status'] == 'closed')


def counters_add_up(world):
    """two devices increment one counter offline: the sum counts"""
    server, mia, ada, visit = two_offline(world, footfall=5)
    for device, presses in ((mia, 3), (ada, 4)):
        app.open_visit(device.page, visit)
        for _ in range(presses):
            device.page.get_by_role('button', name='Footfall: add 1', exact=True).click()
        until('the presses are counted here', lambda: app.get(device.page, 'visits', visit)['footfall'] == 5 + presses)
    reconnect(mia, ada)
    same([row['footfall'] for row in everywhere(server, visit, [mia, ada])], [12, 12, 12], 'footfall on the server, on both devices')


def tags_remove_only_what_was_seen(world):
    """two devices add and remove tags offline: a remove takes only what its author had seen"""
    server, mia, ada, visit = two_offline(world, tags=['seen', 'kept'])
    for device, new, removed in ((mia, 'by mia', 'seen'), (ada, 'again', 'again')):
        app.open_visit(device.page, visit)
        device.page.get_by_label('Add a tag').fill(new)
        device.page.keyboard.press('Enter')
        device.page.get_by_role('button', name=f'Remove tag {removed}').click()
    # Both touch "seen": Mia removed it, Ada takes it off and puts it on again without knowing that.
    ada.page.get_by_role('button', name='Remove tag seen').click()
    ada.page.get_by_label('Add a tag').fill('seen')
    ada.page.keyboard.press('Enter')
    until('Ada sees her tag', lambda: 'seen' in app.get(ada.page, 'visits', visit)['tags'])
    reconnect(ada, mia)
    for row in everywhere(server, visit, [mia, ada]):
        same(sorted(row['tags']), ['by mia', 'kept', 'seen'], 'tags: the one added again survives the remove that had not seen it')


def manual_texts_are_both_kept(world):
    """two devices edit a manual field offline: both texts are kept and shown, and a person resolves them"""
    server, mia, ada, visit = two_offline(world)
    for device, text in ((mia, 'Mia wrote this'), (ada, 'Ada wrote that')):
        app.open_visit(device.page, visit)
        app.write(device.page, 'Summary', text)
    reconnect(mia, ada)
    chooser = ada.page.get_by_role('region', name='Summary: 2 versions')
    chooser.wait_for()
    shown = chooser.inner_text()
    assert 'Mia wrote this' in shown and 'Ada wrote that' in shown, f'both texts are shown: {shown}'
    same(len(app.get(mia.page, 'visits', visit)['$candidates']['summary']), 2, 'candidates on the other device')
    chooser.get_by_role('button', name='Keep both').click()
    app.wait_until_sent(ada.page)
    found = ThirdParty(server, 'ada').record('visits', visit)['summary']
    same(sorted(found.split('\n\n')), ['Ada wrote that', 'Mia wrote this'], 'the resolved text on the server')
    until('the other device shows the resolved text', lambda: app.get(mia.page, 'visits', visit)['summary'] == found)
    same(app.get(mia.page, 'visits', visit).get('$candidates'), None, 'no candidates are left')
