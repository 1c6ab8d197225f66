#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures Aloft against one IndexedDB row per record with two indexes, in the same Chromium, and prints ratios.

    Benchmarks/browser/run.py [--server .build/release/aloft] [--platform build/web] [--sizes 10000 100000] [--runs 1]

Takes what is built already: a release server, and engine and modules in build/web (`make bench` builds both first).
Needs playwright 1.58.0 and Debian's chromium (or CHROMIUM=<executable>). Every run has a new profile on disk and a new
server with an empty data folder; the two sides take turns. A cold open is a new browser process on the filled profile,
measured from the call of open to the first answer (a 2 % equality query); the page itself is loaded before that.
The floor is the same storage without an engine: what of Aloft's time is IndexedDB alone.
One run of both sizes takes some minutes at most; for figures to quote use --runs 3 on a calm machine.
"""
import argparse, json, os, re, shlex, shutil, statistics, subprocess, sys, tempfile, time
from pathlib import Path
from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ARGUMENTS = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--no-first-run', '--disable-background-networking']
COLD_OPENS = 3
WARM_RUNS = 9


def chromium_executable():
    """The browser itself: Debian's /usr/bin/chromium is a script around it."""
    if os.environ.get('CHROMIUM'):
        return os.environ['CHROMIUM']
    files = subprocess.run(['dpkg', '-L', 'chromium'], capture_output=True, text=True).stdout.split()
    return next((name for name in files if name.endswith('lib/chromium/chromium')), None) or shutil.which('chromium')


class Server:
    """`aloft serve` on a free port over an empty data folder."""

    def __init__(self, options):
        self.data = tempfile.mkdtemp(prefix='aloft-bench-data-')
        command = [options.server, 'serve', str(HERE / 'app.json'), '--data', self.data, '--web', str(HERE), '--port', '0']
        command += ['--platform', options.platform, '--wasm', options.wasm]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.process.stdout:
            found = re.search(r'http://\S+', line)
            if found:
                self.url = found.group(0).rstrip('.')
                return
        sys.exit('the server did not start')

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.data, ignore_errors=True)


class Device:
    """One browser profile on disk; each visit is a new browser process."""

    def __init__(self, playwright, url):
        self.playwright, self.url, self.profile = playwright, url, tempfile.mkdtemp(prefix='aloft-bench-profile-')

    def visit(self, expression):
        context = self.playwright.chromium.launch_persistent_context(
            self.profile, executable_path=chromium_executable(), headless=True, args=ARGUMENTS, chromium_sandbox=False)
        try:
            page = context.new_page()
            page.set_default_timeout(900_000)
            page.goto(self.url)
            page.evaluate('() => new Promise((ready) => { const look = () => (window.bench ? ready() : setTimeout(look, 10)); look(); })')
            return page.evaluate(f'() => {expression}')
        finally:
            context.close()

    def forget(self):
        shutil.rmtree(self.profile, ignore_errors=True)


def measure_aloft(device, count):
    result = {'write': device.visit(f'bench.aloft.fill({count})')}
    result['cold'] = statistics.median(device.visit('bench.aloft.cold()') for _ in range(COLD_OPENS))
    result['floorCold'] = statistics.median(device.visit('bench.floor.readPages()') for _ in range(COLD_OPENS))
    result['floorEdit'] = device.visit(f'bench.floor.append({WARM_RUNS * 4})')
    return result | device.visit(f'bench.aloft.warm({WARM_RUNS})')


def measure_rows(device, count):
    result = {'write': device.visit(f'bench.rows.fill({count})')}
    result['cold'] = statistics.median(device.visit('bench.rows.coldLoadAll()') for _ in range(COLD_OPENS))
    result['coldIndex'] = statistics.median(device.visit('bench.rows.coldByIndex()') for _ in range(COLD_OPENS))
    return result | device.visit(f'bench.rows.warm({WARM_RUNS})')


LINES = [
    ('cold open, rows load all into memory', 'cold', 'cold', 8),
    ('cold open, rows open and ask the index', 'cold', 'coldIndex', None),
    ('bulk write', 'write', 'write', 8),
    ('2 % equality query', 'equal', 'equal', 5),
    ('top 50 by a field', 'top', 'top', 5),
    ('one durable edit, a pause before each', 'edit', 'edit', 1),
    ('one durable edit, back to back', 'editRush', 'editRush', None),
    ('edit until a live query shows it', 'live', 'live', None),
]


def load():
    """The load average of the last one and five minutes; above the number of processors the figures are noise."""
    return '{:.1f} {:.1f}'.format(*os.getloadavg()[:2])


def report(count, aloft, rows):
    middle = lambda results, key: statistics.median(result[key] for result in results)
    print(f'\n{count:,} records of about 200 bytes, {f"medians of {len(aloft)} runs" if len(aloft) > 1 else "one run"}, milliseconds')
    print(f'{"":42}{"Aloft":>10}{"rows":>10}{"ratio":>8}   aim')
    for title, ours, theirs, aim in LINES:
        a, r = middle(aloft, ours), middle(rows, theirs)
        aimed = '' if aim is None else f'{aim} x' + ('' if r / a >= aim else '  missed')
        print(f'{title:42}{a:10.2f}{r:10.2f}{r / a:7.1f}x   {aimed}', flush=True)

    print(f'floor: opening and reading the pages {middle(aloft, "floorCold"):.2f}, one strict append of a small row {middle(aloft, "floorEdit"):.2f}', flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--server', default=str(ROOT / '.build/release/aloft'), help='the aloft executable')
    parser.add_argument('--platform', default=str(ROOT / 'build/web'), help='the folder with the browser modules; Web takes the sources')
    parser.add_argument('--wasm', default=str(ROOT / 'build/web/aloft.wasm'), help='the engine')
    parser.add_argument('--sizes', type=int, nargs='+', default=[10_000, 100_000])
    parser.add_argument('--runs', type=int, default=1)
    parser.add_argument('--json', help='also write the raw figures to this file')
    options = parser.parse_args()
    for name, maker in ((options.server, 'Scripts/build-release.sh aloft'), (options.wasm, 'Scripts/build-wasm.sh'),
                        (f'{options.platform}/aloft.js', 'Scripts/build-web.sh')):
        if not Path(name).exists():
            raise SystemExit(f'There is no {name}. Run: {maker}')
    began = time.monotonic()
    print(f'repeat: {shlex.join([os.path.relpath(sys.argv[0]), *sys.argv[1:]])}')
    print(f'load {load()} on {os.cpu_count()} processors before')
    raw = {}
    with sync_playwright() as playwright:
        for count in options.sizes:
            aloft, rows = [], []
            for run in range(options.runs):
                server = Server(options)
                devices = [Device(playwright, server.url), Device(playwright, server.url)]
                turns = [lambda: aloft.append(measure_aloft(devices[0], count)), lambda: rows.append(measure_rows(devices[1], count))]
                try:
                    for turn in turns if run % 2 == 0 else reversed(turns):
                        turn()
                finally:
                    for device in devices:
                        device.forget()
                    server.stop()
            report(count, aloft, rows)
            raw[count] = {'aloft': aloft, 'rows': rows}
    print(f'\nload {load()} after, {time.monotonic() - began:.0f} s in all')
    if options.json:
        Path(options.json).write_text(json.dumps(raw, indent=1))


if __name__ == '__main__':
    main()
