// SPDX-License-Identifier: Apache-2.0
// The yardstick: the same rows written and read by a loop over the SQLite C API, with the same durability and nothing else.

import AloftCore
import Foundation
import GRDBSQLite

/// A bare connection to a copy of the server's database. Any error ends the benchmark: there is nothing to recover.
final class BareLoop {
  private let handle: OpaquePointer
  private let begin, commit, find, update, removeEntry, addEntry, addHistory, moveScope, putDevice, scan: OpaquePointer
  private var sequences: [Int64]
  private let keepsHistory: Bool

  init(path: String, scopeCount: Int, keepsHistory: Bool) {
    var opened: OpaquePointer?
    Self.check(sqlite3_open_v2(path, &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil))
    handle = opened!
    for pragma in ["journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "wal_autocheckpoint=8192"] {
      Self.check(sqlite3_exec(handle, "PRAGMA " + pragma, nil, nil, nil))
    }
    func prepare(_ sql: String) -> OpaquePointer {
      var statement: OpaquePointer?
      Self.check(sqlite3_prepare_v3(opened, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil))
      return statement!
    }
    begin = prepare("BEGIN IMMEDIATE")
    commit = prepare("COMMIT")
    find = prepare("SELECT id, body FROM record WHERE collection=0 AND key=?1")
    update = prepare("UPDATE record SET body=?2 WHERE id=?1")
    removeEntry = prepare("DELETE FROM entry WHERE scope=?1 AND sequence=?2")
    addEntry = prepare("INSERT INTO entry(scope, sequence, record, kind) VALUES(?1, ?2, ?3, 0)")
    addHistory = prepare("INSERT INTO history(record, device, n, time, user, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6)")
    moveScope = prepare("UPDATE scope SET sequence=?2, checksum=?3 WHERE id=?1")
    putDevice = prepare(
      """
      INSERT INTO device(id, user, head, hash, acknowledged, recent, seen, report) VALUES(?1, x'61', ?2, 0, 0, x'', ?3, x'')
      ON CONFLICT(id) DO UPDATE SET head=excluded.head, seen=excluded.seen
      """)
    scan = prepare(
      "SELECT e.sequence, r.body FROM entry e CROSS JOIN record r ON r.id = e.record WHERE e.scope=?1 AND e.sequence>?2 ORDER BY e.sequence")
    sequences = []
    self.keepsHistory = keepsHistory
    for scope in 1...scopeCount {
      let head = prepare("SELECT sequence FROM scope WHERE id=\(scope)")
      sqlite3_step(head)
      sequences.append(sqlite3_column_int64(head, 0))
      sqlite3_finalize(head)
    }
  }

  /// One durable transaction: each change reads its record, writes it, moves its log entry and keeps what was replaced.
  func write(device: [UInt8], n: Int64, keys: [(key: [UInt8], scope: Int)]) {
    run(begin)
    for (index, change) in keys.enumerated() {
      bind(find, 1, change.key)
      guard sqlite3_step(find) == SQLITE_ROW else { fatalError("the record is missing") }
      let id = sqlite3_column_int64(find, 0)
      var body = bytes(find, 1)
      sqlite3_reset(find)
      body[body.count - 1] ^= 1
      // The old sequence, seven bits a byte, stands behind 8 check bytes, the collection, a length, and the scope's number.
      let end = 10 + Int(body[9])
      let old = number(body[11..<end])
      sequences[change.scope] += 1
      let new = encoded(sequences[change.scope])
      body.replaceSubrange(11..<end, with: new)
      body[9] = UInt8(new.count + 1)
      sqlite3_bind_int64(update, 1, id)
      bind(update, 2, body)
      run(update)
      sqlite3_bind_int64(removeEntry, 1, Int64(change.scope + 1))
      sqlite3_bind_int64(removeEntry, 2, old)
      run(removeEntry)
      sqlite3_bind_int64(addEntry, 1, Int64(change.scope + 1))
      sqlite3_bind_int64(addEntry, 2, sequences[change.scope])
      sqlite3_bind_int64(addEntry, 3, id)
      run(addEntry)
      guard keepsHistory else { continue }
      sqlite3_bind_int64(addHistory, 1, id)
      bind(addHistory, 2, device)
      sqlite3_bind_int64(addHistory, 3, n + Int64(index))
      sqlite3_bind_int64(addHistory, 4, n)
      bind(addHistory, 5, [0x61])
      bind(addHistory, 6, [0x81, 0x83, 2, 0xF4, 3])
      run(addHistory)
    }
    for scope in Set(keys.map(\.scope)) {
      sqlite3_bind_int64(moveScope, 1, Int64(scope + 1))
      sqlite3_bind_int64(moveScope, 2, sequences[scope])
      sqlite3_bind_int64(moveScope, 3, n)
      run(moveScope)
    }
    bind(putDevice, 1, device)
    sqlite3_bind_int64(putDevice, 2, n)
    sqlite3_bind_int64(putDevice, 3, n)
    run(putDevice)
    run(commit)
  }

  /// Reads a scope's log from its start and copies each row; returns the number of rows.
  func read(scope: Int) -> Int {
    var copied: [UInt8] = []
    copied.reserveCapacity(4 << 20)
    var count = 0
    sqlite3_bind_int64(scan, 1, Int64(scope + 1))
    sqlite3_bind_int64(scan, 2, 0)
    while sqlite3_step(scan) == SQLITE_ROW {
      let row = UnsafeRawBufferPointer(start: sqlite3_column_blob(scan, 1), count: Int(sqlite3_column_bytes(scan, 1)))
      copied.append(contentsOf: row)
      count += 1
    }
    sqlite3_reset(scan)
    return copied.isEmpty ? 0 : count
  }

  private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  private static func check(_ code: Int32) {
    guard code == SQLITE_OK else { fatalError(String(cString: sqlite3_errstr(code))) }
  }

  private func run(_ statement: OpaquePointer) {
    let code = sqlite3_step(statement)
    guard code == SQLITE_DONE else { fatalError(String(cString: sqlite3_errmsg(handle))) }
    sqlite3_reset(statement)
  }

  private func bind(_ statement: OpaquePointer, _ index: Int32, _ bytes: [UInt8]) {
    bytes.withUnsafeBytes { _ = sqlite3_bind_blob(statement, index, $0.baseAddress, Int32($0.count), Self.copied) }
  }

  private func bytes(_ statement: OpaquePointer, _ column: Int32) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: sqlite3_column_blob(statement, column), count: Int(sqlite3_column_bytes(statement, column))))
  }

  private func number(_ bytes: ArraySlice<UInt8>) -> Int64 {
    var value: Int64 = 0
    for (index, byte) in bytes.enumerated() { value |= Int64(byte & 0x7F) << Int64(index * 7) }
    return value
  }

  private func encoded(_ value: Int64) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
    return bytes
  }
}
