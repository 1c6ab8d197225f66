// SPDX-License-Identifier: Apache-2.0
// The text engine in WebAssembly beside Yjs, the same work in one process, and beside the native engine:
//
//   text-wasm.mjs <text.wasm> <folder of traces> <folder of replays> <text-bench's output>
//
// Both sides type sequential histories edit by edit, merge whole histories, ours also with the places that a trusted writer gives, and
// merge concurrent ones message by message while an editor listens. Milliseconds of processor time, medians, warm. Where Yjs is not found its columns are left out.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { gunzipSync } from 'node:zlib'

const [engine, traces, replays, native] = process.argv.slice(2)
const SEQUENTIAL = ['automerge-paper', 'seph-blog1', 'egwalker', 'rustcode', 'friendsforever_flat', 'sveltecomponent', 'json-crdt-blog-post']
const CONCURRENT = ['friendsforever', 'node_nodecc', 'git-makefile']
const KINDS = [['1 type', 1, SEQUENTIAL], ['2 merge all', 2, SEQUENTIAL], ['3 merge all', 2, CONCURRENT], ['3b merge all, with places', 4, CONCURRENT], ['4 stream', 3, CONCURRENT]]

/** Yjs, where NODE_PATH says. */
function findYjs() {
  try {
    const require = createRequire(import.meta.url)
    const path = require.resolve('yjs')
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
  list(() => {
    const length = number()
    at += length
  })
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
  /** The transactions in the history of one, without what is known. */
  const history = (index, known) => {
    const found = new Set()
    for (const open = [...parents[index]]; open.length;) {
      const next = open.pop()
      if (found.has(next) || known.has(next)) continue
      found.add(next)
      open.push(...parents[next])
    }
    return found
  }
  /** Whether a transaction is in the history of another. */
  const isKnown = (event, of) => {
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
  const updates = []
  /** For each agent the document it typed in, the last transaction in that, and all of them. */
  const copies = new Map()
  let clients = 0
  transactions.forEach((item, index) => {
    let copy = copies.get(item.agent)
    // What the agent's document knows beyond this transaction's history, its author did not: then everything anew, as another client.
    if (!copy || !isKnown(copy.last, index)) {
      copy = { doc: new Y.Doc(), known: new Set() }
      copy.doc.clientID = ++clients
      copies.set(item.agent, copy)
    }
    const { doc, known } = copy
    const missing = [...history(index, known)].sort((a, b) => a - b)
    doc.transact(() => { for (const other of missing) Y.applyUpdate(doc, updates[other]) })
    doc.once('update', update => { updates[index] = update })
    doc.transact(() => { for (const patch of item.patches) edit(doc.getText('t'), patch) })
    for (const other of [...missing, index]) known.add(other)
    copy.last = index
  })
  return updates
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
  const text = () => {
    const length = run()
    const start = replay_text()
    return Buffer.from(memory.buffer, start, length).toString()
  }
  return { run, text }
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
  return kind !== 3 ? (whole => () => apply([whole]))(Y.encodeStateAsUpdate(apply(trace.updates))) : () => apply(trace.updates, true)

  function apply(updates, isWatched = false) {
    const doc = new Y.Doc()
    let changes = 0
    if (isWatched) doc.getText('t').observe(event => { changes += event.delta.length })
    for (const update of updates) Y.applyUpdate(doc, update)
    doc.getText('t')
    return doc
  }
}

const figures = new Map(readFileSync(native, 'utf8').split('\n').map(line => line.split('\t')).map(([row, name, value]) => [`${row} ${name}`, +value]))
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
    const here = figures.get(`${row} ${name}`) ?? figures.get(`${row.replace('4', '4b')} ${name}`)
    const cells = [here ?? '', time.toFixed(2), here ? (time / here).toFixed(2) : '']
    if (here) ratios.native.push(time / here)
    if (Y) {
      if (!read.has(name)) read.set(name, readTrace(name))
      const run = theirs(Y, name, kind, read.get(name))
      const other = run().getText('t').toString()
      // Yjs orders concurrent insertions at one place otherwise, so what authors did at those places fell on other characters.
      const isSame = SEQUENTIAL.includes(name) ? other === flat(text) : Math.abs(other.length - text.length) < text.length / 20
      if (!isSame) throw new Error(`${name}: Yjs has another text, ${other.length} of ${text.length} characters`)
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
