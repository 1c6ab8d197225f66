// SPDX-License-Identifier: Apache-2.0
// An independent reference for the fuzz: one character at a time, whole histories as sets of bits, nothing kept between versions.
//
// It is written for short histories, where it costs about as much as the engine; it shares no code with it.

/// A set of event numbers below 256.
struct EventSet: Equatable {
  var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  static func == (a: EventSet, b: EventSet) -> Bool { a.words == b.words }

  @inline(__always) func contains(_ event: Int) -> Bool {
    let word = event < 128 ? (event < 64 ? words.0 : words.1) : (event < 192 ? words.2 : words.3)
    return word >> UInt64(event & 63) & 1 == 1
  }
  @inline(__always) mutating func insert(_ event: Int) {
    let bit: UInt64 = 1 << UInt64(event & 63)
    switch event >> 6 {
    case 0: words.0 |= bit
    case 1: words.1 |= bit
    case 2: words.2 |= bit
    default: words.3 |= bit
    }
  }
  @inline(__always) mutating func formUnion(_ other: EventSet) {
    words = (words.0 | other.words.0, words.1 | other.words.1, words.2 | other.words.2, words.3 | other.words.3)
  }
  @inline(__always) func subtracting(_ other: EventSet) -> EventSet {
    EventSet(words: (words.0 & ~other.words.0, words.1 & ~other.words.1, words.2 & ~other.words.2, words.3 & ~other.words.3))
  }
  @inline(__always) func meets(_ other: EventSet) -> Bool {
    words.0 & other.words.0 | words.1 & other.words.1 | words.2 & other.words.2 | words.3 & other.words.3 != 0
  }
}

/// Events in an order that has parents first, and the text that a set of them stands for.
struct FuzzOracle {
  static let eventsMax = 256
  static let deletion: UInt32 = ~0

  struct Event {
    var agent: Int
    var number: Int
    /// What its author knew.
    var known: EventSet
    var scalar: UInt32
    var place: Int
    /// For an anchor its mark; else -1.
    var mark = -1
  }
  struct Item {
    var event: Int
    var left: Int
    var right: Int
    var deletedBy = EventSet()
  }
  static let last = Int.max

  var events: [Event] = []
  var marks: [Mark] = []
  private(set) var items: [Item] = []

  /// Replays the events of a set.
  mutating func replay(_ wanted: EventSet) {
    items.removeAll(keepingCapacity: true)
    for number in events.indices where wanted.contains(number) {
      let event = events[number]
      if event.scalar == FuzzOracle.deletion {
        items[visible(event.place, event.known)].deletedBy.insert(number)
      } else {
        insert(number, event)
      }
    }
  }

  /// The visible scalars after a replay.
  mutating func text(_ wanted: EventSet) -> [UInt32] {
    replay(wanted)
    var text: [UInt32] = []
    for item in items where item.deletedBy == EventSet() && events[item.event].mark < 0 { text.append(events[item.event].scalar) }
    return text
  }

  /// The index of a visible character, by its place in a version.
  private func visible(_ place: Int, _ known: EventSet) -> Int {
    var left = place
    var index = 0
    while true {
      if known.contains(items[index].event), !items[index].deletedBy.meets(known) {
        if left == 0 { return index }
        left -= 1
      }
      index += 1
    }
  }

  private func index(of event: Int) -> Int {
    if event < 0 { return -1 }
    if event == FuzzOracle.last { return items.count }
    return items.firstIndex { $0.event == event }!
  }

  private mutating func insert(_ number: Int, _ event: Event) {
    let left = event.place == 0 ? -1 : visible(event.place - 1, event.known)
    var right = left + 1
    while right < items.count, !event.known.contains(items[right].event) { right += 1 }
    var destination = left + 1
    var isUndecided = false
    var index = left + 1
    while true {
      if !isUndecided { destination = index }
      if index == right { break }
      let otherLeft = self.index(of: items[index].left)
      if otherLeft < left { break }
      if otherLeft == left {
        let otherRight = self.index(of: items[index].right)
        if otherRight == right {
          let other = events[items[index].event]
          if event.agent < other.agent || (event.agent == other.agent && event.number < other.number) { break }
          isUndecided = false
        } else {
          isUndecided = otherRight < right
        }
      }
      index += 1
    }
    let item = Item(
      event: number, left: left < 0 ? -1 : items[left].event, right: right == items.count ? FuzzOracle.last : items[right].event)
    items.insert(item, at: destination)
  }
}
