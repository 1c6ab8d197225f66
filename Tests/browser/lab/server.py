# SPDX-License-Identifier: Apache-2.0
# The real server as a process of its own, and what can be asked of it from outside.
import base64
import http.cookiejar
import json
import os
import re
import signal
import subprocess
import urllib.request

from .waiting import until


class AloftServer:
    """`aloft demo` or `aloft serve` on a free port; a restart takes the same port and the same data."""

    def __init__(self, executable, root, words, data, log):
        self.executable, self.root, self.words, self.data, self.log = executable, root, words, data, log
        self.port, self.process = 0, None

    @property
    def url(self):
        return f'http://127.0.0.1:{self.port}'

    def start(self):
        seen = self.log.stat().st_size if self.log.exists() else 0
        command = [self.executable, *self.words, '--data', str(self.data), '--port', str(self.port)]
        with open(self.log, 'ab') as output:
            self.process = subprocess.Popen(command, cwd=self.root, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

        def announced():
            if self.process.poll() is not None:
                raise AssertionError(f'the server ended at once:\n{self.log.read_text()[-2000:]}')
            return re.search(r'http://127\.0\.0\.1:(\d+)', self.log.read_text()[seen:])
        self.port = int(until('the server announces its address', announced, 60).group(1))
        return self

    def stop(self):
        """Ends it politely."""
        self._end(signal.SIGTERM)

    def kill(self):
        """Ends it without a warning, in the middle of whatever it does."""
        self._end(signal.SIGKILL)

    def _end(self, how):
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, how)
            self.process.wait(30)

    def inspect(self, subject):
        """The rows of `aloft inspect <data> <subject> --json`."""
        command = [self.executable, 'inspect', str(self.data), subject, '--json', '--limit', '100000']
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise AssertionError(f'inspect {subject}: {done.stderr}')
        return [json.loads(line) for line in done.stdout.splitlines()]

    def judged(self, device_user):
        """How many mutations of a person's devices the server has judged, for good."""
        return sum(row['mutations'] for row in self.inspect('devices') if row['user'] == device_user and not is_seed(row))


def is_seed(device_row):
    """The demo's own data comes from a device of this name."""
    return base64.urlsafe_b64decode(device_row['device'] + '==').startswith(b'aloft-demo')


class ThirdParty:
    """A simple JSON client without the engine: it sees what the server tells one person."""

    def __init__(self, server, user=None, password='demo'):
        self.server = server
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        if user:
            self.post('/session', {'user': user, 'password': password})

    def post(self, path, body):
        headers = {'Content-Type': 'application/json', 'X-Aloft': '1'}
        return self._ask(urllib.request.Request(self.server.url + path, json.dumps(body).encode(), headers))

    def records(self, collection):
        """Every live record of a collection that this person may read: id -> fields."""
        found, cursors = {}, {}
        while True:
            since = base64.urlsafe_b64encode(json.dumps(cursors).encode()).decode().rstrip('=')
            answer = self._ask(urllib.request.Request(f'{self.server.url}/sync?since={since}'))
            for scope in answer['scopes'].values():
                for row in scope['rows']:
                    if row['collection'] != collection:
                        continue
                    if row.get('deleted'):
                        found.pop(row['id'], None)
                    else:
                        found[row['id']] = row['fields']
            if not answer['more']:
                return found
            cursors = answer['cursors']

    def record(self, collection, id):
        return self.records(collection).get(id)

    def _ask(self, request):
        with self.opener.open(request, timeout=30) as answer:
            return json.loads(answer.read() or b'null')
