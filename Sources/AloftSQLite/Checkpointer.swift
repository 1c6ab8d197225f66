// SPDX-License-Identifier: Apache-2.0
// Moves the write-ahead log into the database on a thread of its own, so that no commit waits for it.
//
// Why two steps: while the long first step copies, commits append to the log, so it would never be empty and would grow for
// ever under steady load. The second step holds commits back for the few pages that are left; then SQLite starts the log anew.

import AloftCore
import Foundation
import GRDBSQLite

// @unchecked: the flags are touched only while `condition` is locked; `connection` only by the thread, which closes it at its end.
final class Checkpointer: @unchecked Sendable {
  /// A checkpoint starts when the log holds this many pages (32 MiB).
  static let startPages: Int32 = 8_192

  private var connection: Connection?
  private let writer: GuardedWriter
  private let condition = NSCondition()
  private var isDue = false
  private var isStopping = false
  private var hasStopped = false

  init(path: String, writer: GuardedWriter) throws(StoreError) {
    connection = try Connection(path: path, mode: .write, cacheKibibytes: 256)
    self.writer = writer
    let thread = Thread { self.loop() }
    thread.name = "aloft-checkpoint"
    thread.start()
  }

  func wake() {
    condition.lock()
    isDue = true
    condition.broadcast()
    condition.unlock()
  }

  /// Ends the thread; waits for a checkpoint that runs.
  func stop() {
    condition.lock()
    isStopping = true
    condition.broadcast()
    while !hasStopped { condition.wait() }
    condition.unlock()
  }

  private func loop() {
    while true {
      condition.lock()
      while !isDue, !isStopping { condition.wait() }
      let ends = isStopping
      if ends {
        connection = nil
        hasStopped = true
        condition.broadcast()
      }
      isDue = false
      condition.unlock()
      if ends { return }
      copy()
      // A failure leaves the log as it is: nothing is lost, and the next commit above the limit asks again.
      try? writer.use { (writer) throws(StoreError) in
        copy()
        writer.logPages.pointee = 0
      }
    }
  }

  private func copy() {
    guard let connection else { return }
    sqlite3_wal_checkpoint_v2(connection.handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
  }
}
