# SPDX-License-Identifier: Apache-2.0
"""What Yrs (pycrdt) and Loro need for sequential traces: merging the whole history and opening a saved document, CPU ms, medians.

Their typing goes through Python, so it is not shown: only calls that do all their work inside the library are compared.
"""
import gzip, statistics, sys, time

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


def show(row, name, value, unit='ms'):
    print(f'{row}\t{name}\t{value:.3f}\t{unit}', flush=True)


for name in NAMES:
    changes = list(patches(f'{sys.argv[1]}/{name}.gz'))
    try:
        import loro
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
        show('2 merge all (Loro)', name, median(lambda: loro.LoroDoc().import_(updates)))

        def opened():
            other = loro.LoroDoc()
            other.import_(snapshot)
            return other.get_text('t').to_string()

        show('5 open (Loro)', name, median(opened))
        show('7 file (Loro)', name, len(snapshot), 'bytes')
    except Exception as error:  # a peer that cannot be had is left out
        print(f'Loro: {error}', file=sys.stderr)
    if len(changes) > 25_000:
        continue  # Yrs finds a place by walking: minutes.
    try:
        import pycrdt
        doc = pycrdt.Doc()
        doc['t'] = text = pycrdt.Text()
        for place, deleted, inserted in changes:
            if deleted:
                del text[place:place + deleted]
            if inserted:
                text.insert(place, inserted)
        update = doc.get_update()
        show('2 merge all (Yrs)', name, median(lambda: pycrdt.Doc().apply_update(update)))
        show('7 file (Yrs)', name, len(update), 'bytes')
    except Exception as error:
        print(f'Yrs: {error}', file=sys.stderr)
