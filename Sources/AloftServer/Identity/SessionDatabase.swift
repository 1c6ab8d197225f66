// SPDX-License-Identifier: Apache-2.0
// Users' password digests and sessions on disk, in a small database beside the store, so that they survive a restart.

import AloftCore
import AloftSQLite

/// One row of the session table.
struct StoredSession: Sendable {
  var digest: [UInt8]
  var user: String
  /// Seconds since 1970.
  var expires: Int64
}

/// Blocking calls; the owner makes them on its own threads, one at a time.
final class SessionDatabase {
  private let connection: Connection

  init(path: String) throws(StoreError) {
    connection = try Connection(path: path, mode: .create, cacheKibibytes: 256)
    try connection.execute(
      """
      PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
      CREATE TABLE IF NOT EXISTS user(name BLOB PRIMARY KEY, rounds INTEGER NOT NULL, salt BLOB NOT NULL, digest BLOB NOT NULL)
        WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS session(digest BLOB PRIMARY KEY, user BLOB NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
      """)
  }

  func digests() throws(StoreError) -> [String: PasswordDigest] {
    let statement = try connection.prepare("SELECT name, rounds, salt, digest FROM user")
    defer { statement.reset() }
    var found: [String: PasswordDigest] = [:]
    while try statement.step() {
      let name = String(decoding: statement.raw(0), as: UTF8.self)
      found[name] = PasswordDigest(rounds: Int(statement.int(1)), salt: statement.bytes(2), digest: statement.bytes(3))
    }
    return found
  }

  func put(_ user: String, _ digest: PasswordDigest) throws(StoreError) {
    let statement = try connection.prepare("INSERT OR REPLACE INTO user(name, rounds, salt, digest) VALUES(?1, ?2, ?3, ?4)")
    statement.bind(1, Array(user.utf8))
    statement.bind(2, Int64(digest.rounds))
    statement.bind(3, digest.salt)
    statement.bind(4, digest.digest)
    try statement.run()
  }

  func remove(user: String) throws(StoreError) {
    let statement = try connection.prepare("DELETE FROM user WHERE name=?1")
    statement.bind(1, Array(user.utf8))
    try statement.run()
  }

  func sessions() throws(StoreError) -> [StoredSession] {
    let statement = try connection.prepare("SELECT digest, user, expires FROM session")
    defer { statement.reset() }
    var found: [StoredSession] = []
    while try statement.step() {
      let user = String(decoding: statement.raw(1), as: UTF8.self)
      found.append(StoredSession(digest: statement.bytes(0), user: user, expires: statement.int(2)))
    }
    return found
  }

  func add(_ session: StoredSession) throws(StoreError) {
    let statement = try connection.prepare("INSERT INTO session(digest, user, expires) VALUES(?1, ?2, ?3)")
    statement.bind(1, session.digest)
    statement.bind(2, Array(session.user.utf8))
    statement.bind(3, session.expires)
    try statement.run()
  }

  func remove(session digest: [UInt8]) throws(StoreError) {
    let statement = try connection.prepare("DELETE FROM session WHERE digest=?1")
    statement.bind(1, digest)
    try statement.run()
  }
}
