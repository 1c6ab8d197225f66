// SPDX-License-Identifier: Apache-2.0
// The SQLite store: one writer, a few readers, and a thread that moves the write-ahead log into the database.

import AloftCore
import AloftStore
import Foundation
import GRDBSQLite

/// A store in one SQLite file (with its `-wal` and `-shm` files beside it), durable at each commit.
///
/// One process at a time may write a file; a second one is refused. `inspect` opens it for reading beside a running server.
/// Calls block: a commit waits for the disk (0.1 to 10 ms), a read for a free connection.
public final class SQLiteStore: Store {
  /// The file.
  public let path: String
  private let writer: GuardedWriter
  private let readers: ReaderPool
  private let checkpointer: Checkpointer?

  /// Opens or makes the file at `path`. `newEpoch` serves a new file only.
  public convenience init(path: String, readerCount: Int = 4, newEpoch: UInt64 = Epoch.random()) throws(StoreError) {
    try self.init(path: path, readerCount: readerCount, newEpoch: newEpoch, mayWrite: true)
  }

  /// Opens an existing file for reading only, also while a server writes it.
  public static func inspect(path: String) throws(StoreError) -> SQLiteStore {
    try SQLiteStore(path: path, readerCount: 1, newEpoch: 0, mayWrite: false)
  }

  private init(path: String, readerCount: Int, newEpoch: UInt64, mayWrite: Bool) throws(StoreError) {
    self.path = path
    if mayWrite {
      let lock = try FileLock(path: path + "-lock")
      let connection = try Connection(path: path, mode: .create, cacheKibibytes: 65_536)
      try Format.prepare(connection, newEpoch: newEpoch)
      guard try connection.number("PRAGMA synchronous") == 2 else {
        throw .unavailable("SQLite refused synchronous=FULL, without which a commit could be lost. Use a standard SQLite library.")
      }
      writer = GuardedWriter(try Writer(connection), lock: lock)
      checkpointer = try Checkpointer(path: path, writer: writer)
    } else {
      writer = GuardedWriter(nil, lock: nil)
      checkpointer = nil
      try Format.check(try Connection(path: path, mode: .read))
    }
    readers = ReaderPool(path: path, count: readerCount)
  }

  deinit { close() }

  /// Moves the log into the file and closes it. Calls after this throw `unavailable`.
  public func close() {
    checkpointer?.stop()
    readers.close()
    writer.close()
  }

  public func read<Value>(_ body: (inout SQLiteReader) throws(StoreError) -> Value) throws(StoreError) -> Value {
    let plan = try readers.take()
    defer { readers.giveBack(plan) }
    do throws(StoreError) {
      try plan.begin.run()
      var reader = SQLiteReader(plan: plan)
      let value = try body(&reader)
      try plan.commit.run()
      return value
    } catch {
      plan.connection.rollBack()
      throw error
    }
  }

  public func write<Value>(_ body: (inout SQLiteTransaction) throws(StoreError) -> Value) throws(StoreError) -> Value {
    let (value, logPages) = try writer.use { (writer) throws(StoreError) in
      try writer.start()
      var transaction = SQLiteTransaction(writer)
      // Undoes what was not committed, also when the body threw.
      defer { writer.rollBack() }
      return (try body(&transaction), writer.logPages.pointee)
    }
    if logPages >= Checkpointer.startPages { checkpointer?.wake() }
    return value
  }
}

/// The writer behind its lock.
// @unchecked: `writer` is touched only while `lock` is held.
final class GuardedWriter: @unchecked Sendable {
  private var writer: Writer?
  private var fileLock: FileLock?
  private let lock = NSLock()

  init(_ writer: Writer?, lock fileLock: FileLock?) {
    self.writer = writer
    self.fileLock = fileLock
  }

  func use<Value>(_ body: (Writer) throws(StoreError) -> Value) throws(StoreError) -> Value {
    lock.lock()
    defer { lock.unlock() }
    guard let writer else { throw .unavailable("The database is closed, or open for reading only.") }
    return try body(writer)
  }

  func close() {
    lock.lock()
    defer { lock.unlock() }
    writer = nil
    fileLock = nil
  }
}

/// Read connections, opened when needed and kept. A caller waits while all are in use.
// @unchecked: every stored property is touched only while `condition` is locked; a plan is used by the one caller that took it.
final class ReaderPool: @unchecked Sendable {
  private let path: String
  private let count: Int
  private var idle: [ReadPlan] = []
  private var open = 0
  private var isClosed = false
  private let condition = NSCondition()

  init(path: String, count: Int) {
    self.path = path
    self.count = count
  }

  func take() throws(StoreError) -> ReadPlan {
    condition.lock()
    defer { condition.unlock() }
    while !isClosed, idle.isEmpty, open >= count { condition.wait() }
    guard !isClosed else { throw .unavailable("The database is closed.") }
    if let plan = idle.popLast() { return plan }
    let plan = try ReadPlan(try Connection(path: path, mode: .read))
    open += 1
    return plan
  }

  func giveBack(_ plan: ReadPlan) {
    condition.lock()
    if isClosed { open -= 1 } else { idle.append(plan) }
    condition.broadcast()
    condition.unlock()
  }

  /// Waits for the readers at work, then closes all.
  func close() {
    condition.lock()
    isClosed = true
    open -= idle.count
    idle = []
    while open > 0 { condition.wait() }
    condition.unlock()
  }
}

/// Held for as long as a process may write a file; the system drops it when the process dies.
final class FileLock: Sendable {
  private let descriptor: Int32

  init(path: String) throws(StoreError) {
    descriptor = Foundation.open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw .unavailable("Could not open the database. Check that the folder exists and may be written.")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      Foundation.close(descriptor)
      throw .unavailable("Another process is serving this data folder. Stop it first.")
    }
  }

  deinit { Foundation.close(descriptor) }
}
