// SPDX-License-Identifier: Apache-2.0
// Loading pages into a table, and compaction: folding what changed back into pages.
//
// Compaction is deterministic: every context of a device folds the same log rows in the same order and gets the same pages, so
// any of them may write them, and the others need not read them again.

extension Table {
  /// Takes a page whose checksum was found good. Returns false when its rows do not parse.
  mutating func load(page number: UInt32, _ bytes: [UInt8], count: Int) -> Bool {
    let first = UInt32(slotCount)
    guard adopt(page: number, bytes, count: count) else { return false }
    makeRoom(for: number)
    pages[Int(number)] = PageEntry(bytes: bytes, slots: Array(first..<UInt32(slotCount)))
    return true
  }

  /// Folds loose rows and removals into pages. Returns the numbers of the pages that changed; empty ones have been removed.
  mutating func compact(nextPage: inout UInt32) -> [UInt32] {
    var homeless = looseSlots.filter { if case .loose = places[Int($0)] { true } else { false } }
    var touched: [UInt32] = []
    for page in pages.indices where pages[page].isDirty {
      // Rows that changed stay in their page while they fit, so that a record edited often does not wander.
      rewrite(UInt32(page), keeping: pages[page].slots, homeless: &homeless)
      touched.append(UInt32(page))
    }
    homeless.sortStably { (view($0)?.id ?? Text(utf8: [])) < (view($1)?.id ?? Text(utf8: [])) }
    fill(with: homeless, &nextPage, &touched)
    looseSlots = []
    return touched
  }

  /// Rebuilds a page from the slots that were in it, as far as they fit.
  private mutating func rewrite(_ page: UInt32, keeping slots: [UInt32], homeless: inout [UInt32]) {
    var bytes = Page.begin(number: page, collection: number)
    var kept: [(slot: UInt32, offset: Int, length: Int)] = []
    for slot in slots {
      switch places[Int(slot)] {
      case .empty: continue
      case .page(let home, _, _): if home != page { continue }
      case .loose: break
      }
      guard let row = base(slot), bytes.count + 4 + row.end - row.start <= Page.bytesMax || kept.isEmpty else { continue }
      bytes.putWord(row.end - row.start)
      kept.append((slot, bytes.count, row.end - row.start))
      bytes.put(row.bytes, from: row.start, to: row.end)
    }
    // What did not fit keeps its bytes as a loose row and finds a new page.
    let keptSet = SlotSet(kept.map { $0.slot })
    for slot in slots where !keptSet.contains(slot) {
      guard case .page(let home, _, _) = places[Int(slot)], home == page, let row = base(slot) else { continue }
      setLooseForCompaction(slot, row.bytes.bytes(from: row.start, to: row.end))
      homeless.append(slot)
    }
    homeless.removeAll { keptSet.contains($0) }
    install(page, &bytes, kept)
  }

  private mutating func install(_ page: UInt32, _ bytes: inout [UInt8], _ kept: [(slot: UInt32, offset: Int, length: Int)]) {
    makeRoom(for: page)
    if kept.isEmpty {
      pages[Int(page)] = PageEntry()
      return
    }
    Page.seal(&bytes, count: kept.count)
    pages[Int(page)] = PageEntry(bytes: bytes, slots: kept.map { $0.slot })
    for (slot, offset, length) in kept { move(slot, to: .page(page, offset: UInt32(offset), length: UInt32(length))) }
  }

  /// Appends rows, sorted by their ids, to the newest page, then to new ones.
  private mutating func fill(with slots: [UInt32], _ nextPage: inout UInt32, _ touched: inout [UInt32]) {
    if slots.isEmpty { return }
    var page: UInt32
    var bytes: [UInt8]
    var kept: [(slot: UInt32, offset: Int, length: Int)] = []
    if let newest = pages.lastIndex(where: { !$0.bytes.isEmpty }) {
      page = UInt32(newest)
      bytes = pages[newest].bytes
      for slot in pages[newest].slots {
        if case .page(_, let offset, let length) = places[Int(slot)] { kept.append((slot, Int(offset), Int(length))) }
      }
    } else {
      (page, bytes) = begin(&nextPage)
    }
    for (index, slot) in slots.enumerated() {
      // A record that went and came back since the last compaction is in the list twice.
      guard index == 0 || slots[index - 1] != slot, let row = base(slot) else { continue }
      if bytes.count + 4 + row.end - row.start > Page.bytesMax && !kept.isEmpty {
        install(page, &bytes, kept)
        if !touched.contains(page) { touched.append(page) }
        (page, bytes) = begin(&nextPage)
        kept = []
      }
      bytes.putWord(row.end - row.start)
      kept.append((slot, bytes.count, row.end - row.start))
      bytes.put(row.bytes, from: row.start, to: row.end)
    }
    install(page, &bytes, kept)
    if !touched.contains(page) { touched.append(page) }
  }

  func holds(page: UInt32) -> Bool { page < pages.count && !pages[Int(page)].bytes.isEmpty }

  private mutating func makeRoom(for page: UInt32) {
    while pages.count <= Int(page) { pages.append(PageEntry()) }
  }

  private func begin(_ nextPage: inout UInt32) -> (UInt32, [UInt8]) {
    let page = nextPage
    nextPage += 1
    return (page, Page.begin(number: page, collection: number))
  }
}
