// SPDX-License-Identifier: Apache-2.0
// One SQLite connection with its prepared statements: the only file that opens, configures and closes handles.

import AloftCore
import GRDBSQLite

/// A connection that one thread at a time may use; its owner keeps the lock. Closes itself when released.
package final class Connection {
  package enum Mode { case create, write, read }

  let handle: OpaquePointer
  private var statements: [String: Statement] = [:]

  /// Opens the file. A reader may not change anything; `create` makes the file when it is missing. The cache is the most that the
  /// connection keeps in memory of a file that is as large.
  package init(path: String, mode: Mode, cacheKibibytes: Int = 32_768) throws(StoreError) {
    var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE
    if mode == .create { flags |= SQLITE_OPEN_CREATE }
    var opened: OpaquePointer?
    let code = sqlite3_open_v2(path, &opened, flags, nil)
    guard code == SQLITE_OK, let opened else {
      let error = StoreError.sqlite(code, opened, "open the database")
      sqlite3_close_v2(opened)
      throw error
    }
    handle = opened
    sqlite3_extended_result_codes(opened, 1)
    sqlite3_busy_timeout(opened, 10_000)
    try execute("PRAGMA cache_size=-\(cacheKibibytes); PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=OFF; PRAGMA trusted_schema=OFF")
    if mode == .read { try execute("PRAGMA query_only=ON") }
  }

  deinit {
    for statement in statements.values { sqlite3_finalize(statement.pointer) }
    sqlite3_close_v2(handle)
  }

  /// Runs statements that return nothing of interest. Not for the hot path: it prepares them each time.
  package func execute(_ sql: String) throws(StoreError) {
    let code = sqlite3_exec(handle, sql, nil, nil, nil)
    guard code == SQLITE_OK else { throw .sqlite(code, handle, "change the database") }
  }

  /// A prepared statement that stays prepared for the life of the connection. Callers on a hot path keep it.
  package func prepare(_ sql: String) throws(StoreError) -> Statement {
    if let statement = statements[sql] { return statement }
    var pointer: OpaquePointer?
    let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &pointer, nil)
    guard code == SQLITE_OK, let pointer else { throw .sqlite(code, handle, "read the database") }
    let statement = Statement(pointer: pointer, handle: handle)
    statements[sql] = statement
    return statement
  }

  /// The first column of the first row, as a number.
  package func number(_ sql: String) throws(StoreError) -> Int64 {
    let statement = try prepare(sql)
    defer { statement.reset() }
    return try statement.step() ? statement.int(0) : 0
  }

  /// Undoes the open transaction, if there is one (some failures have already undone it).
  package func rollBack() {
    guard sqlite3_get_autocommit(handle) == 0 else { return }
    // A failing rollback leaves nothing to do: the transaction is not committed, and the next begin reports the cause.
    _ = sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
  }
}

/// A prepared statement. Bind, step until false, reset.
package struct Statement {
  let pointer: OpaquePointer
  let handle: OpaquePointer

  /// SQLite copies the bytes before the call returns.
  private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  @inline(__always) package func bind(_ index: Int32, _ value: Int64) { sqlite3_bind_int64(pointer, index, value) }
  @inline(__always) package func bind(_ index: Int32, word: UInt64) { sqlite3_bind_int64(pointer, index, Int64(bitPattern: word)) }

  @inline(__always) package func bind(_ index: Int32, _ bytes: [UInt8]) {
    bytes.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress, buffer.count > 0 else {
        sqlite3_bind_zeroblob(pointer, index, 0)  // an empty array would bind NULL
        return
      }
      sqlite3_bind_blob64(pointer, index, base, UInt64(buffer.count), Self.copied)
    }
  }

  /// Whether there is a row to read.
  @inline(__always) package func step() throws(StoreError) -> Bool { try hasRow(sqlite3_step(pointer)) }

  @inline(__always) private func hasRow(_ code: Int32) throws(StoreError) -> Bool {
    if code == SQLITE_ROW { return true }
    guard code == SQLITE_DONE else {
      let error = StoreError.sqlite(code, handle, "read or change the database")
      sqlite3_reset(pointer)
      throw error
    }
    return false
  }

  /// Steps a statement that returns no row, and resets it.
  @inline(__always) package func run() throws(StoreError) {
    _ = try step()
    sqlite3_reset(pointer)
  }

  /// The same, with one parameter bound for this run only: its bytes, of which there are some, are not copied.
  @inline(__always) package func run(binding index: Int32, _ bytes: [UInt8]) throws(StoreError) {
    let code = bytes.withUnsafeBytes { buffer in
      sqlite3_bind_blob64(pointer, index, buffer.baseAddress, UInt64(buffer.count), nil)
      return sqlite3_step(pointer)
    }
    _ = try hasRow(code)
    sqlite3_reset(pointer)
  }

  @inline(__always) package func reset() { sqlite3_reset(pointer) }
  @inline(__always) package func int(_ column: Int32) -> Int64 { sqlite3_column_int64(pointer, column) }
  @inline(__always) package func word(_ column: Int32) -> UInt64 { UInt64(bitPattern: sqlite3_column_int64(pointer, column)) }

  /// The bytes of a column, valid until the next step or reset.
  @inline(__always) package func raw(_ column: Int32) -> UnsafeRawBufferPointer {
    let base = sqlite3_column_blob(pointer, column)
    return UnsafeRawBufferPointer(start: base, count: Int(sqlite3_column_bytes(pointer, column)))
  }

  package func bytes(_ column: Int32) -> [UInt8] { Array(raw(column)) }
}

extension StoreError {
  /// What a result code means for the caller. The message names the next step and holds no data.
  static func sqlite(_ code: Int32, _ handle: OpaquePointer?, _ attempt: String) -> StoreError {
    let detail = handle.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
    switch code & 0xFF {
    case SQLITE_FULL: return .full
    case SQLITE_NOTADB: return .damaged("The file is not a SQLite database. Check the data folder, or restore a backup.")
    case SQLITE_CORRUPT: return .damaged(Text("The database is damaged (\(detail)). Restore a backup."))
    case SQLITE_CONSTRAINT: return .damaged(Text("A change contradicts what is stored (\(detail)). Nothing was changed."))
    case SQLITE_CANTOPEN: return .unavailable(Text("Could not open the database (\(detail)). Check that the folder exists and may be written."))
    case SQLITE_READONLY, SQLITE_PERM: return .unavailable(Text("The database may not be written (\(detail)). Check the rights of the folder."))
    default: return .unavailable(Text("Could not \(attempt) (\(detail), code \(code))."))
    }
  }
}
