// SPDX-License-Identifier: Apache-2.0
// The state of one writing transaction in memory: records and scope heads loaded once, changed many times, written once.

/// What a group of mutations has loaded and changed so far.
struct Workspace {
  struct Entry {
    /// As the store has it.
    var stored: StoredRecord?
    var row: Row?
    var placements: [Placement]
    var isChanged = false
  }

  let app: App
  private var entries: [RecordKey: Entry] = [:]
  private var changedKeys: [RecordKey] = []
  private var scopes: [Text: ScopeState] = [:]
  private var changedScopes: [Text] = []
  private var departures: [ChangeBatch.Departure] = []

  init(app: App) { self.app = app }

  /// The record as the mutations before this one left it.
  mutating func row<T: StoreReader>(_ key: RecordKey, _ tx: inout T) throws(StoreError) -> Row? {
    if let entry = entries[key] { return entry.row }
    let stored = try tx.record(key)
    var row: Row?
    if let stored {
      do { row = try Row(bytes: stored.row) } catch {
        throw .damaged(Text("record " + key.id.string + " cannot be read: " + error.message.string))
      }
    }
    entries[key] = Entry(stored: stored, row: row, placements: stored?.placements ?? [])
    return row
  }

  func placements(_ key: RecordKey) -> [Placement] { entries[key]?.placements ?? [] }

  /// Makes a judged row the record's new state and gives it its place in the log of each scope that holds it.
  mutating func accept<T: StoreReader>(_ row: Row, _ key: RecordKey, scopes names: [Text], by mutation: MutationID, _ tx: inout T) throws(StoreError) {
    var row = row
    let old = placements(key)
    let oldVersion = entries[key]?.row?.version ?? 0
    var placements: [Placement] = []
    for name in names {
      let state = try advance(name, &tx)
      placements.append(Placement(scope: name, sequence: state.sequence))
    }
    row.confirm(mutation, at: placements[0].sequence, entersScope: old.first?.scope != names[0])
    let oldShare = Hash64.share(of: key, version: oldVersion)
    let newShare = Hash64.share(of: key, version: row.version)
    for name in names { scopes[name]!.checksum &+= newShare }
    for placement in old {
      if names.contains(placement.scope) {
        scopes[placement.scope]!.checksum &-= oldShare
      } else {
        let state = try advance(placement.scope, &tx)
        scopes[placement.scope]!.checksum &-= oldShare
        departures.append(ChangeBatch.Departure(scope: placement.scope, sequence: state.sequence, key: key))
      }
    }
    if entries[key]?.isChanged != true { changedKeys.append(key) }
    entries[key]!.row = row
    entries[key]!.placements = placements
    entries[key]!.isChanged = true
  }

  private mutating func advance<T: StoreReader>(_ name: Text, _ tx: inout T) throws(StoreError) -> ScopeState {
    if scopes[name] == nil {
      scopes[name] = try tx.scope(name) ?? ScopeState()
      changedScopes.append(name)
    }
    scopes[name]!.sequence += 1
    return scopes[name]!
  }

  /// The scopes that changed, with their new heads.
  var changed: [Placement] { changedScopes.map { Placement(scope: $0, sequence: scopes[$0]!.sequence) } }

  /// Writes what changed into the batch, each record once.
  func fill(_ batch: inout ChangeBatch) {
    for key in changedKeys {
      let entry = entries[key]!
      batch.records.append(
        ChangeBatch.RecordChange(
          key: key, record: StoredRecord(row: entry.row!.encode(), placements: entry.placements),
          previous: entry.stored?.placements ?? []))
    }
    batch.departures = departures
    for name in changedScopes { batch.scopes.append((name, scopes[name]!)) }
  }
}
