// SPDX-License-Identifier: Apache-2.0
// text-bench check: everything that takes too long in a debug build. Ends with one line: N passed, M failed.
import AloftCore
import TextTraces

enum Checks {
  /// Whether all went well.
  static func run(_ folder: String, _ sequential: [String], _ concurrent: [String]) -> Bool {
    var passed = 0
    var failed = 0
    func note(_ name: String, _ wrong: [String]) {
      if wrong.isEmpty { passed += 1 } else { failed += 1 }
      if !wrong.isEmpty { print("\(name): \(wrong.joined(separator: ", "))") }
    }
    func attempt(_ body: () throws -> [String]) -> [String] {
      do { return try body() } catch { return ["\(error)"] }
    }
    for name in sequential { note(name, attempt { try TextChecks.sequential(Trace.load("\(folder)/\(name).gz")[0]) }) }
    for name in concurrent { note(name, attempt { try TextChecks.concurrent(Trace.load("\(folder)/\(name).gz")[0]) }) }
    let histories = Trace.load("\(folder)/fuguemax.gz")
    let seed = UInt64.random(in: 0..<1_000_000)
    var random = Random(seed: seed)
    for (number, history) in histories.enumerated() {
      note("conformance history \(number), seed \(seed)", attempt { try TextChecks.orders(history, &random) })
    }
    if histories.count != 1_000 { note("conformance", ["\(histories.count) histories"]) }
    note("branches made to be slow", attempt(TextChecks.slowBranches))
    if let count = allocationsWhileTyping() { note("steady-state typing", count == 0 ? [] : ["\(count) allocations"]) }
    print("\(passed) passed, \(failed) failed")
    return failed == 0
  }

  /// How many blocks are allocated while somebody types into a document of some size; nil where that cannot be counted.
  static func allocationsWhileTyping() -> Int? {
    var document = TextDocument()
    let agent: Text = "author01"
    let words: [[UInt8]] = [Array("a".utf8), Array("é".utf8), Array("word ".utf8), Array("😀".utf8)]
    func type(_ rounds: Int) {
      for round in 0..<rounds {
        let place = (round &* 7919) % (document.count + 1)
        for step in 0..<8 { try! document.insert(words[(round + step) & 3], at: min(place + step, document.count), by: agent) }
        try! document.delete(7, at: place, by: agent)
      }
    }
    // What grows does so by half or more at once, so after 1,030 rounds there is room for some more.
    type(1_030)
    return Memory.of { type(40) }?.blocks
  }
}
