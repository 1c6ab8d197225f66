// SPDX-License-Identifier: Apache-2.0
// What only a store on disk can get wrong: torn logs, damaged and foreign files, two writers, the flush itself.

import AloftCore
import AloftSQLite
import AloftStore
import Foundation
import Testing

@Suite struct SQLiteStoreTests {
  private static func put(_ store: SQLiteStore, _ id: String, _ row: [UInt8]) throws {
    try store.write { (transaction) throws(StoreError) in
      let key = RecordKey(collection: 0, id: Text(id))
      let previous = try transaction.record(key)?.placements ?? []
      let sequence = (try transaction.scope("x")?.sequence ?? 0) + 1
      var batch = ChangeBatch()
      batch.scopes = [("x", ScopeState(sequence: sequence))]
      batch.records = [
        .init(key: key, record: StoredRecord(row: row, placements: [Placement(scope: "x", sequence: sequence)]), previous: previous)
      ]
      try transaction.commit(batch)
    }
  }

  private static func entryCount(_ store: SQLiteStore) throws(StoreError) -> Int {
    try store.read { (reader) throws(StoreError) in
      var count = 0
      try reader.entries(of: "x", after: 0) { _ in
        count += 1
        return true
      }
      return count
    }
  }

  @Test func `a log torn at any place opens with the commits before the tear`() throws {
    let folder = try Folder()
    let path = folder.newPath()
    let store = try SQLiteStore(path: path)
    var logSizes: [Int] = []
    let log = { (FileManager.default.contents(atPath: path + "-wal") ?? Data()) }
    for index in 0..<12 {
      try Self.put(store, "r\(index)", [UInt8](repeating: UInt8(index), count: 3_000))
      logSizes.append(log().count)
    }
    let (database, whole) = (try #require(FileManager.default.contents(atPath: path)), log())
    for size in stride(from: 0, through: whole.count, by: 512) {
      for isFlipped in [false, true] where size < whole.count || !isFlipped {
        let copy = folder.newPath()
        var torn = isFlipped ? whole : whole.prefix(size)
        if isFlipped { torn[size] ^= 0x40 }
        try database.write(to: URL(fileURLWithPath: copy))
        try torn.write(to: URL(fileURLWithPath: copy + "-wal"))
        // A tear before the first commit leaves a new, empty file; a flipped byte ends the log at the last whole commit before it.
        let expected = logSizes.filter { $0 <= size }.count
        let opened = try SQLiteStore(path: copy)
        #expect(try Self.entryCount(opened) == expected, "\(isFlipped ? "flipped" : "cut") at \(size)")
        opened.close()
      }
    }
    store.close()
  }

  @Test func `damage anywhere in the file is an error in words or harmless, never wrong data`() throws {
    let folder = try Folder()
    let path = folder.newPath()
    let store = try SQLiteStore(path: path)
    for index in 0..<60 { try Self.put(store, "r\(index)", [UInt8](repeating: UInt8(index), count: 700)) }
    store.close()
    let whole = try #require(FileManager.default.contents(atPath: path))
    var random = Random(seed: 7)
    for _ in 0..<150 {
      let copy = folder.newPath()
      var damaged = whole
      let place = Int(random.below(UInt64(damaged.count)))
      for index in place..<min(place + 16, damaged.count) { damaged[index] = UInt8(truncatingIfNeeded: random.next()) }
      try damaged.write(to: URL(fileURLWithPath: copy))
      do throws(StoreError) {
        let opened = try SQLiteStore(path: copy)
        defer { opened.close() }
        var rows: [[UInt8]] = []
        try opened.read { (reader) throws(StoreError) in
          try reader.entries(of: "x", after: 0) { entry in
            if entry.kind == .present { rows.append(Array(entry.body)) }
            return true
          }
        }
        for row in rows { #expect(row.count == 700 && Set(row).count == 1) }
      } catch { #expect(!"\(error)".isEmpty) }
    }
  }

  @Test func `files that are not ours are refused in words`() throws {
    let folder = try Folder()
    let text = folder.newPath()
    try Data(String(repeating: "not a database ", count: 100).utf8).write(to: URL(fileURLWithPath: text))
    #expect(throws: StoreError.damaged("The file is not a SQLite database. Check the data folder, or restore a backup.")) {
      try SQLiteStore(path: text)
    }
    let foreign = folder.newPath()
    try Connection(path: foreign, mode: .create).execute("CREATE TABLE song(title)")
    #expect(throws: StoreError.damaged("The file is a SQLite database of another program. Choose another data folder.")) {
      try SQLiteStore(path: foreign)
    }
    let newer = folder.newPath()
    try SQLiteStore(path: newer).close()
    try Connection(path: newer, mode: .write).execute("PRAGMA user_version=3")
    #expect(throws: StoreError.unavailable("The database has format 3; this program reads up to format 2. Update aloft.")) {
      try SQLiteStore(path: newer)
    }
    #expect(throws: StoreError.self) { try SQLiteStore(path: folder.url.path + "/missing/x.sqlite") }
    #expect(throws: StoreError.self) { try SQLiteStore.inspect(path: folder.newPath()) }
  }

  @Test func `a file of the first format is brought up to date when it is opened for writing`() throws {
    let folder = try Folder()
    let path = folder.newPath()
    let store = try SQLiteStore(path: path)
    try Self.put(store, "a", [1])
    store.close()
    try Connection(path: path, mode: .write).execute("ALTER TABLE scope DROP COLUMN marks; PRAGMA user_version=1")
    let opened = try SQLiteStore(path: path)
    #expect(try Self.entryCount(opened) == 1)
    #expect(try opened.read { (reader) throws(StoreError) in try reader.scope("x") } == ScopeState(sequence: 1))
    try Self.put(opened, "b", [2])
    #expect(try Self.entryCount(opened) == 2)
    opened.close()
  }

  @Test func `one file has one writer, and any number of onlookers`() throws {
    let folder = try Folder()
    let path = folder.newPath()
    let store = try SQLiteStore(path: path)
    try Self.put(store, "a", [1])
    #expect(throws: StoreError.unavailable("Another process is serving this data folder. Stop it first.")) { try SQLiteStore(path: path) }
    let onlooker = try SQLiteStore.inspect(path: path)
    #expect(try Self.entryCount(onlooker) == 1)
    #expect(throws: StoreError.self) { try Self.put(onlooker, "b", [2]) }
    store.close()
    #expect(throws: StoreError.self) { try Self.put(store, "b", [2]) }
    #expect(throws: StoreError.self) { try Self.entryCount(store) }
    try SQLiteStore(path: path).close()
  }

  @Test func `the log is moved into the file while commits go on, and does not grow for ever`() throws {
    let folder = try Folder()
    let path = folder.newPath()
    let store = try SQLiteStore(path: path)
    let row = [UInt8](repeating: 7, count: 200_000)
    // About 100 MB through the log; without checkpoints it would be that long.
    for index in 0..<500 { try Self.put(store, "r\(index % 50)", row) }
    let size = try #require(FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int)
    #expect(size < 70 << 20, "\(size)")
    #expect(try Self.entryCount(store) == 50)
    store.close()
    #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
  }
}
