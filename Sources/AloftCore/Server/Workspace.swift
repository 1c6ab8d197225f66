// SPDX-License-Identifier: Apache-2.0
// The state of one writing transaction in memory: records and scope heads loaded once, changed many times, written once.

/// What a group of mutations has loaded and changed so far. A record is looked up once for each write and has a slot from then on.
struct Workspace {
  private struct Entry {
    let key: RecordKey
    /// Where the store has it.
    let stored: [Placement]
    var row: Row?
    var placements: [Placement]
    var isChanged = false
  }

  private var slots: [RecordKey: Int] = [:]
  private var entries: [Entry] = []
  private var changedSlots: [Int] = []
  private var scopes: [(name: Text, state: ScopeState)] = []
  private var scopeSlots: [Text: Int] = [:]
  /// The scope that was found last: most requests write to one.
  private var lastScope = 0
  private var departures: [ChangeBatch.Departure] = []

  /// The slot of a record, there or not, as the mutations before this one left it.
  mutating func load<T: StoreReader>(_ key: RecordKey, _ tx: inout T) throws(StoreError) -> Int {
    if let slot = slots[key] { return slot }
    let stored = try tx.record(key)
    var row: Row?
    if let stored {
      do { row = try Row(bytes: stored.row) } catch {
        throw .damaged(Text("record " + key.id.string + " cannot be read: " + error.message.string))
      }
    }
    let placements = stored?.placements ?? []
    entries.append(Entry(key: key, stored: placements, row: row, placements: placements))
    slots[key] = entries.count - 1
    return entries.count - 1
  }

  func row(_ slot: Int) -> Row? { entries[slot].row }

  /// The scopes that hold the record.
  func scopeNames(_ slot: Int) -> [Text] { entries[slot].placements.map { $0.scope } }

  /// Makes a judged row the record's new state and gives it its place in the log of each scope that holds it.
  mutating func accept<T: StoreReader>(_ row: Row, _ slot: Int, scopes names: [Text], by mutation: MutationID, _ tx: inout T) throws(StoreError) {
    var row = row
    let key = entries[slot].key
    let old = entries[slot].placements
    let oldShare = entries[slot].row.map { $0.isDeleted ? 0 : Hash64.share(of: key, version: $0.version) } ?? 0
    var placements: [Placement] = []
    placements.reserveCapacity(names.count)
    for name in names {
      let scope = try advance(name, &tx)
      placements.append(Placement(scope: name, sequence: scopes[scope].state.sequence))
    }
    // Who may see which fields depends on the scopes, so a record that changes them is new to everybody.
    let isMoved = !old.elementsEqual(names) { $0.scope == $1 }
    row.confirm(mutation, at: placements[0].sequence, isMoved: isMoved)
    let newShare = row.isDeleted ? 0 : Hash64.share(of: key, version: row.version)
    for name in names { scopes[try scopeSlot(name, &tx)].state.checksum &+= newShare }
    for placement in old {
      if names.contains(placement.scope) {
        scopes[try scopeSlot(placement.scope, &tx)].state.checksum &-= oldShare
      } else {
        let scope = try advance(placement.scope, &tx)
        scopes[scope].state.checksum &-= oldShare
        departures.append(ChangeBatch.Departure(scope: placement.scope, sequence: scopes[scope].state.sequence, key: key))
      }
    }
    if !entries[slot].isChanged { changedSlots.append(slot) }
    entries[slot].row = row
    entries[slot].placements = placements
    entries[slot].isChanged = true
  }

  /// Gives out the scope's next sequence; answers the scope's slot.
  private mutating func advance<T: StoreReader>(_ name: Text, _ tx: inout T) throws(StoreError) -> Int {
    let slot = try scopeSlot(name, &tx)
    scopes[slot].state.sequence += 1
    return slot
  }

  private mutating func scopeSlot<T: StoreReader>(_ name: Text, _ tx: inout T) throws(StoreError) -> Int {
    if lastScope < scopes.count, scopes[lastScope].name == name { return lastScope }
    if let slot = scopeSlots[name] {
      lastScope = slot
      return slot
    }
    scopes.append((name, try tx.scope(name) ?? ScopeState()))
    lastScope = scopes.count - 1
    scopeSlots[name] = lastScope
    return lastScope
  }

  /// The scopes that changed, with their new heads.
  var changed: [Placement] { scopes.map { Placement(scope: $0.name, sequence: $0.state.sequence) } }

  /// Writes what changed into the batch, each record once.
  func fill(_ batch: inout ChangeBatch) {
    batch.records.reserveCapacity(changedSlots.count)
    for slot in changedSlots {
      let entry = entries[slot]
      batch.records.append(
        ChangeBatch.RecordChange(
          key: entry.key, record: StoredRecord(row: entry.row!.encode(), placements: entry.placements), previous: entry.stored))
    }
    batch.departures = departures
    batch.scopes = scopes
  }
}
