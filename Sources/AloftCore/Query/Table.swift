// SPDX-License-Identifier: Apache-2.0
// A collection in memory: packed rows where they lie, a slot for each record, the overlay of pending changes on top.
//
//   slot ──► base row   in a page (page, offset) or loose (changed since the last compaction)
//        └─► overlay    the base with this device's pending mutations applied; what queries see
//
// Why slots: indexes and live queries name a record by a small number that never changes while rows move between pages.

/// A page in memory.
struct PageEntry {
  /// Empty for a page that does not exist, or that another table has.
  var bytes: [UInt8] = []
  /// The slots whose rows were in it when it was written, in their order.
  var slots: [UInt32] = []
  /// Whether one of its rows has changed or gone since then.
  var isDirty = false
}

/// One collection's records.
struct Table {
  enum Place: Equatable {
    /// No row; the loose bytes keep the id, so that the record finds its slot again.
    case empty(UInt32)
    case page(UInt32, offset: UInt32, length: UInt32)
    case loose(UInt32)
  }

  let number: Int
  let collection: Collection
  /// The names of the fields as they stand in a JSON object: `,"name":`.
  let keys: [[UInt8]]
  private(set) var places: [Place] = []
  private var hashes: [UInt32] = []
  private var overlayPlaces: [Int32] = []
  private var overlays: [[UInt8]] = []
  private var freeOverlays: [Int32] = []
  private var looseRows: [[UInt8]] = []
  private var freeLoose: [UInt32] = []
  /// The pages by number. Numbers are dense over all tables; a page of another table has no bytes here.
  var pages: [PageEntry] = []
  /// The newest pending mutation of each slot's record, 0 for none; older ones are linked from it.
  var lastPending: [UInt64] = []
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
    keys = collection.fields.map { field in
      var key: [UInt8] = [0x2C]
      JSONCodec.appendText(field.name, to: &key)
      key.put(0x3A)
      return key
    }
    wishes = [Int](repeating: 0, count: collection.fields.count)
  }

  var slotCount: Int { places.count }

  // MARK: rows

  /// The row that the server confirmed, or nil.
  func base(_ slot: UInt32) -> RowView? {
    switch places[Int(slot)] {
    case .empty: return nil
    case .loose(let index):
      let bytes = looseRows[Int(index)]
      return RowView(bytes: bytes, start: 0, end: bytes.count)
    case .page(let page, let offset, let length):
      return RowView(bytes: pages[Int(page)].bytes, start: Int(offset), end: Int(offset + length))
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

  /// Enters the ids of rows that were loaded since the last call. Called before anything asks for a record by its id: a cold open
  /// that only queries never pays for it.
  mutating func indexIDs() {
    if hashes.count == places.count { return }
    let first = hashes.count
    hashes.reserveCapacity(places.count)
    for slot in first..<places.count {
      let view = idView(UInt32(slot))
      let range = view.idRange
      let hash = view.bytes.withUnsafeBytes { Hash64.of(UnsafeRawBufferPointer(rebasing: $0[range])) }
      hashes.append(UInt32(truncatingIfNeeded: hash))
    }
    if places.count * 3 > buckets.count * 2 { growBuckets() } else { for slot in first..<places.count { enter(UInt32(slot), hashes[slot]) } }
  }

  /// The slot of a record, or nil when the table never heard of it.
  func slot(of id: Text) -> UInt32? {
    let hash = UInt32(truncatingIfNeeded: Hash64.of(id.utf8))
    var bucket = bucket(hash)
    while buckets[bucket] != 0 {
      let slot = buckets[bucket] - 1
      if hashes[Int(slot)] == hash {
        let view = idView(slot)
        let range = view.idRange
        if range.count == id.utf8.count && view.bytes[range].elementsEqual(id.utf8) { return slot }
      }
      bucket = (bucket + 1) & (buckets.count - 1)
    }
    return nil
  }

  /// The slot of a record, made when there is none.
  mutating func makeSlot(for id: Text) -> UInt32 {
    indexIDs()
    return slot(of: id) ?? addSlot(for: id)
  }

  /// A slot for a record that the table never heard of; nil when it did.
  mutating func newSlot(for id: Text) -> UInt32? {
    slot(of: id) == nil ? addSlot(for: id) : nil
  }

  func id(of slot: UInt32) -> Text { idView(slot).id }

  /// Whatever knows the id of a slot.
  private func idView(_ slot: UInt32) -> RowView {
    if let view = view(slot) { return view }
    guard case .empty(let index) = places[Int(slot)] else { return RowView(bytes: [], start: 0, end: 0) }
    let bytes = looseRows[Int(index)]
    return RowView(bytes: bytes, start: 0, end: bytes.count)
  }

  /// The beginning of a row: enough to read its id.
  private static func idOnly(_ id: Text) -> [UInt8] {
    var out = CBORWriter(capacity: id.utf8.count + 3)
    out.array(1)
    out.text(id)
    return out.finish()
  }

  private mutating func keepLoose(_ bytes: [UInt8]) -> UInt32 {
    if let index = freeLoose.popLast() {
      looseRows[Int(index)] = bytes
      return index
    }
    looseRows.append(bytes)
    return UInt32(looseRows.count - 1)
  }

  private mutating func addSlot(for id: Text) -> UInt32 {
    let hash = UInt32(truncatingIfNeeded: Hash64.of(id.utf8))
    if (places.count + 1) * 3 > buckets.count * 2 { growBuckets() }
    let slot = UInt32(places.count)
    places.append(.empty(keepLoose(Self.idOnly(id))))
    hashes.append(hash)
    lastPending.append(0)
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
    var count = buckets.count * 2
    while (places.count + 1) * 3 > count * 2 { count *= 2 }
    buckets = [UInt32](repeating: 0, count: count)
    for (slot, hash) in hashes.enumerated() { enter(UInt32(slot), hash) }
  }

  /// Takes the rows of a page that is being loaded: one place for each. Pages are loaded once, so their ids are new.
  /// Returns false, and takes none, when the rows do not fill the page as its header says.
  mutating func adopt(page: UInt32, _ bytes: [UInt8], count: Int) -> Bool {
    let first = places.count
    let isWhole = bytes.withUnsafeBytes { raw in
      var position = Page.headerBytes
      for _ in 0..<count {
        guard position + 4 <= raw.count else { return false }
        let length = raw.loadUnaligned(fromByteOffset: position, as: UInt32.self).littleEndian
        position += 4
        guard length > 0, length <= raw.count - position else { return false }
        places.append(.page(page, offset: UInt32(position), length: length))
        position += Int(length)
      }
      return true
    }
    if !isWhole {
      places.removeLast(places.count - first)
      return false
    }
    overlayPlaces.append(contentsOf: repeatElement(-1, count: count))
    lastPending.append(contentsOf: repeatElement(0, count: count))
    return true
  }

  /// Whether the packed row is what queries see.
  func isPacked(_ slot: Int) -> Bool { overlayPlaces[slot] < 0 }

  /// Visits every record that a query may see, in the order of slots. Rows of one page share one look at it.
  func forEachVisible(_ body: (UInt32, RowView) -> Void) {
    var current = UInt32.max
    var bytes: [UInt8] = []
    for slot in 0..<places.count {
      let view: RowView
      if overlayPlaces[slot] < 0, case .page(let page, let offset, let length) = places[slot] {
        if page != current { (current, bytes) = (page, pages[Int(page)].bytes) }
        view = RowView(bytes: bytes, start: Int(offset), end: Int(offset + length))
      } else {
        guard let other = self.view(UInt32(slot)) else { continue }
        view = other
      }
      if !view.isDeleted { body(UInt32(slot), view) }
    }
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
    if !isCovered { unindex(slot) }
    let bytes = row ?? Self.idOnly(idView(slot).id)
    switch places[Int(slot)] {
    case .loose(let index):
      looseRows[Int(index)] = bytes
      if row == nil { places[Int(slot)] = .empty(index) }
    case .empty(let index):
      looseRows[Int(index)] = bytes
      if row != nil { makeLoose(slot, index) }
    case .page(let page, _, _):
      pages[Int(page)].isDirty = true
      let index = keepLoose(bytes)
      if row == nil { places[Int(slot)] = .empty(index) } else { makeLoose(slot, index) }
    }
    if !isCovered { index(slot) }
  }

  private mutating func makeLoose(_ slot: UInt32, _ index: UInt32) {
    places[Int(slot)] = .loose(index)
    looseSlots.append(slot)
  }

  /// Replaces what pending mutations make of the record; nil shows the base again.
  mutating func setOverlay(_ slot: UInt32, _ row: [UInt8]?) {
    if row == nil && overlayPlaces[Int(slot)] < 0 { return }
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
  mutating func setLooseForCompaction(_ slot: UInt32, _ row: [UInt8]) { makeLoose(slot, keepLoose(row)) }

  /// Forgets all pages. No row may be in one any more.
  mutating func dropPages() { pages = [] }

  mutating func forgetPending() { for slot in lastPending.indices { lastPending[slot] = 0 } }

  // MARK: indexes

  func precedes(_ field: Int) -> (IndexEntry, IndexEntry) -> Bool {
    { a, b in
      if a.key != b.key { return a.key < b.key }
      if !(a.key.isExact && b.key.isExact), let order = compareValues(a.slot, b.slot, field) { return order }
      return a.slot < b.slot
    }
  }

  /// Settles equal keys by the whole values; nil when they are equal too. Out of line: a sort has many copies of its comparison.
  @inline(never)
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
  /// second reference to the index would make every change copy it. Out of line: there are several callers, and it is large.
  @inline(never)
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
    forEachVisible { slot, view in entries.append(IndexEntry(key: SortKey(view, field, rule: rule), slot: slot)) }
    indexes.append(OrderedIndex(field: field, entries: entries, precedes: precedes(field)))
    return indexes.count - 1
  }
}
