# SPDX-License-Identifier: Apache-2.0
# Networks that lie: an answer that never arrives, and a login page that answers everything with 200.
from lab import field_visits as app
from lab.server import ThirdParty
from lab.waiting import same, until


def lost_answer_is_harmless(world):
    """the answer to a push is cut after the server committed: the retry changes nothing and returns the original outcome"""
    server = world.demo()
    mia = world.device('mia', server)
    app.enter(mia, 'mia')
    visit = app.create_visit(mia.page, 'Counted once', footfall=1)
    app.wait_until_sent(mia.page)
    judged = server.judged('mia')

    for mode, options in (('ack_lost', {}), ('cut_after', {'cut_bytes': 30})):
        lost = mia.network.counts['answers_lost']
        before = ThirdParty(server, 'ada').record('visits', visit)['footfall']
        mia.network.mode(mode, **options)
        app.on_db(mia.page, """(db, visit) => {
          globalThis.outcome = null;
          const handle = db.update('visits', visit, { footfall: { $increment: 7 } });
          handle.synced.then((outcome) => { globalThis.outcome = outcome; });
          return handle.saved;
        }""", visit)
        judged += 1
        until('the server has committed the push', lambda: server.judged('mia') == judged)
        until('its answer was lost', lambda: mia.network.counts['answers_lost'] > lost)
        same(mia.page.evaluate('outcome'), None, 'no outcome is known while the answer is lost')
        assert app.status(mia.page)['queued'] == 1, 'the change still waits'
        assert app.badge(mia.page)[0] != 'synced', f'the badge does not claim to be synced: {app.badge(mia.page)}'
        versions = {row['id']: row['version'] for row in server.inspect('records') if row['id'] == visit}
        mia.network.mode('up')
        app.wait_until_sent(mia.page)
        assert mia.page.evaluate('outcome.outcome') in ('applied', 'merged'), 'the original outcome arrived'
        same(server.judged('mia'), judged, 'the retry was not judged again')
        same({row['id']: row['version'] for row in server.inspect('records') if row['id'] == visit}, versions, 'the record was not written again')
        same(ThirdParty(server, 'ada').record('visits', visit)['footfall'], before + 7, 'the increment counted once')


def portal_acknowledges_nothing(world):
    """a captive portal that answers 200 with HTML acknowledges nothing, the badge says so, and all is well when it is gone"""
    server = world.demo()
    mia = world.device('mia', server)
    app.enter(mia, 'mia')
    mia.network.mode('portal')
    app.forget_states(mia.page)
    visit = app.create_visit(mia.page, 'Behind the login page')
    until('the portal has answered a push', lambda: mia.network.counts['portal_answers'] > 0)
    app.wait_for_state(mia.page, 'portal')
    assert 'wants you to sign in' in app.badge(mia.page)[1], app.badge(mia.page)
    mia.page.get_by_text('This network wants you to sign in.').wait_for()
    same([entry['state'] for entry in app.pending(mia.page)], ['queued'], 'the change still waits')
    same('synced' in app.states_shown(mia.page)[1:], False, 'the badge never said "synced" behind the portal')
    mia.page.reload()
    until('the visit is still there after a reload', lambda: app.get(mia.page, 'visits', visit))
    app.wait_for_state(mia.page, 'portal')
    same(ThirdParty(server, 'ada').record('visits', visit), None, 'the server has not seen it')

    mia.network.mode('up')
    app.wait_until_sent(mia.page)
    app.wait_for_state(mia.page, 'synced')
    same(ThirdParty(server, 'ada').record('visits', visit)['title'], 'Behind the login page', 'the visit on the server')


def silence_is_not_success(world):
    """a network that swallows everything acknowledges nothing, and the queue goes out when it wakes up"""
    server = world.demo()
    mia = world.device('mia', server)
    app.enter(mia, 'mia')
    mia.network.mode('blackhole')
    app.forget_states(mia.page)
    visit = app.create_visit(mia.page, 'Into the silence')
    until('the network has swallowed something', lambda: mia.network.counts['swallowed'] > 0)
    app.wait_for_state(mia.page, 'slow', 'unreachable', 'offline')
    same('synced' in app.states_shown(mia.page)[1:], False, 'the badge never said "synced"')
    mia.network.mode('up')
    app.wait_until_sent(mia.page)
    same(ThirdParty(server, 'ada').record('visits', visit)['title'], 'Into the silence', 'the visit on the server')
