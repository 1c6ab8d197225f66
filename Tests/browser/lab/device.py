# SPDX-License-Identifier: Apache-2.0
# One device: a real Chromium with its own profile on disk, which outlives a kill of the browser.
import os
import shutil
import signal
import subprocess
from pathlib import Path

from .waiting import until

ARGUMENTS = ['--disable-dev-shm-usage', '--disable-gpu', '--no-first-run', '--disable-background-networking',
             '--disable-component-update', '--disable-default-apps', '--mute-audio']
PAGE_DEADLINE_MILLISECONDS = 30_000
# What a browser writes to its console when the network fails is the network's fault, not the app's.
NETWORK_NOISE = ('net::ERR_', 'Failed to load resource', 'the server responded with a status of 401')


def chromium_executable():
    """The browser itself: Debian's /usr/bin/chromium is a script around it. CHROMIUM names another one."""
    if os.environ.get('CHROMIUM'):
        return os.environ['CHROMIUM']
    if shutil.which('dpkg'):
        files = subprocess.run(['dpkg', '-L', 'chromium'], capture_output=True, text=True).stdout.split()
        for name in files:
            if name.endswith('lib/chromium/chromium'):
                return name
    found = next(filter(None, map(shutil.which, ['chromium', 'chromium-browser', 'google-chrome'])), None)
    if not found:
        raise SystemExit('No Chromium was found. Run: make setup')
    return found


class Device:
    """`start` opens the browser on the profile, `kill` ends it with SIGKILL; the profile stays in both cases."""

    def __init__(self, playwright, name, profile, url, options):
        self.playwright, self.name, self.profile, self.url, self.options = playwright, name, profile, url, options
        self.context = self.page = self.process_id = None
        self.errors = []          # uncaught errors of its pages

    def start(self, path='/'):
        is_root = os.geteuid() == 0
        self.context = self.playwright.chromium.launch_persistent_context(
            str(self.profile), executable_path=chromium_executable(), headless=True, chromium_sandbox=not is_root,
            args=ARGUMENTS + (['--no-sandbox'] if is_root else []), **{'viewport': {'width': 1100, 'height': 800}, **self.options})
        self.context.set_default_timeout(PAGE_DEADLINE_MILLISECONDS)
        self.process_id = until('the browser process', lambda: main_process(self.profile))
        self.context.add_init_script(path=str(Path(__file__).with_name('page-recorder.js')))
        self.page = self._adopt(self.context.pages[0])
        self.page.goto(self.url + path)
        return self

    def tab(self, path='/'):
        """Another tab of the same device."""
        page = self._adopt(self.context.new_page())
        page.goto(self.url + path)
        return page

    def clear(self):
        """What "delete site data" does to the databases, and a browser short of room by itself; the open pages have heard of it afterwards."""
        session = self.context.new_cdp_session(self.page)
        session.send('Storage.clearDataForOrigin', {'origin': self.page.evaluate('location.origin'), 'storageTypes': 'indexeddb'})
        self.page.wait_for_timeout(300)

    def _adopt(self, page):
        page.on('pageerror', lambda error: self.errors.append(f'{self.name}: {error}'))
        page.on('console', lambda message: self._hear(message))
        return page

    def _hear(self, message):
        if message.type == 'error' and not any(noise in message.text for noise in NETWORK_NOISE):
            self.errors.append(f'{self.name}: {message.text}')

    def kill(self):
        """SIGKILL to the whole browser: no page, worker or disk queue gets to say goodbye."""
        kill_browser(self.process_id)
        try:
            self.context.close()
        except Exception:
            pass  # the connection to a killed browser is gone, as intended
        self.context = self.page = self.process_id = None

    def close(self):
        if not self.context:
            return
        try:
            self.context.close()
        finally:
            self.context = self.page = self.process_id = None


def main_process(profile):
    """The id of the browser process on this profile, from the kernel's list."""
    wanted = f'--user-data-dir={profile}'
    for entry in Path('/proc').iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / 'cmdline').read_bytes().decode(errors='replace').split('\0')
        except OSError:
            continue  # ended meanwhile
        if wanted in words and not any(word.startswith('--type=') for word in words):
            return int(entry.name)
    return None


def kill_browser(process_id):
    """The browser is the leader of a process group of its own, so its children go with it."""
    try:
        if os.getpgid(process_id) == process_id:
            os.killpg(process_id, signal.SIGKILL)
        else:
            os.kill(process_id, signal.SIGKILL)
    except ProcessLookupError:
        return
    until('the killed browser is gone', lambda: not Path(f'/proc/{process_id}/exe').exists() or is_zombie(process_id))


def is_zombie(process_id):
    try:
        return Path(f'/proc/{process_id}/stat').read_text().rsplit(')', 1)[1].split()[0] == 'Z'
    except OSError:
        return True
