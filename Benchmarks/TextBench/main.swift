// SPDX-License-Identifier: Apache-2.0
// Figures of collaborative text, rows 1 to 12 of the targets: medians, in CPU milliseconds.
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

/// The median of several runs after one to warm up.
func median(_ runs: Int = 9, _ body: () -> Void) -> Double {
  body()
  var times: [Double] = []
  for _ in 0..<runs {
    let start = cpu()
    body()
    times.append(cpu() - start)
  }
  return times.sorted()[runs / 2]
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
// text-bench check <folder>; or text-bench <folder> [<row>,<row> [<trace>]]
let folder = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "Tests/TextTraces"
let only = CommandLine.arguments.count > 2 ? CommandLine.arguments[2] : ""
let sequential = [
  "automerge-paper", "seph-blog1", "egwalker", "rustcode", "friendsforever_flat", "sveltecomponent", "json-crdt-blog-post",
]
let concurrent = ["friendsforever", "node_nodecc", "git-makefile"]
if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "check" {
  exit(Checks.run(CommandLine.arguments[2], sequential, concurrent) ? 0 : 1)
}
let traces = CommandLine.arguments.count > 3 ? CommandLine.arguments[3] : ""

func wanted(_ row: String) -> Bool { only.isEmpty || only.split(separator: ",").contains { $0 == row } }
func check(_ document: TextDocument, _ trace: Trace, _ what: String) {
  if !trace.ends(with: document.utf8) { fatalError("\(what): wrong text") }
}

/// What is typed, flat, so that the figures are the engine's alone.
struct Keystrokes {
  var places: [(place: Int, deleted: Int, start: Int, end: Int)] = []
  var text: [UInt8] = []

  init(_ trace: Trace) {
    for patch in trace.transactions.flatMap(\.patches) {
      places.append((patch.place, patch.deleted, text.count, text.count + patch.inserted.count))
      text += patch.inserted
    }
  }

  func type(_ agent: Text, _ document: inout TextDocument) {
    text.withUnsafeBufferPointer { text in
      for (place, deleted, start, end) in places {
        if deleted > 0 { try! document.delete(deleted, at: place, by: agent) }
        if end > start { try! document.insert(UnsafeBufferPointer(rebasing: text[start..<end]), at: place, by: agent) }
      }
    }
  }
}

func load(_ name: String) -> Trace { Trace.load("\(folder)/\(name).gz")[0] }

print("row\ttrace\tvalue\tunit")
for name in sequential where traces.isEmpty || traces == name {
  let trace = load(name)
  let agent: Text = "author01"
  var typed = TextDocument()
  let keystrokes = Keystrokes(trace)
  keystrokes.type(agent, &typed)
  check(typed, trace, name)
  if wanted("1") {
    show("1 type", name, median {
      var document = TextDocument()
      keystrokes.type(agent, &document)
    })
  }
  let bytes = typed.encode()
  if wanted("2") {
    show("2 merge all", name, median {
      var document = TextDocument()
      try! document.absorb(bytes)
      precondition(document.count == typed.count)
    })
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
  if wanted("10") { show("10 memory", name, Double(typed.memoryBytes) / 1e6, "MB") }
}
for name in concurrent where traces.isEmpty || traces == name {
  let trace = load(name)
  let bytes = trace.message(Array(trace.transactions.indices))
  var whole = TextDocument()
  try! whole.absorb(bytes)
  check(whole, trace, name)
  let encoded = whole.encode()
  if wanted("3") {
    show("3 merge all", name, median {
      var document = TextDocument()
      try! document.absorb(encoded)
      precondition(document.count == whole.count)
    })
  }
  if wanted("4") {
    let messages = trace.transactions.indices.map { trace.message([$0]) }
    func stream() -> TextDocument {
      var document = TextDocument()
      for message in messages { _ = try! document.merge(message) }
      return document
    }
    check(stream(), trace, name)
    let time = median(5) { _ = stream() }
    show(name == "git-makefile" ? "4b stream" : "4 stream", name, time)
    show("4 per message", name, time * 1000 / Double(messages.count), "us")
  }
  if wanted("6") {
    // The last transaction that was concurrent, merged after opening all before it.
    let last = trace.transactions.indices.last { trace.transactions[$0].parents != [trace.transactions[$0].start - 1] }!
    var before = TextDocument()
    try! before.absorb(trace.message(Array(0..<last)))
    let saved = before.save()
    let message = trace.message([last])
    show("6 open and merge one", name, median {
      var document = try! TextDocument(saved: saved)
      _ = try! document.merge(message)
    })
  }
  if wanted("5") {
    let saved = whole.save()
    show("5 open", name, median { precondition((try! TextDocument(saved: saved)).utf8.count == whole.byteCount) })
  }
  if wanted("7") {
    show("7 file, history alone", name, Double(whole.encode(isPacked: true).count), "bytes")
    show("7 file", name, Double(whole.save().count), "bytes")
  }
  if wanted("10") { show("10 memory", name, Double(whole.memoryBytes) / 1e6, "MB") }
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
  for events in [1_000, 10_000, 100_000, 1_000_000] {
    var document = TextDocument()
    let agent: Text = "author01"
    // The text stays at 500 characters; only the history grows.
    try! document.insert([UInt8](repeating: 97, count: 500), at: 0, by: agent)
    for index in 0..<events / 2 {
      let place = (index &* 7919) % 500
      try! document.insert([98], at: place, by: agent)
      try! document.delete(1, at: place, by: agent)
    }
    show("12 edit after history", "\(events) events", median(21) {
      for index in 0..<20_000 {
        let place = (index &* 31) % 500
        try! document.insert([98], at: place, by: agent)
        try! document.delete(1, at: place, by: agent)
      }
    } * 1e6 / 40_000, "ns")
  }
}
#if canImport(Glibc)
  var usage = rusage()
  _ = getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  show("11 peak of this process", "all", Double(usage.ru_maxrss) / 1024, "MB")
#endif
