// SPDX-License-Identifier: Apache-2.0
// Columns manage their memory themselves: they must behave like arrays, and copies must not feel each other's changes.
import Testing

@testable import AloftCore

@Suite("Columns") struct ColumnTests {
  @Test("a column and its copies are what arrays and their copies would be, whatever is done to them in turn", arguments: 0..<50)
  func copies(_ round: Int) {
    let seed = UInt64.random(in: 0..<1_000_000)
    var random = Random(seed: seed)
    func below(_ bound: Int) -> Int { Int(random.below(UInt64(bound))) }
    var pairs: [(column: TextColumn, array: [Int])] = [(TextColumn(), [])]
    for _ in 0..<300 {
      let at = below(pairs.count)
      let value = below(1 << 31)
      var (column, array) = pairs[at]
      // Half of the time the memory is nobody else's.
      if below(2) == 0 { pairs[at] = (TextColumn(), []) }
      let count = array.count
      switch below(9) {
      case 0, 1:
        column.append(value)
        array.append(value)
      case 2:
        let times = below(40)
        column.append(value, times: times)
        array += Array(repeating: value, count: times)
      case 3 where count > 0:
        let index = below(count)
        column[index] = value
        array[index] = value
      case 4:
        let index = below(count + 1)
        column.insert(value, at: index)
        array.insert(value, at: index)
      case 5 where count > 0:
        let index = below(count)
        column.remove(at: index)
        array.remove(at: index)
      case 6:
        column.reverse()
        array.reverse()
      case 7:
        let kept = below(count + 10)
        column.truncate(kept)
        array = Array(array.prefix(kept))
      default:
        column.removeAll()
        array.removeAll()
      }
      if pairs[at].array.isEmpty { pairs[at] = (column, array) } else if pairs.count < 8 { pairs.append((column, array)) } else { pairs[at] = (column, array) }
      for (column, array) in pairs {
        let isSame = column.count == array.count && array.indices.allSatisfy { column[$0] == array[$0] }
        #expect(isSame, "seed \(seed)")
        #expect(column == pairs[0].column || array != pairs[0].array, "seed \(seed)")
      }
    }
  }

  @Test("the index of the last number that is at most another is found from everywhere")
  func search() {
    var column = TextColumn()
    for index in 0..<100 { column.append(3 * index) }
    for value in 0..<320 {
      #expect(column.lastIndex(atMost: value) == min(value / 3, 99))
      for near in [0, 1, 2, 49, 50, 98, 99, 150] { #expect(column.lastIndex(atMost: value, near: near) == min(value / 3, 99)) }
    }
    #expect(TextColumn().lastIndex(atMost: 5) == -1)
  }

  @Test("copies of a document in the middle of a concurrent history merge different messages, and each is right")
  func documents() throws {
    var base = TextDocument()
    try base.insert(Array("one two three".utf8), at: 0, by: "a")
    var others = [base, base, base]
    for (index, agent) in (["b", "c", "d"] as [Text]).enumerated() {
      for step in 0..<40 {
        try others[index].insert([UInt8(97 + index)], at: (step * 7) % others[index].count, by: agent)
        if step % 3 == 0 { try others[index].delete(1, at: step % 5, by: agent) }
      }
    }
    // What was merged first leaves a tracker behind, which all copies hold.
    try base.absorb(others[0].encode())
    try base.absorb(others[1].encode())
    var (first, second, third) = (base, base, base)
    let messages = others.map { $0.encode() }
    try first.absorb(messages[2])
    try second.insert([90], at: 3, by: "e")
    try third.delete(4, at: 2, by: "f")
    try third.absorb(messages[2])
    try second.absorb(messages[2])
    for (document, own) in [(first, []), (second, [90]), (third, [])] as [(TextDocument, [UInt8])] {
      // The same from nothing, without any tracker kept.
      var fresh = TextDocument()
      try fresh.absorb(document.encode())
      #expect(fresh.utf8 == document.utf8)
      #expect(document.utf8.contains { own.contains($0) } == !own.isEmpty)
    }
    let untouched = base.utf8
    try base.absorb(messages[2])
    #expect(base.utf8 == first.utf8 && base.utf8 != untouched)
  }

  @Test("a walk over versions far apart finds what only one of them has, whatever the graph", arguments: 0..<30)
  func apart(_ round: Int) {
    let seed = UInt64.random(in: 0..<1_000_000)
    var random = Random(seed: seed)
    func below(_ bound: Int) -> Int { Int(random.below(UInt64(bound))) }
    // A few authors who seldom hear of each other, so that a walk goes over hundreds of entries; and one graph for all versions, since
    // what a walk leaves behind must not reach the next.
    var graph = TextGraph()
    var history: [Set<Int>] = []
    var heads = Array(repeating: -1, count: 2 + below(4))
    for _ in 0..<400 {
      let author = below(heads.count)
      var known = Set([heads[author]])
      if below(40) == 0 { known.insert(heads[below(heads.count)]) }
      known.remove(-1)
      let parents = known.filter { event in !known.contains { $0 != event && history[$0].contains(event) } }.sorted()
      var column = TextColumn()
      for parent in parents { column.append(parent) }
      graph.append(1, on: column)
      history.append(parents.reduce(into: [history.count]) { $0.formUnion(history[$1]) })
      heads[author] = history.count - 1
      if below(3) > 0 { continue }
      let (a, b) = (below(history.count), history.count - 1)
      graph.diff(TextColumn(one: a), before: b, of: graph.entry(of: b))
      let before = parents.reduce(into: Set<Int>()) { $0.formUnion(history[$1]) }
      #expect(events(graph.onlyA) == history[a].subtracting(before), "seed \(seed)")
      #expect(events(graph.onlyB) == before.subtracting(history[a]), "seed \(seed)")
    }
  }

  private func events(_ ranges: TextColumn) -> Set<Int> {
    var result = Set<Int>()
    for index in stride(from: 0, to: ranges.count, by: 2) { result.formUnion(ranges[index]..<ranges[index + 1]) }
    return result
  }
}
