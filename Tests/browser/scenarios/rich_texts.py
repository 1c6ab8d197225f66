# SPDX-License-Identifier: Apache-2.0
# Two people in one rich text: marks and words meet, each takes back their own, and the editor is a text field like any other.
from lab import field_visits as app
from lab.server import ThirdParty
from lab.waiting import same, until

from .texts import shared_visit
from .two_devices import reconnect, two_offline

WORDS = 'The red fox runs.'
#: The runs of an editor as a person sees them: words, and what they are drawn as.
RUNS = """(root) => {
  const runs = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const tags = [];
    for (let up = node.parentElement; up !== root; up = up.parentElement) tags.push(up.localName);
    runs.push([node.data, tags.sort().join(' ')]);
  }
  return runs;
}"""
SELECT = """(root, [from, to]) => {
  const point = (place) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode());) { if (place <= node.data.length) return [node, place]; place -= node.data.length; }
    return [root, 0];
  };
  root.focus();
  getSelection().setBaseAndExtent(...point(from), ...point(to));
}"""


def report(page):
    return page.get_by_label('Report', exact=True)


def runs(page):
    return [tuple(run) for run in report(page).evaluate(RUNS)]


def words(page):
    return ''.join(text for text, _ in runs(page))


def select(page, start, end=None):
    report(page).evaluate(SELECT, [start, start if end is None else end])
    until('the selection is heard', lambda: page.evaluate('getSelection().toString()').replace('\n', '') == words(page)[start:end if end is not None else start])


def wait_until_saved(page):
    until('the words are saved', lambda: page.locator('.field', has=report(page)).locator('.written').text_content().startswith('Saved'))


def shared_report(world, text=WORDS, people=('mia', 'ada')):
    return shared_visit(world, text, people, 'report', words)


def bold_meets_typing(world):
    """one bolds a phrase offline while another types inside it: both show the same bold words, also after a reload without a network"""
    server, mia, ada, visit = two_offline(world, report=WORDS)
    for device in (mia, ada):
        app.open_visit(device.page, visit)
        until('the text is there', lambda: words(device.page) == WORDS)
    select(mia.page, 4, 11)
    mia.page.keyboard.press('Control+b')
    until('it is bold at once', lambda: runs(mia.page) == [('The ', ''), ('red fox', 'strong'), (' runs.', '')])
    wait_until_saved(mia.page)
    select(ada.page, 7)
    ada.page.keyboard.type('dish')
    until('her words are there', lambda: words(ada.page) == 'The reddish fox runs.')
    wait_until_saved(ada.page)
    reconnect(mia, ada)
    wanted = [('The ', ''), ('reddish fox', 'strong'), (' runs.', '')]
    for device in (mia, ada):
        until('everybody sees the same', lambda: runs(device.page) == wanted)
        same(app.pending(device.page), [], 'nobody is asked anything')
    same(ThirdParty(server, 'ada').record('visits', visit)['report'], 'The reddish fox runs.', 'the words on the server')
    ada.network.mode('refuse')
    server.stop()
    ada.page.reload()
    until('and after a reload', lambda: runs(ada.page) == wanted)


def undo_takes_own_marks(world):
    """undo takes back one's own mark and leaves a colleague's words and marks; redo brings it back"""
    server, (mia, ada), visit = shared_report(world)
    select(mia.page, 4, 7)
    mia.page.keyboard.press('Control+b')
    until('the colleague sees it', lambda: ('red', 'strong') in runs(ada.page))
    select(ada.page, 6)
    ada.page.keyboard.type('XX')
    select(ada.page, 0, 6)
    ada.page.keyboard.press('Control+i')
    until('hers arrive', lambda: runs(mia.page) == [('The ', 'em'), ('re', 'em strong'), ('XXd', 'strong'), (' fox runs.', '')])
    report(mia.page).focus()
    mia.page.keyboard.press('Control+z')
    plain = [('The re', 'em'), ('XXd fox runs.', '')]
    until('only the own mark goes', lambda: runs(mia.page) == plain)
    until('also there', lambda: runs(ada.page) == plain)
    mia.page.get_by_role('button', name='Redo in report').click()
    until('and comes back', lambda: ('XXd', 'strong') in runs(ada.page))


