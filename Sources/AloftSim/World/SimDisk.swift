// SPDX-License-Identifier: Apache-2.0
// A device's storage for one user: what IndexedDB promises, and how it fails.
//
// Transactions are atomic and in order. A strict one is on the disk when it completes; a relaxed one may be lost by a power cut,
// together with everything relaxed that came after it.

import AloftCore

/// What is stored: a log by number, pages, and the folded state.
struct DiskImage {
  var state: [UInt8] = []
  var generation: UInt64 = 0
  /// The number of `log[0]`.
  private(set) var firstSequence: UInt64 = 1
  private(set) var log: [[UInt8]] = []
  private(set) var pages: [(number: UInt32, bytes: [UInt8])] = []

  var isEmpty: Bool { log.isEmpty && state.isEmpty }
  /// The number of the last row, or of the last one that was folded away.
  var lastSequence: UInt64 { firstSequence + UInt64(log.count) - 1 }

  func row(_ sequence: UInt64) -> [UInt8]? {
    guard sequence >= firstSequence, sequence - firstSequence < UInt64(log.count) else { return nil }
    return log[Int(sequence - firstSequence)]
  }

  /// The rows behind `head`; nil when a compaction has already taken some of them away.
  func tail(after head: UInt64) -> [LogRow]? {
    guard generation <= head, head + 1 >= firstSequence else { return nil }
    var rows: [LogRow] = []
    var sequence = head + 1
    while let bytes = row(sequence) {
      rows.append(LogRow(sequence: sequence, bytes: bytes))
      sequence += 1
    }
    return rows
  }

  mutating func apply(_ write: DiskWrite) {
    switch write {
    case .append(_, let rows): log.append(contentsOf: rows)
    case .compact(let compaction):
      state = compaction.state
      generation = compaction.generation
      for page in compaction.pages {
        if let place = pages.firstIndex(where: { $0.number == page.number }) { pages[place].bytes = page.bytes } else { pages.append(page) }
      }
      pages.removeAll { page in compaction.removed.contains(page.number) }
      pages.sort { $0.number < $1.number }
      if compaction.deleteThrough >= firstSequence {
        let count = min(UInt64(log.count), compaction.deleteThrough - firstSequence + 1)
        log.removeFirst(Int(count))
        firstSequence += count
      }
    case .cut(let first): if first >= firstSequence { log.removeLast(max(0, Int(lastSequence + 1 - first))) }
    }
  }

  /// Flips one bit of a page.
  fileprivate mutating func damage(_ draw: UInt64) {
    if pages.isEmpty { return }
    let page = Int(draw / 8 % UInt64(pages.count))
    let byte = Int(draw / 4096 % UInt64(pages[page].bytes.count))
    pages[page].bytes[byte] ^= 1 << UInt8(draw % 8)
  }
}

enum DiskWrite {
  case append(first: UInt64, rows: [[UInt8]])
  case compact(Compaction)
  /// Rows from here on cannot be read and are set aside.
  case cut(first: UInt64)
}

struct SimDisk {
  /// What readers see.
  private(set) var image = DiskImage()
  /// What a power cut leaves at least.
  private var synced = DiskImage()
  /// What a power cut may take, in order.
  private var unsynced: [DiskWrite] = []
  /// Changes whenever the storage goes back in time or is emptied.
  private(set) var incarnation = 0

  /// Whether the row may be appended: the compare-and-swap of the log.
  func isFree(_ first: UInt64) -> Bool { first == image.lastSequence + 1 && first > image.generation }

  mutating func write(_ write: DiskWrite, isStrict: Bool) {
    image.apply(write)
    unsynced.append(write)
    if isStrict || unsynced.count > 64 { sync() }
  }

  private mutating func sync() {
    for write in unsynced { synced.apply(write) }
    unsynced.removeAll(keepingCapacity: true)
  }

  /// Loses all but the first few of the writes that were not flushed.
  mutating func cutPower(keeping draw: UInt64) {
    let kept = Int(draw % UInt64(unsynced.count + 1))
    for write in unsynced.prefix(kept) { synced.apply(write) }
    unsynced = []
    image = synced
  }

  /// Puts another image in place: an old one, another device's, or nothing.
  mutating func replace(by other: DiskImage) {
    image = other
    synced = other
    unsynced = []
    incarnation += 1
  }

  /// Flips a bit of a stored page.
  mutating func damage(_ draw: UInt64) {
    sync()
    image.damage(draw)
    synced = image
  }
}
