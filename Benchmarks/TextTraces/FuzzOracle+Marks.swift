// SPDX-License-Identifier: Apache-2.0
// The oracle's own reading of the rules for marks: where typed text and anchors go, what is cleaned up, and which style a character has.
import AloftCore

extension FuzzOracle {
  static let start: UInt32 = 0xFDD0
  static let end: UInt32 = 0xFDD1

  struct Mark {
    var key: String
    var value: String?
    var grows: Bool
    var lamport: Int
    var agent: Int
  }

  /// What is there in a version: characters and anchors in order, as events.
  private mutating func entities(_ known: EventSet) -> [Int] {
    replay(known)
    return items.filter { $0.deletedBy == EventSet() }.map(\.event)
  }

  private func isAnchor(_ event: Int) -> Bool { events[event].mark >= 0 }

  /// The entities between the character before a place and the one at it: all are anchors.
  private func gap(_ place: Int, _ entities: [Int]) -> Range<Int> {
    let characters = entities.indices.filter { !isAnchor(entities[$0]) }
    return (place == 0 ? 0 : characters[place - 1] + 1)..<(place == characters.count ? entities.count : characters[place])
  }

  /// The greatest lamport number of a version.
  func lamport(in known: EventSet) -> Int {
    events.indices.filter { known.contains($0) && events[$0].scalar == FuzzOracle.start }.map { marks[events[$0].mark].lamport }.max() ?? 0
  }

  mutating func typingPlace(_ place: Int, in known: EventSet) -> Int {
    let entities = entities(known)
    return typingPlace(place, entities)
  }

  /// Before the first anchor there that begins a mark or ends one that grows.
  private func typingPlace(_ place: Int, _ entities: [Int]) -> Int {
    let gap = gap(place, entities)
    return gap.first { events[entities[$0]].scalar == FuzzOracle.start || marks[events[entities[$0]].mark].grows } ?? gap.upperBound
  }

  /// A start goes behind the last end there, an end that grows before the first start, another where text is typed.
  mutating func anchorPlaces(_ start: Int, _ end: Int, _ grows: Bool, in known: EventSet) -> (start: Int, end: Int) {
    let entities = entities(known)
    let (before, after) = (gap(start, entities), gap(end, entities))
    let lastEnd = before.last { events[entities[$0]].scalar == FuzzOracle.end }
    let firstStart = after.first { events[entities[$0]].scalar == FuzzOracle.start }
    return (lastEnd.map { $0 + 1 } ?? before.lowerBound, grows ? firstStart ?? after.upperBound : typingPlace(end, entities))
  }

  /// The places of the deletions, each after those before it: of the characters, then of the anchors of pairs around nothing.
  mutating func deletions(_ length: Int, at place: Int, in known: EventSet) -> [Int] {
    var entities = entities(known)
    var places: [Int] = []
    for _ in 0..<length {
      let at = gap(place, entities).upperBound
      places.append(at)
      entities.remove(at: at)
    }
    let gap = gap(place, entities)
    return places + pairs(gap, entities) { _ in true }
  }

  /// The deletions after a new mark: of anchors of older ones with its key that are both inside.
  mutating func covered(by mark: Int, in known: EventSet) -> [Int] {
    let entities = entities(known)
    let own = entities.indices.filter { events[entities[$0]].mark == mark }
    return pairs(own[0] + 1..<own[1], entities) { marks[$0].key == marks[mark].key }
  }

  private func pairs(_ range: Range<Int>, _ entities: [Int], _ isWanted: (Int) -> Bool) -> [Int] {
    let inside = range.filter { isAnchor(entities[$0]) }
    let wanted = inside.filter { index in
      let mark = events[entities[index]].mark
      return isWanted(mark) && inside.filter { events[entities[$0]].mark == mark }.count == 2
    }
    return wanted.reversed()
  }

  private func loses(_ a: Int, _ b: Int) -> Bool {
    let (old, new) = (marks[a], marks[b])
    if old.lamport != new.lamport { return old.lamport < new.lamport }
    if old.value != new.value {
      guard let oldValue = old.value, let newValue = new.value else { return old.value == nil }
      return oldValue.utf8.lexicographicallyPrecedes(newValue.utf8)
    }
    return (old.agent, a) < (new.agent, b)
  }

  /// The styles of each character: of the marks whose anchors are around it, per key the one with the greatest lamport number, then
  /// with the greatest value, then of the greatest agent, then the last.
  mutating func styles(_ known: EventSet) -> [[TextStyle]] {
    let entities = entities(known)
    var result: [[TextStyle]] = []
    for (index, event) in entities.enumerated() where !isAnchor(event) {
      let before = entities[..<index].filter { events[$0].scalar == FuzzOracle.start }.map { events[$0].mark }
      let after = Set(entities[index...].filter { events[$0].scalar == FuzzOracle.end }.map { events[$0].mark })
      var winners: [String: Int] = [:]
      for mark in before where after.contains(mark) {
        let new = marks[mark]
        guard let old = winners[new.key] else {
          winners[new.key] = mark
          continue
        }
        if loses(old, mark) { winners[new.key] = mark }
      }
      result.append(
        winners.sorted { $0.key < $1.key }.compactMap { key, mark in
          marks[mark].value.map { TextStyle(key: Text(key), value: Text($0)) }
        })
    }
    return result
  }
}
