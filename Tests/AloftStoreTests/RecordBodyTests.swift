// SPDX-License-Identifier: Apache-2.0
// The bytes in which a record lies in SQLite.

import AloftCore
import AloftStore
import Testing

@testable import AloftSQLite

@Suite struct RecordBodyTests {
  private let placements: [(scope: Int64, sequence: AloftCore.Sequence)] = [(1, 1), (127, 128), (1 << 40, 1 << 53 - 1)]

  @Test(arguments: [1, 7, 20, 31, 32, 33, 64, 250, 70_000])
  func `a body comes back as it was written`(rowBytes: Int) throws {
    let row = (0..<rowBytes).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    for (collection, placements) in [(0, []), (3, [placements[0]]), (300, placements)] {
      let bytes = RecordBody.encode(row: row, collection: collection, placements)
      try bytes.withUnsafeBytes { raw in
        let body = try RecordBody(raw)
        #expect(Array(body.row) == row)
        #expect(body.collection == collection)
        #expect(try body.placements().map { [UInt64($0.scope), $0.sequence] } == placements.map { [UInt64($0.scope), $0.sequence] })
      }
    }
  }

  @Test(arguments: [3, 40, 64]) func `a single changed bit, or a cut, is noticed`(rowBytes: Int) {
    let bytes = RecordBody.encode(row: [UInt8](repeating: 0x61, count: rowBytes), collection: 2, placements)
    for bit in 0..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: StoreError.self) { try damaged.withUnsafeBytes { _ = try RecordBody($0) } }
    }
    for count in 0..<bytes.count {
      #expect(throws: StoreError.self) { try bytes[..<count].withUnsafeBytes { _ = try RecordBody($0) } }
    }
  }
}
