// SPDX-License-Identifier: Apache-2.0
// Sixteen bytes that order values: comparing two keys decides almost every comparison without touching the rows.

/// An order-preserving prefix of a value. Equal keys of inexact values must be settled by the values themselves.
struct SortKey: Equatable, Comparable {
  var high: UInt64
  var low: UInt64
  /// Whether the key holds all of the value.
  var isExact: Bool

  static func < (a: SortKey, b: SortKey) -> Bool { a.high == b.high ? a.low < b.low : a.high < b.high }

  static let null = SortKey(high: 0, low: 0, isExact: true)

  init(high: UInt64, low: UInt64, isExact: Bool) {
    self.high = high
    self.low = low
    self.isExact = isExact
  }

  init(_ value: Value) {
    switch value {
    case .null: self = .null
    case .bool(let value): self.init(high: value ? 2 << 56 : 1 << 56, low: 0, isExact: true)
    case .int(let value): self.init(number: Double(value))
    case .double(let value): self.init(number: value)
    case .text(let text): self.init(tag: 4, text.utf8, from: 0, to: text.utf8.count)
    case .bytes(let bytes): self.init(tag: 5, bytes, from: 0, to: bytes.count)
    case .array: self.init(high: 6 << 56, low: 0, isExact: false)
    }
  }

  /// Integers in the allowed range are exact as doubles, so one order serves both.
  init(number: Double) {
    let bits = (number == 0 ? 0 : number).bitPattern
    let ordered = bits >> 63 == 1 ? ~bits : bits | 1 << 63
    self.init(high: 3 << 56 | ordered >> 8, low: ordered << 56, isExact: true)
  }

  /// Fifteen bytes of text; a text of at most fourteen is told apart from every longer one.
  init(tag: UInt64, _ bytes: [UInt8], from start: Int, to end: Int) {
    var high = tag << 56
    var low: UInt64 = 0
    var index = 0
    let count = end - start
    while index < 7 && index < count {
      high |= UInt64(bytes[start + index]) << UInt64(48 - index * 8)
      index += 1
    }
    while index < 15 && index < count {
      low |= UInt64(bytes[start + index]) << UInt64(56 - (index - 7) * 8)
      index += 1
    }
    self.init(high: high, low: low, isExact: count <= 14)
  }

  /// The key of a field of an encoded row; no allocation for simple values.
  init(_ view: RowView, _ number: Int, rule: Rule) {
    guard var reader = view.cell(number), let kind = try? reader.peek() else {
      self = .null
      return
    }
    switch kind {
    case .text:
      guard let range = try? reader.textRange() else { fallthrough }
      self.init(tag: 4, view.bytes, from: range.lowerBound, to: range.upperBound)
    case .uint, .negative: self.init(number: Double((try? reader.int()) ?? 0))
    default: self.init(view.value(number, rule: rule))
    }
  }
}
