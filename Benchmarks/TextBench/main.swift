// SPDX-License-Identifier: Apache-2.0
// Figures of collaborative text: medians, in milliseconds of processor time. docs/text-figures.md explains the rows.
import Allocations
import AloftCore
import TextParity
import TextTraces

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

func cpu() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
}

/// The median of several runs after one to warm up; of more when they are short.
func median(_ runs: Int = 9, _ body: () -> Void) -> Double {
  body()
  var times: [Double] = []
  var total = 0.0
  while times.count < runs || (total < 100 && times.count < 200) {
    let start = cpu()
    body()
    times.append(cpu() - start)
    total += times[times.count - 1]
  }
  return times.sorted()[times.count / 2]
}

func flush() { fflush(nil) }

func show(_ row: String, _ name: String, _ value: Double, _ unit: String = "ms") {
  let digits = value >= 100 ? 1 : 3
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  let text = "\((value * scale).rounded() / scale)"
  print("\(row)\t\(name)\t\(text)\t\(unit)")
  flush()
}

// text-bench digest <seed> <steps>: what Scripts/text-parity.mjs compares with WebAssembly.
if CommandLine.arguments.count == 4, CommandLine.arguments[1] == "digest" {
  print(TextParity.digest(seed: UInt64(CommandLine.arguments[2])!, steps: Int(CommandLine.arguments[3])!))
  exit(0)
}
// text-bench fuzz [--kind plain|rich] [--operations N] [--seed S]
if CommandLine.arguments.count > 1, CommandLine.arguments[1] == "fuzz" {
  func option(_ name: String) -> String? {
    guard let at = CommandLine.arguments.firstIndex(of: "--" + name), at + 1 < CommandLine.arguments.count else { return nil }
    return CommandLine.arguments[at + 1]
  }
  let seed = option("seed").flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1 << 40)
  let operations = option("operations").flatMap { Int($0) } ?? 1_000_000
  print("first seed \(seed)")
  let start = cpu()
  let failure = TextFuzz.run(isRich: option("kind") == "rich", operations: operations, seed: seed, reportEvery: 1_000_000) { counts, made in
    print("\(counts), \(Int(Double(made) / (cpu() - start) * 1_000)) operations/s")
    flush()
  }
  if let failure { print(failure) }
  exit(failure == nil ? 0 : 1)
}
// text-bench replays <folder> <folder for the files>: what Benchmarks/text-wasm.mjs replays.
// text-bench check <folder>; or text-bench <folder> [<row>,<row> [<trace>]]
let hasCommand = CommandLine.arguments.count > 2 && ["check", "replays"].contains(CommandLine.arguments[1])
let folder = hasCommand ? CommandLine.arguments[2] : CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "Tests/TextTraces"
let only = CommandLine.arguments.count > 2 ? CommandLine.arguments[2] : ""
func fail(_ message: String) -> Never {
  _ = "text-bench: \(message)\n".withCString { write(2, $0, strlen($0)) }
  exit(2)
}
if access("\(folder)/friendsforever.gz", R_OK) != 0 {
  fail("no traces in \(folder). text-bench [check] <folder of traces>, or fuzz, digest, replays; the traces are in Tests/TextTraces")
}
let sequential = [
  "automerge-paper", "seph-blog1", "egwalker", "rustcode", "friendsforever_flat", "sveltecomponent", "json-crdt-blog-post",
]
let concurrent = ["friendsforever", "node_nodecc", "git-makefile"]
if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "check" {
  exit(Checks.run(folder, sequential, concurrent) ? 0 : 1)
}
if CommandLine.arguments.count == 4, CommandLine.arguments[1] == "replays" {
  Replays.write(folder, sequential, concurrent, to: CommandLine.arguments[3])
  exit(0)
}
let traces = CommandLine.arguments.count > 3 ? CommandLine.arguments[3] : ""

func wanted(_ row: String) -> Bool { only.isEmpty || only.split(separator: ",").contains { $0 == row } }
func check(_ document: TextDocument, _ trace: Trace, _ what: String) {
  if !trace.ends(with: document.utf8) { fatalError("\(what): wrong text") }
}

func load(_ name: String) -> Trace { Trace.load("\(folder)/\(name).gz")[0] }
func absorb(_ message: [UInt8]) -> TextDocument { try! TextReplay.absorb(message).document }

/// Rows 9 to 11: what a document holds while nobody asked for its history, what it holds with its log, and the most that merging
/// everything takes at once.
func showMemory(_ name: String, _ saved: [UInt8], _ message: [UInt8], typed: () -> TextDocument) {
  // The document must take what it keeps from bytes that go away.
  func megabytes(_ work: () -> TextDocument) -> (held: Double, peak: Double)? {
    var document: TextDocument?
    let memory = Memory.of { document = work() }
    return withExtendedLifetime(document) { memory.map { (Double($0.held) / 1e6, Double($0.peak) / 1e6) } }
  }
  if wanted("9"), let memory = megabytes({ try! TextDocument(saved: saved.withUnsafeBufferPointer(Array.init)) }) { show("9 memory, open", name, memory.held, "MB") }
  if wanted("10"), let memory = megabytes(typed) { show("10 memory, log", name, memory.held, "MB") }
  if wanted("11"), let memory = megabytes({ absorb(message) }) {
    show("11 memory, merging all: peak", name, memory.peak, "MB")
    show("11 memory, merging all: after", name, memory.held, "MB")
  }
}

