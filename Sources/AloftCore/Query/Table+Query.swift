// SPDX-License-Identifier: Apache-2.0
// Answers queries: by an index where one helps, else by a scan of the packed rows.

extension Table {
  /// The slots that satisfy a query, in its order, before limit and offset are applied.
  ///
  /// With an ordering and a limit but few conditions an index is walked only as far as the limit needs; `isPartial` tells.
  mutating func run(_ query: Query, all: Bool) -> (slots: [UInt32], isPartial: Bool) {
    if let slots = walkInOrder(query, all: all) { return (slots, true) }
    var slots = candidates(query.filter)
    sort(&slots, by: query.orderBy)
    return (slots, false)
  }

  /// The value of an aggregate over all matches.
  mutating func aggregate(_ query: Query) -> Int64Sum {
    var sum = Int64Sum()
    for slot in candidates(query.filter) { sum.add(contribution(of: slot, to: query)) }
    return sum
  }

  /// What one matching row adds to an aggregate.
  func contribution(of slot: UInt32, to query: Query) -> Value {
    switch query.aggregate {
    case .rows, .count: return .int(1)
    case .sum(let field): return visible(slot)?.value(field, rule: collection.fields[max(field, 0)].rule) ?? .null
    }
  }

  func matches(_ slot: UInt32, _ query: Query) -> Bool {
    guard let view = visible(slot) else { return false }
    return query.filter.matches(view, collection.fields)
  }

  /// The order of an answer: the orderings in turn, then the id. Without orderings, the slot. Out of line, as is `compareValues`.
  @inline(never)
  func precedes(_ a: UInt32, _ b: UInt32, _ orderBy: [Ordering]) -> Bool {
    if orderBy.isEmpty { return a < b }
    guard a != b, let first = view(a), let second = view(b) else { return a < b }
    for order in orderBy {
      if order.field < 0 {
        // No two records share an id.
        return order.isDescending ? second.idPrecedes(first) : first.idPrecedes(second)
      }
      let rule = collection.fields[order.field].rule
      let (x, y) = (SortKey(first, order.field, rule: rule), SortKey(second, order.field, rule: rule))
      if x.high != y.high || x.low != y.low { return (x < y) != order.isDescending }
      if x.isExact && y.isExact { continue }
      let (left, right) = (first.value(order.field, rule: rule), second.value(order.field, rule: rule))
      if Value.precedes(left, right) { return !order.isDescending }
      if Value.precedes(right, left) { return order.isDescending }
    }
    return first.idPrecedes(second)
  }

  func sort(_ slots: inout [UInt32], by orderBy: [Ordering]) {
    if orderBy.isEmpty { return slots.sortStably(by: <) }
    guard let first = orderBy.first, first.field >= 0, slots.count > 16 else { return slots.sortStably { precedes($0, $1, orderBy) } }
    // Keys are extracted once; only ties touch the rows again.
    let rule = collection.fields[first.field].rule
    var entries: [IndexEntry] = []
    entries.reserveCapacity(slots.count)
    for slot in slots {
      guard let view = view(slot) else { continue }
      entries.append(IndexEntry(key: SortKey(view, first.field, rule: rule), slot: slot))
    }
    entries.sortStably { a, b in
      if a.key.high != b.key.high || a.key.low != b.key.low { return (a.key < b.key) != first.isDescending }
      return precedes(a.slot, b.slot, orderBy)
    }
    slots = entries.map { $0.slot }
  }

  /// Top-k by one field: walks the field's index until the limit is full and the last tie is complete.
  private mutating func walkInOrder(_ query: Query, all: Bool) -> [UInt32]? {
    guard !all, let limit = query.limit, let first = query.orderBy.first, first.field >= 0, case .rows = query.aggregate,
      query.filter == .all([])
    else { return nil }
    let wanted = query.offset + limit
    guard wanted < slotCount / 4 else { return nil }
    let place = makeIndex(first.field)
    var slots: [UInt32] = []
    var last = SortKey.null
    let take = { (entry: IndexEntry) -> Bool in
      // Keys that are equal or undecided belong to one run, which is taken whole and sorted by the full order.
      if slots.count >= wanted && (entry.key.high != last.high || entry.key.low != last.low) { return false }
      slots.append(entry.slot)
      last = entry.key
      return true
    }
    if first.isDescending { indexes[place].walkBackward(take) } else { indexes[place].walk(from: { _ in false }, take) }
    sort(&slots, by: query.orderBy)
    return slots
  }

