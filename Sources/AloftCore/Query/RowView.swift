// SPDX-License-Identifier: Apache-2.0
// Reads single fields of an encoded row where it lies, without decoding the rest.

/// A row inside a larger byte array. Making one costs a reference, reading a field costs a walk over the fields before it.
struct RowView {
  let bytes: [UInt8]
  let start: Int
  let end: Int

  /// The range of the id's bytes. Rows were checked when they came in; a damaged one reads as an empty id.
  var idRange: Range<Int> {
    var reader = CBORReader(bytes, from: start, to: end)
    guard (try? reader.array()) != nil, let range = try? reader.textRange() else { return start..<start }
    return range
  }

  var id: Text { Text(utf8: Array(bytes[idRange])) }

  var isDeleted: Bool {
    var reader = CBORReader(bytes, from: start, to: end)
    guard (try? reader.array()) != nil, (try? reader.skip()) != nil, (try? reader.skip()) != nil else { return true }
    return (try? reader.peek()) == .negative
  }

  /// A reader at the cell of a field, or nil when the row has none.
  func cell(_ number: Int) -> CBORReader? {
    var reader = CBORReader(bytes, from: start, to: end)
    do {
      _ = try reader.array()
      for _ in 0..<5 { try reader.skip() }
      guard number < (try reader.array()) else { return nil }
      for _ in 0..<number { try reader.skip() }
      return reader
    } catch { return nil }
  }

  /// The value that a reader sees; null where there is none.
  func value(_ number: Int, rule: Rule) -> Value {
    guard var reader = cell(number) else { return .null }
    guard (try? reader.peek()) == .tag else { return (try? Value(from: &reader)) ?? .null }
    return row?.value(number, rule: rule) ?? .null
  }

  /// The whole row, decoded.
  var row: Row? {
    var reader = CBORReader(bytes, from: start, to: end)
    return try? Row(from: &reader)
  }
}
