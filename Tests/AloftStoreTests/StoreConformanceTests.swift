// SPDX-License-Identifier: Apache-2.0
// Both stores go through the same conformance suite.

import AloftCore
import AloftSQLite
import AloftStore
import Foundation
import Testing

@Suite struct StoreConformanceTests {
  @Test(arguments: StoreConformance.checks(of: MemoryStore.self))
  func `the memory store keeps each rule`(check: StoreCheck<MemoryStore>) throws {
    try check.run(StoreFixture(make: { MemoryStore() }))
  }

  @Test(arguments: StoreConformance.checks(of: SQLiteStore.self, survivesReopening: true))
  func `the SQLite store keeps each rule`(check: StoreCheck<SQLiteStore>) throws {
    let folder = try Folder()
    try check.run(
      StoreFixture(
        make: { try SQLiteStore(path: folder.newPath()) },
        reopen: { store in
          store.close()
          return try SQLiteStore(path: store.path)
        }))
  }
}

/// A folder that disappears with the test.
final class Folder: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "aloft-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }  // a folder left in /tmp harms nobody

  func newPath() -> String { url.appending(path: UUID().uuidString + ".sqlite").path }
}
