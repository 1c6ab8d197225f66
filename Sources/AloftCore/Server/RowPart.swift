// SPDX-License-Identifier: Apache-2.0
// Copies a part of an encoded row without decoding its values: what a reader lacks and may see.

/// Where the parts of an encoded row lie.
struct RowLayout {
  private struct Cell {
    /// Empty where the field was never written.
    var bytes: Range<Int>
    /// Whether its values carry dots.
    var isSupported = false
    /// Of a collaborative text only what came after this place in the log is written, and how many values that is.
    var after: Sequence?
    var keptCount: Int?
    var mark = 0
  }

  private struct Stamp {
    var bytes: Range<Int>
    var sequence: Sequence
  }

  private let row: [UInt8]
  private var id = 0..<0
  private var isDeleted = false
  private var life = 0
  private var version: Sequence = 0
  private var cells: [Cell] = []
  private var stamps: [Stamp] = []

  init(_ row: [UInt8]) throws(DecodeError) {
    self.row = row
    var reader = CBORReader(row)
    guard try reader.array() == 6 else { throw reader.failure(.malformed) }
    id = try Self.item(&reader)
    (life, isDeleted) = try Row.life(&reader)
    let cellCount = try reader.array()
    cells.reserveCapacity(cellCount)
    for _ in 0..<cellCount {
      let kind = try reader.peek()
      let bytes = try Self.item(&reader)
      cells.append(Cell(bytes: kind == .undefined ? bytes.lowerBound..<bytes.lowerBound : bytes, isSupported: kind == .tag))
    }
    version = try reader.uint()
    let stampCount = try Row.stampCount(&reader, atLeast: life + 1)
    stamps.reserveCapacity(stampCount)
    for _ in 0..<stampCount {
      let start = reader.position
      for _ in 0..<4 { try reader.skip() }
      let sequence = try reader.uint()
      stamps.append(Stamp(bytes: start..<reader.position, sequence: sequence))
    }
    for number in 0..<(try Row.markCount(&reader, cellCount)) {
      cells[number].mark = try Row.index(&reader, below: stampCount)
    }
  }

  private static func item(_ reader: inout CBORReader) throws(DecodeError) -> Range<Int> {
    let start = reader.position
    try reader.skip()
    return start..<reader.position
  }

  /// Whether something of the row was there at a place in the log of its home scope.
  func isKnown(at cursor: Sequence) -> Bool { stamps.contains { $0.sequence <= cursor } }

  /// Takes away the cells that did not change after `cursor` or that may not be seen; false when the whole row is the answer.
  mutating func narrow(after cursor: Sequence, isVisible: (Int) -> Bool) throws(DecodeError) -> Bool {
    var isNarrower = false
    for number in cells.indices where !cells[number].bytes.isEmpty {
      let isOld = stamps[cells[number].mark].sequence <= cursor && cursor > 0
      if isOld || !isVisible(number) {
        cells[number].bytes = 0..<0
        isNarrower = true
      } else if cells[number].isSupported && cursor > 0 {
        isNarrower = try narrow(&cells[number], after: cursor) || isNarrower
      }
    }
    return isNarrower
  }

  /// Leaves of a collaborative text what came after `cursor`; false when that is all of it, or the cell holds something else.
  private func narrow(_ cell: inout Cell, after cursor: Sequence) throws(DecodeError) -> Bool {
    var reader = CBORReader(row, from: cell.bytes.lowerBound, to: cell.bytes.upperBound)
    guard try reader.tag() == Row.textTag else { return false }
    cell.after = cursor
    let count = try reader.array()
    var kept = 0
    for _ in 0..<count { if try part(&reader, cell).isKept { kept += 1 } }
    cell.keptCount = kept
    return kept < count
  }

  /// Moves past a value with dots.
  private func part(_ reader: inout CBORReader, _ cell: Cell) throws(DecodeError) -> (value: Range<Int>, dots: [Int], isKept: Bool) {
    let items = try reader.array()
    let value = try Self.item(&reader)
    var dots: [Int] = []
    for _ in 1..<max(items, 1) { dots.append(try dot(&reader)) }
    return (value, dots, cell.after.map { after in dots.contains { stamps[$0].sequence > after } } ?? true)
  }

  /// Writes what is left, with the stamps that it needs, as `Row.encode` would.
  func encode(to out: inout CBORWriter) throws(DecodeError) {
    var used = IndexSet()
    used.insert(life)
    for cell in cells where !cell.bytes.isEmpty {
      used.insert(cell.mark)
      if cell.isSupported { try noteDots(of: cell, in: &used) }
    }
    out.array(6)
    out.raw(row, id)
    let life = Int64(used.rank(life))
    out.int(isDeleted ? -1 - life : life)
    out.array(cells.count)
    for cell in cells {
      if cell.bytes.isEmpty { out.undefined() } else if cell.isSupported { try copy(cell, used, to: &out) } else { out.raw(row, cell.bytes) }
    }
    out.uint(version)
    out.array(used.rank(stamps.count) * 5)
    for index in stamps.indices where used.contains(index) { out.raw(row, stamps[index].bytes) }
    let isMarked = cells.contains { used.contains($0.mark) && used.rank($0.mark) > 0 }
    out.array(isMarked ? cells.count : 0)
    if isMarked { for cell in cells { out.uint(used.contains(cell.mark) ? UInt64(used.rank(cell.mark)) : 0) } }
  }

  private func noteDots(of cell: Cell, in used: inout IndexSet) throws(DecodeError) {
    try parts(of: cell) { _, dots in for dot in dots { used.insert(dot) } }
  }

  /// Copies a cell whose values carry dots, and gives these their new numbers.
  private func copy(_ cell: Cell, _ used: IndexSet, to out: inout CBORWriter) throws(DecodeError) {
    var reader = CBORReader(row, from: cell.bytes.lowerBound, to: cell.bytes.upperBound)
    out.tag(try reader.tag())
    let count = try reader.array()
    out.array(cell.keptCount ?? count)
    try parts(of: cell) { value, dots in
      out.array(1 + dots.count)
      out.raw(row, value)
      for dot in dots { out.uint(UInt64(used.rank(dot))) }
    }
  }

  /// The values of a cell that are to be written, with their dots.
  private func parts(of cell: Cell, _ body: (Range<Int>, [Int]) -> Void) throws(DecodeError) {
    var reader = CBORReader(row, from: cell.bytes.lowerBound, to: cell.bytes.upperBound)
    _ = try reader.tag()
    for _ in 0..<(try reader.array()) {
      let (value, dots, isKept) = try part(&reader, cell)
      if isKept { body(value, dots) }
    }
  }

  private func dot(_ reader: inout CBORReader) throws(DecodeError) -> Int { try Row.index(&reader, below: stamps.count) }
}
