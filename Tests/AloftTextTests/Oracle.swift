// SPDX-License-Identifier: Apache-2.0
// An independent reference: one character at a time, plain lists, everything compared by searching. Shares no code with the engine.

/// Histories of single-character events, and the text they stand for.
struct Oracle {
  struct Event {
    var agent: [UInt8]
    var number: Int
    var parents: [Int]
    /// nil: a deletion.
    var scalar: Unicode.Scalar?
    var place: Int
  }

  var events: [Event] = []

  private struct Item {
    var event: Int
    var left: Int  // event, -1 at the start
    var right: Int  // event, -1 at the end
    /// Prepare state: 0 not inserted, 1 visible, n deleted n - 1 times.
    var state = 1
    var isDeleted = false
  }

  /// All ancestors of a version, itself included.
  func history(_ heads: [Int]) -> Set<Int> {
    var found = Set<Int>()
    var open = heads
    while let event = open.popLast() {
      if found.insert(event).inserted { open += events[event].parents }
    }
    return found
  }

  /// Replays all events in an order that has parents first.
  func text(order: [Int]? = nil) -> [Unicode.Scalar] {
    var items: [Item] = []
    var targets: [Int: Int] = [:]
    func place(_ event: Int) -> Int { items.firstIndex { $0.event == event }! }
    for event in order ?? Array(events.indices) {
      let known = history(events[event].parents)
      // The prepare version, anew for each event.
      for index in items.indices { items[index].state = known.contains(items[index].event) ? 1 : 0 }
      for (deletion, target) in targets where known.contains(deletion) { items[place(target)].state += 1 }
      let visible = items.indices.filter { items[$0].state == 1 }
      let at = events[event].place
      if events[event].scalar == nil {
        let index = visible[at]
        targets[event] = items[index].event
        items[index].isDeleted = true
        continue
      }
      let leftIndex = at == 0 ? -1 : visible[at - 1]
      let rightIndex = items.indices.first { $0 > leftIndex && items[$0].state != 0 } ?? items.count
      let new = Item(
        event: event, left: leftIndex < 0 ? -1 : items[leftIndex].event,
        right: rightIndex == items.count ? -1 : items[rightIndex].event)
      var destination = leftIndex + 1
      var isScanning = false
      for index in leftIndex + 1..<rightIndex + 1 {
        if !isScanning { destination = index }
        if index == rightIndex { break }
        let other = items[index]
        let otherLeft = other.left < 0 ? -1 : place(other.left)
        let otherRight = other.right < 0 ? items.count : place(other.right)
        if otherLeft < leftIndex { break }
        if otherLeft > leftIndex { continue }
        if otherRight == rightIndex {
          if precedes(event, other.event) { break }
          isScanning = false
        } else {
          isScanning = otherRight < rightIndex
        }
      }
      items.insert(new, at: destination)
    }
    return items.filter { !$0.isDeleted }.map { events[$0.event].scalar! }
  }

  private func precedes(_ a: Int, _ b: Int) -> Bool {
    let (x, y) = (events[a], events[b])
    return x.agent == y.agent ? x.number < y.number : x.agent.lexicographicallyPrecedes(y.agent)
  }
}
