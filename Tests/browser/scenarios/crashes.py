# SPDX-License-Identifier: Apache-2.0
# Browser and server are killed in the middle of their work, and nothing that was promised is lost or done twice.
from lab import field_visits as app
from lab.server import ThirdParty
from lab.waiting import same, until

CREATE_MANY = """async (db, [prefix, count]) => {
  const [store] = await db.query({ from: 'stores', limit: 1 });
  const handles = [];
  for (let i = 0; i < count; i++) {
    handles.push(db.create('visits', { team: store.team, store: store.id, title: `${prefix} ${i}`, status: 'open', notes: 'x'.repeat(200) }));
  }
  await Promise.all(handles.map((handle) => handle.saved));
  return handles.map((handle) => handle.id);
}"""

#: Writes until told to stop; keeps the ids whose creation, and the number of increments, that the server acknowledged.
WRITE_UNTIL_STOPPED = """async (db, [prefix, counter]) => {
  const [store] = await db.query({ from: 'stores', where: { team: 'north' }, orderBy: [['id', 'asc']], limit: 1 });
  const work = globalThis.work = { made: 0, increments: 0, acknowledged: [], counted: 0, stop: false };
  (async () => {
    while (!work.stop) {
      const handle = db.create('visits', { team: store.team, store: store.id, title: `${prefix} ${work.made++}`, status: 'open' });
      handle.synced.then(({ outcome }) => { if (outcome === 'applied') work.acknowledged.push(handle.id); });
      const { increment } = await import('/aloft/aloft.js');
      work.increments++;
      db.update('visits', counter, { footfall: increment(1) }).synced.then(({ outcome }) => { if (outcome !== 'rejected') work.counted++; });
      await handle.saved;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
}"""


def killed_browser_loses_nothing(world):
    """50 records created quickly, the browser killed with SIGKILL mid-sync, relaunched: all 50 are on the server exactly once"""
    server = world.demo()
    mia = world.device('mia', server)
    app.enter(mia, 'mia')
    # Chromium writes cookies and localStorage to disk seconds later; a person signed in long before a crash.
    mia.close()
    mia.start()
    app.wait_for_state(mia.page, 'synced')
    before = len(ThirdParty(server, 'ada').records('visits'))
    judged = server.judged('mia')

    # First death: the push is on its way, and the server has not got it.
    mia.network.mode('slow', bytes_per_second=2_000)
    sent = mia.network.counts['push_bytes_up']
    ids = app.on_db(mia.page, CREATE_MANY, ['Burst', 50])
    until('the push is on its way', lambda: mia.network.counts['push_bytes_up'] > sent + 1_000)
    mia.kill()
    same(server.judged('mia') - judged < 50, True, 'the first kill came before the server had everything')

    # Second death: the server has committed, and its answer has not arrived.
    mia.network.mode('blackhole')
    mia.start()
    mia.network.mode('slow', bytes_per_second=40_000)
    until('the server has judged something', lambda: server.judged('mia') > judged, 60)
    mia.kill()

    mia.network.mode('up')
    mia.start()
    app.wait_for_state(mia.page, 'synced', 'queued', 'syncing')
    app.wait_until_sent(mia.page)
    found = ThirdParty(server, 'ada').records('visits')
    same(sorted(set(ids) - set(found)), [], 'records missing on the server')
    same(len(found) - before, len(ids), 'records more than before')
    same(sorted(row['title'] for row in found.values() if row['title'].startswith('Burst')), sorted(f'Burst {i}' for i in range(50)), 'each once')
    same(app.on_db(mia.page, "(db) => db.query({ from: 'visits', where: { title: { prefix: 'Burst' } }, count: true })"), 50, 'on the device')


def killed_after_signing_in(world):
    """a browser killed seconds after the first sign-in opens without a network, with the person's data"""
    server = world.demo()
    mia = world.device('mia', server)
    app.enter(mia, 'mia')
    visit = app.create_visit(mia.page, 'Before the crash')
    mia.network.mode('refuse')
    mia.kill()
    mia.start()
    until('the visit is there', lambda: app.get(mia.page, 'visits', visit))
    mia.page.get_by_text('Mia Bell').first.wait_for()


def killed_server_keeps_what_it_acknowledged(world):
    """the server killed with SIGKILL while two browsers write: every acknowledged change is there exactly once"""
    server = world.demo()
    devices = [world.device('mia', server), world.device('ada', server)]
    for device, user in zip(devices, ('mia', 'ada')):
        app.enter(device, user)
    counter = app.create_visit(devices[0].page, 'Counter')
    app.wait_until_sent(devices[0].page)
    until('the other device has the counter', lambda: app.sync_now(devices[1].page) and app.get(devices[1].page, 'visits', counter))
    for device in devices:
        app.on_db(device.page, WRITE_UNTIL_STOPPED, [device.name, counter])

    acknowledged = lambda: [device.page.evaluate('work.acknowledged.length') for device in devices]
    for _ in range(3):
        floor = acknowledged()
        until('both get acknowledgements', lambda: all(now >= then + 10 for now, then in zip(acknowledged(), floor)), 60)
        server.kill()
        promised = [id for device in devices for id in device.page.evaluate('work.acknowledged')]
        server.start()
        held = ThirdParty(server, 'ada').records('visits')
        same([id for id in promised if id not in held], [], 'acknowledged records missing after the kill')
        for device in devices:
            app.sync_now(device.page)
    for device in devices:
        device.page.evaluate('work.stop = true')
    for device in devices:
        app.wait_until_sent(device.page, 90)

    work = [device.page.evaluate('work') for device in devices]
    held = ThirdParty(server, 'ada').records('visits')
    for device, done in zip(devices, work):
        titles = sorted(row['title'] for row in held.values() if row['title'].startswith(f'{device.name} '))
        same(titles, sorted(f'{device.name} {i}' for i in range(done['made'])), f'the visits of {device.name}, each once')
        same([len(done['acknowledged']), done['counted']], [done['made'], done['increments']], 'everything is acknowledged in the end')
    same(held[counter]['footfall'], sum(done['increments'] for done in work), 'each increment counted once')


def cleared_while_open(world):
    """the browser clears what the app stored while it is open: what is written afterwards is saved, sent, and there after a reload"""
    server = world.demo()
    mia = world.device('mia', server)
    app.enter(mia, 'mia')
    app.wait_for_state(mia.page, 'synced')
    mia.page.reload()
    app.wait_for_state(mia.page, 'synced')
    mia.clear()
    id = app.create_visit(mia.page, 'After the clearing')
    until('the server has it', lambda: ThirdParty(server, 'ada').record('visits', id))
    mia.page.reload()
    until('it is there', lambda: app.get(mia.page, 'visits', id))


def cleared_while_open_without_network(world):
    """the browser clears what the app stored while it is open and offline: what is told saved afterwards is there after a reload"""
    server = world.demo()
    mia = world.device('mia', server)
    app.enter(mia, 'mia')
    before = app.create_visit(mia.page, 'Before the clearing')
    app.wait_until_sent(mia.page)
    visit = app.get(mia.page, 'visits', before)
    mia.network.mode('refuse')
    mia.clear()
    ids = [app.create_beside(mia.page, visit, f'After the clearing {i}') for i in range(2)]
    # Whether it was saved is a question to the next start.
    mia.page.goto('about:blank')
    mia.network.mode('up')
    mia.page.goto(mia.network.url)
    for id in ids:
        until('the server has it', lambda: ThirdParty(server, 'ada').record('visits', id))
        until('it is there', lambda: app.get(mia.page, 'visits', id))
