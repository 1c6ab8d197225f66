// SPDX-License-Identifier: Apache-2.0
// The bytes that cross the wasm border: little-endian numbers in, frames out.
import AloftCore

/// Reads the input of an operation.
struct ByteReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func word16() throws(Refusal) -> UInt16 { UInt16(try number(2)) }
  mutating func word32() throws(Refusal) -> UInt32 { UInt32(try number(4)) }
  mutating func word64() throws(Refusal) -> UInt64 { try number(8) }

  private mutating func number(_ width: Int) throws(Refusal) -> UInt64 {
    guard bytes.count - position >= width else { throw Refusal("malformed", "the input ends too early") }
    var value: UInt64 = 0
    for index in 0..<width { value |= UInt64(bytes[position + index]) << UInt64(index * 8) }
    position += width
    return value
  }

  mutating func rest() -> [UInt8] {
    defer { position = bytes.count }
    return position == 0 ? bytes : bytes.bytes(from: position, to: bytes.count)
  }

  mutating func logRows() throws(Refusal) -> [LogRow] {
    var rows: [LogRow] = []
    while position < bytes.count {
      let sequence = try word64()
      let length = Int(try word32())
      guard length <= bytes.count - position else { throw Refusal("malformed", "a log row is cut off") }
      rows.append(LogRow(sequence: sequence, bytes: bytes.bytes(from: position, to: position + length)))
      position += length
    }
    return rows
  }
}

/// Writes effects: kind, length, payload.
struct FrameWriter {
  private(set) var bytes: [UInt8] = []

  /// Makes room for the rows of a large write at once.
  mutating func reserve(for effects: [ClientEffect]) {
    var size = 256
    for effect in effects {
      if case .persist(_, _, let rows) = effect { for row in rows { size += row.count + 4 } }
      if case .send(let body) = effect { size += body.count + 5 }
    }
    bytes.reserveCapacity(size)
  }

  mutating func result(_ json: [UInt8]) { frame(0) { out in out.put(json) } }
  mutating func notify(_ json: [UInt8]) { frame(4) { out in out.put(json) } }

  mutating func write(_ effect: ClientEffect) {
    switch effect {
    case .persist(let first, let isStrict, let rows):
      frame(1) { out in
        Self.append(first, 8, to: &out)
        out.append(isStrict ? 1 : 0)
        Self.append(UInt64(rows.count), 4, to: &out)
        for row in rows { Self.appendBlock(row, to: &out) }
      }
    case .send(let body): frame(2) { out in out.put(body) }
    case .timer(let milliseconds): frame(3) { out in Self.append(UInt64(milliseconds ?? .max), 4, to: &out) }
    case .notify: break
    case .wantCompact: frame(5) { _ in }
    case .compact(let compaction):
      frame(6) { out in
        Self.append(compaction.expectedGeneration, 8, to: &out)
        Self.append(compaction.generation, 8, to: &out)
        Self.append(compaction.deleteThrough, 8, to: &out)
        Self.appendBlock(compaction.state, to: &out)
        Self.append(UInt64(compaction.pages.count), 4, to: &out)
        for page in compaction.pages {
          Self.append(UInt64(page.number), 4, to: &out)
          Self.appendBlock(page.bytes, to: &out)
        }
        Self.append(UInt64(compaction.removed.count), 4, to: &out)
        for page in compaction.removed { Self.append(UInt64(page), 4, to: &out) }
      }
    }
  }

  private mutating func frame(_ kind: UInt8, _ payload: (inout [UInt8]) -> Void) {
    bytes.append(kind)
    let lengthAt = bytes.count
    Self.append(0, 4, to: &bytes)
    payload(&bytes)
    let length = bytes.count - lengthAt - 4
    for index in 0..<4 { bytes[lengthAt + index] = UInt8(truncatingIfNeeded: length >> (index * 8)) }
  }

  private static func appendBlock(_ block: [UInt8], to out: inout [UInt8]) {
    append(UInt64(block.count), 4, to: &out)
    out.put(block)
  }

  private static func append(_ value: UInt64, _ width: Int, to out: inout [UInt8]) {
    for index in 0..<width { out.append(UInt8(truncatingIfNeeded: value >> UInt64(index * 8))) }
  }
}
