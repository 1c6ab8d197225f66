// SPDX-License-Identifier: Apache-2.0
// Rows to bytes and back, and a part of a row laid over the rest.

extension Row {
  /// Tag 8 marks a cell whose values carry the stamps that support them, so that a reader needs no declaration to renumber stamps.
  static let supportedTag: UInt64 = 8
  /// Tag 9 is the same for a collaborative text. A part of a row adds to it; of other cells it takes the place.
  static let textTag: UInt64 = 9

  /// The row's deterministic bytes. Cost: one pass over its values.
  public func encode() -> [UInt8] {
    var out = CBORWriter(capacity: 96 + entries.count * 16)
    encode(to: &out)
    return out.finish()
  }

  func encode(to out: inout CBORWriter) {
    out.array(6)
    out.text(id)
    out.int(isDeleted ? -1 - Int64(life) : Int64(life))
    out.array(entries.count)
    for entry in entries {
      switch entry.cell {
      case .absent: out.undefined()
      case .plain(let value): value.encode(to: &out)
      case .supported(let values), .text(let values):
        if case .text = entry.cell { out.tag(Self.textTag) } else { out.tag(Self.supportedTag) }
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
    if entries.allSatisfy({ $0.mark == 0 }) {
      out.array(0)
    } else {
      out.array(entries.count)
      for entry in entries { out.uint(UInt64(entry.mark)) }
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
    (life, isDeleted) = try Self.life(&reader)
    let cellCount = try reader.array()
    entries = []
    entries.reserveCapacity(cellCount)
    // The cells refer to the stamps behind them; whether there are so many is asked when they have come.
    var stampsMin = life + 1
    for _ in 0..<cellCount { entries.append(Entry(cell: try Cell(from: &reader, &stampsMin))) }
    version = try reader.uint()
    let stampCount = try Self.stampCount(&reader, atLeast: stampsMin)
    stamps = []
    stamps.reserveCapacity(stampCount)
    for _ in 0..<stampCount { stamps.append(try Stamp(from: &reader)) }
    for number in 0..<(try Self.markCount(&reader, cellCount)) { entries[number].mark = Int32(try Self.index(&reader, below: stampCount)) }
  }

  /// Moves past what `init(from:)` would read, and refuses what it would refuse, in bytes that are well formed.
  static func check(_ reader: inout CBORReader) throws(DecodeError) {
    guard try reader.array() == 6 else { throw reader.failure(.malformed) }
    _ = try reader.textRange()
    var stampsMin = try life(&reader).index + 1
    let cellCount = try reader.array()
    for _ in 0..<cellCount {
      switch try reader.peek() {
      case .text, .bytes, .double, .bool, .null, .undefined: try reader.skip()
      case .uint, .negative, .array, .map, .tag: _ = try Cell(from: &reader, &stampsMin)
      }
    }
    _ = try reader.uint()
    let stampCount = try stampCount(&reader, atLeast: stampsMin)
    for _ in 0..<stampCount { _ = try Stamp(from: &reader) }
    for _ in 0..<(try markCount(&reader, cellCount)) { _ = try index(&reader, below: stampCount) }
  }

  static func life(_ reader: inout CBORReader) throws(DecodeError) -> (index: Int, isDeleted: Bool) {
    let life = try reader.int()
    guard life.magnitude < 1 << 30 else { throw reader.failure(.outOfRange) }
    return (Int(life < 0 ? -1 - life : life), life < 0)
  }

  static func stampCount(_ reader: inout CBORReader, atLeast min: Int) throws(DecodeError) -> Int {
    let items = try reader.array()
    guard items % 5 == 0 else { throw reader.failure(.malformed) }
    guard items / 5 >= min else { throw reader.failure(.outOfRange) }
    return items / 5
  }

  static func markCount(_ reader: inout CBORReader, _ cellCount: Int) throws(DecodeError) -> Int {
    let count = try reader.array()
    guard count == 0 || count == cellCount else { throw reader.failure(.malformed) }
    return count
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

  @inline(never)
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
  /// - Parameter stampsMin: grows to how many stamps the cell's dots ask for.
  @inline(never)
  init(from reader: inout CBORReader, _ stampsMin: inout Int) throws(DecodeError) {
    switch try reader.peek() {
    case .undefined:
      reader.pass()
      self = .absent
    case .tag:
      let tag = try reader.tag()
      guard tag == Row.supportedTag || tag == Row.textTag else { throw reader.failure(.unexpectedKind) }
      let count = try reader.array()
      var values: [SupportedValue] = []
      values.reserveCapacity(count)
      for _ in 0..<count {
        let items = try reader.array()
        guard items >= 2 else { throw reader.failure(.malformed) }
        let value = try Value(from: &reader)
        var dots: [Int] = []
        dots.reserveCapacity(items - 1)
        for _ in 1..<items {
          let dot = try Row.index(&reader, below: 1 << 30)
          stampsMin = max(stampsMin, dot + 1)
          dots.append(dot)
        }
        values.append(SupportedValue(value: value, dots: dots))
      }
      self = tag == Row.textTag ? .text(values) : .supported(values)
    default: self = .plain(try Value(from: &reader))
    }
  }
}

extension Row {
  /// Completes a row that came from the server by what the device held: of a part, cells that it lacks stay as they were, and edits come
  /// on top of the texts that they belong to.
  /// - Parameter before: nil for a whole row.
  /// - Returns: false when an edit stands on words that are not here; the text is then as it came.
  mutating func complete(from before: Row?) -> Bool {
    var isComplete = true
    let places = before?.stamps.map { index(of: $0) } ?? []
    while entries.count < before?.entries.count ?? 0 { entries.append(Entry()) }
    for number in entries.indices {
      var held = Entry()
      if let before, number < before.entries.count { held = before.entries[number] }
      if case .text(let parts) = entries[number].cell {
        held.cell.renumber { places[$0] }
        if let whole = TextRule.received(parts, over: held.cell) { entries[number].cell = whole } else { isComplete = false }
      } else if entries[number].cell.isAbsent, !held.cell.isAbsent {
        held.cell.renumber { places[$0] }
        entries[number] = Entry(cell: held.cell, mark: Int32(places[Int(held.mark)]))
      }
    }
    dropUnusedStamps()
    return isComplete
  }
}
