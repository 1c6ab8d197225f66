#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packs public editing traces (JSON) into the small files of Tests/TextTraces, which the tests and benchmarks read.

Usage: Scripts/pack-traces.py <folder with sequential/ concurrent/ conformance/>

A packed file is gzip over histories, one after the other until the end. Numbers are LEB128, signed ones zigzag:
  agents: count, then each id as length and bytes
  transactions: count, then for each: agent, first number of the agent, parents (count, then how far back from the
    transaction's first event each is; events are numbered by inserted or deleted characters), patches (count)
  patches, of all transactions: signed distance from the end of the patch before, deleted, inserted characters
  text: length in bytes, then all inserted text
  end: 0, length, the final text; or 1, the SHA-256 of it (32 bytes)
"""
import bisect, gzip, hashlib, heapq, itertools, json, pathlib, sys

source = pathlib.Path(sys.argv[1])
target = pathlib.Path(__file__).parent.parent / 'Tests/TextTraces'
target.mkdir(parents=True, exist_ok=True)


def load(path):
    opener = gzip.open if path.suffix == '.gz' else open
    with opener(path, 'rt', encoding='utf-8') as file:
        return json.load(file) if '.jsonl' not in path.name else [json.loads(line) for line in file]


def number(out, value):
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def signed(out, value):
    number(out, value << 1 if value >= 0 else (-1 - value) << 1 | 1)


def ordered(items):
    """The first order in which parents and an agent's smaller numbers come first, as our messages need it."""
    sizes = [sum(p[1] + len(p[2]) for p in item[3]) for item in items]
    starts = list(itertools.accumulate(sizes, initial=0))
    needs = [{bisect.bisect_right(starts, parent) - 1 for parent in item[2]} for item in items]
    last = {}
    for index in sorted(range(len(items)), key=lambda index: (items[index][0], items[index][1])):
        if items[index][0] in last:
            needs[index].add(last[items[index][0]])
        last[items[index][0]] = index
    left, after = [len(need) for need in needs], [[] for _ in items]
    for index, need in enumerate(needs):
        for other in need:
            after[other].append(index)
    ready, order = [index for index in range(len(items)) if not left[index]], []
    while ready:
        index = heapq.heappop(ready)
        order.append(index)
        for other in after[index]:
            left[other] -= 1
            if not left[other]:
                heapq.heappush(ready, other)
    assert len(order) == len(items), 'no such order'
    new, event = {}, 0
    for index in order:
        new[index] = event
        event += sizes[index]

    def moved(parent):
        owner = bisect.bisect_right(starts, parent) - 1
        return new[owner] + parent - starts[owner]

    return [(items[i][0], items[i][1], sorted(map(moved, items[i][2])), items[i][3]) for i in order]


def transactions(history):
    """Gives (agent, first number, parents as events, patches) in order."""
    items = history['txns']
    if items and 'span' in items[0]:
        return ordered([(str(t['agent']), t['seqStart'], t['parents'], t.get('ops', t.get('patches'))) for t in items])
    result, event, last, numbers = [], 0, [], {}
    for index, item in enumerate(items):
        if 'parents' not in item:  # A sequential history is one transaction.
            return [('author', 0, [], [patch for each in items for patch in each['patches']])]
        agent = str(item.get('agent', 'author'))
        size = sum(p[1] + len(p[2]) for p in item['patches'])
        result.append((agent, numbers.get(agent, 0), [last[p] for p in item['parents']], item['patches']))
        numbers[agent] = numbers.get(agent, 0) + size
        event += size
        assert size, 'a transaction without events'
        last.append(event - 1)
    return result


def pack(history, keeps_text):
    out, items = bytearray(), transactions(history)
    agents = sorted({item[0] for item in items}, key=lambda name: name.encode())
    number(out, len(agents))
    for agent in agents:
        number(out, len(agent.encode()))
        out += agent.encode()
    index = {agent: place for place, agent in enumerate(agents)}
    number(out, len(items))
    event, patches, text, cursor = 0, bytearray(), [], 0
    for agent, first, parents, changes in items:
        number(out, index[agent])
        number(out, first)
        number(out, len(parents))
        for parent in parents:
            number(out, event - parent)
        number(out, len(changes))
        for place, deleted, inserted in changes:
            signed(patches, place - cursor)
            number(patches, deleted)
            number(patches, len(inserted))
            cursor = place + len(inserted)
            text.append(inserted)
            event += deleted + len(inserted)
    out += patches
    data = ''.join(text).encode()
    number(out, len(data))
    out += data
    end = history['endContent'].encode()
    if keeps_text:
        number(out, 0)
        number(out, len(end))
        out += end
    else:
        number(out, 1)
        out += hashlib.sha256(end).digest()
    return out


for path in sorted(source.glob('*/*')):
    group, name = path.parent.name, path.name.split('.')[0]
    if group == 'conformance' and name not in ('fuguemax', 'fugue'):
        (target / path.name).write_bytes(path.read_bytes())
        continue
    data = load(path)
    if name == 'fugue':
        data = [data[621]]  # the one history that the rule without Max orders otherwise
    histories = data if isinstance(data, list) else [data]
    packed = b''.join(pack(history, group == 'conformance') for history in histories)
    file = target / f'{name}.gz'
    with gzip.GzipFile(file, 'wb', 9, mtime=0) as out:
        out.write(packed)
    print(f'{file.name}: {len(packed)} bytes, {file.stat().st_size} packed')
