# SPDX-License-Identifier: Apache-2.0
# A device receives its person's teams and not a byte of the others.
from lab import field_visits as app
from lab.waiting import until

CANARY = 'canary-7f3a91c4e2'


def other_team_sends_no_byte(world):
    """a person of another team never receives a byte of this team: no canary in any raw answer"""
    server = world.demo()
    mia = world.device('mia', server)
    mia.network.keeps_answers = True
    app.enter(mia, 'mia')
    visit = app.create_visit(mia.page, f'{CANARY} before', notes=CANARY, tags=[CANARY])
    app.wait_until_sent(mia.page)

    noah = world.device('noah', server)
    noah.network.keeps_answers = True
    app.enter(noah, 'noah')
    # Changes while Noah is connected, which wake his live channel if anything does.
    app.update_visit(mia.page, visit, {'title': f'{CANARY} after', 'footfall': {'$increment': 1}})
    app.wait_until_sent(mia.page)
    own = app.create_visit(noah.page, 'Own team')
    app.wait_until_sent(noah.page)
    noah.page.reload()
    app.wait_for_state(noah.page, 'synced')
    until("Noah's own visit is there", lambda: app.get(noah.page, 'visits', own))

    ada = world.device('ada', server)
    ada.network.keeps_answers = True
    app.enter(ada, 'ada')
    assert CANARY.encode() in ada.network.answers, 'the search itself works: the canary is found in the answers to a manager'
    for needle in (CANARY, visit, 'team:north', 'store-north'):
        assert needle.encode() not in noah.network.answers, f'{needle} reached a person of another team'