  /// All visible slots that satisfy a filter, in no particular order.
  private mutating func candidates(_ filter: Filter) -> [UInt32] {
    var slots: [UInt32] = []
    if let range = indexRange(filter) {
      let fields = collection.fields
      for bounds in range.bounds {
        indexes[range.place].walk(from: { $0.key < bounds.low }) { entry in
          if bounds.high < entry.key { return false }
          if let view = visible(entry.slot), filter.matches(view, fields) { slots.append(entry.slot) }
          return true
        }
      }
      return slots
    }
    let fields = collection.fields
    let take = { (slot: UInt32, view: RowView) in if filter.matches(view, fields) { slots.append(slot) } }
    if let wanted = Self.wantedText(filter) { forEachVisible(where: wanted.field, is: wanted.text, take) } else { forEachVisible(take) }
    return slots
  }

  private struct KeyBounds {
    var low: SortKey
    var high: SortKey
  }

  /// Ranges of one index that contain every match of the filter, or nil when a scan is the better way.
  private mutating func indexRange(_ filter: Filter) -> (place: Int, bounds: [KeyBounds])? {
    let parts: [Filter]
    if case .all(let inner) = filter { parts = inner } else { parts = [filter] }
    var best: (field: Int, bounds: [KeyBounds], rank: Int)?
    for part in parts {
      guard let (field, bounds, rank) = Self.bounds(part), best == nil || rank < best!.rank else { continue }
      best = (field, bounds, rank)
    }
    guard let best, slotCount > 64 else { return nil }
    if let place = indexes.firstIndex(where: { $0.field == best.field }) { return (place, best.bounds) }
    // One scan costs less than one sort: only a second wish builds the index.
    wishes[best.field] += 1
    return wishes[best.field] > 1 ? (makeIndex(best.field), best.bounds) : nil
  }

  /// The key range of a single condition; rank 0 is the narrowest kind.
  private static func bounds(_ filter: Filter) -> (Int, [KeyBounds], Int)? {
    let lowest = SortKey(high: 0, low: 1, isExact: true)
    let highest = SortKey(high: .max, low: .max, isExact: true)
    switch filter {
    case .compare(let field, let comparison, let value) where field >= 0 && value != .null:
      let key = SortKey(value)
      switch comparison {
      case .equal: return (field, [KeyBounds(low: key, high: key)], 0)
      case .less, .lessOrEqual: return (field, [KeyBounds(low: lowest, high: key)], 2)
      case .greater, .greaterOrEqual: return (field, [KeyBounds(low: key, high: highest)], 2)
      case .notEqual: return nil
      }
    case .oneOf(let field, let values) where field >= 0 && !values.contains(.null):
      var bounds: [KeyBounds] = []
      for value in values {
        let key = SortKey(value)
        // Equal keys would walk the same run twice.
        if !bounds.contains(where: { $0.low.high == key.high && $0.low.low == key.low }) { bounds.append(KeyBounds(low: key, high: key)) }
      }
      return (field, bounds, 1)
    case .prefix(let field, let text) where field >= 0 && !text.utf8.isEmpty:
      let low = SortKey(.text(text))
      var high = SortKey(.text(Text(utf8: Array(text.utf8.prefix(15)) + [UInt8](repeating: 0xFF, count: 15))))
      high.isExact = false
      return (field, [KeyBounds(low: low, high: high)], 1)
    default: return nil
    }
  }
}

/// A sum that stays an integer while its parts are.
struct Int64Sum: Equatable {
  private(set) var int: Int64 = 0
  private(set) var double = 0.0
  private var doubleCount = 0

  mutating func add(_ value: Value, sign: Int64 = 1) {
    switch value {
    case .int(let part): int &+= part &* sign
    case .double(let part):
      double += part * Double(sign)
      doubleCount += Int(sign)
    default: break
    }
  }

  var value: Value { doubleCount == 0 ? .int(int) : .double(double + Double(int)) }
}
