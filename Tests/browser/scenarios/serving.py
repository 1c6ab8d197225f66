# SPDX-License-Identifier: Apache-2.0
# A hand-written declaration and a page of a few lines of JavaScript make a synced app.
from lab.waiting import same, until

PAGE_LINES_MAX = 15


def fifteen_lines_sync(world):
    """aloft serve with a hand-written app.json and a page of at most 15 lines of JavaScript: two tabs and another device sync"""
    fixture = world.repository('Tests/browser/fixtures/todo')
    lines = [line for line in (fixture / 'todo.js').read_text().splitlines() if not line.startswith('//')]
    assert len(lines) <= PAGE_LINES_MAX, f'the page has {len(lines)} lines'
    server = world.serve(fixture / 'app.json', '--web', str(fixture))
    laptop, phone = world.device('laptop', server), world.device('phone', server)
    tabs = [laptop.page, laptop.tab(), phone.page]
    for number, page in enumerate(tabs):
        page.get_by_label('What to do').fill(f'Task {number}')
        page.keyboard.press('Enter')
        for each in tabs:
            until('every tab shows the task', lambda: each.get_by_text(f'Task {number}').count() == 1)
    phone.page.get_by_label('Task 0').check()
    for each in tabs:
        until('every tab shows that it is done', lambda: each.get_by_label('Task 0').is_checked())
    same([page.locator('li').count() for page in tabs], [3, 3, 3], 'tasks on each page')
    same(sum(row['records'] for row in server.inspect('scopes')), 3, 'records on the server')
