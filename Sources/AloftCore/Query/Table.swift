// SPDX-License-Identifier: Apache-2.0
// A collection in memory: packed rows where they lie, a slot for each record, the overlay of pending changes on top.
//
//   slot ──► base row   in a page (page, offset) or loose (changed since the last compaction)
//        └─► overlay    the base with this device's pending mutations applied; what queries see
//
// Why slots: indexes and live queries name a record by a small number that never changes while rows move between pages.

/// One collection's records.
struct Table {
  enum Place: Equatable {
    case none
    case page(UInt32, offset: UInt32, length: UInt32)
    case loose(UInt32)
  }

  let number: Int
  let collection: Collection
  private(set) var places: [Place] = []
  /// The ids of slots that have no row just now: made but not written yet, or gone.
  private var emptySlotIDs: [UInt32: Text] = [:]
  private var hashes: [UInt32] = []
  private var overlayPlaces: [Int32] = []
  private var overlays: [[UInt8]] = []
  private var freeOverlays: [Int32] = []
  private var looseRows: [[UInt8]] = []
  private var freeLoose: [UInt32] = []
  /// The pages by number; an absent page is empty.
  var pages: [UInt32: [UInt8]] = [:]
  var pageSlots: [UInt32: [UInt32]] = [:]
  /// Pages that hold a row which has changed or gone since the last compaction.
  var dirtyPages: Set<UInt32> = []
  /// Slots whose base row became loose since the last compaction; some may have gone again.
  var looseSlots: [UInt32] = []
  /// Open addressing: slot + 1, or 0.
  private var buckets: [UInt32] = [UInt32](repeating: 0, count: 64)
  var indexes: [OrderedIndex] = []
  /// How often a query could have used an index on a field.
  var wishes: [Int]

  init(number: Int, collection: Collection) {
    self.number = number
    self.collection = collection
    wishes = [Int](repeating: 0, count: collection.fields.count)
  }

  var slotCount: Int { places.count }

  // MARK: rows

  /// The row that the server confirmed, or nil.
  func base(_ slot: UInt32) -> RowView? {
    switch places[Int(slot)] {
    case .none: return nil
    case .loose(let index):
      let bytes = looseRows[Int(index)]
      return RowView(bytes: bytes, start: 0, end: bytes.count)
    case .page(let page, let offset, let length):
      guard let bytes = pages[page] else { return nil }
      return RowView(bytes: bytes, start: Int(offset), end: Int(offset + length))
    }
  }

  func overlay(_ slot: UInt32) -> RowView? {
    let place = overlayPlaces[Int(slot)]
    guard place >= 0 else { return nil }
    let bytes = overlays[Int(place)]
    return RowView(bytes: bytes, start: 0, end: bytes.count)
  }

  /// What the person sees: the overlay, else the base.
  func view(_ slot: UInt32) -> RowView? { overlay(slot) ?? base(slot) }

  /// The row as a query sees it: nil for a record that is absent or deleted.
  func visible(_ slot: UInt32) -> RowView? {
    guard let view = view(slot), !view.isDeleted else { return nil }
    return view
  }

  // MARK: slots

  /// The slot of a record, or nil when the table never heard of it.
  func slot(of id: Text) -> UInt32? {
    let hash = UInt32(truncatingIfNeeded: Hash64.of(id.utf8))
    var bucket = bucket(hash)
    while buckets[bucket] != 0 {
      let slot = buckets[bucket] - 1
      if hashes[Int(slot)] == hash {
        if let view = view(slot) {
          let range = view.idRange
          if range.count == id.utf8.count && view.bytes[range].elementsEqual(id.utf8) { return slot }
        } else if emptySlotIDs[slot] == id {
          return slot
        }
      }
      bucket = (bucket + 1) & (buckets.count - 1)
    }
    return nil
  }

