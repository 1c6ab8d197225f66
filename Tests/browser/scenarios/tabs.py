# SPDX-License-Identifier: Apache-2.0
# Several tabs of one device share one database without an owner.
from lab import field_visits as app
from lab.server import ThirdParty
from lab.waiting import same, until

EACH = 60

WRITE_MANY = """(db, [prefix, count]) => {
  globalThis.writing = (async () => {
    const [store] = await db.query({ from: 'stores', orderBy: [['id', 'asc']], limit: 1 });
    const handles = [];
    for (let i = 0; i < count; i++) {
      handles.push(db.create('visits', { team: store.team, store: store.id, title: `${prefix} ${i}`, status: 'open' }));
      if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
    await Promise.all(handles.map((handle) => handle.saved));
  })();
}"""

FILL_THE_LOG = """async (db, [prefix, count]) => {
  const [store] = await db.query({ from: 'stores', orderBy: [['id', 'asc']], limit: 1 });
  for (let i = 0; i < count; i++) {
    await db.create('visits', { team: store.team, store: store.id, title: `${prefix} ${i}`, status: 'open', notes: 'x'.repeat(2000) }).saved;
  }
}"""

#: Messages between tabs are hints and may be lost. This tab loses all of them, and the server's too.
DEAF = """
  Object.defineProperty(BroadcastChannel.prototype, 'onmessage', { set() {} });
  const ask = fetch;
  globalThis.fetch = (url, options) => (/^\\/(sync|live)/.test(url) ? Promise.reject(new TypeError('deaf')) : ask(url, options));
"""

READ_LOG = """(db) => new Promise((resolve, reject) => {
  const request = indexedDB.open(`aloft:${db.app}:${db.user}`);
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const transaction = request.result.transaction(['log', 'meta']);
    const keys = transaction.objectStore('log').getAllKeys();
    const generation = transaction.objectStore('meta').get('generation');
    transaction.oncomplete = () => { request.result.close(); resolve([generation.result ?? 0, keys.result]); };
  };
})"""


def tabs_write_at_once(world):
    """two tabs write at once while a third reloads: no gap, no duplicate, and all show everything"""
    server = world.demo()
    mia = world.device('mia', server)
    app.enter(mia, 'mia')
    first, second, third = mia.page, mia.tab(), mia.tab()
    for page in (second, third):
        page.get_by_role('heading', name='Stores', exact=True).wait_for()
    before = app.visit_count(first)
    for page, prefix in ((first, 'Left'), (second, 'Right')):
        app.on_db(page, WRITE_MANY, [prefix, EACH])
    for _ in range(3):
        third.reload()
        third.get_by_role('heading', name='Stores', exact=True).wait_for()
    for page in (first, second):
        page.evaluate('writing')
    wanted = before + 2 * EACH
    for page in (first, second, third):
        until('every tab shows all', lambda: app.visit_count(page) == wanted)
    app.wait_until_sent(first)
    for page in (first, second, third):
        app.wait_for_state(page, 'synced')

    titles = [row['title'] for row in ThirdParty(server, 'ada').records('visits').values()]
    for prefix in ('Left', 'Right'):
        same(sorted(title for title in titles if title.startswith(f'{prefix} ')), sorted(f'{prefix} {i}' for i in range(EACH)), f'{prefix} on the server')
    generation, keys = app.on_db(first, READ_LOG)
    after = [key for key in keys if key > generation]
    same(after, list(range(generation + 1, generation + 1 + len(after))), 'the log has no gap')
    same(len([row for row in server.inspect('devices') if row['user'] == 'mia']), 1, 'all tabs are one device to the server')


def tab_that_slept_through_a_compaction(world):
    """a tab that knows nothing of a compaction saves a change: it is where every tab reads, and on the server once"""
    server = world.demo()
    mia = world.device('mia', server)
    app.enter(mia, 'mia')
    first, sleeper = mia.page, mia.tab()
    sleeper.add_init_script(DEAF)
    sleeper.reload()
    before = app.visit_count(sleeper)
    generation, keys = app.on_db(first, READ_LOG)
    head = max([generation, *keys])

    app.on_db(first, FILL_THE_LOG, ['Row', 400])
    app.wait_until_sent(first)

    def is_free():
        generation, keys = app.on_db(first, READ_LOG)
        return generation > head and head + 1 not in keys

    until('a compaction has freed the log number after the last that the sleeper knows', is_free)
    same(app.visit_count(sleeper), before, 'the sleeper has heard nothing')
    late = app.create_visit(sleeper, 'Late')

    same(app.visit_count(sleeper), before + 401, 'the sleeper has caught up')
    same([key for key in app.on_db(first, READ_LOG)[1] if key <= head + 1], [], 'rows where nobody reads')
    first.reload()
    same(app.get(first, 'visits', late)['title'], 'Late', 'in the other tab')
    app.wait_until_sent(first)
    titles = [row['title'] for row in ThirdParty(server, 'ada').records('visits').values()]
    same(sorted(title for title in titles if title.startswith(('Row', 'Late'))), sorted(['Late', *(f'Row {i}' for i in range(400))]), 'on the server')


def tab_whose_database_was_replaced(world):
    """the database is cleared under two tabs, and one fills it anew to the same number: what the other saves is there after a reload"""
    server = world.demo()
    mia = world.device('mia', server)
    app.enter(mia, 'mia')
    first, other = mia.page, mia.tab()
    other.add_init_script(DEAF)
    other.reload()
    before = app.create_visit(first, 'Before')
    app.wait_until_sent(first)
    visit = app.get(first, 'visits', before)
    other.reload()
    until('the other tab holds it', lambda: app.get(other, 'visits', before))
    head = max([0, *app.on_db(first, READ_LOG)[1]])
    mia.network.mode('refuse')
    mia.clear()
    while True:
        app.create_beside(first, visit, 'Anew')
        if max([0, *app.on_db(first, READ_LOG)[1]]) >= head:
            break
    late = app.create_beside(other, visit, 'Late')
    other.close()
    first.goto('about:blank')
    mia.network.mode('up')
    first.goto(mia.network.url)
    until('the server has it', lambda: ThirdParty(server, 'ada').record('visits', late))
    same(app.get(first, 'visits', late)['title'], 'Late', 'on the device')
