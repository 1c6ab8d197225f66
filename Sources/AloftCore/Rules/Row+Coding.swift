// SPDX-License-Identifier: Apache-2.0
// Rows to bytes and back, and the part of a row that changed after a cursor.

extension Row {
  /// Tag 8 marks a cell whose values carry the stamps that support them, so that a reader needs no declaration to renumber stamps.
  static let supportedTag: UInt64 = 8

  /// The row's deterministic bytes. Cost: one pass over its values.
  public func encode() -> [UInt8] {
    var out = CBORWriter(capacity: 96 + cells.count * 16)
    encode(to: &out)
    return out.finish()
  }

  func encode(to out: inout CBORWriter) {
    out.array(6)
    out.text(id)
    out.int(isDeleted ? -1 - Int64(life) : Int64(life))
    out.array(cells.count)
    for cell in cells {
      switch cell {
      case .absent: out.undefined()
      case .plain(let value): value.encode(to: &out)
      case .supported(let values):
        out.tag(Self.supportedTag)
        out.array(values.count)
        for value in values {
          out.array(1 + value.dots.count)
          value.value.encode(to: &out)
          for dot in value.dots { out.uint(UInt64(dot)) }
        }
      }
    }
    out.uint(version)
    out.array(stamps.count * 5)
    for stamp in stamps { stamp.encode(to: &out) }
    if marks.allSatisfy({ $0 == 0 }) {
      out.array(0)
    } else {
      out.array(marks.count)
      for mark in marks { out.uint(UInt64(mark)) }
    }
  }

  public init(bytes: [UInt8]) throws(DecodeError) {
    var reader = CBORReader(bytes)
    try self.init(from: &reader)
    guard reader.isAtEnd else { throw reader.failure(.trailingBytes) }
  }

  public init(from reader: inout CBORReader) throws(DecodeError) {
    guard try reader.array() == 6 else { throw reader.failure(.malformed) }
    id = try reader.text()
    let life = try reader.int()
    isDeleted = life < 0
    guard life.magnitude < 1 << 30 else { throw reader.failure(.outOfRange) }
    self.life = Int(life < 0 ? -1 - life : life)
    // The cells refer to the stamps behind them.
    var cellReader = reader
    try reader.skip()
    version = try reader.uint()
    let stampItems = try reader.array()
    guard stampItems > 0, stampItems % 5 == 0 else { throw reader.failure(.malformed) }
    stamps = []
    stamps.reserveCapacity(stampItems / 5)
    for _ in 0..<stampItems / 5 { stamps.append(try Stamp(from: &reader)) }
    guard self.life < stamps.count else { throw reader.failure(.outOfRange) }
    let markCount = try reader.array()
    marks = []
    for _ in 0..<markCount { marks.append(try Self.index(&reader, below: stamps.count)) }
    let cellCount = try cellReader.array()
    guard markCount == 0 || markCount == cellCount else { throw reader.failure(.malformed) }
    if markCount == 0 { marks = [Int](repeating: 0, count: cellCount) }
    cells = []
    cells.reserveCapacity(cellCount)
    for _ in 0..<cellCount { cells.append(try Cell(from: &cellReader, stampCount: stamps.count)) }
  }

  static func index(_ reader: inout CBORReader, below bound: Int) throws(DecodeError) -> Int {
    let value = try reader.uint()
    guard value < UInt64(bound) else { throw reader.failure(.outOfRange) }
    return Int(value)
  }
}

extension Stamp {
  func encode(to out: inout CBORWriter) {
    out.uint(time.milliseconds)
    out.uint(UInt64(time.counter))
    out.device(mutation.device)
    out.uint(mutation.n)
    out.uint(sequence)
  }

  init(from reader: inout CBORReader) throws(DecodeError) {
    let milliseconds = try reader.uint()
    let counter = try reader.uint()
    guard counter <= UInt64(UInt32.max) else { throw reader.failure(.outOfRange) }
    let device = try reader.device()
    let n = try reader.uint()
    self.init(
      time: HybridTime(milliseconds: milliseconds, counter: UInt32(counter)), mutation: MutationID(device: device, n: n),
      sequence: try reader.uint())
  }
}

extension Cell {
  init(from reader: inout CBORReader, stampCount: Int) throws(DecodeError) {
    switch try reader.peek() {
    case .undefined:
      try reader.skip()
      self = .absent
    case .tag:
      guard try reader.tag() == Row.supportedTag else { throw reader.failure(.unexpectedKind) }
      var values: [SupportedValue] = []
      for _ in 0..<(try reader.array()) {
        let items = try reader.array()
        guard items >= 2 else { throw reader.failure(.malformed) }
        let value = try Value(from: &reader)
        var dots: [Int] = []
        for _ in 1..<items { dots.append(try Row.index(&reader, below: stampCount)) }
        values.append(SupportedValue(value: value, dots: dots))
      }
      self = .supported(values)
    default: self = .plain(try Value(from: &reader))
    }
  }
}

extension Row {
  /// The row without the cells that did not change after `cursor` or that may not be seen; nil when the whole row is the answer.
  func part(after cursor: Sequence, isVisible: (Int) -> Bool) -> Row? {
    var part = self
    var isWhole = true
    for number in cells.indices where cells[number] != .absent {
      let isOld = stamps[marks[number]].sequence <= cursor && cursor > 0
      if isOld || !isVisible(number) {
        part.cells[number] = .absent
        isWhole = false
      }
    }
    if isWhole { return nil }
    part.dropUnusedStamps()
    return part
  }

  /// Lays a partial row over this one: cells that the part lacks stay.
  mutating func absorb(_ part: Row) {
    let before = self
    self = part
    while cells.count < before.cells.count {
      cells.append(.absent)
      marks.append(0)
    }
    for number in before.cells.indices where cells[number] == .absent && before.cells[number] != .absent {
      if case .supported(let values) = before.cells[number] {
        let moved = values.map { value in
          SupportedValue(value: value.value, dots: value.dots.map { index(of: before.stamps[$0]) })
        }
        write(.supported(moved), to: number, by: before.stamps[before.marks[number]])
      } else {
        write(before.cells[number], to: number, by: before.stamps[before.marks[number]])
      }
    }
  }
}
