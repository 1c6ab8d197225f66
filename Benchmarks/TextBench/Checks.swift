// SPDX-License-Identifier: Apache-2.0
// text-bench check: everything that takes too long in a debug build. Ends with one line: N passed, M failed.
import AloftCore
import TextTraces

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

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
    if let count = allocationsWhileTyping() { note("steady-state typing", count == 0 ? [] : ["\(count) allocations"]) }
    print("\(passed) passed, \(failed) failed")
    return failed == 0
  }

  /// How many objects come into being while somebody types into a document of some size; nil where that cannot be counted.
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
    // Arrays double, so after 1,030 rounds there is room for many more.
    type(1_030)
    return Allocations.count { type(40) }
  }
}

/// Counts what the Swift runtime allocates, through the hook that it keeps for instruments.
private enum Allocations {
  #if canImport(Glibc)
    typealias Allocate = @convention(c) (UnsafeRawPointer?, Int, Int) -> UnsafeMutableRawPointer?
    nonisolated(unsafe) static var original: Allocate?
    nonisolated(unsafe) static var total = 0

    static func count(_ body: () -> Void) -> Int? {
      guard let hook = dlsym(nil, "_swift_allocObject"),
        let flag = dlsym(nil, "_swift_enableSwizzlingOfAllocationAndRefCountingFunctions_forInstrumentsOnly")
      else { return nil }
      let slot = hook.assumingMemoryBound(to: Allocate.self)
      let isOn = flag.assumingMemoryBound(to: Bool.self)
      original = slot.pointee
      total = 0
      slot.pointee = { type, size, alignment in
        Allocations.total += 1
        return Allocations.original!(type, size, alignment)
      }
      isOn.pointee = true
      // The counter counts: one object must be seen.
      let probe = Probe()
      withExtendedLifetime(probe) {}
      let seen = total
      total = 0
      body()
      let result = total
      isOn.pointee = false
      slot.pointee = original!
      return seen == 0 ? nil : result
    }

    final class Probe {
      var next: Probe?
      @inline(never) @_optimize(none) init() {}
    }
  #else
    static func count(_ body: () -> Void) -> Int? { nil }
  #endif
}