  /// The slot of a record, made when there is none.
  mutating func makeSlot(for id: Text) -> UInt32 {
    if let slot = slot(of: id) { return slot }
    let slot = addSlot(hash: UInt32(truncatingIfNeeded: Hash64.of(id.utf8)))
    emptySlotIDs[slot] = id
    return slot
  }

  private mutating func addSlot(hash: UInt32) -> UInt32 {
    if (places.count + 1) * 3 > buckets.count * 2 { growBuckets() }
    let slot = UInt32(places.count)
    places.append(.none)
    hashes.append(hash)
    overlayPlaces.append(-1)
    enter(slot, hash)
    return slot
  }

  private mutating func enter(_ slot: UInt32, _ hash: UInt32) {
    var bucket = bucket(hash)
    while buckets[bucket] != 0 { bucket = (bucket + 1) & (buckets.count - 1) }
    buckets[bucket] = slot + 1
  }

  private func bucket(_ hash: UInt32) -> Int { Int(truncatingIfNeeded: hash) & (buckets.count - 1) }

  private mutating func growBuckets() {
    buckets = [UInt32](repeating: 0, count: buckets.count * 2)
    for (slot, hash) in hashes.enumerated() { enter(UInt32(slot), hash) }
  }

  /// Makes room for that many more records at once.
  mutating func reserve(_ count: Int) {
    places.reserveCapacity(places.count + count)
    hashes.reserveCapacity(places.count + count)
    overlayPlaces.reserveCapacity(places.count + count)
    while (places.count + count) * 3 > buckets.count * 2 { growBuckets() }
  }

  /// Takes a row of a page that is being loaded; its id is new to the table, since pages are loaded once.
  mutating func adopt(page: UInt32, offset: Int, length: Int, id: Range<Int>, in bytes: [UInt8]) -> UInt32 {
    let hash = bytes.withUnsafeBytes { Hash64.of(UnsafeRawBufferPointer(rebasing: $0[id])) }
    let slot = addSlot(hash: UInt32(truncatingIfNeeded: hash))
    places[Int(slot)] = .page(page, offset: UInt32(offset), length: UInt32(length))
    return slot
  }

  /// Moves a slot's base to where compaction wrote it.
  mutating func move(_ slot: UInt32, to place: Place) {
    if case .loose(let index) = places[Int(slot)] {
      looseRows[Int(index)] = []
      freeLoose.append(index)
    }
    places[Int(slot)] = place
  }

  // MARK: changes (indexes follow; live queries are told by the caller)

  /// Replaces the confirmed row; nil removes it from the device.
  mutating func setBase(_ slot: UInt32, _ row: [UInt8]?) {
    let isCovered = overlayPlaces[Int(slot)] >= 0
    rememberID(slot, willHaveRow: row != nil || isCovered)
    if !isCovered { unindex(slot) }
    switch (places[Int(slot)], row) {
    case (.loose(let index), let row?): looseRows[Int(index)] = row
    case (.loose(let index), nil):
      looseRows[Int(index)] = []
      freeLoose.append(index)
      places[Int(slot)] = .none
    case (.page(let page, _, _), _):
      dirtyPages.insert(page)
      places[Int(slot)] = .none
      if let row { makeLoose(slot, row) }
    case (.none, let row?): makeLoose(slot, row)
    case (.none, nil): break
    }
    if !isCovered { index(slot) }
  }

  /// Keeps the id of a slot that loses its last row, so that the record keeps its slot when it returns.
  private mutating func rememberID(_ slot: UInt32, willHaveRow: Bool) {
    if willHaveRow {
      if !emptySlotIDs.isEmpty { emptySlotIDs[slot] = nil }
    } else if let view = view(slot) {
      emptySlotIDs[slot] = view.id
    }
  }

  private mutating func makeLoose(_ slot: UInt32, _ row: [UInt8]) {
    if let index = freeLoose.popLast() {
      looseRows[Int(index)] = row
      places[Int(slot)] = .loose(index)
    } else {
      looseRows.append(row)
      places[Int(slot)] = .loose(UInt32(looseRows.count - 1))
    }
    looseSlots.append(slot)
  }

