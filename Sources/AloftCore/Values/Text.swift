// SPDX-License-Identifier: Apache-2.0
// Text as its UTF-8 bytes: compared, hashed and ordered byte by byte on every platform.
//
// Why not String: String compares by Unicode equivalence, which needs 40 KB of tables in the browser module and lets
// two texts that differ in bytes count as one. Data must be what was written.

/// UTF-8 text whose equality and order are those of its bytes (which is also the order of its Unicode scalars).
public struct Text: Hashable, Comparable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  /// The bytes; always valid UTF-8 when they came through a decoder of this package.
  public var utf8: [UInt8]

  public init(utf8: [UInt8]) { self.utf8 = utf8 }
  public init(_ string: String) { utf8 = Array(string.utf8) }
  public init(_ string: StaticString) {
    utf8 = []
    string.withUTF8Buffer { utf8.put($0) }
  }
  public init(stringLiteral value: String) { utf8 = Array(value.utf8) }

  public var description: String { string }

  /// The same text as a String. Costs a copy.
  public var string: String { String(decoding: utf8, as: UTF8.self) }

  public static func < (a: Text, b: Text) -> Bool { Text.precedes(a.utf8, b.utf8) }

  /// Whether the text's bytes are those of a range.
  func isEqual(to bytes: [UInt8], _ range: Range<Int>) -> Bool {
    guard range.count == utf8.count else { return false }
    var index = 0
    while index < utf8.count {
      if utf8[index] != bytes[range.lowerBound + index] { return false }
      index += 1
    }
    return true
  }

  static func precedes(_ a: [UInt8], _ b: [UInt8]) -> Bool { precedes(a, a.indices, b, b.indices) }

  /// The same of two ranges of bytes.
  @inline(never)
  static func precedes(_ a: [UInt8], _ first: Range<Int>, _ b: [UInt8], _ second: Range<Int>) -> Bool {
    let shared = min(first.count, second.count)
    var index = 0
    while index < shared {
      let (x, y) = (a[first.lowerBound + index], b[second.lowerBound + index])
      if x != y { return x < y }
      index += 1
    }
    return first.count < second.count
  }

  @_disfavoredOverload  // so that a literal is compared in place, without an allocation
  public static func == (a: Text, b: Text) -> Bool { a.utf8 == b.utf8 }
  public static func == (a: Text, b: StaticString) -> Bool {
    guard a.utf8.count == b.utf8CodeUnitCount else { return false }
    return b.withUTF8Buffer { buffer in
      var index = 0
      while index < buffer.count {
        if buffer[index] != a.utf8[index] { return false }
        index += 1
      }
      return true
    }
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(Hash64.of(utf8)) }

  /// Whether bytes are well-formed UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF).
  public static func isValidUTF8(_ bytes: [UInt8], from start: Int, to end: Int) -> Bool {
    bytes.withUnsafeBufferPointer { isValidUTF8($0, from: start, to: end) }
  }

  @inline(__always)
  private static func isASCII(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int) -> Bool {
    UnsafeRawPointer(bytes.baseAddress! + index).loadUnaligned(as: UInt64.self) & 0x8080_8080_8080_8080 == 0
  }

  @inline(never)
  static func isValidUTF8(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int) -> Bool {
    precondition(start >= 0 && start <= end && end <= bytes.count, "text outside the bytes")
    var index = start
    while index < end {
      let first = bytes[index]
      if first < 0x80 {
        // Most text is ASCII: eight bytes at a time while it lasts, the last eight perhaps in part once more.
        while index + 8 <= end, isASCII(bytes, index) { index += 8 }
        if index + 8 > end, end - start >= 8, isASCII(bytes, end - 8) { return true }
        while index < end, bytes[index] < 0x80 { index += 1 }
        continue
      }
      var length = 0
      var low: UInt8 = 0x80
      var high: UInt8 = 0xBF
      switch first {
      case 0xC2...0xDF: length = 1
      case 0xE0: (length, low) = (2, 0xA0)
      case 0xED: (length, high) = (2, 0x9F)
      case 0xE1...0xEF: length = 2
      case 0xF0: (length, low) = (3, 0x90)
      case 0xF4: (length, high) = (3, 0x8F)
      case 0xF1...0xF3: length = 3
      default: return false
      }
      guard index + length < end, bytes[index + 1] >= low, bytes[index + 1] <= high else { return false }
      var step = 2
      while step <= length {
        if bytes[index + step] & 0xC0 != 0x80 { return false }
        step += 1
      }
      index += length + 1
    }
    return true
  }
}
