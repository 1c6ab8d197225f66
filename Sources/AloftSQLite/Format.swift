// SPDX-License-Identifier: Apache-2.0
// The tables on disk, their version, and the bytes inside the columns that SQLite does not understand.
//
//   meta(name, value)                                epoch and so on
//   scope(id, name, sequence, checksum, floor)       the heads of the logs; ids stand for names elsewhere
//   record(id, collection, key, place, row)          one row a record; place = check word and placements, below
//   entry(scope, sequence, record, kind)             the logs; kind 0 present, 1 departed
//   device, outcome, history                         as in StorePort.swift
//
// Why the row lies with the record and not in the log: a change then writes the row once, whatever number of scopes hold it.
// Why `place` stands before `row`: a long row spills to overflow pages, and a column behind it would have to walk them.

import AloftCore

package enum Format {
  /// "Alft" in ASCII, in the header of the file: tells our files from other people's databases.
  static let applicationID: Int64 = 0x416C_6674
  /// Raised when older programs could no longer read or write the file.
  static let version: Int64 = 1

  static let tables = """
    CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE scope(id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, sequence INTEGER NOT NULL, checksum INTEGER NOT NULL,
      floor INTEGER NOT NULL);
    CREATE TABLE record(id INTEGER PRIMARY KEY, collection INTEGER NOT NULL, key BLOB NOT NULL, place BLOB NOT NULL,
      row BLOB NOT NULL, UNIQUE(collection, key));
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
    guard found == version else { throw .damaged("The database has no format version. Restore a backup.") }
  }
}

/// The bytes of the column `place`: an 8-byte check word of the row, then for each placement the scope's number and the sequence.
enum Place {
  static func encode(row: [UInt8], collection: Int, _ placements: [(scope: Int64, sequence: AloftCore.Sequence)]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(8 + placements.count * 8)
    let check = row.withUnsafeBytes { checkWord($0, collection: collection) }
    for shift in stride(from: 0, to: 64, by: 8) { out.append(UInt8(truncatingIfNeeded: check >> UInt64(shift))) }
    for placement in placements {
      append(UInt64(placement.scope), to: &out)
      append(placement.sequence, to: &out)
    }
    return out
  }

  /// The placements; damaged bytes throw.
  static func decode(_ bytes: UnsafeRawBufferPointer) throws(StoreError) -> [(scope: Int64, sequence: AloftCore.Sequence)] {
    guard bytes.count >= 8 else { throw .damaged(damage) }
    var index = 8
    var placements: [(scope: Int64, sequence: AloftCore.Sequence)] = []
    while index < bytes.count {
      guard let scope = number(bytes, &index), let sequence = number(bytes, &index), scope <= UInt64(Int64.max) else {
        throw .damaged(damage)
      }
      placements.append((Int64(scope), sequence))
    }
    return placements
  }

  /// Whether a row is the one that was written. Costs about 20 ns for 250 bytes.
  @inline(__always)
  static func matches(_ place: UnsafeRawBufferPointer, row: UnsafeRawBufferPointer, collection: Int) -> Bool {
    place.count >= 8 && UInt64(littleEndian: place.loadUnaligned(as: UInt64.self)) == checkWord(row, collection: collection)
  }

  static let damage: Text = "A record does not match its check word. Restore a backup, or let a device send it again."

  /// Four sums side by side over 32 bytes at a time, so that the processor need not wait for one multiplication to begin the
  /// next; the rest by `Hash64`. Every read of a row pays for this.
  private static func checkWord(_ row: UnsafeRawBufferPointer, collection: Int) -> UInt64 {
    let factor: UInt64 = 0x9E37_79B9_7F4A_7C15
    var (a, b, c, d) = (UInt64(row.count), factor, ~factor, UInt64(truncatingIfNeeded: collection) &+ 0x50AC)
    var index = 0
    while index + 32 <= row.count {
      a = (a ^ UInt64(littleEndian: row.loadUnaligned(fromByteOffset: index, as: UInt64.self))) &* factor
      b = (b ^ UInt64(littleEndian: row.loadUnaligned(fromByteOffset: index + 8, as: UInt64.self))) &* factor
      c = (c ^ UInt64(littleEndian: row.loadUnaligned(fromByteOffset: index + 16, as: UInt64.self))) &* factor
      d = (d ^ UInt64(littleEndian: row.loadUnaligned(fromByteOffset: index + 24, as: UInt64.self))) &* factor
      // Multiplying carries upwards only; folding brings high bits back down, so that no change of one bit is lost.
      (a, b, c, d) = (a ^ a >> 32, b ^ b >> 32, c ^ c >> 32, d ^ d >> 32)
      index += 32
    }
    let lanes = Hash64.mix(a) ^ Hash64.mix(b &+ 1) &* 3 ^ Hash64.mix(c &+ 2) &* 5 ^ Hash64.mix(d &+ 3) &* 7
    return Hash64.of(UnsafeRawBufferPointer(rebasing: row[index...]), seed: lanes)
  }

  /// Seven bits a byte, lowest first.
  private static func append(_ value: UInt64, to out: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    out.append(UInt8(rest))
  }

  private static func number(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while index < bytes.count, shift < 64 {
      let byte = bytes[index]
      index += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }
}