  /// Replaces what pending mutations make of the record; nil shows the base again.
  mutating func setOverlay(_ slot: UInt32, _ row: [UInt8]?) {
    if row == nil && overlayPlaces[Int(slot)] < 0 { return }
    rememberID(slot, willHaveRow: row != nil || places[Int(slot)] != .none)
    unindex(slot)
    let place = overlayPlaces[Int(slot)]
    if let row {
      if place >= 0 {
        overlays[Int(place)] = row
      } else if let free = freeOverlays.popLast() {
        overlays[Int(free)] = row
        overlayPlaces[Int(slot)] = free
      } else {
        overlays.append(row)
        overlayPlaces[Int(slot)] = Int32(overlays.count - 1)
      }
    } else {
      overlays[Int(place)] = []
      freeOverlays.append(place)
      overlayPlaces[Int(slot)] = -1
    }
    index(slot)
  }

  /// Gives a row that its page has no room for a place of its own until compaction finds it another page.
  mutating func setLooseForCompaction(_ slot: UInt32, _ row: [UInt8]) { makeLoose(slot, row) }

  // MARK: indexes

  func precedes(_ field: Int) -> (IndexEntry, IndexEntry) -> Bool {
    { a, b in
      if a.key != b.key { return a.key < b.key }
      if !(a.key.isExact && b.key.isExact), let order = compareValues(a.slot, b.slot, field) { return order }
      return a.slot < b.slot
    }
  }

  /// Settles equal keys by the whole values; nil when they are equal too.
  private func compareValues(_ a: UInt32, _ b: UInt32, _ field: Int) -> Bool? {
    guard a != b, let first = view(a), let second = view(b) else { return nil }
    let rule = collection.fields[field].rule
    let (x, y) = (first.value(field, rule: rule), second.value(field, rule: rule))
    if Value.precedes(x, y) { return true }
    if Value.precedes(y, x) { return false }
    return nil
  }

  private mutating func unindex(_ slot: UInt32) {
    if indexes.isEmpty { return }
    guard let view = visible(slot) else { return }
    for place in indexes.indices { withIndex(place, view, slot) { index, entry, order in index.remove(entry, precedes: order) } }
  }

  private mutating func index(_ slot: UInt32) {
    if indexes.isEmpty { return }
    guard let view = visible(slot) else { return }
    for place in indexes.indices { withIndex(place, view, slot) { index, entry, order in index.insert(entry, precedes: order) } }
  }

  /// Changes an index while the table holds an empty one in its place: the ordering closure holds a copy of the table, and a
  /// second reference to the index would make every change copy it.
  private mutating func withIndex(
    _ place: Int, _ view: RowView, _ slot: UInt32,
    _ change: (inout OrderedIndex, IndexEntry, (IndexEntry, IndexEntry) -> Bool) -> Void
  ) {
    let field = indexes[place].field
    var index = OrderedIndex(field: field, entries: [], precedes: { _, _ in false })
    swap(&index, &indexes[place])
    let entry = IndexEntry(key: SortKey(view, field, rule: collection.fields[field].rule), slot: slot)
    change(&index, entry, precedes(field))
    swap(&index, &indexes[place])
  }

  /// The index on a field, built now if there is none.
  mutating func makeIndex(_ field: Int) -> Int {
    if let place = indexes.firstIndex(where: { $0.field == field }) { return place }
    var entries: [IndexEntry] = []
    entries.reserveCapacity(places.count)
    let rule = collection.fields[field].rule
    for slot in 0..<UInt32(places.count) {
      guard let view = visible(slot) else { continue }
      entries.append(IndexEntry(key: SortKey(view, field, rule: rule), slot: slot))
    }
    indexes.append(OrderedIndex(field: field, entries: entries, precedes: precedes(field)))
    return indexes.count - 1
  }
}
