// SPDX-License-Identifier: Apache-2.0
// One line of a plan's text, read from left to right. It works on bytes, so that it needs no Unicode tables.

import AloftCore

/// Why a text is not a plan.
public struct PlanError: Error, Sendable {
  /// The first line is 1.
  public var line: Int
  /// What would have been right there, in words.
  public var expected: String
  /// What stands there instead; empty at the end of a line.
  public var found: String

  public var words: String { "line \(line): expected \(expected), found " + (found.isEmpty ? "the end of the line" : "'" + found + "'") }
}

struct PlanLine {
  private let bytes: [UInt8]
  private let number: Int
  private var position = 0

  init(_ bytes: [UInt8], number: Int) {
    self.bytes = bytes
    self.number = number
  }

  /// The rest of the line has nothing but blanks, or is a remark.
  var isAtEnd: Bool {
    let first = bytes[position...].first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }
    return first == nil || first == 0x23
  }

  func error(_ expected: String) -> PlanError {
    let rest = bytes[position...].drop { $0 == 0x20 }
    return PlanError(line: number, expected: expected, found: String(decoding: rest.prefix { $0 != 0x20 }, as: UTF8.self))
  }

  /// Goes past the characters when they stand here.
  mutating func take(_ characters: StaticString) -> Bool {
    let text = Text(characters).utf8
    guard bytes[position...].starts(with: text) else { return false }
    position += text.count
    return true
  }

  mutating func pass(_ characters: StaticString) throws(PlanError) {
    if !take(characters) { throw error("'" + Text(characters).string + "'") }
  }

  /// Goes past the blanks between two words.
  mutating func space() throws(PlanError) {
    let start = position
    while position < bytes.count, bytes[position] == 0x20 { position += 1 }
    if position == start { throw error("a space") }
  }

  mutating func end() throws(PlanError) {
    if !isAtEnd { throw error("the end of the line") }
  }

  /// Letters and hyphens; empty when none stand here.
  mutating func word() -> Text {
    let start = position
    while position < bytes.count, Self.isLetter(bytes[position]) || bytes[position] == 0x2D && position > start && endsInLetter(position) { position += 1 }
    return Text(utf8: Array(bytes[start..<position]))
  }

  private static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A }

  /// Whether a hyphen joins two words, rather than being a sign before a number.
  private func endsInLetter(_ hyphen: Int) -> Bool { hyphen + 1 < bytes.count && Self.isLetter(bytes[hyphen + 1]) }

  mutating func number(_ expected: String, in range: ClosedRange<Int64>) throws(PlanError) -> Int64 {
    let start = position
    let isNegative = take("-")
    guard let magnitude = digits(), let value = Int64(exactly: magnitude).map({ isNegative ? -$0 : $0 }), range.contains(value) else {
      position = start
      throw error("\(expected) from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  mutating func index(_ expected: String, below count: Int) throws(PlanError) -> Int {
    if count == 0 { throw error("no \(expected), for the plan has none") }
    return Int(try number(expected, in: 0...Int64(count - 1)))
  }

  /// Any number that 64 bits hold.
  mutating func magnitude(_ expected: String) throws(PlanError) -> UInt64 {
    let start = position
    guard let value = digits() else {
      position = start
      throw error(expected)
    }
    return value
  }

  private mutating func digits() -> UInt64? {
    var value: UInt64 = 0
    let start = position
    while position < bytes.count, bytes[position] >= 0x30, bytes[position] <= 0x39 {
      let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, isOver) = tens.addingReportingOverflow(UInt64(bytes[position] - 0x30))
      if isTooLarge || isOver { return nil }
      value = sum
      position += 1
    }
    return position == start ? nil : value
  }
}
