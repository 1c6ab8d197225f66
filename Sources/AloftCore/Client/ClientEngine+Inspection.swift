// SPDX-License-Identifier: Apache-2.0
// What the simulator and the test product look at and turn: nothing here is used by an app.

extension ClientEngine {
  /// The device's present identity; all zero before its first row is stored.
  package var device: DeviceID { state.device }

  /// Committed mutations that the server has not judged, in order.
  package var queued: [Mutation] { state.queue.map { $0.mutation } }

  /// Mutations that show but are not in the log yet.
  package var draftCount: Int { drafts.count }

  /// What the badge says.
  package var shownState: ClientStatus.State { statusState(state.queue.count + drafts.count) }

  /// The newest drafts, oldest first.
  package func newestDrafts(_ count: Int) -> [Mutation] { drafts.suffix(count).map { $0.mutation } }

  /// What the newest retry took out of the tray, in the order in which it offers them again.
  package var newestDismissal: [UInt64] {
    for entry in outbox.reversed() { if case .dismissed(let numbers) = entry { return numbers } }
    return []
  }

  /// A pending mutation of the present identity; nil when none has this number.
  package func pendingMutation(_ n: UInt64) -> Mutation? { pending(n)?.mutation }

  /// Refused mutations that wait for a person.
  package var tray: [(mutation: Mutation, outcome: Outcome)] { state.tray.map { ($0.mutation, $0.outcome) } }

  /// The last number that the server judged.
  package var settledNumber: UInt64 { state.settled.n }

  package var heldCursors: [(scope: Text, cursor: Cursor)] { state.cursors }

  /// The last log row applied.
  package var headSequence: UInt64 { state.head.sequence }

  /// Whether a request is out.
  package var isSending: Bool { sync.isSending }

  /// Whether a write is out.
  package var isPersisting: Bool { inFlight != nil }

  /// Whether there is something to say or to hear and nothing but the network stands in the way.
  package var isDue: Bool { isOpen && (sync.isDue || sync.isAmidPages) && !sync.needsSignIn && !saveFailure }

  /// The last log row applied; nil while something waits to be written.
  package var settledRow: UInt64? { outbox.isEmpty && drafts.isEmpty ? state.head.sequence : nil }

  /// Whether stored pages could not be read and the server has not replaced them yet.
  package var lacksPages: Bool { isDamaged }

  /// Whether queries see rows that the server has not confirmed.
  package var hasOverlays: Bool {
    for table in tables { for slot in 0..<UInt32(table.slotCount) where table.overlay(slot) != nil { return true } }
    return false
  }

  /// Calls back with every row that the server confirmed, deleted ones included.
  package func eachBase(_ body: (_ collection: Int, _ row: Row) -> Void) {
    for table in tables.indices {
      for slot in 0..<UInt32(tables[table].slotCount) { if let row = tables[table].base(slot)?.row { body(table, row) } }
    }
  }

  /// Calls back with every row as a person would see it, deleted ones included.
  package func eachShown(_ body: (_ collection: Int, _ row: Row) -> Void) {
    for table in tables.indices {
      for slot in 0..<UInt32(tables[table].slotCount) { if let row = tables[table].view(slot)?.row { body(table, row) } }
    }
  }

  /// The row that a person would see, deleted or not; nil where there is none.
  package func shown(_ key: RecordKey) -> Row? {
    guard let slot = tables[key.collection].slot(of: key.id) else { return nil }
    return tables[key.collection].view(slot)?.row
  }

  /// What a person would see in a field of a record, deleted or not; nil where there is no record.
  package func shownValue(_ key: RecordKey, _ number: Int) -> Value? {
    guard let slot = tables[key.collection].slot(of: key.id) else { return nil }
    return tables[key.collection].view(slot)?.value(number, rule: app.collections[key.collection].fields[number].rule)
  }

  /// Asks for a compaction now, as a log of some thousand rows would.
  package mutating func orderCompaction(now: Instant) -> [ClientEffect] {
    guard isOpen else { return [] }
    outbox.append(.compaction)
    return flush(now: now)
  }

  /// The records that a query finds, in order.
  package mutating func keys(of query: Query) -> [RecordKey] {
    rows(of: query).compactMap { slot in
      tables[query.collection].view(slot).map { RecordKey(collection: query.collection, id: $0.id) }
    }
  }

  /// What a record's `$state` says: `saving`, `queued`, `attention`, or nil when the server has all of it.
  package func stateName(of key: RecordKey) -> StaticString? {
    guard let slot = tables[key.collection].slot(of: key.id) else { return nil }
    return stateWord(key.collection, slot)
  }
}
