// SPDX-License-Identifier: Apache-2.0
// Live queries: an answer that follows the data, told as the few changes that lead from the last answer to the new one.

/// One subscription.
struct LiveQuery {
  let id: Int
  let query: Query
  /// Every match in the query's order, so that a window slides without asking again.
  private(set) var matches: [UInt32] = []
  private(set) var sum = Int64Sum()
  /// The window as it was last told.
  private(set) var shown: [UInt32] = []
  private var shownSum = Int64Sum()
  private var changed: [UInt32] = []
  private var isStale = false

  init(id: Int, query: Query, table: inout Table) {
    self.id = id
    self.query = query
    load(&table)
    shown = window
    shownSum = sum
  }

  private var isAggregate: Bool { query.aggregate != .rows }

  private var window: [UInt32] {
    let start = min(query.offset, matches.count)
    let end = min(start + (query.limit ?? matches.count), matches.count)
    return Array(matches[start..<end])
  }

  private mutating func load(_ table: inout Table) {
    if isAggregate { sum = table.aggregate(query) } else { matches = table.run(query, all: true).slots }
  }

  /// A large batch is coming: do not follow it row by row, ask again at the end.
  mutating func markStale() { isStale = true }

  /// Before a row changes: forget it under its old values.
  @inline(never)
  mutating func willChange(_ slot: UInt32, _ table: inout Table) {
    if isStale { return }
    guard table.matches(slot, query) else { return }
    if isAggregate { return sum.add(table.contribution(of: slot, to: query), sign: -1) }
    let place = position(of: slot, table)
    if place < matches.count && matches[place] == slot { matches.remove(at: place) }
  }

  /// After a row changed: place it under its new values.
  @inline(never)
  mutating func didChange(_ slot: UInt32, _ table: inout Table) {
    changed.append(slot)
    if isStale { return }
    guard table.matches(slot, query) else { return }
    if isAggregate { return sum.add(table.contribution(of: slot, to: query)) }
    matches.insert(slot, at: position(of: slot, table))
  }

  /// The row is to be told again, though its values stay.
  mutating func touch(_ slot: UInt32) { changed.append(slot) }

  private func position(of slot: UInt32, _ table: Table) -> Int {
    var low = 0
    var high = matches.count
    while low < high {
      let middle = (low + high) / 2
      if table.precedes(matches[middle], slot, query.orderBy) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// A change of the answer: what JavaScript applies to its array, in order.
  enum Step {
    case remove(Int)
    case insert(Int, UInt32)
    case replace(Int, UInt32)
  }

  enum Notice {
    case steps([Step])
    case rows([UInt32])
    case value(Value)
  }

  /// What changed since the last notice, or nil when nothing that shows did.
  mutating func flush(_ table: inout Table) -> Notice? {
    if changed.isEmpty && !isStale { return nil }
    defer {
      changed = []
      isStale = false
    }
    if isStale { load(&table) }
    if isAggregate {
      if sum == shownSum { return nil }
      shownSum = sum
      return .value(sum.value)
    }
    let new = window
    let old = shown
    shown = new
    if isStale { return .rows(new) }
    let changed = SlotSet(self.changed)
    if old == new {
      var steps: [Step] = []
      for (index, slot) in new.enumerated() where changed.contains(slot) { steps.append(.replace(index, slot)) }
      return steps.isEmpty ? nil : .steps(steps)
    }
    return .steps(steps(from: old, to: new, changed))
  }

  /// Rows that did not change keep their order, so only changed rows and the window's edges move.
  private func steps(from old: [UInt32], to new: [UInt32], _ changed: SlotSet) -> [Step] {
    var steps: [Step] = []
    let newSet = SlotSet(new)
    var kept: [UInt32] = []
    for slot in old where newSet.contains(slot) && !changed.contains(slot) { kept.append(slot) }
    var index = old.count - 1
    while index >= 0 {
      if !newSet.contains(old[index]) || changed.contains(old[index]) { steps.append(.remove(index)) }
      index -= 1
    }
    var next = 0
    for (index, slot) in new.enumerated() {
      if next < kept.count && kept[next] == slot { next += 1 } else { steps.append(.insert(index, slot)) }
    }
    return steps
  }
}
