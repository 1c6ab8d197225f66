// SPDX-License-Identifier: Apache-2.0
// The text engine in WebAssembly beside Yjs, the same work in one process, and beside the native engine:
//
//   text-wasm.mjs <text.wasm> <folder of traces> <folder of replays> <text-bench's output>
//
// Both sides type sequential histories edit by edit, merge whole histories, and merge concurrent ones message by message while an
// editor listens. Milliseconds of processor time, medians, warm. Where Yjs is not found its columns are left out.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { gunzipSync } from 'node:zlib'

const [engine, traces, replays, native] = process.argv.slice(2)
const SEQUENTIAL = ['automerge-paper', 'seph-blog1', 'egwalker', 'rustcode', 'friendsforever_flat', 'sveltecomponent', 'json-crdt-blog-post']
const CONCURRENT = ['friendsforever', 'node_nodecc', 'git-makefile']
const KINDS = [['1 type', 1, SEQUENTIAL], ['2 merge all', 2, SEQUENTIAL], ['3 merge all', 2, CONCURRENT], ['4 stream', 3, CONCURRENT]]

/** Yjs from npm or from Debian. */
function findYjs() {
  try {
    const require = createRequire(import.meta.url)
    const path = require.resolve('yjs', { paths: [new URL('../.build/text-peers', import.meta.url).pathname, '/usr/share/nodejs'] })
    const folder = path.slice(0, path.lastIndexOf('/yjs/') + 5)
    return { Y: require(path), version: JSON.parse(readFileSync(`${folder}package.json`, 'utf8')).version }
  } catch {
    return {}
  }
}

/** The median of several runs after some to warm up, of all threads: what is collected and compiled is work as well. */
function median(body) {
  const times = []
  const end = performance.now() + 6000
  for (let run = 0; run < 12 && (run < 3 || performance.now() < end); run++) {
    const start = process.cpuUsage()
    body()
    const { user, system } = process.cpuUsage(start)
    times.push((user + system) / 1000)
  }
  const warm = times.slice(Math.min(3, times.length - 1)).sort((a, b) => a - b)
  return warm[warm.length >> 1]
}

/** Yjs counts UTF-16 units and the histories count characters: it gets one unit for each. */
const flat = text => text.replace(/[\u{10000}-\u{10FFFF}]/gu, '?')

/** Reads a packed history; the format is in Scripts/pack-traces.py. */
function readTrace(name) {
  const bytes = gunzipSync(readFileSync(`${traces}/${name}.gz`))
  let at = 0
  const number = () => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = bytes[at++]
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  const list = read => Array.from({ length: number() }, read)
  list(() => { at += number() })
  let events = 0
  const transactions = list(() => ({ agent: number(), first: number(), parents: list(number), patches: number() }))
  let cursor = 0
  for (const item of transactions) {
    item.start = events
    item.patches = Array.from({ length: item.patches }, () => {
      const move = number()
      const place = cursor + (move % 2 ? -1 - (move - 1) / 2 : move / 2)
      const [deleted, inserted] = [number(), number()]
      cursor = place + inserted
      events += deleted + inserted
      return { place, deleted, inserted }
    })
    item.end = events
    item.parents = item.parents.map(back => item.start - back)
  }
  const length = number()
  const text = flat(bytes.subarray(at, at + length).toString())
  let taken = 0
  for (const patch of transactions.flatMap(item => item.patches)) patch.text = text.slice(taken, taken += patch.inserted)
  return { transactions }
}

function edit(text, { place, deleted, text: inserted }) {
  if (deleted) text.delete(place, deleted)
  if (inserted) text.insert(place, inserted)
}

/** Each transaction as Yjs would have sent it: typed by its agent's client on a document that knows exactly what its author knew. */
function updatesOf(Y, { transactions }) {
  const owner = event => {
    let [low, high] = [0, transactions.length]
    while (low + 1 < high) {
      const middle = (low + high) >> 1
      if (transactions[middle].start <= event) low = middle
      else high = middle
    }
    return low
  }
  const parents = transactions.map(item => item.parents.map(owner))
  const updates = []
  /** For each agent the document it last typed in, and the transactions in that. */
  const copies = new Map()
  transactions.forEach((item, index) => {
    const needed = new Set()
    for (const open = [...parents[index]]; open.length;) {
      const next = open.pop()
      if (needed.has(next) || copies.get(item.agent)?.known.has(next)) continue
      needed.add(next)
      open.push(...parents[next])
    }
    let copy = copies.get(item.agent)
    // What the agent's document knows beyond the transaction's parents, its author did not: then everything anew.
    const isBehind = copy && ![...copy.heads].every(head => isKnown(head, index))
    if (!copy || isBehind) {
      copy = { doc: new Y.Doc(), known: new Set(), heads: new Set() }
      copies.set(item.agent, copy)
      needed.clear()
      for (const open = [...parents[index]]; open.length;) {
        const next = open.pop()
        if (needed.has(next)) continue
        needed.add(next)
        open.push(...parents[next])
      }
    }
    const { doc, known } = copy
    doc.clientID = item.agent + 1
    doc.transact(() => { for (const other of [...needed].sort((a, b) => a - b)) Y.applyUpdate(doc, updates[other]) })
    for (const other of needed) known.add(other)
    doc.once('update', update => { updates[index] = update })
    doc.transact(() => { for (const patch of item.patches) edit(doc.getText('t'), patch) })
    known.add(index)
    copy.heads = new Set([index])
  })
  return updates

  /** Whether a transaction is in the history of another. */
  function isKnown(event, of) {
    const seen = new Set()
    for (const open = [...parents[of]]; open.length;) {
      const next = open.pop()
      if (next === event) return true
      if (next < event || seen.has(next)) continue
      seen.add(next)
      open.push(...parents[next])
    }
    return false
  }
}

