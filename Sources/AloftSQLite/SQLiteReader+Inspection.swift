// SPDX-License-Identifier: Apache-2.0
// Walks over whole tables, for people who look into a data folder. Not for serving: each costs a scan.

import AloftCore

extension SQLiteReader {
  /// Every device, the one seen last first.
  public func allDevices(limit: Int) throws(StoreError) -> [(id: DeviceID, state: DeviceState)] {
    let statement = try plan.connection.prepare(
      "SELECT id, user, head, hash, acknowledged, recent, seen, report FROM device ORDER BY seen DESC LIMIT ?1")
    statement.bind(1, Int64(limit))
    defer { statement.reset() }
    var found: [(id: DeviceID, state: DeviceState)] = []
    while try statement.step() {
      guard let id = DeviceID(bytes: statement.bytes(0)) else { throw .damaged("A device has no proper id. Restore a backup.") }
      let state = DeviceState(
        user: Text(utf8: statement.bytes(1)), head: statement.word(2), hash: statement.word(3), acknowledged: statement.word(4),
        recent: statement.bytes(5), seen: statement.word(6), report: statement.bytes(7))
      found.append((id, state))
    }
    return found
  }

  /// Every scope in byte order, with the number of records it holds now, tombstones included.
  public func allScopes() throws(StoreError) -> [(name: Text, state: ScopeState, recordCount: Int)] {
    let statement = try plan.connection.prepare(
      """
      SELECT name, sequence, checksum, floor, (SELECT count(*) FROM entry WHERE scope = scope.id AND kind = 0) FROM scope ORDER BY name
      """)
    defer { statement.reset() }
    var found: [(name: Text, state: ScopeState, recordCount: Int)] = []
    while try statement.step() {
      let state = ScopeState(sequence: statement.word(1), checksum: statement.word(2), floor: statement.word(3))
      found.append((Text(utf8: statement.bytes(0)), state, Int(statement.int(4))))
    }
    return found
  }

  /// Records in the order of their collection and id.
  public func allRecords(limit: Int) throws(StoreError) -> [(key: RecordKey, record: StoredRecord)] {
    let statement = try plan.connection.prepare("SELECT collection, key FROM record ORDER BY collection, key LIMIT ?1")
    statement.bind(1, Int64(limit))
    var keys: [RecordKey] = []
    do {
      defer { statement.reset() }
      while try statement.step() {
        keys.append(RecordKey(collection: Int(statement.int(0)), id: Text(utf8: statement.bytes(1))))
      }
    }
    var found: [(key: RecordKey, record: StoredRecord)] = []
    for key in keys {
      if let record = try record(key) { found.append((key, record)) }
    }
    return found
  }

  /// Log entries, newest first in each scope.
  public func newestEntries(
    limit: Int
  ) throws(StoreError) -> [(scope: Text, sequence: AloftCore.Sequence, isPresent: Bool, key: RecordKey)] {
    let statement = try plan.connection.prepare(
      """
      SELECT s.name, e.sequence, e.kind, r.collection, r.key FROM scope s JOIN entry e ON e.scope = s.id
      JOIN record r ON r.id = e.record ORDER BY s.name, e.sequence DESC LIMIT ?1
      """)
    statement.bind(1, Int64(limit))
    defer { statement.reset() }
    var found: [(scope: Text, sequence: AloftCore.Sequence, isPresent: Bool, key: RecordKey)] = []
    while try statement.step() {
      let key = RecordKey(collection: Int(statement.int(3)), id: Text(utf8: statement.bytes(4)))
      found.append((Text(utf8: statement.bytes(0)), statement.word(1), statement.int(2) == 0, key))
    }
    return found
  }
}
