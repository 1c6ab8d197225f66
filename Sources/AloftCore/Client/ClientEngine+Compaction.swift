// SPDX-License-Identifier: Apache-2.0
// Compaction: the log's rows become pages. The row that orders it is in the log, so every context folds at the same place.

extension ClientEngine {
  /// Fold when the log has this many rows or bytes: short enough that a cold open stays fast.
  private static let rowCountMax = 1000
  private static let byteCountMax = 512 * 1024
  /// Rows kept behind a compaction for contexts that lag.
  private static let keptRows: UInt64 = 200

  mutating func wantCompactionIfDue() {
    guard isOpen, logRowsSinceCompaction >= Self.rowCountMax || logBytesSinceCompaction >= Self.byteCountMax else { return }
    for entry in outbox { if case .compaction = entry { return } }
    outbox.append(.compaction)
  }

  /// Applies a compaction row: folds all changes up to it.
  mutating func fold() {
    logRowsSinceCompaction = 0
    logBytesSinceCompaction = 0
    state.generation = state.head.sequence
    for index in tables.indices {
      for page in tables[index].compact(nextPage: &state.nextPage) {
        while pageGenerations.count <= Int(page) { pageGenerations.append(0) }
        pageGenerations[Int(page)] = state.generation
      }
    }
    for page in 0..<Int(droppedPages) {
      while pageGenerations.count <= page { pageGenerations.append(0) }
      pageGenerations[page] = state.generation
    }
    droppedPages = 0
    foldedState = state.encode()
    if isOpen { effects.append(.wantCompact) }
  }

  /// Writes the pages that changed after the generation that storage holds.
  mutating func compact(onDisk generation: UInt64) {
    guard generation < state.generation, !foldedState.isEmpty, !isDamaged else { return }
    var pages: [(number: UInt32, bytes: [UInt8])] = []
    var removed: [UInt32] = []
    for page in pageGenerations.indices where pageGenerations[page] > generation {
      if let table = tables.first(where: { page < $0.pages.count && !$0.pages[page].bytes.isEmpty }) {
        pages.append((UInt32(page), table.pages[page].bytes))
      } else {
        removed.append(UInt32(page))
      }
    }
    let kept = state.generation > Self.keptRows ? state.generation - Self.keptRows : 0
    effects.append(
      .compact(
        Compaction(
          expectedGeneration: generation, generation: state.generation, deleteThrough: kept, state: foldedState, pages: pages,
          removed: removed)))
  }

  mutating func compacted(_ generation: UInt64) {
    guard generation == state.generation else { return }
    foldedState = []
  }
}
