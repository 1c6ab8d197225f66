# SPDX-License-Identifier: Apache-2.0
"""Compares the figures of text-bench with those of others: text-peers.py <folder of traces> <text-bench's output>

Yrs (pycrdt) and Loro are measured here, on sequential traces: merging the whole history and opening a saved document, CPU ms, medians.
Their typing goes through Python, so it is not shown: only calls that do all their work inside the library are compared. Diamond Types
has no Python package, and Yrs on concurrent traces needs a client for each branch: those figures were measured once, on the machine of
the development, so ratios hold on a like machine only.
"""
import gzip, importlib, math, statistics, sys, time

NAMES = ['automerge-paper', 'seph-blog1', 'rustcode', 'friendsforever_flat', 'sveltecomponent', 'json-crdt-blog-post']


def patches(path):
    data, at = gzip.open(path).read(), 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    for _ in range(number()):
        size = number()
        at += size
    counts = []
    for _ in range(number()):
        number(), number()
        for _ in range(number()):
            number()
        counts.append(number())
    cursor, result = 0, []
    for _ in range(sum(counts)):
        move = number()
        place = cursor + (move >> 1 if move & 1 == 0 else -1 - (move >> 1))
        deleted, inserted = number(), number()
        cursor = place + inserted
        result.append((place, deleted, inserted))
    size = number()
    text, start = data[at:at + size].decode(), 0
    for place, deleted, inserted in result:
        yield place, deleted, text[start:start + inserted]
        start += inserted


def median(body, runs=7):
    body()
    times = []
    for _ in range(runs):
        start = time.process_time()
        body()
        times.append((time.process_time() - start) * 1000)
    return statistics.median(times)


DIAMOND_TYPES = {
    '1 type': {'automerge-paper': 4.2, 'seph-blog1': 3.1, 'egwalker': 12.6},
    '2 merge all': {'automerge-paper': 1.5, 'seph-blog1': 2.2, 'egwalker': 8.8},
    '3 merge all': {'friendsforever': 2.8, 'friendsforever x25': 82.8, 'node_nodecc': 13.3, 'git-makefile': 16.3},
    '3b merge all, with places': {'node_nodecc': 13.3},
    '4 stream': {'friendsforever': 134, 'node_nodecc': 63},
    '4b stream': {'git-makefile': 8474},
    # Reading a history, 1 ms, and then the mean of a message in the stream.
    '6 open and merge one': {'friendsforever': 1.005, 'node_nodecc': 1.07, 'git-makefile': 6.3},
    '7 file, history alone': {'automerge-paper': 106242, 'egwalker': 729164, 'node_nodecc': 333876, 'friendsforever': 35706},
    '9 memory, open': {'automerge-paper': 0.48},
    '10 memory, log': {'automerge-paper': 1.36, 'egwalker': 6.7, 'node_nodecc': 4.7},
    '11 memory, merging all: peak': {'egwalker': 7.3, 'friendsforever x25': 40},
}
YRS = {
    '3b merge all, with places': {'friendsforever': 0.61, 'friendsforever x25': 14.5, 'git-makefile': 9.7},
    '4 stream': {'friendsforever': 44, 'node_nodecc': 50},
    '4b stream': {'git-makefile': 15.6},
}
theirs = {}  # (peer, row) -> {trace: value}


def note(peer, row, name, value):
    theirs.setdefault((peer, row), {})[name] = value


def measure_loro(loro, name, changes):
    doc = loro.LoroDoc()
    text = doc.get_text('t')
    for place, deleted, inserted in changes:
        if deleted:
            text.delete(place, deleted)
        if inserted:
            text.insert(place, inserted)
    doc.commit()
    assert len(text.to_string()) == sum(len(i) - d for _, d, i in changes)
    updates, snapshot = doc.export(loro.ExportMode.Updates(loro.VersionVector())), doc.export(loro.ExportMode.Snapshot())
    note('Loro', '2 merge all', name, median(lambda: loro.LoroDoc().import_(updates)))

    def opened():
        other = loro.LoroDoc()
        other.import_(snapshot)
        return other.get_text('t').to_string()

    note('Loro', '5 open', name, median(opened))
    note('Loro', '7 file', name, len(snapshot))


def measure_yrs(pycrdt, name, changes):
    if len(changes) > 25_000:
        return  # Yrs finds a place by walking: minutes.
    doc = pycrdt.Doc()
    doc['t'] = text = pycrdt.Text()
    # Its places are bytes of UTF-8, so texts with others than ASCII are left out.
    if not all(inserted.isascii() for _, _, inserted in changes):
        return
    for place, deleted, inserted in changes:
        if deleted:
            del text[place:place + deleted]
        if inserted:
            text.insert(place, inserted)
    update = doc.get_update()
    note('Yrs', '2 merge all', name, median(lambda: pycrdt.Doc().apply_update(update)))
    note('Yrs', '7 file', name, len(update))


peers = []
for package, measure in (('loro', measure_loro), ('pycrdt', measure_yrs)):
    try:
        peers.append((package, importlib.import_module(package), measure))
    except ImportError:
        print(f'{package} is not installed and is left out.')
for name in NAMES if peers else []:
    changes = list(patches(f'{sys.argv[1]}/{name}.gz'))
    for package, module, measure in list(peers):
        try:
            measure(module, name, changes)
        except BaseException as error:  # Loro's panics are no Exceptions.
            if isinstance(error, KeyboardInterrupt):
                raise
            print(f'{package}, {name}: {error}')
for peer, rows in (('Diamond Types', DIAMOND_TYPES), ('Yrs', YRS)):
    for row, values in rows.items():
        theirs[(f'{peer}, recorded', row)] = values

ours = {}
for line in open(sys.argv[2]):
    parts = line.rstrip('\n').split('\t')
    if len(parts) == 4 and parts[0] != 'row':
        ours[(parts[0], parts[1])] = float(parts[2])
print('\nrow\tpeer\ttrace\tAloft\tpeer\tratio')
for (peer, row), values in sorted(theirs.items(), key=lambda item: (item[0][1], item[0][0])):
    ratios = []
    for name, value in values.items():
        if (row, name) in ours:
            ratios.append(ours[(row, name)] / value)
            print(f'{row}\t{peer}\t{name}\t{ours[(row, name)]:g}\t{value:.4g}\t{ratios[-1]:.2f}')
    if len(ratios) > 1:
        print(f'{row}\t{peer}\tgeometric mean\t\t\t{math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f}')