def toolbar_by_keyboard(world):
    """on a narrow screen the toolbar is reached and used with keys alone, says what is pressed, and sets and takes a link"""
    server, (mia,), visit = shared_report(world, people=('mia',))
    page = mia.page
    page.set_viewport_size({'width': 320, 'height': 640})
    select(page, 4, 7)
    bold, italic, link = (page.get_by_role('toolbar', name='Style of report').get_by_role('button', name=name) for name in ('Bold', 'Italic', 'Link'))
    same([tool.get_attribute('aria-pressed') for tool in (bold, italic, link)], ['false'] * 3, 'what is pressed')
    bold.focus()
    page.keyboard.press('ArrowRight')
    page.keyboard.press('Enter')
    until('it is italic', lambda: ('red', 'em') in runs(page))
    until('it is said', lambda: italic.get_attribute('aria-pressed') == 'true')
    same([tool.get_attribute('tabindex') for tool in (bold, italic, link)], ['-1', '0', '-1'], 'one stop for the Tab key')
    page.keyboard.press('ArrowRight')
    page.keyboard.press('Enter')
    address = page.get_by_role('dialog').get_by_label('Address')
    address.fill('https://example.org/fox')
    page.keyboard.press('Enter')
    until('it is a link', lambda: ('red', 'a em') in runs(page))
    same(report(page).locator('a').get_attribute('href'), 'https://example.org/fox', 'where it leads')
    same(page.evaluate('document.documentElement.scrollWidth <= innerWidth'), True, 'nothing is wider than the screen')
    link.click()
    address.fill('javascript:alert(1)')
    page.keyboard.press('Enter')
    until('what is no address leads nowhere', lambda: report(page).locator('a').get_attribute('href') is None)
    wait_until_saved(page)


def style_chosen_before_typing(world):
    """bold chosen with nothing selected holds for what is typed next; lines, deletions and pasted words are edits like others"""
    server, (mia,), visit = shared_report(world, 'Plan:', ('mia',))
    page = mia.page
    select(page, 5)
    page.keyboard.press('Control+b')
    page.keyboard.type(' now')
    page.keyboard.press('Control+b')
    page.keyboard.type(' then')
    until('only the first is bold', lambda: runs(page) == [('Plan:', ''), (' now', 'strong'), (' then', '')])
    page.keyboard.press('Enter')
    page.keyboard.press('Enter')
    page.keyboard.type('x')
    until('lines are lines', lambda: words(page) == 'Plan: now then\n\nx')
    for _ in range(3):
        page.keyboard.press('Backspace')
    page.keyboard.press('Control+Backspace')
    until('words are deleted whole', lambda: words(page).rstrip() == 'Plan: now')
    wait_until_saved(page)
    app.wait_until_sent(page)
    same(ThirdParty(server, 'ada').record('visits', visit)['report'].rstrip(), 'Plan: now', 'the words on the server')


def rich_selection_stays(world):
    """a selection stays on its words when a colleague's words and marks arrive, and her cursor is shown"""
    server, (mia, ada), visit = shared_report(world)
    select(mia.page, 8, 11)
    select(ada.page, 0)
    ada.page.keyboard.type('Yes: ')
    select(ada.page, 0, 9)
    ada.page.keyboard.press('Control+b')
    until('hers arrive', lambda: runs(mia.page)[0] == ('Yes: The ', 'strong'))
    same(mia.page.evaluate('getSelection().toString()'), 'fox', 'what is selected')
    mia.page.locator('.cursor .name', has_text='Ada').wait_for(state='attached')
    mia.page.keyboard.type('cat')
    until('what is typed takes its place', lambda: words(ada.page) == 'Yes: The red cat runs.')
    select(mia.page, 0, 3)
    mia.page.keyboard.press('Control+k')
    mia.page.get_by_role('dialog').get_by_label('Address').fill('https://example.org')
    mia.page.keyboard.press('Enter')
    until('it is a link', lambda: runs(mia.page)[0] == ('Yes', 'a strong'))
    mirror = mia.page.locator('.view', has=mia.page.locator('.cursor'))
    until('the letters under her cursor keep their shape', lambda: mirror.locator('strong').all_text_contents() == ['Yes', ': The '])
    same((mirror.locator('a').count(), mirror.get_attribute('inert')), (0, ''), 'what the Tab key could stop at twice')


def composing_is_left_in_peace(world):
    """words being composed by an input method stay while a colleague's arrive, and both are there in the end"""
    server, (mia, ada), visit = shared_report(world)
    select(mia.page, 3)
    keys = mia.page.context.new_cdp_session(mia.page)
    keys.send('Input.imeSetComposition', {'text': 'に', 'selectionStart': 1, 'selectionEnd': 1})
    select(ada.page, 0)
    ada.page.keyboard.type('Oh. ')
    wait_until_saved(ada.page)
    until('her words are on the device', lambda: app.sync_now(mia.page) and app.get(mia.page, 'visits', visit)['report'] == 'Oh. ' + WORDS)
    same(words(mia.page), 'Theに red fox runs.', 'what is being composed')
    keys.send('Input.insertText', {'text': '日本'})
    until('both are there', lambda: words(mia.page) == 'Oh. The日本 red fox runs.')
    until('everywhere', lambda: words(ada.page) == 'Oh. The日本 red fox runs.')
    mia.page.keyboard.press('Control+b')
    keys.send('Input.imeSetComposition', {'text': 'ね', 'selectionStart': 1, 'selectionEnd': 1})
    keys.send('Input.insertText', {'text': '猫'})
    until('a style chosen before holds for it', lambda: runs(mia.page) == [('Oh. The日本', ''), ('猫', 'strong'), (' red fox runs.', '')])
    for _ in range(3):
        mia.page.keyboard.press('Backspace')
    mia.page.keyboard.press('Control+z')
    until('letters taken back are one step of undo', lambda: words(mia.page) == 'Oh. The日本猫 red fox runs.')
