// SPDX-License-Identifier: Apache-2.0
// The writing side: one connection, its statements, what it remembers between transactions, and the commit of a batch.

import AloftCore
import GRDBSQLite

/// The one writing connection of a store. Used by one thread at a time: `SQLiteStore` holds the lock.
final class Writer {
  let plan: ReadPlan
  let begin, commit, dataVersion: Statement
  let insertScope, updateScope, updateMarks, insertRecord, updateRecord, removeRecord, removeHistory: Statement
  let insertEntry, deleteEntry, deleteDepartures: Statement
  let putDevice, putOutcome, acknowledge, insertHistory: Statement
  /// Heads of the logs as last committed, so that a transaction need not read them again.
  var scopes: [Text: (number: Int64, state: ScopeState)] = [:]
  private var seenDataVersion: Int64 = -1
  /// Pages in the write-ahead log after the last commit; written by SQLite's hook.
  let logPages: UnsafeMutablePointer<Int32>

  init(_ connection: Connection) throws(StoreError) {
    plan = try ReadPlan(connection)
    begin = try connection.prepare("BEGIN IMMEDIATE")
    commit = try connection.prepare("COMMIT")
    dataVersion = try connection.prepare("PRAGMA data_version")
    insertScope = try connection.prepare("INSERT INTO scope(name, sequence, checksum, floor) VALUES(?1, ?2, ?3, ?4)")
    updateScope = try connection.prepare("UPDATE scope SET sequence=?2, checksum=?3, floor=?4 WHERE id=?1")
    // Apart, since the head of a log changes with each commit and its marks about once a day.
    updateMarks = try connection.prepare("UPDATE scope SET marks=?2 WHERE id=?1")
    removeRecord = try connection.prepare("DELETE FROM record WHERE id=?1")
    removeHistory = try connection.prepare("DELETE FROM history WHERE record=?1")
    deleteDepartures = try connection.prepare("DELETE FROM entry WHERE scope=?1 AND sequence>?2 AND sequence<=?3 AND kind=1")
    insertRecord = try connection.prepare("INSERT INTO record(collection, key, body) VALUES(?1, ?2, ?3)")
    updateRecord = try connection.prepare("UPDATE record SET body=?2 WHERE id=?1")
    insertEntry = try connection.prepare("INSERT INTO entry(scope, sequence, record, kind) VALUES(?1, ?2, ?3, ?4)")
    deleteEntry = try connection.prepare("DELETE FROM entry WHERE scope=?1 AND sequence=?2")
    putDevice = try connection.prepare(
      """
      INSERT INTO device(id, user, head, hash, acknowledged, recent, seen, report) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
      ON CONFLICT(id) DO UPDATE SET user=excluded.user, head=excluded.head, hash=excluded.hash,
        acknowledged=excluded.acknowledged, recent=excluded.recent, seen=excluded.seen, report=excluded.report
      """)
    putOutcome = try connection.prepare("INSERT OR REPLACE INTO outcome(device, n, body) VALUES(?1, ?2, ?3)")
    acknowledge = try connection.prepare("DELETE FROM outcome WHERE device=?1 AND n<=?2")
    insertHistory = try connection.prepare(
      "INSERT INTO history(record, device, n, time, user, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6)")
    logPages = .allocate(capacity: 1)
    logPages.initialize(to: 0)
    // Replaces the built-in checkpoint, which would run inside a commit.
    sqlite3_wal_hook(
      connection.handle,
      { context, _, _, pages in
        context?.assumingMemoryBound(to: Int32.self).pointee = pages
        return SQLITE_OK
      }, logPages)
  }

  deinit { logPages.deallocate() }

  /// Starts a transaction and drops what was remembered if another connection has written meanwhile.
  func start() throws(StoreError) {
    try begin.run()
    _ = try dataVersion.step()
    let version = dataVersion.int(0)
    dataVersion.reset()
    if version != seenDataVersion { forget() }
    seenDataVersion = version
  }

