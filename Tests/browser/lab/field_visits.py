# SPDX-License-Identifier: Apache-2.0
# Field Visits as a person uses it: what to press, what to read, and the database behind the page where data is the point.
import re

from .waiting import until

NAMES = {'mia': 'Mia', 'noah': 'Noah', 'ada': 'Ada'}
#: States in which the badge says that everything is on the server.
SYNCED = 'synced'


def sign_in(page, user):
    page.get_by_role('heading', name='Sign in').wait_for()
    page.get_by_role('button', name=re.compile(f'^{NAMES[user]}')).click()
    page.get_by_role('button', name='Sign in', exact=True).click()
    page.get_by_role('heading', name='Stores', exact=True).wait_for()


def enter(device, user):
    """Signs in and waits until the device holds its copy and could open without a network."""
    sign_in(device.page, user)
    wait_for_state(device.page, SYNCED)
    wait_until_kept(device.page)


def wait_until_kept(page):
    """The service worker has the whole app and answers for this page."""
    until('the service worker keeps the app', lambda: page.evaluate("""async () => {
      if (!navigator.serviceWorker.controller) return false;
      const state = await (await caches.match('/aloft-versions.json'))?.json();
      return Boolean(state?.active) && Boolean(await caches.match('/app.json'));
    }"""))


def badge(page):
    """What the badge says: its state and its words."""
    status = page.locator('aloft-status')
    return status.get_attribute('state'), status.locator('[part=text]').text_content()


def wait_for_state(page, *states, seconds=40):
    until(f'the badge says one of {states}', lambda: badge(page)[0] in states, seconds)


def states_shown(page):
    """The states the badge has shown on this page, in order."""
    return [entry['state'] for entry in page.evaluate('shownStates')]


def forget_states(page):
    """From here on, `states_shown` begins with what the badge shows now."""
    page.evaluate("() => { shownStates.length = 0; shownStates.push({ state: document.querySelector('aloft-status').getAttribute('state') }); }")


ON_DB = """async (argument) => {
  const db = await new Promise((found) => {
    const look = () => {
      const opened = document.querySelector('aloft-status')?.db;
      if (opened) found(opened); else setTimeout(look, 20);
    };
    look();
  });
  return (FUNCTION)(db, argument);
}"""


def on_db(page, function, argument=None):
    """Calls a JavaScript function with the page's own database, as soon as it is open, and an argument."""
    return page.evaluate(ON_DB.replace('FUNCTION', function), argument)


def status(page):
    return on_db(page, 'db => db.status')


def pending(page):
    return on_db(page, 'db => db.pending()')


def sync_now(page):
    """What the button "Sync now" does."""
    return on_db(page, 'db => db.sync()')


def wait_until_sent(page, seconds=60):
    """Nothing waits on this device; asks for a round now and then, as a person would press the button."""
    until('everything is on the server', lambda: sync_now(page)['state'] == SYNCED and not pending(page), seconds)


def get(page, collection, id):
    return on_db(page, '(db, [collection, id]) => db.get(collection, id)', [collection, id])


def create_visit(page, title, **fields):
    """Makes a visit by the page's own database, on the device's disk when this returns; answers its id."""
    return on_db(page, """async (db, [title, fields]) => {
      const [store] = await db.query({ from: 'stores', orderBy: [['id', 'asc']], limit: 1 });
      const handle = db.create('visits', { team: store.team, store: store.id, title, status: 'open', ...fields });
      await handle.saved;
      return handle.id;
    }""", [title, fields])


def create_beside(page, visit, title):
    """The same for the store of a visit, without a look at what the device holds."""
    return on_db(page, """async (db, [{ team, store }, title]) => {
      const handle = db.create('visits', { team, store, title, status: 'open' });
      await handle.saved;
      return handle.id;
    }""", [visit, title])


def update_visit(page, id, changes):
    """Changes a visit; on the device's disk when this returns."""
    on_db(page, "(db, [id, changes]) => db.update('visits', id, changes).saved", [id, changes])


def go(page, path):
    page.evaluate('path => { location.hash = path; }', path)


def open_visit(page, id):
    go(page, f'#/visits/{id}')
    page.get_by_label('Notes').wait_for()


def write_visit(page, store, title):
    """A new visit through the form; answers its id."""
    go(page, '#/visits')
    page.get_by_role('button', name='New visit').click()
    form = page.get_by_role('dialog')
    if store:
        form.get_by_label('Store').select_option(label=store)
    else:
        form.get_by_label('Store').select_option(index=0)
    form.get_by_label('What for').fill(title)
    form.get_by_role('button', name='Add visit').click()
    page.get_by_role('heading', name=title).wait_for()
    return page.evaluate("location.hash.split('/').pop()")


def write(page, label, text):
    """Types into a field that saves itself, leaves it, and waits until the text is on the device's disk."""
    field = page.get_by_label(label, exact=True)
    field.fill(text)
    field.blur()
    page.wait_for_function("""label => {
      const field = [...document.querySelectorAll('textarea')].find((each) => each.labels[0]?.textContent === label);
      return /^Saved/.test(field?.parentElement.querySelector('.written')?.textContent ?? '');
    }""", arg=label)


def open_tray(page):
    page.locator('aloft-status').get_by_role('button').click()
    tray = page.locator('aloft-tray')
    tray.get_by_role('heading', name='Changes on this device').wait_for()
    return tray


def visit_count(page):
    return on_db(page, "db => db.query({ from: 'visits', count: true })")
