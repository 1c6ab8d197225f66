// SPDX-License-Identifier: Apache-2.0
// The tables on disk, their version, and the bytes inside the columns that SQLite does not understand.
//
//   meta(name, value)                                epoch and so on
//   scope(id, name, sequence, checksum, floor, marks) the heads of the logs; ids stand for names elsewhere
//   record(id, collection, key, body)                one row a record; body = check word, placements and row, see RecordBody.swift
//   entry(scope, sequence, record, kind)             the logs; kind 0 present, 1 departed
//   device, outcome, history                         as in StorePort.swift
//
// Why the row lies with the record and not in the log: a change then writes the row once, whatever number of scopes hold it.
// Why one column holds all of it: a walk along a log reads each record, and each column that it asks for costs as much as copying
// the row does.

import AloftCore

package enum Format {
  /// "Alft" in ASCII, in the header of the file: tells our files from other people's databases.
  static let applicationID: Int64 = 0x416C_6674
  /// Raised when older programs could no longer read or write the file.
  static let version: Int64 = 2

  static let tables = """
    CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE scope(id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, sequence INTEGER NOT NULL, checksum INTEGER NOT NULL,
      floor INTEGER NOT NULL, marks BLOB NOT NULL DEFAULT x'');
    CREATE TABLE record(id INTEGER PRIMARY KEY, collection INTEGER NOT NULL, key BLOB NOT NULL, body BLOB NOT NULL,
      UNIQUE(collection, key));
    CREATE TABLE entry(scope INTEGER NOT NULL, sequence INTEGER NOT NULL, record INTEGER NOT NULL, kind INTEGER NOT NULL,
      PRIMARY KEY(scope, sequence)) WITHOUT ROWID;
    CREATE TABLE device(id BLOB PRIMARY KEY, user BLOB NOT NULL, head INTEGER NOT NULL, hash INTEGER NOT NULL,
      acknowledged INTEGER NOT NULL, recent BLOB NOT NULL, seen INTEGER NOT NULL, report BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE outcome(device BLOB NOT NULL, n INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(device, n)) WITHOUT ROWID;
    CREATE TABLE history(id INTEGER PRIMARY KEY, record INTEGER NOT NULL, device BLOB NOT NULL, n INTEGER NOT NULL,
      time INTEGER NOT NULL, user BLOB NOT NULL, body BLOB NOT NULL);
    CREATE INDEX history_record ON history(record);
    """

  /// Makes the tables in a new file, or checks that the file is one that this program reads.
  static func prepare(_ connection: Connection, newEpoch: UInt64) throws(StoreError) {
    // WAL lets readers run beside the writer; FULL makes a commit survive the loss of power.
    try connection.execute("PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")
    try connection.execute("BEGIN IMMEDIATE")
    do throws(StoreError) {
      if try connection.number("SELECT count(*) FROM sqlite_schema") == 0 {
        try connection.execute(tables)
        try connection.execute("PRAGMA application_id=\(applicationID); PRAGMA user_version=\(version)")
        let epoch = try connection.prepare("INSERT INTO meta(name, value) VALUES('epoch', ?1)")
        epoch.bind(1, word: newEpoch)
        try epoch.run()
      }
      if try connection.number("PRAGMA application_id") == applicationID, try connection.number("PRAGMA user_version") == 1 {
        try connection.execute("ALTER TABLE scope ADD COLUMN marks BLOB NOT NULL DEFAULT x''; PRAGMA user_version=2")
      }
      try check(connection)
      try connection.execute("COMMIT")
    } catch {
      connection.rollBack()
      throw error
    }
  }

  /// Refuses files of other programs and of newer versions.
  static func check(_ connection: Connection) throws(StoreError) {
    guard try connection.number("PRAGMA application_id") == applicationID else {
      throw .damaged("The file is a SQLite database of another program. Choose another data folder.")
    }
    let found = try connection.number("PRAGMA user_version")
    guard found <= version else {
      throw .unavailable(Text("The database has format \(found); this program reads up to format \(version). Update aloft."))
    }
    // Opening a file for writing has brought it up to date by now.
    guard found == version || found < 1 else { throw .unavailable("The database has an older format. Serve it once with this program.") }
    guard found == version else { throw .damaged("The database has no format version. Restore a backup.") }
  }
}