  func rollBack() { plan.connection.rollBack() }

  func forget() {
    scopes = [:]
    plan.names = [:]
  }
}

/// The one open transaction of a `SQLiteStore`.
public struct SQLiteTransaction: StoreTransaction {
  let writer: Writer
  /// Numbers of the records that this transaction has read; nil for those it found missing.
  private var numbers: [RecordKey: Int64?] = [:]

  init(_ writer: Writer) { self.writer = writer }

  private var reader: SQLiteReader { SQLiteReader(plan: writer.plan) }

  public func epoch() throws(StoreError) -> UInt64 { try reader.epoch() }
  public func scopeNames() throws(StoreError) -> [Text] { try reader.scopeNames() }
  public func device(_ id: DeviceID) throws(StoreError) -> DeviceState? { try reader.device(id) }
  public func outcome(_ mutation: MutationID) throws(StoreError) -> [UInt8]? { try reader.outcome(mutation) }
  public func entries(
    of scope: Text, after: AloftCore.Sequence, _ body: (ScopeEntry) -> Bool
  ) throws(StoreError) { try reader.entries(of: scope, after: after, body) }

  public mutating func record(_ key: RecordKey) throws(StoreError) -> StoredRecord? {
    let found = try reader.find(key)
    numbers[key] = .some(found?.number)
    return found?.record
  }

  public func scope(_ name: Text) throws(StoreError) -> ScopeState? { try scopeRow(name)?.state }

  private func scopeRow(_ name: Text) throws(StoreError) -> (number: Int64, state: ScopeState)? {
    if let known = writer.scopes[name] { return known }
    guard let found = try reader.scopeRow(name) else { return nil }
    writer.scopes[name] = found
    return found
  }

  public mutating func commit(_ batch: ChangeBatch) throws(StoreError) {
    do throws(StoreError) {
      try write(batch)
      try writer.commit.run()
    } catch {
      writer.rollBack()
      writer.forget()
      throw error
    }
  }
}

extension SQLiteTransaction {
  private mutating func write(_ batch: ChangeBatch) throws(StoreError) {
    for scope in batch.scopes { try put(scope.name, scope.state) }
    // All old entries go first: a sequence that one record gives up may belong to another record of the same batch.
    for change in batch.records { try removeEntries(change.previous.filter { !change.record.placements.contains($0) }) }
    for removal in batch.removed { try remove(removal) }
    for change in batch.records { try put(change) }
    for departure in batch.departures {
      guard let record = try number(of: departure.key) else { throw .damaged("A record departs that does not exist.") }
      try insertEntry(departure.scope, departure.sequence, record: record, kind: 1)
    }
    for device in batch.devices { try put(device.id, device.state) }
    for outcome in batch.outcomes {
      let statement = writer.putOutcome
      statement.bind(1, outcome.mutation.device.bytes)
      statement.bind(2, word: outcome.mutation.n)
      statement.bind(3, outcome.body)
      try statement.run()
    }
    for acknowledged in batch.acknowledged {
      writer.acknowledge.bind(1, acknowledged.device.bytes)
      writer.acknowledge.bind(2, word: acknowledged.n)
      try writer.acknowledge.run()
    }
    for entry in batch.history { try put(entry) }
  }

  private func put(_ name: Text, _ state: ScopeState) throws(StoreError) {
    let known = try scopeRow(name)
    let statement = known == nil ? writer.insertScope : writer.updateScope
    if let known { statement.bind(1, known.number) } else { statement.bind(1, name.utf8) }
    statement.bind(2, word: state.sequence)
    statement.bind(3, word: state.checksum)
    statement.bind(4, word: state.floor)
    try statement.run()
    let number = known?.number ?? sqlite3_last_insert_rowid(writer.plan.connection.handle)
    if state.marks != known?.state.marks ?? [] {
      writer.updateMarks.bind(1, number)
      writer.updateMarks.bind(2, state.marks)
      try writer.updateMarks.run()
    }
    if let floor = known?.state.floor, state.floor > floor {
      writer.deleteDepartures.bind(1, number)
      writer.deleteDepartures.bind(2, word: floor)
      writer.deleteDepartures.bind(3, word: state.floor)
      try writer.deleteDepartures.run()
    }
    writer.scopes[name] = (number, state)
    writer.plan.names[number] = name
  }

