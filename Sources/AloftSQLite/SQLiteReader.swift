// SPDX-License-Identifier: Apache-2.0
// Reads through one connection: used by the pool of readers and, inside a transaction, by the writer.

import AloftCore
import GRDBSQLite

/// The statements that reads use, prepared once for each connection, and the scope numbers that connection has seen.
final class ReadPlan {
  let connection: Connection
  let begin, commit, epoch, record, departedKey, scope, scopeName, scopeNames, device, outcome, entries: Statement
  /// Names by number. A scope's number and name never change, so a connection may remember them.
  var names: [Int64: Text] = [:]

  init(_ connection: Connection) throws(StoreError) {
    self.connection = connection
    begin = try connection.prepare("BEGIN")
    commit = try connection.prepare("COMMIT")
    epoch = try connection.prepare("SELECT value FROM meta WHERE name='epoch'")
    record = try connection.prepare("SELECT id, body FROM record WHERE collection=?1 AND key=?2")
    departedKey = try connection.prepare("SELECT r.key FROM entry e CROSS JOIN record r ON r.id = e.record WHERE e.scope=?1 AND e.sequence=?2")
    scope = try connection.prepare("SELECT id, sequence, checksum, floor, marks FROM scope WHERE name=?1")
    scopeName = try connection.prepare("SELECT name FROM scope WHERE id=?1")
    scopeNames = try connection.prepare("SELECT name FROM scope ORDER BY name")
    device = try connection.prepare("SELECT user, head, hash, acknowledged, recent, seen, report FROM device WHERE id=?1")
    outcome = try connection.prepare("SELECT body FROM outcome WHERE device=?1 AND n=?2")
    entries = try connection.prepare(
      """
      SELECT e.sequence, e.kind, r.body
      FROM entry e CROSS JOIN record r ON r.id = e.record WHERE e.scope=?1 AND e.sequence>?2 ORDER BY e.sequence
      """)
  }
}

/// Reads of one snapshot of a `SQLiteStore`.
public struct SQLiteReader: StoreReader {
  let plan: ReadPlan

  public func epoch() throws(StoreError) -> UInt64 {
    defer { plan.epoch.reset() }
    guard try plan.epoch.step() else { throw .damaged("The database has no epoch. Restore a backup.") }
    return plan.epoch.word(0)
  }

  public func record(_ key: RecordKey) throws(StoreError) -> StoredRecord? { try find(key)?.record }

  /// The record with its number in the table, which a commit uses to change it in place.
  func find(_ key: RecordKey) throws(StoreError) -> (number: Int64, record: StoredRecord)? {
    let statement = plan.record
    statement.bind(1, Int64(key.collection))
    statement.bind(2, key.id.utf8)
    defer { statement.reset() }
    guard try statement.step() else { return nil }
    let body = try RecordBody(statement.raw(1))
    guard body.collection == key.collection else { throw .damaged(RecordBody.damage) }
    var placements: [Placement] = []
    for item in try body.placements() {
      placements.append(Placement(scope: try name(item.scope), sequence: item.sequence))
    }
    return (statement.int(0), StoredRecord(row: Array(body.row), placements: placements))
  }

  public func scope(_ name: Text) throws(StoreError) -> ScopeState? { try scopeRow(name)?.state }

  func scopeRow(_ name: Text) throws(StoreError) -> (number: Int64, state: ScopeState)? {
    let statement = plan.scope
    statement.bind(1, name.utf8)
    defer { statement.reset() }
    guard try statement.step() else { return nil }
    let state = ScopeState(sequence: statement.word(1), checksum: statement.word(2), floor: statement.word(3), marks: statement.bytes(4))
    return (statement.int(0), state)
  }

  private func name(_ number: Int64) throws(StoreError) -> Text {
    if let name = plan.names[number] { return name }
    let statement = plan.scopeName
    statement.bind(1, number)
    defer { statement.reset() }
    guard try statement.step() else { throw .damaged("A record names a scope that does not exist. Restore a backup.") }
    let name = Text(utf8: statement.bytes(0))
    plan.names[number] = name
    return name
  }

  public func scopeNames() throws(StoreError) -> [Text] {
    defer { plan.scopeNames.reset() }
    var names: [Text] = []
    while try plan.scopeNames.step() { names.append(Text(utf8: plan.scopeNames.bytes(0))) }
    return names
  }

  public func device(_ id: DeviceID) throws(StoreError) -> DeviceState? {
    let statement = plan.device
    statement.bind(1, id.bytes)
    defer { statement.reset() }
    guard try statement.step() else { return nil }
    return DeviceState(
      user: Text(utf8: statement.bytes(0)), head: statement.word(1), hash: statement.word(2), acknowledged: statement.word(3),
      recent: statement.bytes(4), seen: statement.word(5), report: statement.bytes(6))
  }

  public func outcome(_ mutation: MutationID) throws(StoreError) -> [UInt8]? {
    let statement = plan.outcome
    statement.bind(1, mutation.device.bytes)
    statement.bind(2, word: mutation.n)
    defer { statement.reset() }
    return try statement.step() ? statement.bytes(0) : nil
  }

  public func entries(
    of scope: Text, after: AloftCore.Sequence, _ visit: (ScopeEntry) -> Bool
  ) throws(StoreError) {
    guard let number = try scopeRow(scope)?.number else { return }
    let statement = plan.entries
    statement.bind(1, number)
    statement.bind(2, Int64(min(after, AloftCore.Sequence(Int64.max))))
    defer { statement.reset() }
    while try statement.step() {
      let sequence = statement.word(0)
      let body = try RecordBody(statement.raw(2))
      let wantsMore =
        statement.int(1) == 0
        ? visit(ScopeEntry(sequence: sequence, collection: body.collection, kind: .present, body: body.row))
        : try visitDeparted(number, sequence, body.collection, visit)
      guard wantsMore else { return }
    }
  }

  /// Departures are few: their key is looked up, so that the walk over the others reads no column it does not need.
  private func visitDeparted(
    _ scope: Int64, _ sequence: AloftCore.Sequence, _ collection: Int, _ visit: (ScopeEntry) -> Bool
  ) throws(StoreError) -> Bool {
    plan.departedKey.bind(1, scope)
    plan.departedKey.bind(2, word: sequence)
    defer { plan.departedKey.reset() }
    guard try plan.departedKey.step() else { throw .damaged(RecordBody.damage) }
    return visit(ScopeEntry(sequence: sequence, collection: collection, kind: .departed, body: plan.departedKey.raw(0)))
  }
}
