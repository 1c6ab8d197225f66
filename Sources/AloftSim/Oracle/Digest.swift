// SPDX-License-Identifier: Apache-2.0
// One number for what a person can see of a record, from the oracle's model and from an engine's row alike. Shares are added, so a
// set of records has a number too, whatever their order.

import AloftCore

enum Digest {
  private static func share(_ value: Value, _ salt: UInt64) -> UInt64 {
    switch value {
    case .null: 0
    case .bool(let flag): Hash64.mix(salt &+ (flag ? 3 : 5))
    case .int(let number): Hash64.mix(salt &* 0x9E37_79B9 &+ UInt64(bitPattern: number) &* 0xFF51_AFD7_ED55_8CCD)
    case .double(let number): Hash64.mix(salt &+ number.bitPattern)
    case .text(let text): Hash64.of(text.utf8, seed: salt)
    case .bytes(let bytes): Hash64.of(bytes, seed: salt &+ 1)
    case .array(let values): values.reduce(salt) { $0 &+ share($1, salt &+ 7) }
    }
  }

  private static func salt(_ key: RecordKey, _ field: SimField) -> UInt64 {
    Hash64.of(key.id.utf8, seed: UInt64(key.collection) &* 64 &+ UInt64(field.rawValue))
  }

  private static func life(_ key: RecordKey) -> UInt64 { Hash64.of(key.id.utf8, seed: UInt64(key.collection) &+ 9_001) }

  static func of(_ record: OracleRecord, _ key: RecordKey, hidden: Bool) -> UInt64 {
    // Nobody sees a tombstone, and the server forgets it in its own time.
    if record.isDeleted { return 0 }
    var sum = life(key)
    for field in SimField.allCases where hidden || field != .hidden {
      let salt = salt(key, field)
      switch record[field] {
      case .absent: continue
      case .plain(let value, _): sum &+= share(value, salt)
      case .candidates(let all, _):
        for candidate in all { sum &+= share(candidate.value, salt) }
        sum &+= share(record[field].value, salt &+ 1)
      case .elements(let all, _): for element in all { sum &+= share(element.value, salt) }
      }
    }
    return sum
  }

  /// - Parameter fields: the collection's fields in the order of their numbers.
  static func of(_ row: Row, _ collection: Int, _ fields: [SimField]) -> UInt64 {
    if row.isDeleted { return 0 }
    let key = RecordKey(collection: collection, id: row.id)
    var sum = life(key)
    for (number, cell) in row.cells.enumerated() where number < fields.count {
      let field = fields[number]
      let salt = salt(key, field)
      switch cell {
      case .absent: continue
      case .plain(let value): sum &+= share(value, salt)
      case .supported(let values):
        for value in values { sum &+= share(value.value, salt) }
        if field != .addWins { sum &+= share(row.value(number, rule: .manual), salt &+ 1) }
      }
    }
    return sum
  }
}
