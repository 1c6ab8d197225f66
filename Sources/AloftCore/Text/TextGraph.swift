// SPDX-License-Identifier: Apache-2.0
// The graph of a text's events: which event was typed on top of which, as runs, and the questions the engine asks about it.
//
// Events are numbered in the order in which this replica came to know them, parents before children. Such a number never leaves
// the replica. Algorithms: Eg-walker (Gentle and Kleppmann, 2024); every walk goes from great numbers to small ones.

/// A run-length event graph. One entry is an unbranched chain: inside it the parent of an event is the event before it.
struct TextGraph: Sendable {
  /// The first event of each entry, ascending.
  var starts = TextColumn()
  /// For each entry the smallest s such that every event from s to the entry's end is an ancestor of the entry's last event.
  var shadows = TextColumn()
  /// Where the parents of each entry begin in `parents`.
  var parentStarts = TextColumn()
  var parents = TextColumn()
  /// The entry of each parent: walks would spend a third of their time on looking for it.
  private var parentEntries = TextColumn()
  /// The number of events.
  var count = 0
  /// The events without children, ascending.
  var version = TextColumn()
  var frontier = TextFrontier()
  /// What the last `diff` found: the events that only one side has in its history, as pairs (start, end), greatest first.
  private(set) var onlyA = TextColumn()
  private(set) var onlyB = TextColumn()
  /// The entry that was looked at last: the next one asked for is seldom far.
  private var near = 0

  func end(of entry: Int) -> Int { entry + 1 < starts.count ? starts[entry + 1] : count }
  func parentEnd(of entry: Int) -> Int { entry + 1 < starts.count ? parentStarts[entry + 1] : parents.count }
  func parents(of entry: Int) -> TextColumn {
    var result = TextColumn()
    for index in parentStarts[entry]..<parentEnd(of: entry) { result.append(parents[index]) }
    return result
  }
  @inline(__always) func entry(of event: Int) -> Int { starts.lastIndex(atMost: event) }
  @inline(__always) func entry(of event: Int, near: Int) -> Int { starts.lastIndex(atMost: event, near: near) }
  @inline(__always) private mutating func nearEntry(of event: Int) -> Int {
    near = entry(of: event, near: near)
    return near
  }

  /// Appends events that follow one another, the first on top of `base` (ascending, none an ancestor of another).
  mutating func append(_ length: Int, on base: TextColumn) {
    let start = count
    count += length
    if base.count == 1, start > 0, base[0] == start - 1 {
      if version.count == 1 {
        version[0] = count - 1
        return
      }
    } else {
      var shadow = start
      while shadow > 0, base.contains(shadow - 1) { shadow = shadows[nearEntry(of: shadow - 1)] }
      starts.appendInline(start)
      shadows.appendInline(shadow)
      parentStarts.appendInline(parents.count)
      for index in 0..<base.count {
        parents.appendInline(base[index])
        parentEntries.appendInline(nearEntry(of: base[index]))
      }
    }
    replace(base, by: count - 1)
  }

  /// Appends events on top of everything. Allocates nothing while one author goes on.
  @inline(__always) mutating func append(_ length: Int) {
    if version.count == 1, version[0] == count &- 1 {
      count = count &+ length
      version[0] = count &- 1
    } else {
      append(length, on: version)
    }
  }

  private mutating func replace(_ base: TextColumn, by event: Int) {
    var kept = 0
    var index = 0
    while index < version.count {
      if !base.contains(version[index]) {
        version[kept] = version[index]
        kept += 1
      }
      index += 1
    }
    version.truncate(kept)
    version.append(event)
  }

  /// Whether an event of an entry was typed on exactly a version.
  func stands(_ event: Int, of entry: Int, on version: TextColumn) -> Bool {
    if event > starts[entry] { return version.count == 1 && version[0] == event - 1 }
    let first = parentStarts[entry]
    if parentEnd(of: entry) - first != version.count { return false }
    for index in 0..<version.count where parents[first + index] != version[index] { return false }
    return true
  }

  /// Finds the events that only one of two versions has in its history, `onlyA` and `onlyB`: of a version, and of the one that an event
  /// of an entry was typed on. Costs the entries between the two and their common history.
  mutating func diff(_ version: TextColumn, before event: Int, of entry: Int) {
    // Nothing that either stands on is newer.
    start(at: max(version.isEmpty ? 0 : version.last, event - 1))
    reach(version, 1)
    if event > starts[entry] { frontier.reach(event - 1, in: entry, 2) } else { reach(parentsOf: entry, 2) }
    onlyA.removeAll()
    onlyB.removeAll()
    while frontier.count > frontier.shared {
      let (entry, endA, endB) = frontier.take()
      if endA > endB { TextGraph.add(max(starts[entry], endB), endA, to: &onlyA) }
      if endB > endA { TextGraph.add(max(starts[entry], endA), endB, to: &onlyB) }
      reach(parentsOf: entry, (endA > 0 ? 1 : 0) | (endB > 0 ? 2 : 0))
    }
  }

  private static func add(_ start: Int, _ end: Int, to ranges: inout TextColumn) {
    let last = ranges.count - 2
    if last >= 0, ranges[last] == end {
      ranges[last] = start
    } else {
      ranges.appendInline(start)
      ranges.appendInline(end)
    }
  }

  private mutating func start(at event: Int) { frontier.start(at: nearEntry(of: event)) }

  private mutating func reach(_ events: TextColumn, _ sides: Int) {
    for index in 0..<events.count { frontier.reach(events[index], in: nearEntry(of: events[index]), sides) }
  }

  /// Reaches what an entry stands on.
  private mutating func reach(parentsOf entry: Int, _ sides: Int) {
    var index = parentStarts[entry]
    let end = parentEnd(of: entry)
    while index < end {
      frontier.reach(parents[index], in: parentEntries[index], sides)
      index += 1
    }
  }

  /// Whether a list holds only events without children, ascending: then none is in the history of another.
  private func areHeads(_ list: TextColumn) -> Bool {
    var index = 0
    while index < list.count {
      if !version.contains(list[index]) || (index > 0 && list[index - 1] >= list[index]) { return false }
      index += 1
    }
    return true
  }

  /// Leaves out of a list what others in it have in their history; the rest comes ascending.
  mutating func keepDominators(of list: inout TextColumn) {
    if list.count < 2 || areHeads(list) { return }
    var newest = 0
    for index in 0..<list.count { newest = max(newest, list[index]) }
    start(at: newest)
    reach(list, 1)
    list.removeAll()
    var left = frontier.count
    while left > 0 {
      // Side 2: what others have in their history.
      let (entry, end, historyEnd) = frontier.take()
      if end > 0 { left -= 1 }
      if end > historyEnd { list.append(end - 1) }
      reach(parentsOf: entry, 2)
    }
    list.reverse()
  }

  /// Forgets the newest events: the state of the counts taken earlier. `version` is the one of that time.
  mutating func truncate(to events: Int, version: TextColumn) {
    while !starts.isEmpty, starts.last >= events {
      parents.truncate(parentStarts.last)
      parentEntries.truncate(parents.count)
      starts.truncate(starts.count - 1)
      shadows.truncate(starts.count)
      parentStarts.truncate(starts.count)
    }
    count = events
    self.version = version
  }
}
