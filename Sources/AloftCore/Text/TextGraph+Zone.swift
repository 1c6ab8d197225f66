// SPDX-License-Identifier: Apache-2.0
// The replay zone of two versions: the events that must be replayed to merge them, and the version the replay may start from.
//
// The start must be critical: every event outside its history happened after every one of its heads. The common history of both
// versions is not enough. A point of this walk is a whole version; it falls apart only where one of its parts must be looked at.

extension TextGraph {
  /// The base version, and the zone's events as triples (start, end, flags), greatest first. Flag 1: in the history of `a`,
  /// 2: of `b`, 3: of both. Costs the size of the zone in graph entries times the logarithm of its breadth.
  func zone(_ a: TextColumn, _ b: TextColumn) -> (base: TextColumn, spans: TextColumn) {
    var points = ZonePoints()
    var spans = TextColumn()
    points.push(a, 1)
    points.push(b, 2)
    while true {
      var (point, flag) = points.pop()
      while !points.isEmpty, points.isTop(point) { flag |= points.pop().1 }
      if points.isEmpty || point.isEmpty { return (point, spans) }
      if point.count > 1 {
        for index in 0..<point.count { points.push(TextColumn(one: point[index]), flag) }
        continue
      }
      let entry = entry(of: point[0])
      let start = starts[entry]
      let next = points.topHead
      let meets = next >= start
      TextGraph.add(meets ? next + 1 : start, point[0] + 1, flag, to: &spans)
      if meets {
        points.push(TextColumn(one: next), flag)
      } else {
        points.push(parents(of: entry), flag)
      }
    }
  }

  private static func add(_ start: Int, _ end: Int, _ flag: Int, to spans: inout TextColumn) {
    if start >= end { return }
    let last = spans.count - 3
    if last >= 0, spans[last] == end, spans[last + 2] == flag {
      spans[last] = start
    } else {
      spans.append(start)
      spans.append(end)
      spans.append(flag)
    }
  }
}

/// A heap of versions: the one with the greatest head first, among those the longer, then by the other heads, so that equal ones
/// come together.
private struct ZonePoints {
  private var items: [(TextColumn, Int)] = []

  var isEmpty: Bool { items.isEmpty }
  /// The greatest head of all versions; -1 when the greatest is the empty version.
  var topHead: Int { items[0].0.isEmpty ? -1 : items[0].0.last }

  func isTop(_ point: TextColumn) -> Bool { items[0].0 == point }

  private static func precedes(_ a: TextColumn, _ b: TextColumn) -> Bool {
    if a.isEmpty || b.isEmpty { return a.count > b.count }
    if a.last != b.last { return a.last > b.last }
    if a.count != b.count { return a.count > b.count }
    var index = a.count - 1
    while index >= 0 {
      if a[index] != b[index] { return a[index] > b[index] }
      index -= 1
    }
    return false
  }

  mutating func push(_ point: TextColumn, _ flag: Int) {
    items.append((point, flag))
    var place = items.count - 1
    while place > 0 {
      let above = (place - 1) >> 1
      if !ZonePoints.precedes(items[place].0, items[above].0) { break }
      items.swapAt(place, above)
      place = above
    }
  }

  mutating func pop() -> (TextColumn, Int) {
    items.swapAt(0, items.count - 1)
    let result = items.removeLast()
    var place = 0
    while true {
      var below = 2 * place + 1
      if below >= items.count { break }
      if below + 1 < items.count, ZonePoints.precedes(items[below + 1].0, items[below].0) { below += 1 }
      if !ZonePoints.precedes(items[below].0, items[place].0) { break }
      items.swapAt(place, below)
      place = below
    }
    return result
  }
}
