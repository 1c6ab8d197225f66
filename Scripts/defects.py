#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that the simulator catches what it ought to catch.

Each file in Tests/SimDefects/ describes a small mistake in AloftCore. All of them are compiled at once into a copy of the
engines in build/defects/, each behind the switch `seededDefect`; the sources that ship stay clean. Then the simulator hunts
them one by one: with seeds, and what a thousand of them do not find with the plans kept in Tests/SimPlans.

    Scripts/defects.py              hunt all defects
    Scripts/defects.py 17 20-25     hunt some
    Scripts/defects.py --check      only check that every snippet is found

A defect file:

    # What is wrong, in one sentence
    file: Rules/LatestRule.swift            below Sources/AloftCore/
    form: expression                        or statement, the default
    caught by: S10 S12                      invariants that are expected to notice
    profiles: calm lossy                    which plans to run, in turn
    --- original
    if let old = row.stamp, «!new.isNewer(than: old)» { return .lost }
    --- defective
    old.isNewer(than: new)

The original must occur exactly once in the file; white space does not count. Only the part between « and » is replaced; the
rest is there to find it. A file may have several pairs.

Exits with 1 when a defect is not caught within the limit, when a snippet is not found exactly once, or when the engines
without a defect fail on a seed that a defect was caught on.
"""

import pathlib
import re
import shutil
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BANK = ROOT / "Tests" / "SimDefects"
WORK = ROOT / "build" / "defects"
HUNT = WORK / ".build" / "release" / "hunt"
RUNS_MAX = 1000
SECONDS_MAX = 600
ONE_RUN_SECONDS_MAX = 120

MANIFEST = """// swift-tools-version: 6.1
import PackageDescription
let package = Package(
  name: "defects",
  targets: [
    .target(name: "AloftCore"), .target(name: "AloftSim", dependencies: ["AloftCore"]),
    .executableTarget(name: "hunt", dependencies: ["AloftCore", "AloftSim"]),
  ])
"""

SWITCH = """// The defect that is awake; 0 for none.
nonisolated(unsafe) public var seededDefect = 0
"""


class Defect:
    def __init__(self, path):
        self.number = int(path.name.split("-")[0])
        self.name = path.stem
        head, *sections = re.split(r"^--- (original|defective)\n", path.read_text(), flags=re.M)
        title, *lines = head.strip().splitlines()
        self.title = title.removeprefix("# ")
        fields = dict(line.split(": ", 1) for line in lines)
        self.file = fields["file"]
        self.form = fields.get("form", "statement")
        self.expected = fields["caught by"].split()
        self.profiles = fields["profiles"].split()
        texts = sections[1::2]
        self.pairs = list(zip(texts[0::2], texts[1::2]))
        if sections[0::2] != ["original", "defective"] * len(self.pairs):
            sys.exit(f"{path.name}: wants pairs of original and defective")

    def edits(self, source):
        """The places in the source that the defect replaces, as (start, end, defective text, defect)."""
        out = []
        for original, defective in self.pairs:
            before, piece, after = re.fullmatch(r"(.*)«(.*)»(.*)", original.strip(), flags=re.S).groups()
            pattern = loose(before) + r"\s*(" + loose(piece) + r")\s*" + loose(after)
            found = list(re.finditer(pattern, source))
            if len(found) != 1:
                sys.exit(f"{self.name}: the original occurs {len(found)} times in {self.file}")
            out.append((found[0].start(1), found[0].end(1), defective.strip(), self))
        return out

    def switch(self, original, defective):
        if self.form == "expression":
            return f"(seededDefect == {self.number} ? ({defective}) : ({original}))"
        return f"\nif seededDefect == {self.number} {{\n{defective}\n}} else {{\n{original}\n}}\n"


def loose(text):
    """A pattern for the text that does not care about white space."""
    return r"\s+".join(re.escape(word) for word in text.split())


def weave(source, start, end, edits):
    """The source from start to end with every edit behind its switch; an edit may lie inside another."""
    out = ""
    position = start
    rest = sorted(edits, key=lambda edit: (edit[0], -edit[1], edit[3].number))
    while rest:
        outer = rest.pop(0)
        inner = [edit for edit in rest if edit[0] < outer[1]]
        rest = rest[len(inner):]
        for edit in inner:
            if edit[1] > outer[1]:
                sys.exit(f"{edit[3].name} and {outer[3].name} overlap")
        out += source[position:outer[0]] + outer[3].switch(weave(source, outer[0], outer[1], inner), outer[2])
        position = outer[1]
    return out + source[position:end]


def write(path, text):
    """Writes what is new, so that a second build has nothing to do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def prepare(bank):
    core = ROOT / "Sources" / "AloftCore"
    shutil.rmtree(WORK / "Sources" / "AloftSim", ignore_errors=True)
    shutil.copytree(ROOT / "Sources" / "AloftSim", WORK / "Sources" / "AloftSim")
    wanted = {"SeededDefect.swift"}
    for path in sorted(core.rglob("*.swift")):
        name = str(path.relative_to(core))
        wanted.add(name)
        source = path.read_text()
        edits = [edit for defect in bank if defect.file == name for edit in defect.edits(source)]
        write(WORK / "Sources" / "AloftCore" / name, weave(source, 0, len(source), edits))
    for path in (WORK / "Sources" / "AloftCore").rglob("*.swift"):
        if str(path.relative_to(WORK / "Sources" / "AloftCore")) not in wanted:
            path.unlink()
    for defect in bank:
        if not (core / defect.file).exists():
            sys.exit(f"{defect.name}: there is no {defect.file}")
    write(WORK / "Sources" / "AloftCore" / "SeededDefect.swift", SWITCH)
    write(WORK / "Sources" / "hunt" / "main.swift", (BANK / "main.swift").read_text())
    write(WORK / "Package.swift", MANIFEST)


