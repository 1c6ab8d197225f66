# SPDX-License-Identifier: Apache-2.0
# Several people, tabs and crashes in one text: every word stays, nobody is asked to choose, and the cursor stays where it is.
import re

from lab import field_visits as app
from lab.server import ThirdParty
from lab.waiting import same, until

from .two_devices import everywhere, reconnect, two_offline

PARAGRAPH = 'Shelf checked. Milk is missing.'


def notes(page):
    return page.get_by_label('Notes', exact=True)


def words(page):
    return notes(page).input_value()


def put_caret(page, place):
    """A click into the text, at a place that is known."""
    notes(page).evaluate('(area, place) => { area.setSelectionRange(place, place); area.focus(); }', place)


def selection(page):
    return notes(page).evaluate('(area) => area.value.slice(area.selectionStart, area.selectionEnd)')


def wait_until_saved(page):
    until('the words are saved', lambda: page.locator('.field', has=notes(page)).locator('.written').text_content().startswith('Saved'))


def shared_visit(world, text, people=('mia', 'ada'), field='notes', shown=words):
    """People with one visit open, online, and a text in a field of it. Returns the server, their devices and the visit's id."""
    server = world.demo()
    devices = [world.device(name, server) for name in people]
    for device, name in zip(devices, people):
        app.enter(device, name)
    visit = app.create_visit(devices[0].page, 'Shared text', **{field: text})
    app.wait_until_sent(devices[0].page)
    for device in devices:
        until('every device has the visit', lambda: app.sync_now(device.page) and app.get(device.page, 'visits', visit))
        app.open_visit(device.page, visit)
        until('the text is there', lambda: shown(device.page) == text)
    return server, devices, visit


def words_of_two_offline_both_stay(world):
    """two people type into one paragraph offline: both texts are there after the reunion, whole, and nobody is asked"""
    server, mia, ada, visit = two_offline(world, notes=PARAGRAPH)
    for device, said in ((mia, ' Mia was here.'), (ada, ' Ada counted twice.')):
        app.open_visit(device.page, visit)
        until('the text is there', lambda: words(device.page) == PARAGRAPH)
        put_caret(device.page, len('Shelf checked.'))
        notes(device.page).press_sequentially(said, delay=20)
        wait_until_saved(device.page)
    reconnect(mia, ada)
    wanted = ('Shelf checked. Mia was here. Ada counted twice. Milk is missing.', 'Shelf checked. Ada counted twice. Mia was here. Milk is missing.')
    rows = everywhere(server, visit, [mia, ada])
    assert rows[0]['notes'] in wanted, f'both texts, whole: {rows[0]["notes"]!r}'
    same([row['notes'] for row in rows], [rows[0]['notes']] * 3, 'one text everywhere')
    for device in (mia, ada):
        until('the open page shows it', lambda: words(device.page) == rows[0]['notes'])
        same(app.pending(device.page), [], 'nobody is asked anything')


def typed_words_survive(world):
    """words typed offline survive a reload, and a browser killed right after they were saved"""
    server, (mia,), visit = shared_visit(world, PARAGRAPH, ('mia',))
    page = mia.page
    mia.network.mode('refuse')
    server.stop()
    put_caret(page, len(PARAGRAPH))
    notes(page).press_sequentially(' Kept over a reload.')
    page.reload()  # without waiting: a page that goes away saves what was typed
    until('the words are there after the reload', lambda: words(page) == PARAGRAPH + ' Kept over a reload.')
    # Chromium writes what says who is signed in to its disk seconds later.
    mia.close()
    mia.start(f'/#/visits/{visit}')
    page = mia.page
    until('the words are there', lambda: words(page).endswith('reload.'))
    put_caret(page, 0)
    notes(page).press_sequentially('Killed. ')
    wait_until_saved(page)
    mia.kill()
    mia.start(f'/#/visits/{visit}')
    until('the words are there after the kill', lambda: words(mia.page) == f'Killed. {PARAGRAPH} Kept over a reload.')
    server.start()
    mia.network.mode('up')
    app.wait_until_sent(mia.page)
    same(ThirdParty(server, 'ada').record('visits', visit)['notes'], words(mia.page), 'the text on the server')


def two_tabs_write(world):
    """two tabs of one browser type into one text at once: both show all, and no word is broken"""
    server, (mia,), visit = shared_visit(world, 'A. B.', ('mia',))
    first, second = mia.page, mia.tab(f'/#/visits/{visit}')
    until('the second tab shows the text', lambda: words(second) == 'A. B.')
    put_caret(first, 2)
    put_caret(second, 5)
    for one, two in zip('left hand', 'other tab'):
        first.keyboard.type(one)
        second.keyboard.type(two)
    wanted = 'A.left hand B.other tab'
    for page in (first, second):
        until('every tab shows both', lambda: words(page) == wanted)
    app.wait_until_sent(first)
    same(ThirdParty(server, 'ada').record('visits', visit)['notes'], wanted, 'the text on the server')


