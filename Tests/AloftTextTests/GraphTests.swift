// SPDX-License-Identifier: Apache-2.0
// Questions about the event graph, with the answers of the public vectors.
import Testing

@testable import AloftCore

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension TextColumn {
  fileprivate init(_ values: [Int]) {
    self.init()
    for value in values { append(value) }
  }
}

extension TextGraph {
  /// The difference to a version on which somebody types.
  fileprivate mutating func diff(_ a: TextColumn, _ b: [Int]) {
    append(1, on: TextColumn(b))
    diff(a, before: count - 1, of: starts.count - 1)
  }
}

@Suite("Event graph") struct GraphTests {
  /// One line of a file of vectors: JSON of a fixed shape, so that looking for keys is enough.
  struct Vector {
    var line: String

    /// The numbers of a key's value, brackets ignored.
    func numbers(_ key: String) -> [Int] {
      let parts = line.split(separator: "\"\(key)\":", omittingEmptySubsequences: false)
      if parts.count < 2 { return [] }
      // Up to the bracket that closes the first, or to the next key.
      var depth = 0
      let value = parts[1].prefix {
        depth += $0 == "[" ? 1 : $0 == "]" ? -1 : 0
        return depth > 0
      }
      return Vector.numbers(value.isEmpty ? parts[1].prefix { $0 != "," } : value)
    }

    static func numbers(_ text: Substring) -> [Int] {
      text.split { !($0.isNumber || $0 == "-") }.compactMap { Int($0) }
    }

    func flag(_ key: String) -> Bool { line.contains("\"\(key)\":true") }

    var graph: TextGraph {
      var graph = TextGraph()
      let history = line.split(separator: "\"hist\":")[1].split(separator: "}]")[0]
      for entry in history.split(separator: "\"span\":").dropFirst() {
        let halves = entry.split(separator: "\"parents\":")
        let span = Vector.numbers(halves[0])
        graph.append(span[1] - span[0], on: TextColumn(Vector.numbers(halves[1])))
      }
      return graph
    }
  }

  func vectors(_ name: String) -> [Vector] {
    guard let file = fopen(traceFolder + name, "rb") else { fatalError(name) }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
    return bytes.split(separator: 10).map { Vector(line: String(decoding: $0, as: UTF8.self)) }
  }

  func pairs(_ column: TextColumn) -> [Int] { (0..<column.count).map { column[$0] } }

  @Test("a version contains what is in its history: 61 public vectors")
  func contains() {
    let all = vectors("version_contains.json")
    #expect(all.count == 61)
    for vector in all {
      var graph = vector.graph
      let target = vector.numbers("target")[0]
      if target < 0 { continue }  // The empty text, which everything contains.
      graph.diff(TextColumn([target]), vector.numbers("frontier"))
      #expect((graph.onlyA.count == 0) == vector.flag("expected"), "\(vector.line)")
    }
  }

  @Test("the difference of two versions: 14 public vectors")
  func diff() {
    let all = vectors("diff.json")
    #expect(all.count == 14)
    for vector in all {
      var graph = vector.graph
      graph.diff(TextColumn(vector.numbers("a")), vector.numbers("b"))
      #expect(pairs(graph.onlyA) == vector.numbers("expect_a"), "\(vector.line)")
      #expect(pairs(graph.onlyB) == vector.numbers("expect_b"), "\(vector.line)")
    }
  }

  @Test("the replay zone of two versions: 26 public vectors")
  func zone() {
    let all = vectors("conflicting.json")
    #expect(all.count == 26)
    for vector in all {
      let graph = vector.graph
      let (base, spans) = graph.zone(TextColumn(vector.numbers("a")), TextColumn(vector.numbers("b")))
      #expect(pairs(base) == vector.numbers("expect_common"), "\(vector.line)")
      var covered = Set<Int>()
      for span in stride(from: 0, to: spans.count, by: 3) { covered.formUnion(spans[span]..<spans[span + 1]) }
      var expected = Set<Int>()
      let numbers = vector.numbers("expect_spans")
      for pair in stride(from: 0, to: numbers.count, by: 2) { expected.formUnion(numbers[pair]..<numbers[pair + 1]) }
      #expect(covered == expected, "\(vector.line)")
    }
  }

  @Test("dominators are the heads that no other head has in its history")
  func dominators() {
    let seed = UInt64.random(in: 0..<1_000_000)
    var random = Random(seed: seed)
    for _ in 0..<300 {
      var graph = TextGraph()
      var history: [Set<Int>] = []
      func minimal(_ heads: [Int]) -> [Int] {
        Set(heads).filter { head in !heads.contains { $0 != head && history[$0].contains(head) } }.sorted()
      }
      for _ in 0..<20 {
        let heads = history.isEmpty ? [] : (0..<Int(random.below(4))).map { _ in Int(random.below(UInt64(history.count))) }
        var kept = TextColumn(heads)
        graph.keepDominators(of: &kept)
        let parents = minimal(heads)
        #expect(pairs(kept) == (heads.count < 2 ? heads : parents), "seed \(seed)")
        let length = 1 + Int(random.below(3))
        graph.append(length, on: TextColumn(parents))
        for step in 0..<length {
          let event = history.count
          history.append((step == 0 ? parents : [event - 1]).reduce(into: [event]) { $0.formUnion(history[$1]) })
        }
        #expect(pairs(graph.version) == minimal(Array(history.indices)), "seed \(seed)")
      }
    }
  }
}
