// SPDX-License-Identifier: Apache-2.0
// The graph of a text's events: which event was typed on top of which, as runs, and the questions the engine asks about it.
//
// Events are numbered in the order in which this replica came to know them, parents before children. Such a number never leaves
// the replica. Algorithms: Eg-walker (Gentle and Kleppmann, 2024); every walk goes from great numbers to small ones with a heap.

/// A run-length event graph. One entry is an unbranched chain: inside it the parent of an event is the event before it.
struct TextGraph: Sendable {
  /// The first event of each entry, ascending.
  var starts = TextColumn()
  /// For each entry the smallest s such that every event from s to the entry's end is an ancestor of the entry's last event.
  var shadows = TextColumn()
  /// Where the parents of each entry begin in `parents`.
  var parentStarts = TextColumn()
  var parents = TextColumn()
  /// The number of events.
  var count = 0
  /// The events without children, ascending.
  var version = TextColumn()
  var heap = TextHeap()
  /// The entry that was looked at last: the next one asked for is seldom far.
  private var near = 0

  func end(of entry: Int) -> Int { entry + 1 < starts.count ? starts[entry + 1] : count }
  func parentEnd(of entry: Int) -> Int { entry + 1 < starts.count ? parentStarts[entry + 1] : parents.count }
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
      starts.append(start)
      shadows.append(shadow)
      parentStarts.append(parents.count)
      parents.words.append(contentsOf: base.words)
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

  private mutating func push(parentsOf entry: Int, flag: UInt64) {
    var index = parentStarts[entry]
    let end = parentEnd(of: entry)
    while index < end {
      heap.push(UInt64(parents[index]) << 2 | flag)
      index += 1
    }
  }

  /// Whether a version has an event in its history.
  mutating func contains(_ heads: TextColumn, _ event: Int) -> Bool {
    heap.removeAll()
    var index = 0
    while index < heads.count {
      let head = heads[index]
      if head == event { return true }
      if head > event {
        if shadows[nearEntry(of: head)] <= event { return true }
        heap.push(UInt64(head))
      }
      index += 1
    }
    while !heap.isEmpty {
      let entry = nearEntry(of: Int(heap.pop()))
      if shadows[entry] <= event { return true }
      let start = starts[entry]
      while !heap.isEmpty, Int(heap.top) >= start { _ = heap.pop() }
      var parent = parentStarts[entry]
      let end = parentEnd(of: entry)
      while parent < end {
        if parents[parent] == event { return true }
        if parents[parent] > event { heap.push(UInt64(parents[parent])) }
        parent += 1
      }
    }
    return false
  }

  /// The events that only one of two versions has in its history, as pairs (start, end) with the greatest first.
  mutating func diff(_ a: TextColumn, _ b: TextColumn, _ onlyA: inout TextColumn, _ onlyB: inout TextColumn) {
    onlyA.removeAll()
    onlyB.removeAll()
    if a == b { return }
    if a.count == 1, b.count == 1 {
      let (low, high) = (min(a[0], b[0]), max(a[0], b[0]))
      if starts[nearEntry(of: high)] <= low {
        if a[0] < b[0] { TextGraph.add(low + 1, high + 1, to: &onlyB) } else { TextGraph.add(low + 1, high + 1, to: &onlyA) }
        return
      }
    }
    heap.removeAll()
    for index in 0..<a.count { heap.push(UInt64(a[index]) << 2 | 1) }
    for index in 0..<b.count { heap.push(UInt64(b[index]) << 2 | 2) }
    var shared = 0
    while heap.count > shared {
      let word = heap.pop()
      var event = Int(word >> 2)
      var flag = word & 3
      if flag == 3 { shared -= 1 }
      let entry = nearEntry(of: event)
      let start = starts[entry]
      while !heap.isEmpty, Int(heap.top >> 2) >= start {
        let next = heap.pop()
        if next & 3 == 3 { shared -= 1 }
        TextGraph.add(Int(next >> 2) + 1, event + 1, flag, &onlyA, &onlyB)
        event = Int(next >> 2)
        flag |= next & 3
      }
      TextGraph.add(start, event + 1, flag, &onlyA, &onlyB)
      if flag == 3 { shared += parentEnd(of: entry) - parentStarts[entry] }
      push(parentsOf: entry, flag: flag)
    }
  }

  private static func add(_ start: Int, _ end: Int, _ flag: UInt64, _ onlyA: inout TextColumn, _ onlyB: inout TextColumn) {
    if start >= end || flag == 3 { return }
    if flag == 1 { add(start, end, to: &onlyA) } else { add(start, end, to: &onlyB) }
  }

  static func add(_ start: Int, _ end: Int, to ranges: inout TextColumn) {
    if !ranges.isEmpty, ranges[ranges.count - 2] == end {
      ranges[ranges.count - 2] = start
    } else {
      ranges.append(start)
      ranges.append(end)
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
  mutating func dominators(_ list: TextColumn) -> TextColumn {
    if list.count < 2 || areHeads(list) { return list }
    heap.removeAll()
    for index in 0..<list.count { heap.push(UInt64(list[index]) << 2 | 1) }
    var left = list.count
    var found = TextColumn()
    while left > 0, !heap.isEmpty {
      let word = heap.pop()
      let event = Int(word >> 2)
      let entry = nearEntry(of: event)
      let start = starts[entry]
      // Bit 0: a head of the list. What is reached from another event is no head that counts.
      var isReached = word & 1 == 0
      if word & 1 == 1 { left -= 1 }
      while !heap.isEmpty, Int(heap.top >> 2) == event {
        let next = heap.pop()
        if next & 1 == 1 { left -= 1 } else { isReached = true }
      }
      if !isReached { found.append(event) }
      while !heap.isEmpty, Int(heap.top >> 2) >= start {
        if heap.pop() & 1 == 1 { left -= 1 }
      }
      push(parentsOf: entry, flag: 0)
    }
    found.words.reverse()
    return found
  }

  /// Forgets the newest events: the state of the counts taken earlier. `version` is the one of that time.
  mutating func truncate(to events: Int, version: TextColumn) {
    while !starts.isEmpty, starts.last >= events {
      parents.truncate(parentStarts.last)
      starts.truncate(starts.count - 1)
      shadows.truncate(starts.count)
      parentStarts.truncate(starts.count)
    }
    count = events
    self.version = version
  }
}
