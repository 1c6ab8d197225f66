// SPDX-License-Identifier: Apache-2.0
// Reads single fields of an encoded row where it lies, without decoding the rest.

/// A row inside a larger byte array. Making one costs a reference, reading a field costs a walk over the fields before it. What many
/// ask stays out of line: the browser module pays for every copy.
struct RowView {
  let bytes: [UInt8]
  let start: Int
  let end: Int

  /// The range of the id's bytes. Rows were checked when they came in; a damaged one reads as an empty id.
  @inline(never)
  var idRange: Range<Int> {
    var reader = CBORReader(bytes, from: start, to: end)
    guard (try? reader.array()) != nil, let range = try? reader.textRange() else { return start..<start }
    return range
  }

  @inline(never)
  var id: Text {
    let range = idRange
    return Text(utf8: bytes.bytes(from: range.lowerBound, to: range.upperBound))
  }

  /// Whether its id comes before another's.
  @inline(never)
  func idPrecedes(_ other: RowView) -> Bool { Text.precedes(bytes, idRange, other.bytes, other.idRange) }

  /// The record's share of its scopes' checksums.
  func share(in collection: Int) -> UInt64 {
    let range = idRange
    return bytes.withUnsafeBytes { Hash64.share(of: UnsafeRawBufferPointer(rebasing: $0[range]), in: collection, version: version) }
  }

  var isDeleted: Bool {
    let life = afterID
    return life >= end || bytes[life] >> 5 == 1
  }

  /// Where the item behind the id begins; the row's end when the row is damaged.
  private var afterID: Int {
    // The one-byte heads of an array of six and of an id below 256 bytes, which is every id.
    guard end - start > 2, bytes[start] == 0x86 else { return end }
    let head = bytes[start + 1]
    let position = head < 0x78 ? start + 2 + Int(head & 0x1F) : start + 3 + Int(bytes[start + 2])
    return head >> 5 == 3 && head <= 0x78 ? min(position, end) : end
  }

  /// A reader at the first cell, and how many there are.
  @inline(never)
  var cells: (CBORReader, Int)? {
    var reader = CBORReader(bytes, from: afterID, to: end)
    guard (try? reader.skip()) != nil, let count = try? reader.array() else { return nil }
    return (reader, count)
  }

  /// The home scope's sequence of the last change; 0 when the row is damaged.
  @inline(never)
  var version: Sequence {
    var reader = CBORReader(bytes, from: afterID, to: end)
    guard (try? reader.skip()) != nil, (try? reader.skip()) != nil else { return 0 }
    return (try? reader.uint()) ?? 0
  }

  /// A reader at the cell of a field, or nil when the row has none.
  func cell(_ number: Int) -> CBORReader? {
    guard case (var reader, let count)? = cells, number < count else { return nil }
    for _ in 0..<number { if (try? reader.skip()) == nil { return nil } }
    return reader
  }

  /// The value that a reader sees; null where there is none.
  @inline(never)
  func value(_ number: Int, rule: Rule) -> Value {
    var stampsMin = 0
    guard var reader = cell(number), let cell = try? Cell(from: &reader, &stampsMin) else { return .null }
    return value(of: cell, rule: rule)
  }

  /// The same of one of its cells. Only where somebody has to choose is the whole row decoded, for the stamps of the candidates.
  @inline(never)
  func value(of cell: Cell, rule: Rule) -> Value {
    guard cell.hasCandidates, rule != .addWins else { return cell.value(rule: rule, stamps: []) }
    return row.map { cell.value(rule: rule, stamps: $0.stamps) } ?? .null
  }

  /// Whether it has a collaborative text.
  @inline(never)
  var hasText: Bool {
    guard case (var reader, let count)? = cells else { return false }
    for _ in 0..<count {
      var cell = reader
      if (try? cell.tag()) == Row.textTag { return true }
      if (try? reader.skip()) == nil { return false }
    }
    return false
  }

  /// The whole row, decoded.
  var row: Row? {
    var reader = CBORReader(bytes, from: start, to: end)
    return try? Row(from: &reader)
  }
}
