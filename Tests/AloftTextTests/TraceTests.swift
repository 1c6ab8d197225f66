// SPDX-License-Identifier: Apache-2.0
// Public editing traces and conformance histories give the texts that they must.
import Testing
import TextTraces

@testable import AloftCore

let traceFolder = String(#filePath.dropLast("AloftTextTests/TraceTests.swift".count)) + "TextTraces/"
let sequentialTraces = [
  "automerge-paper", "seph-blog1", "egwalker", "rustcode", "friendsforever_flat", "sveltecomponent", "json-crdt-blog-post",
]
let concurrentTraces = ["friendsforever", "node_nodecc", "git-makefile"]

extension Trace {
  static func named(_ name: String) -> Trace { load(traceFolder + name + ".gz")[0] }

  /// A random order of some transactions in which parents and an agent's earlier ones come first.
  func randomOrder(_ random: inout Random, only: Set<Int>? = nil) -> [Int] {
    let chosen = transactions.indices.filter { only?.contains($0) ?? true }
    var before: [Int: Int] = [:]
    var after: [Int: [Int]] = [:]
    var last: [Int: Int] = [:]
    for index in chosen {
      var needs = Set(transactions[index].parents.map { transaction(of: $0) }.filter { only?.contains($0) ?? true })
      if let mine = last[transactions[index].agent] { needs.insert(mine) }
      last[transactions[index].agent] = index
      before[index] = needs.count
      for need in needs { after[need, default: []].append(index) }
    }
    var ready = chosen.filter { before[$0] == 0 }
    var order: [Int] = []
    while !ready.isEmpty {
      let index = ready.remove(at: Int(random.below(UInt64(ready.count))))
      order.append(index)
      for next in after[index] ?? [] {
        before[next]! -= 1
        if before[next] == 0 { ready.append(next) }
      }
    }
    return order
  }
}

func tiny() -> TextDocument {
  var document = TextDocument()
  document.tracker.leafMax = 4
  document.tracker.innerMax = 4
  return document
}

@Suite("Traces") struct TraceTests {
  @Test("typing a sequential trace gives its final text, and so do merging, saving and opening", arguments: sequentialTraces)
  func sequential(_ name: String) throws {
    let trace = Trace.named(name)
    var document = TextDocument()
    for patch in trace.transactions.flatMap(\.patches) {
      if patch.deleted > 0 { try document.delete(patch.deleted, at: patch.place, by: "a") }
      try document.insert(patch.inserted, at: patch.place, by: "a")
    }
    #expect(trace.ends(with: document.utf8))
    var merged = TextDocument()
    try merged.absorb(document.encode())
    #expect(merged.utf8 == document.utf8)
    #expect(merged.encode() == document.encode())
    var foreign = TextDocument()
    try foreign.absorb(trace.message(Array(trace.transactions.indices)))
    #expect(foreign.utf8 == document.utf8)
    var opened = try TextDocument(saved: document.save())
    #expect(opened.utf8 == document.utf8)
    #expect(opened.save() == document.save())
  }

  @Test("a concurrent trace gives its final text at once and transaction by transaction", arguments: concurrentTraces)
  func concurrent(_ name: String) throws {
    let trace = Trace.named(name)
    var document = TextDocument()
    try document.absorb(trace.message(Array(trace.transactions.indices)))
    #expect(trace.ends(with: document.utf8))
    var streamed = TextDocument()
    for index in trace.transactions.indices { try streamed.absorb(trace.message([index])) }
    #expect(trace.ends(with: streamed.utf8))
    var again = TextDocument()
    try again.absorb(document.encode())
    #expect(trace.ends(with: again.utf8))
    #expect(try TextDocument(saved: document.save()).encode() == document.encode())
  }

  @Test("all 1,000 conformance histories agree, in file order and in random orders, whole, in parts and with tiny nodes")
  func conformance() throws {
    let traces = Trace.load(traceFolder + "fuguemax.gz")
    #expect(traces.count == 1_000)
    let seed = UInt64.random(in: 0..<1_000_000)
    var random = Random(seed: seed)
    var wrong: [String] = []
    for (number, trace) in traces.enumerated() {
      func compare(_ way: String, _ document: TextDocument) {
        if document.utf8 != trace.finalText! { wrong.append("\(number) \(way) seed \(seed)") }
      }
      var whole = tiny()
      try whole.absorb(trace.message(Array(trace.transactions.indices)))
      compare("whole", whole)
      var streamed = tiny()
      for index in trace.transactions.indices { try streamed.absorb(trace.message([index])) }
      compare("streamed", streamed)
      for way in 0..<3 {
        let order = trace.randomOrder(&random)
        var document = way == 0 ? TextDocument() : tiny()
        var at = 0
        while at < order.count {
          let count = way == 0 ? order.count : 1 + Int(random.below(UInt64(way == 1 ? 2 : 12)))
          try document.absorb(trace.message(Array(order[at..<min(order.count, at + count)])))
          // A cold tracker must give the same as a warm one.
          if way == 2, random.below(2) == 0 { document.tracker.removeAll() }
          at += count
        }
        compare("random \(way)", document)
        var copy = TextDocument()
        try copy.absorb(document.encode())
        compare("encoded \(way)", copy)
      }
    }
    #expect(wrong == [])
  }

  @Test("the conformance test can tell Fugue from FugueMax")
  func fugue() throws {
    let trace = Trace.named("fugue")
    var document = TextDocument()
    try document.absorb(trace.message(Array(trace.transactions.indices)))
    #expect(document.utf8 != trace.finalText!)
  }
}
