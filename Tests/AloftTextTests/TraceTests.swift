// SPDX-License-Identifier: Apache-2.0
// Public editing traces and conformance histories give the texts that they must: here a sample of them, all in `text-bench check`.
import Testing
import TextTraces

@_spi(Checks) @testable import AloftCore

let traceFolder = String(#filePath.dropLast("AloftTextTests/TraceTests.swift".count)) + "TextTraces/"

func tiny() -> TextDocument { TextDocument(nodeSize: 4) }

@Suite("Traces") struct TraceTests {
  func trace(_ name: String) -> Trace { Trace.load(traceFolder + name + ".gz")[0] }

  @Test(
    "typing a sequential trace gives its final text, and so do merging, saving and opening",
    arguments: ["rustcode", "friendsforever_flat", "sveltecomponent", "json-crdt-blog-post"])
  func sequential(_ name: String) throws {
    #expect(try TextChecks.sequential(trace(name)) == [])
  }

  @Test("a concurrent trace gives its final text at once and transaction by transaction", arguments: ["friendsforever", "git-makefile"])
  func concurrent(_ name: String) throws {
    #expect(try TextChecks.concurrent(trace(name)) == [])
  }

  @Test("every tenth conformance history agrees, in file order and in random orders, whole, in parts and with tiny nodes")
  func conformance() throws {
    let traces = Trace.load(traceFolder + "fuguemax.gz")
    #expect(traces.count == 1_000)
    let seed = UInt64.random(in: 0..<1_000_000)
    var random = Random(seed: seed)
    // Others each time.
    for number in stride(from: Int(seed % 10), to: traces.count, by: 10) {
      #expect(try TextChecks.orders(traces[number], &random) == [], "\(number), seed \(seed)")
    }
  }

  @Test("the conformance test can tell Fugue from FugueMax")
  func fugue() throws {
    let trace = trace("fugue")
    var document = TextDocument()
    try document.absorb(trace.message(Array(trace.transactions.indices)))
    #expect(document.utf8 != trace.finalText!)
  }
}