const { instance } = await WebAssembly.instantiate(readFileSync(engine), {})
const { memory, replay_buffer, replay_forget, replay_run, replay_text } = instance.exports

/** Gives the inputs of a replay to the engine and the replay itself. */
function ours(name, kind) {
  const file = readFileSync(`${replays}/${name}.${kind}`)
  replay_forget()
  for (let at = 0; at < file.length;) {
    const length = file.readUInt32LE(at)
    const start = replay_buffer(length)
    new Uint8Array(memory.buffer, start, length).set(file.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  const run = () => {
    const length = replay_run(kind)
    if (length < 0) throw new Error(`${name}: refused`)
    return length
  }
  return { run, text: () => { const length = run(); return Buffer.from(memory.buffer, replay_text(), length).toString() } }
}

/** The same for Yjs. */
function theirs(Y, name, kind, trace) {
  if (kind === 1 || (kind === 2 && SEQUENTIAL.includes(name))) {
    const patches = trace.transactions.flatMap(item => item.patches)
    const type = () => {
      const doc = new Y.Doc()
      doc.clientID = 1
      for (const patch of patches) edit(doc.getText('t'), patch)
      return doc
    }
    if (kind === 1) return type
    const update = Y.encodeStateAsUpdate(type())
    return () => apply([update])
  }
  trace.updates ??= updatesOf(Y, trace)
  return kind === 2 ? (whole => () => apply([whole]))(Y.encodeStateAsUpdate(apply(trace.updates))) : () => apply(trace.updates, true)

  function apply(updates, isWatched = false) {
    const doc = new Y.Doc()
    let changes = 0
    if (isWatched) doc.getText('t').observe(event => { changes += event.delta.length })
    for (const update of updates) Y.applyUpdate(doc, update)
    doc.getText('t')
    return doc
  }
}

const figures = new Map(readFileSync(native, 'utf8').split('\n').map(line => line.split('\t')).map(([row, name, value]) => [`${row[0]} ${name}`, +value]))
const { Y, version } = findYjs()
console.log(Y ? `Yjs ${version}` : 'Yjs is not found and is left out (npm: yjs; Debian: node-yjs).')
console.log('row\ttrace\tnative\twasm\twasm/native\tYjs\twasm/Yjs')
const read = new Map()
const all = { native: [], Yjs: [] }
for (const [row, kind, names] of KINDS) {
  const ratios = { native: [], Yjs: [] }
  for (const name of names.filter(name => existsSync(`${replays}/${name}.${kind}`))) {
    const replay = ours(name, kind)
    const text = replay.text()
    const time = median(replay.run)
    const here = figures.get(`${row[0]} ${name}`)
    const cells = [here ?? '', time.toFixed(2), here ? (time / here).toFixed(2) : '']
    if (here) ratios.native.push(time / here)
    if (Y) {
      if (!read.has(name)) read.set(name, readTrace(name))
      const run = theirs(Y, name, kind, read.get(name))
      const other = run().getText('t').toString()
      // Concurrent insertions at one place may come in another order.
      if (SEQUENTIAL.includes(name) ? other !== flat(text) : other.length !== flat(text).length) throw new Error(`${name}: Yjs has another text`)
      const otherTime = median(run)
      ratios.Yjs.push(time / otherTime)
      cells.push(otherTime.toFixed(2), (time / otherTime).toFixed(3))
    }
    console.log([row, name, ...cells].join('\t'))
  }
  for (const [peer, list] of Object.entries(ratios)) all[peer].push(...list)
  const mean = list => list.length ? Math.exp(list.reduce((sum, ratio) => sum + Math.log(ratio), 0) / list.length).toFixed(2) : ''
  console.log([row, 'geometric mean', '', '', mean(ratios.native), '', mean(ratios.Yjs)].join('\t'))
}
console.log(`slowest\t\t\t\t${Math.max(...all.native).toFixed(2)}\t\t${all.Yjs.length ? Math.max(...all.Yjs).toFixed(3) : ''}`)
