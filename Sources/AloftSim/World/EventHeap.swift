// SPDX-License-Identifier: Apache-2.0
// What happens next: a binary heap ordered by time, and by the order of scheduling within one moment.

/// Something that is due in the simulated world.
enum Happening {
  case op(Int)
  case faultBegins(Int)
  case faultEnds(Int)
  case reopen(device: Int)
  case timer(ContextID, Int)
  case written(ContextID, Int)
  case requestArrives(Int)
  case requestGivenUp(ContextID, Int)
  case answerArrives(Int)
  case sendFails(ContextID, Int, UInt8)
  case commit(serverLife: Int)
  case serverStarts
  case follow(ContextID)
  case hint(ContextID, space: Int, sequence: UInt64)
  case retrySave(ContextID)
  case compactionDue(ContextID)
}

/// One life of one tab: events for an earlier life are void.
struct ContextID: Equatable {
  var device: Int
  var tab: Int
  var life: Int
}

struct EventHeap {
  private struct Entry {
    var time: UInt64
    var ordinal: UInt64
    var happening: Happening
  }

  private var entries: [Entry] = []
  private var ordinal: UInt64 = 0

  var nextTime: UInt64? { entries.first?.time }

  mutating func add(_ happening: Happening, at time: UInt64) {
    ordinal += 1
    entries.append(Entry(time: time, ordinal: ordinal, happening: happening))
    var child = entries.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard precedes(child, parent) else { break }
      entries.swapAt(child, parent)
      child = parent
    }
  }

  mutating func pop() -> (time: UInt64, happening: Happening)? {
    guard let first = entries.first else { return nil }
    let last = entries.removeLast()
    if !entries.isEmpty {
      entries[0] = last
      var parent = 0
      while true {
        var least = parent
        let left = parent * 2 + 1
        if left < entries.count, precedes(left, least) { least = left }
        if left + 1 < entries.count, precedes(left + 1, least) { least = left + 1 }
        if least == parent { break }
        entries.swapAt(parent, least)
        parent = least
      }
    }
    return (first.time, first.happening)
  }

  private func precedes(_ a: Int, _ b: Int) -> Bool {
    entries[a].time == entries[b].time ? entries[a].ordinal < entries[b].ordinal : entries[a].time < entries[b].time
  }
}
