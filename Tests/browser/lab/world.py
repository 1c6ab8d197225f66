# SPDX-License-Identifier: Apache-2.0
# Everything one scenario starts: its servers, its devices and their networks; all of it is gone when the scenario ends.
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

from .device import Device, kill_browser, main_process
from .proxy import FaultProxy
from .server import AloftServer

SCENARIO_SECONDS_MAX = 240


class World:
    """Given to each scenario. `settings` holds the executable, the folder it runs in and the repository's root."""

    def __init__(self, playwright, settings):
        self.playwright, self.settings = playwright, settings
        self.folder = Path(tempfile.mkdtemp(prefix='aloft-browser-test-'))
        self.servers, self.devices, self.proxies = [], [], []
        self.is_late = False
        self._watch = threading.Timer(SCENARIO_SECONDS_MAX, self._give_up)
        self._watch.daemon = True
        self._watch.start()

    def demo(self, *words):
        """`aloft demo` on new data."""
        return self._server(['demo', *words])

    def serve(self, app, *words):
        """`aloft serve <app>` on new data."""
        return self._server(['serve', str(app), *words])

    def _server(self, words):
        number = len(self.servers) + 1
        server = AloftServer(self.settings.server, self.settings.root, words, self.folder / f'data-{number}', self.folder / f'server-{number}.log')
        self.servers.append(server)
        return server.start()

    def device(self, name, server, path='/', **options):
        """A browser on a new profile; `device.network` is its own way to the server."""
        network = FaultProxy(lambda: server.port)
        self.proxies.append(network)
        device = Device(self.playwright, name, self.folder / f'profile-{len(self.devices) + 1}', network.url, options)
        device.network = network
        self.devices.append(device)
        return device.start(path)

    def repository(self, *parts):
        return Path(self.settings.repository, *parts)

    def run(self, *command):
        """A tool of the repository; its failure is the scenario's."""
        done = subprocess.run([str(word) for word in command], cwd=self.settings.repository, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise AssertionError(f'{command}: {done.stderr or done.stdout}')

    def page_errors(self):
        return [error for device in self.devices for error in device.errors]

    def keep_evidence(self, folder):
        """Pictures of the open pages and the servers' words, for whoever looks into a failure."""
        folder.mkdir(parents=True, exist_ok=True)
        for device in self.devices:
            for number, page in enumerate(device.context.pages if device.context else []):
                try:
                    page.screenshot(path=folder / f'{device.name}-{number}.png', timeout=5_000)
                except Exception:
                    pass  # a picture of a dead page is not to be had
        for server in self.servers:
            shutil.copy(server.log, folder)

    def close(self):
        self._watch.cancel()
        for device in self.devices:
            try:
                device.close()
            except Exception:
                kill_all_on(device.profile)
        for proxy in self.proxies:
            proxy.close()
        for server in self.servers:
            server.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _give_up(self):
        """A page that never answers would hold the whole run: its browser goes, and what waits for it fails."""
        self.is_late = True
        for device in self.devices:
            kill_all_on(device.profile)


def kill_all_on(profile):
    process_id = main_process(profile)
    if process_id:
        kill_browser(process_id)