print("row\ttrace\tvalue\tunit")
for name in sequential where traces.isEmpty || traces == name {
  let trace = load(name)
  let edits = trace.edits
  func type() -> TextDocument { try! TextReplay.type(edits, by: "author01").document }
  var typed = type()
  check(typed, trace, name)
  if wanted("1") { show("1 type", name, median { precondition(type().count == typed.count) }) }
  let bytes = typed.encode()
  if wanted("2") {
    show("2 merge all", name, median { precondition(absorb(bytes).count == typed.count) })
  }
  let unsaved = typed
  let saved = typed.save()
  if wanted("5") {
    show("5 open", name, median { precondition((try! TextDocument(saved: saved)).utf8.count == typed.byteCount) })
    show("5 save, nothing packed", name, median(3) {
      var fresh = unsaved
      precondition(fresh.save().count == saved.count)
    })
    show("5 save", name, median { precondition(typed.save().count == saved.count) })
  }
  if wanted("7") {
    show("7 file, history alone", name, Double(typed.encode(isPacked: true).count), "bytes")
    show("7 file", name, Double(saved.count), "bytes")
  }
  showMemory(name, saved, bytes, typed: type)
}
for name in concurrent + ["friendsforever x25"] where traces.isEmpty || traces == name {
  let isLong = name.hasSuffix(" x25")
  var trace = load(isLong ? String(name.dropLast(4)) : name)
  if isLong { trace = trace.repeated(25, endingWith: absorb(trace.message(Array(trace.transactions.indices))).utf8) }
  let bytes = trace.message(Array(trace.transactions.indices))
  var whole = absorb(bytes)
  check(whole, trace, name)
  let encoded = whole.encode()
  if wanted("3") {
    show("3 merge all", name, median { precondition(absorb(encoded).count == whole.count) })
  }
  if wanted("3b") {
    let placed = try! whole.encodePlaced()
    func read() -> TextDocument { try! TextReplay.read(placed).document }
    check(read(), trace, name)
    show("3b merge all, with places", name, median { precondition(read().count == whole.count) })
    show("3b bytes of the places", name, Double(placed.count - encoded.count), "bytes")
    show("3b finding the places", name, median(3) { precondition(try! whole.encodePlaced().count == placed.count) })
  }
  if wanted("4"), !isLong {
    let messages = trace.transactions.indices.map { trace.message([$0]) }
    func stream() -> TextDocument { try! TextReplay.stream(messages).document }
    check(stream(), trace, name)
    let time = median(5) { _ = stream() }
    show(name == "git-makefile" ? "4b stream" : "4 stream", name, time)
    show("4 per message", name, time * 1000 / Double(messages.count), "us")
  }
  if wanted("6"), !isLong {
    // The last transaction that was concurrent, merged after opening all before it.
    let last = trace.transactions.indices.last { trace.transactions[$0].parents != [trace.transactions[$0].start - 1] }!
    var before = absorb(trace.message(Array(0..<last)))
    let saved = before.save()
    let message = trace.message([last])
    show("6 open and merge one", name, median {
      var document = try! TextDocument(saved: saved)
      _ = try! document.merge(message)
    })
  }
  let saved = whole.save()
  if wanted("5") { show("5 open", name, median { precondition((try! TextDocument(saved: saved)).utf8.count == whole.byteCount) }) }
  if wanted("7") {
    show("7 file, history alone", name, Double(whole.encode(isPacked: true).count), "bytes")
    show("7 file", name, Double(saved.count), "bytes")
  }
  showMemory(name, saved, encoded) { absorb(encoded) }
}
if wanted("8") {
  var document = TextDocument()
  let session: [Text] = ["author01", "author02"]
  try! document.insert(Array("hello world ".utf8), at: 0, by: session[0])
  for _ in 0..<10_000 { try! document.insert([97], at: document.count / 2, by: session[0]) }
  var total = 0
  var totalWithIds = 0
  for _ in 0..<100 {
    let version = document.version
    try! document.insert([98], at: document.count / 2, by: session[0])
    total += document.encode(since: version, session: session).count
    totalWithIds += document.encode(since: version).count
  }
  show("8 keystroke", "session numbers", Double(total) / 100, "bytes")
  show("8 keystroke", "8-byte ids", Double(totalWithIds) / 100, "bytes")
}
if wanted("12") {
  // What the kernel takes to hand out pages is not the engine's.
  allocations_keep()
  let agent: Text = "author01"
  func edit(_ document: inout TextDocument, _ times: Int) {
    for index in 0..<times / 2 {
      let place = (index &* 31) % 500
      try! document.insert([98], at: place, by: agent)
      try! document.delete(1, at: place, by: agent)
    }
  }
  let sizes = [1_000, 10_000, 100_000, 1_000_000]
  let documents = sizes.map { events in
    var document = TextDocument()
    // The text stays at 500 characters; only the history grows.
    try! document.insert([UInt8](repeating: 97, count: 500), at: 0, by: agent)
    for index in 0..<events / 2 {
      let place = (index &* 7919) % 500
      try! document.insert([98], at: place, by: agent)
      try! document.delete(1, at: place, by: agent)
    }
    return document
  }
  // In turn, so that what else the machine does falls on all of them.
  var times = [[Double]](repeating: [], count: sizes.count)
  for _ in 0..<201 {
    for (size, document) in documents.enumerated() {
      // Each time another copy, which has its own memory after the first edits: the history must not grow while it is measured.
      var copy = document
      edit(&copy, 100)
      let start = cpu()
      edit(&copy, 500)
      times[size].append(cpu() - start)
    }
  }
  let medians = times.map { $0.sorted()[100] * 1e6 / 500 }
  for (size, median) in medians.enumerated() { show("12 edit after history", "\(sizes[size]) events", median, "ns") }
  show("12 edit after history", "slowest beside the mean", medians.max()! / (medians.reduce(0, +) / Double(sizes.count)), "times")
}
if wanted("1"), let count = Checks.allocationsWhileTyping() { show("1 allocations", "steady-state typing", Double(count), "blocks") }