def presence_is_seen_by_the_team_only(world):
    """a colleague's cursor is shown and named, moves with the text and goes; a person of another team gets no byte of it"""
    server, (mia, ada), visit = shared_visit(world, PARAGRAPH)
    noah = ThirdParty(server, 'noah').opener.open(server.url + '/live', timeout=60)
    until('the stream is open', lambda: b'connected' in noah.readline())

    put_caret(ada.page, 5)
    shown = mia.page.locator('.cursor .name', has_text='Ada')
    shown.wait_for(state='attached')
    line = mia.page.get_by_role('status').filter(has_text='is writing here')
    assert re.match(r'Ada.* is writing here$', line.text_content()), line.text_content()
    def left():
        return (shown.bounding_box() or {'x': 0})['x']
    before = until('the cursor is drawn', left)
    ada.page.keyboard.type('wide words ')
    until('her words arrive', lambda: words(mia.page).startswith('Shelfwide words '))
    until('the cursor is behind its words', lambda: left() > before + 20)
    same(app.pending(mia.page), [], 'presence is no change')

    stock = "async (db) => { const [product] = await db.query({ from: 'products', limit: 1 }); db.update('products', product.id, { sku: 'seen-by-noah' }); }"
    app.on_db(ada.page, stock)
    heard = []
    until('noah hears of what he may see', lambda: heard.append(noah.readline()) or b'catalog' in heard[-1])
    same([line for line in heard if b'presence' in line or visit.encode() in line or b'Ada' in line], [], 'what another team hears of it')

    notes(ada.page).blur()
    line.wait_for(state='hidden')
    same(shown.count(), 0, 'cursors of people who left')


def undo_takes_own_words(world):
    """undo takes back own words only, from the keyboard and by button; redo brings them back"""
    server, (mia, ada), visit = shared_visit(world, 'Plan: ')
    put_caret(mia.page, 6)
    notes(mia.page).press_sequentially('milk')
    wait_until_saved(mia.page)
    until('the colleague sees it', lambda: words(ada.page) == 'Plan: milk')
    put_caret(ada.page, 8)
    notes(ada.page).press_sequentially('XX')
    until('hers come in between', lambda: words(mia.page) == 'Plan: miXXlk')
    mia.page.keyboard.press('Control+z')
    until('only own words go', lambda: words(mia.page) == 'Plan: XX')
    until('also there', lambda: words(ada.page) == 'Plan: XX')
    mia.page.get_by_role('button', name='Redo typing').click()
    until('and come back', lambda: words(ada.page) == 'Plan: miXXlk')
    ada.page.keyboard.press('Control+z')
    until('everybody takes back their own', lambda: words(mia.page) == 'Plan: milk')


def selection_stays(world):
    """a selection stays on its words when a colleague's arrive before it"""
    server, (mia, ada), visit = shared_visit(world, PARAGRAPH)
    notes(mia.page).focus()
    notes(mia.page).evaluate("(area) => { const at = area.value.indexOf('Milk'); area.setSelectionRange(at, at + 4, 'backward'); }")
    put_caret(ada.page, 0)
    notes(ada.page).press_sequentially('First of all: ')
    until('her words arrive', lambda: words(mia.page) == 'First of all: ' + PARAGRAPH)
    same(selection(mia.page), 'Milk', 'what is selected')
    mia.page.keyboard.type('Butter')
    wanted = 'First of all: Shelf checked. Butter is missing.'
    until('what is typed takes the place of the selection', lambda: words(ada.page) == wanted)


def refused_words_are_shown(world):
    """words typed offline into a visit that was deleted meanwhile are shown to their author, on the page and in the tray"""
    server, (mia, ada), visit = shared_visit(world, PARAGRAPH)
    mia.network.mode('refuse')
    put_caret(mia.page, 0)
    notes(mia.page).press_sequentially('Precious words. ')
    wait_until_saved(mia.page)
    app.on_db(ada.page, "(db, id) => db.delete('visits', id).saved", visit)
    app.wait_until_sent(ada.page)
    mia.network.mode('up')
    mia.page.get_by_role('region', name='Notes: not accepted').wait_for()
    shown = mia.page.get_by_role('region', name='Notes: not accepted').inner_text()
    assert f'Precious words. {PARAGRAPH}' in shown, shown
    tray = app.open_tray(mia.page)
    tray.get_by_text('Precious words.').wait_for()
    mia.page.reload()
    until('and after a reload still', lambda: 'Precious words.' in str(app.on_db(mia.page, "(db) => db.pending().then((list) => list.map(({ args }) => args.changes.notes.$words))")))