  private mutating func remove(_ removal: ChangeBatch.Removal) throws(StoreError) {
    try removeEntries(removal.previous)
    guard let record = try number(of: removal.key) else { return }
    for statement in [writer.removeHistory, writer.removeRecord] {
      statement.bind(1, record)
      try statement.run()
    }
    numbers[removal.key] = .some(nil)
  }

  private func removeEntries(_ placements: [Placement]) throws(StoreError) {
    for placement in placements {
      guard let scope = try scopeRow(placement.scope) else { continue }
      writer.deleteEntry.bind(1, scope.number)
      writer.deleteEntry.bind(2, word: placement.sequence)
      try writer.deleteEntry.run()
    }
  }

  private mutating func put(_ change: ChangeBatch.RecordChange) throws(StoreError) {
    var placements: [(scope: Int64, sequence: AloftCore.Sequence)] = []
    for placement in change.record.placements {
      guard let scope = try scopeRow(placement.scope) else { throw .damaged(Self.unknownScope) }
      placements.append((scope.number, placement.sequence))
    }
    let body = RecordBody.encode(row: change.record.row, collection: change.key.collection, placements)
    let record: Int64
    if let known = try number(of: change.key) {
      record = known
      writer.updateRecord.bind(1, known)
      try writer.updateRecord.run(binding: 2, body)
    } else {
      writer.insertRecord.bind(1, Int64(change.key.collection))
      writer.insertRecord.bind(2, change.key.id.utf8)
      try writer.insertRecord.run(binding: 3, body)
      record = sqlite3_last_insert_rowid(writer.plan.connection.handle)
      numbers[change.key] = record
    }
    for placement in change.record.placements where !change.previous.contains(placement) {
      try insertEntry(placement.scope, placement.sequence, record: record, kind: 0)
    }
  }

  private func insertEntry(
    _ scope: Text, _ sequence: AloftCore.Sequence, record: Int64, kind: Int64
  ) throws(StoreError) {
    guard let known = try scopeRow(scope) else { throw .damaged(Self.unknownScope) }
    guard sequence <= known.state.sequence else { throw .damaged("An entry lies above the head of its scope.") }
    writer.insertEntry.bind(1, known.number)
    writer.insertEntry.bind(2, word: sequence)
    writer.insertEntry.bind(3, record)
    writer.insertEntry.bind(4, kind)
    try writer.insertEntry.run()
  }

  private func put(_ id: DeviceID, _ state: DeviceState) throws(StoreError) {
    let statement = writer.putDevice
    statement.bind(1, id.bytes)
    statement.bind(2, state.user.utf8)
    statement.bind(3, word: state.head)
    statement.bind(4, word: state.hash)
    statement.bind(5, word: state.acknowledged)
    statement.bind(6, state.recent)
    statement.bind(7, word: state.seen)
    statement.bind(8, state.report)
    try statement.run()
  }

  private mutating func put(_ entry: HistoryEntry) throws(StoreError) {
    guard let record = try number(of: entry.key) else { throw .damaged("History names a record that does not exist.") }
    let statement = writer.insertHistory
    statement.bind(1, record)
    statement.bind(2, entry.mutation.device.bytes)
    statement.bind(3, word: entry.mutation.n)
    statement.bind(4, word: entry.time)
    statement.bind(5, entry.user.utf8)
    statement.bind(6, entry.body)
    try statement.run()
  }

  private mutating func number(of key: RecordKey) throws(StoreError) -> Int64? {
    if let known = numbers[key] { return known }
    _ = try record(key)
    return numbers[key] ?? nil
  }

  private static let unknownScope: Text = "An entry names a scope that does not exist."
}
