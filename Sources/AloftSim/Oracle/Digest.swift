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

  /// What belongs to a record and to nothing else.
  private static func root(_ collection: Int, _ id: Text) -> UInt64 { Hash64.of(id.utf8, seed: UInt64(collection) &+ 9_001) }

  private static func salt(_ root: UInt64, _ field: SimField) -> UInt64 {
    Hash64.mix(root &+ (UInt64(field.rawValue) &+ 1) &* 0x9E37_79B9_7F4A_7C15)
  }

  /// What everybody sees who may read the record, and what those see who may also read its hidden field.
  static func of(_ record: OracleRecord, _ key: RecordKey) -> (open: UInt64, whole: UInt64) {
    // Nobody sees a tombstone, and the server forgets it in its own time.
    if record.isDeleted { return (0, 0) }
    let root = root(key.collection, key.id)
    var sum = root
    var hidden: UInt64 = 0
    for field in SimField.allCases {
      let share = share(record[field], salt(root, field))
      if field == .hidden { hidden = share } else { sum &+= share }
    }
    return (sum, sum &+ hidden)
  }

  private static func share(_ field: OracleField, _ salt: UInt64) -> UInt64 {
    switch field {
    case .absent: return 0
    case .plain(let value, _): return share(value, salt)
    case .candidates(let all, _): return all.reduce(share(field.value, salt &+ 1)) { $0 &+ share($1.value, salt) }
    case .elements(let all, _): return all.reduce(0) { $0 &+ share($1.value, salt) }
    case .text(let text): return text.standing.reduce(0) { $0 &+ share($1, salt) }
    }
  }

  /// A character of a text, wherever it stands: the oracle knows which ones stand, and S15 asks for their order.
  private static func share(_ character: UInt32, _ salt: UInt64) -> UInt64 { Hash64.mix(salt &+ UInt64(character) &* 0x9E37_79B9_7F4A_7C15) }

  /// - Parameter fields: the collection's fields in the order of their numbers.
  static func of(_ row: Row, _ collection: Int, _ fields: [SimField]) -> UInt64 {
    if row.isDeleted { return 0 }
    let root = root(collection, row.id)
    var sum = root
    for number in 0..<min(row.cellCount, fields.count) {
      let field = fields[number]
      switch row.cell(number) {
      case .absent: continue
      case .plain(let value): sum &+= share(value, salt(root, field))
      case .supported(let values):
        let salt = salt(root, field)
        for value in values { sum &+= share(value.value, salt) }
        if field != .addWins { sum &+= share(row.value(number, rule: .manual), salt &+ 1) }
      case .text:
        let salt = salt(root, field)
        for character in SimEdit.characters(of: row, number) { sum &+= share(character, salt) }
      }
    }
    return sum
  }
}
