// SPDX-License-Identifier: Apache-2.0
// The one kind of index: the rows of a collection in the order of a field, in blocks, so that a change moves few entries.

/// An entry: a field's key and the slot of its row.
struct IndexEntry {
  var key: SortKey
  var slot: UInt32
}

/// Slots ordered by one field. Equality, ranges, prefixes and ordering all walk it.
struct OrderedIndex {
  /// Blocks split above this many entries.
  private static let blockCountMax = 512

  let field: Int
  private var blocks: [[IndexEntry]] = []

  /// Builds from entries in any order. Cost: one sort.
  init(field: Int, entries: [IndexEntry], precedes: (IndexEntry, IndexEntry) -> Bool) {
    self.field = field
    let sorted = entries.sortedStably(by: precedes)
    let size = Self.blockCountMax * 3 / 4
    var index = 0
    while index < sorted.count {
      blocks.append(Array(sorted[index..<min(index + size, sorted.count)]))
      index += size
    }
  }

  mutating func insert(_ entry: IndexEntry, precedes: (IndexEntry, IndexEntry) -> Bool) {
    if blocks.isEmpty {
      blocks.append([entry])
      return
    }
    let place = position { precedes($0, entry) }
    var block = place.block
    var offset = place.offset
    if block == blocks.count { (block, offset) = (block - 1, blocks[block - 1].count) }
    blocks[block].insert(entry, at: offset)
    if blocks[block].count > Self.blockCountMax {
      let half = blocks[block].count / 2
      let tail = Array(blocks[block][half...])
      blocks[block].removeSubrange(half...)
      blocks.insert(tail, at: block + 1)
    }
  }

  mutating func remove(_ entry: IndexEntry, precedes: (IndexEntry, IndexEntry) -> Bool) {
    let place = position { precedes($0, entry) }
    guard place.block < blocks.count, place.offset < blocks[place.block].count,
      blocks[place.block][place.offset].slot == entry.slot
    else { return }
    blocks[place.block].remove(at: place.offset)
    if blocks[place.block].isEmpty { blocks.remove(at: place.block) }
  }

  /// The first place whose entry is not `isBefore`.
  private func position(_ isBefore: (IndexEntry) -> Bool) -> (block: Int, offset: Int) {
    var low = 0
    var high = blocks.count
    while low < high {
      let middle = (low + high) / 2
      if isBefore(blocks[middle][blocks[middle].count - 1]) { low = middle + 1 } else { high = middle }
    }
    if low == blocks.count { return (low, 0) }
    var first = 0
    var last = blocks[low].count
    while first < last {
      let middle = (first + last) / 2
      if isBefore(blocks[low][middle]) { first = middle + 1 } else { last = middle }
    }
    return (low, first)
  }

  /// Walks forward from the first entry that is not before the bound, until the callback answers false.
  func walk(from isBefore: (IndexEntry) -> Bool, _ body: (IndexEntry) -> Bool) {
    var (block, offset) = position(isBefore)
    while block < blocks.count {
      while offset < blocks[block].count {
        if !body(blocks[block][offset]) { return }
        offset += 1
      }
      (block, offset) = (block + 1, 0)
    }
  }

  /// Walks backward from the end until the callback answers false.
  func walkBackward(_ body: (IndexEntry) -> Bool) {
    var block = blocks.count - 1
    while block >= 0 {
      var offset = blocks[block].count - 1
      while offset >= 0 {
        if !body(blocks[block][offset]) { return }
        offset -= 1
      }
      block -= 1
    }
  }
}