def run(number, profiles, first, end):
    """One process of the driver: (the last run it began, what caught the defect or None, in words)."""
    while True:
        last, invariant, words = drive([HUNT, str(number), ",".join(profiles), str(first), str(end)], first)
        # Many runs on a busy machine may take their time: it is a hang only where a run by itself has no end.
        if invariant != "hang" or last + 1 == end:
            return last, invariant, words
        last, invariant, words = drive([HUNT, str(number), ",".join(profiles), str(last), str(last + 1)], last, ONE_RUN_SECONDS_MAX)
        if invariant is not None:
            return last, invariant, words
        first = last + 1


def replay(number):
    """The same with the kept plans."""
    return drive([HUNT, str(number), "plans", *sorted((ROOT / "Tests" / "SimPlans").glob("*.plan"))], 0)


def drive(command, first, seconds=SECONDS_MAX):
    """What a process of the driver came to."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
        lines, code = done.stdout.splitlines(), done.returncode
    except subprocess.TimeoutExpired as expired:
        lines, code = (expired.stdout or b"").decode().splitlines(), None
    last = max((int(line.split()[1]) for line in lines if re.fullmatch(r"run \d+", line)), default=first)
    if code is None:
        return last, "hang", f"no end within {seconds} s"
    if code != 0:
        return last, "trap", "the engine stops"
    for line in lines:
        if line.startswith("caught "):
            return last, line.split()[1], line.removeprefix("caught ")
    return last, None, ""


def hunt(defect):
    """(seeds needed, 0 for a kept plan, or None; the invariant, in words, the seeds on which the engines fail without it)."""
    first, broken = 0, []
    while first < RUNS_MAX:
        last, invariant, words = run(defect.number, defect.profiles, first, RUNS_MAX)
        if invariant is None:
            break
        place = f"{defect.profiles[last % len(defect.profiles)]} {1 + last // len(defect.profiles)}"
        _, without, reason = run(0, defect.profiles, last, last + 1)
        if without is None:
            return last + 1, invariant, f"{place}: {words}", broken
        broken.append(f"{place}: {reason}")
        first = last + 1
    _, invariant, words = replay(defect.number)
    return (0 if invariant else None), invariant or "-", words, broken


def chosen(arguments, bank):
    numbers = set()
    for argument in arguments:
        low, _, high = argument.partition("-")
        numbers.update(range(int(low), int(high or low) + 1))
    return [defect for defect in bank if not numbers or defect.number in numbers]


def main():
    bank = [Defect(path) for path in sorted(BANK.glob("*.defect"))]
    prepare(bank)
    if "--check" in sys.argv:
        return 0
    subprocess.run(["swift", "build", "-c", "release", "--package-path", WORK, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    verbose = "--verbose" in sys.argv
    seeds, planned, missed, unsound = [], [], [], []
    print(f"{'defect':<44} {'caught by':<10} {'seeds':>5}")
    hunted = chosen([argument for argument in sys.argv[1:] if not argument.startswith("--")], bank)
    for defect in hunted:
        needed, invariant, words, broken = hunt(defect)
        unsound += [entry for entry in broken if entry not in unsound]
        if needed is None:
            missed.append(defect)
        elif needed:
            seeds.append(needed)
        else:
            planned.append(defect)
        note = "" if needed is None or invariant in defect.expected else f"  (expected {' '.join(defect.expected)})"
        print(f"{defect.name:<44} {invariant:<10} {'plan' if needed == 0 else needed or 'none':>5}{note}", flush=True)
        if verbose and words:
            print(f"      {words[:300]}", flush=True)
    print(f"caught {len(seeds) + len(planned)} of {len(hunted)}, {len(planned)} of them by kept plans only", end="")
    print(f", seeds to detection: mean {statistics.mean(seeds):.1f}, median {statistics.median(seeds):g}" if seeds else "")
    for defect in missed:
        print(f"not caught: {defect.name}: {defect.title}")
    for entry in unsound:
        print(f"fails without a defect: {entry}")
    return 1 if missed or unsound else 0


if __name__ == "__main__":
    sys.exit(main())
