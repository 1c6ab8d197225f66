#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the browser scenarios: real Chromium, real server, a network that fails on demand.

    .build/venv/bin/python Tests/browser/run.py                   all of them
    .build/venv/bin/python Tests/browser/run.py counter portal    those whose name has one of the words
    .build/venv/bin/python Tests/browser/run.py --list            their names

Needs the server (`swift build --product aloft`) and the browser's files (`make web`). What a failed scenario leaves behind
(pictures of the pages, the server's words) is in build/browser-tests/<name>.
"""
import argparse
import importlib
import inspect
import pkgutil
import re
import shutil
import sys
import time
import traceback
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))

import scenarios  # noqa: E402
from lab.world import World  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402


def all_scenarios():
    """Every function with a docstring and one parameter named `world`; the docstring is the sentence it proves."""
    found = []
    for module in sorted(entry.name for entry in pkgutil.iter_modules(scenarios.__path__)):
        functions = vars(importlib.import_module(f'scenarios.{module}')).values()
        for function in functions:
            is_own = inspect.isfunction(function) and function.__module__ == f'scenarios.{module}'
            if is_own and list(inspect.signature(function).parameters) == ['world'] and function.__doc__:
                found.append((function.__doc__.strip().splitlines()[0], function))
    return found


def in_words(error):
    """The error, and the lines of ours that led to it."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(str(HERE))]
    places = [f'{Path(frame.filename).relative_to(HERE)}:{frame.lineno} {frame.line}' for frame in own[1:]]
    return '\n'.join([f'{type(error).__name__}: {error}', *places])


def run_one(playwright, settings, name, function):
    """The problem of a scenario in words, or None."""
    world = World(playwright, settings)
    problem = None
    try:
        function(world)
        if world.page_errors():
            problem = 'the pages reported errors:\n' + '\n'.join(world.page_errors()[:10])
    except Exception as error:
        problem = in_words(error)
        if world.is_late:
            problem = f'gave up: it took too long\n{problem}'
    if problem:
        world.keep_evidence(settings.evidence / re.sub(r'\W+', '-', name)[:80])
        for error in world.page_errors()[:10]:
            problem += f'\npage: {error}'
    world.close()
    return problem


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('words', nargs='*', help='run scenarios whose name has one of these words')
    parser.add_argument('--server', default=str(ROOT / '.build/debug/aloft'), help='the aloft executable')
    parser.add_argument('--root', default=str(ROOT), help="the folder the server runs in; it finds the browser's files from there")
    parser.add_argument('--list', action='store_true', help='print the names and stop')
    settings = parser.parse_args()
    settings.root = Path(settings.root)
    settings.repository, settings.evidence = ROOT, ROOT / 'build/browser-tests'
    chosen = [(name, function) for name, function in all_scenarios()
              if not settings.words or any(word.lower() in name.lower() for word in settings.words)]
    if settings.list:
        print('\n'.join(name for name, _ in chosen))
        return 0
    if not Path(settings.server).exists():
        raise SystemExit(f'There is no {settings.server}. Run: swift build --product aloft')
    shutil.rmtree(settings.evidence, ignore_errors=True)
    failures = 0
    with sync_playwright() as playwright:
        for name, function in chosen:
            began = time.monotonic()
            problem = run_one(playwright, settings, name, function)
            failures += problem is not None
            print(f'{"FAILED" if problem else "passed"}  {name} ({time.monotonic() - began:.1f} s)', flush=True)
            if problem:
                print('        ' + problem.strip().replace('\n', '\n        '), flush=True)
    print(f'{len(chosen) - failures} passed, {failures} failed')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
