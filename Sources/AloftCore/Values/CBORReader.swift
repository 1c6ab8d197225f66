// SPDX-License-Identifier: Apache-2.0
// Reads CBOR from bytes that nobody vouches for: every read is bounds-checked and fails with a place and a reason.

/// Why bytes could not be decoded, and where.
public struct DecodeError: Error, Equatable, Sendable {
  public enum Reason: Sendable {
    case truncated, unexpectedKind, tooDeep, tooMany, invalidText, outOfRange, malformed, trailingBytes
  }
  public var reason: Reason
  /// The offset in the bytes given to the decoder.
  public var position: Int

  /// What a person can act on.
  public var message: Text {
    let what: String =
      switch reason {
      case .truncated: "the bytes end in the middle of an item"
      case .unexpectedKind: "an item of another kind was expected here"
      case .tooDeep: "the nesting is deeper than 32 levels"
      case .tooMany: "a count is larger than the bytes that follow"
      case .invalidText: "text is not valid UTF-8"
      case .outOfRange: "a number is outside the range allowed here"
      case .malformed: "the bytes are not well formed"
      case .trailingBytes: "bytes follow the end of the item"
      }
    return Text(what + " (at byte " + decimal(position) + ")")
  }
}

/// A position in CBOR bytes. A copy is a bookmark.
public struct CBORReader: Sendable {
  public enum Kind: Sendable { case uint, negative, bytes, text, array, map, tag, bool, null, undefined, double }

  /// The deepest nesting that `checkWellFormed` accepts.
  public static let depthMax = 32

  let input: [UInt8]
  public private(set) var position: Int
  let end: Int

  public init(_ input: [UInt8]) { self.init(input, from: 0, to: input.count) }

  public init(_ input: [UInt8], from start: Int, to end: Int) {
    precondition(start >= 0 && start <= end && end <= input.count, "CBOR range outside the bytes")
    self.input = input
    position = start
    self.end = end
  }

  public var isAtEnd: Bool { position == end }

  /// Goes on behind bytes that were read by other means.
  mutating func move(to position: Int) {
    precondition(position >= self.position && position <= end, "CBOR position outside the bytes")
    self.position = position
  }

  public func failure(_ reason: DecodeError.Reason) -> DecodeError { DecodeError(reason: reason, position: position) }

  /// What kind of item comes next, without moving.
  #if !hasFeature(Embedded)
  @inline(__always)
  #endif
  public func peek() throws(DecodeError) -> Kind {
    guard position < end else { throw failure(.truncated) }
    let byte = input[position]
    switch byte >> 5 {
    case 0: return .uint
    case 1: return .negative
    case 2: return .bytes
    case 3: return .text
    case 4: return .array
    case 5: return .map
    case 6: return .tag
    default:
      switch byte {
      case 0xF4, 0xF5: return .bool
      case 0xF6: return .null
      case 0xF7: return .undefined
      case 0xF9, 0xFA, 0xFB: return .double
      default: throw failure(.malformed)
      }
    }
  }

  public mutating func uint() throws(DecodeError) -> UInt64 { try expect(0) }

  public mutating func int() throws(DecodeError) -> Int64 {
    guard position < end else { throw failure(.truncated) }
    let start = position
    let negative = input[position] >> 5 == 1
    let value = try expect(negative ? 1 : 0)
    guard value <= UInt64(Int64.max) else { throw DecodeError(reason: .outOfRange, position: start) }
    return negative ? -1 - Int64(value) : Int64(value)
  }

  public mutating func bytes() throws(DecodeError) -> [UInt8] {
    let length = try length(2)
    defer { position += length }
    return input.bytes(from: position, to: position + length)
  }

  /// Reads a byte string of exactly 16 bytes as a device's identity, in place.
  mutating func device() throws(DecodeError) -> DeviceID {
    guard try length(2) == 16 else { throw failure(.outOfRange) }
    let device = input.withUnsafeBytes { bytes in
      DeviceID(
        high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)),
        low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self)))
    }
    position += 16
    return device
  }

  public mutating func text() throws(DecodeError) -> Text {
    let length = try length(3)
    guard Text.isValidUTF8(input, from: position, to: position + length) else { throw failure(.invalidText) }
    defer { position += length }
    return Text(utf8: input.bytes(from: position, to: position + length))
  }

  /// Copies a byte string or a checked text to a writer, with the shortest head; no allocation.
  mutating func copyString(to out: inout CBORWriter) throws(DecodeError) {
    let isText = try peek() == .text
    let length = try length(isText ? 3 : 2)
    if isText, !Text.isValidUTF8(input, from: position, to: position + length) { throw failure(.invalidText) }
    out.string(isText: isText, input, from: position, to: position + length)
    position += length
  }

  /// Reads text and tells whether it is the expected one; no allocation.
  public mutating func text(is expected: StaticString) throws(DecodeError) -> Bool {
    let length = try length(3)
    defer { position += length }
    guard length == expected.utf8CodeUnitCount else { return false }
    return expected.withUTF8Buffer { buffer in
      var index = 0
      while index < length {
        if buffer[index] != input[position + index] { return false }
        index += 1
      }
      return true
    }
  }

  /// Whether the bytes of a range spell a word.
  func spells(_ word: StaticString, _ range: Range<Int>) -> Bool {
    guard range.count == word.utf8CodeUnitCount else { return false }
    return word.withUTF8Buffer { buffer in
      for index in 0..<buffer.count where buffer[index] != input[range.lowerBound + index] { return false }
      return true
    }
  }

  /// Reads text and gives the range of its bytes; no allocation and no check of the UTF-8.
  mutating func textRange() throws(DecodeError) -> Range<Int> {
    let length = try length(3)
    defer { position += length }
    return position..<position + length
  }

  /// The text whose bytes `textRange` gave.
  func text(at range: Range<Int>) -> Text { Text(utf8: input.bytes(from: range.lowerBound, to: range.upperBound)) }

  public mutating func array() throws(DecodeError) -> Int { try count(4, shift: 0) }
  public mutating func map() throws(DecodeError) -> Int { try count(5, shift: 1) }
  public mutating func tag() throws(DecodeError) -> UInt64 { try expect(6) }

  public mutating func bool() throws(DecodeError) -> Bool {
    guard position < end else { throw failure(.truncated) }
    let byte = input[position]
    guard byte == 0xF4 || byte == 0xF5 else { throw failure(.unexpectedKind) }
    position += 1
    return byte == 0xF5
  }

  /// Reads a float of any width.
  public mutating func double() throws(DecodeError) -> Double {
    guard position < end else { throw failure(.truncated) }
    let byte = input[position]
    guard byte >= 0xF9, byte <= 0xFB else { throw failure(.unexpectedKind) }
    let bits = try argument()
    switch byte {
    case 0xFB: return Double(bitPattern: bits)
    case 0xFA: return Double(Float(bitPattern: UInt32(bits)))
    default: return Self.fromHalf(UInt16(bits))
    }
  }

  /// Moves past an item of one byte, where `peek` has seen one: null or undefined.
  mutating func pass() { position += 1 }

  /// Moves past one item, however nested, without recursion and without memory.
  public mutating func skip() throws(DecodeError) {
    var remaining = 1
    while remaining > 0 {
      remaining -= 1
      guard position < end else { throw failure(.truncated) }
      let major = input[position] >> 5
      let value = try argument()
      switch major {
      case 2, 3:
        guard value <= UInt64(end - position) else { throw failure(.truncated) }
        position += Int(value)
      case 4, 5:
        guard value <= UInt64(end - position) else { throw failure(.tooMany) }
        remaining += Int(value) * (major == 5 ? 2 : 1)
      case 6: remaining += 1
      default: break
      }
    }
  }

  /// Checks that exactly one well-formed item fills the bytes: lengths, depth at most 32, valid text. Linear time.
  public static func checkWellFormed(_ input: [UInt8]) throws(DecodeError) {
    var reader = CBORReader(input)
    // How many items are left in the innermost container, and in those around it.
    var left = 1
    var outer: [Int] = []
    while true {
      while left == 0, let next = outer.popLast() { left = next }
      if left == 0 { break }
      left -= 1
      let start = reader.position
      guard start < reader.end else { throw reader.failure(.truncated) }
      let head = input[start]
      let value = try reader.argument()
      let rest = UInt64(reader.end - reader.position)
      let items: Int
      switch head >> 5 {
      case 0, 1: continue
      case 2, 3:
        guard value <= rest else { throw DecodeError(reason: .truncated, position: start) }
        let text = reader.position
        reader.position += Int(value)
        guard head >> 5 == 2 || Text.isValidUTF8(input, from: text, to: reader.position) else {
          throw DecodeError(reason: .invalidText, position: text)
        }
        continue
      case 4, 5:
        let shift = UInt64(head >> 5 & 1)
        guard value <= rest >> shift else { throw DecodeError(reason: .tooMany, position: start) }
        items = Int(value << shift)
      case 6: items = 1
      default:
        guard head >= 0xF4 && head <= 0xF7 || head >= 0xF9 && head <= 0xFB else { throw DecodeError(reason: .malformed, position: start) }
        continue
      }
      outer.append(left)
      left = items
      guard outer.count <= depthMax else { throw DecodeError(reason: .tooDeep, position: start) }
    }
    guard reader.isAtEnd else { throw reader.failure(.trailingBytes) }
  }

  // Out of line only where each copy is downloaded.
  #if hasFeature(Embedded)
  @inline(never)
  #else
  @inline(__always)
  #endif
  private mutating func expect(_ major: UInt8) throws(DecodeError) -> UInt64 {
    guard position < end else { throw failure(.truncated) }
    let head = input[position]
    guard head >> 5 == major else { throw failure(.unexpectedKind) }
    return try argument()
  }

  #if !hasFeature(Embedded)
  @inline(__always)
  #endif
  private mutating func length(_ major: UInt8) throws(DecodeError) -> Int {
    let start = position
    let value = try expect(major)
    guard value <= UInt64(end - position) else { throw DecodeError(reason: .truncated, position: start) }
    return Int(value)
  }

  #if !hasFeature(Embedded)
  @inline(__always)
  #endif
  private mutating func count(_ major: UInt8, shift: UInt64) throws(DecodeError) -> Int {
    let start = position
    let value = try expect(major)
    // Each item takes at least one byte, so a count above the rest is a lie: refuse before allocating for it.
    guard value <= UInt64(end - position) >> shift else { throw DecodeError(reason: .tooMany, position: start) }
    return Int(value)
  }

  @inline(__always)
  private mutating func argument() throws(DecodeError) -> UInt64 {
    let low = input[position] & 0x1F
    position += 1
    return low < 24 ? UInt64(low) : try longArgument(low)
  }

  /// An argument that lies behind its head, out of line: most do not.
  @inline(never)
  private mutating func longArgument(_ low: UInt8) throws(DecodeError) -> UInt64 {
    guard low < 28 else { throw DecodeError(reason: .malformed, position: position - 1) }
    let width = 1 << Int(low - 24)
    guard width <= end - position else { throw DecodeError(reason: .truncated, position: position - 1) }
    let start = position
    position += width
    return input.withUnsafeBytes { bytes in
      // That the bytes are there was checked above.
      let place = bytes.baseAddress! + start
      return switch low {
      case 24: UInt64(place.loadUnaligned(as: UInt8.self))
      case 25: UInt64(UInt16(bigEndian: place.loadUnaligned(as: UInt16.self)))
      case 26: UInt64(UInt32(bigEndian: place.loadUnaligned(as: UInt32.self)))
      default: UInt64(bigEndian: place.loadUnaligned(as: UInt64.self))
      }
    }
  }

  private static func fromHalf(_ bits: UInt16) -> Double {
    let sign: Double = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 0x1F)
    let fraction = Double(bits & 0x3FF)
    if exponent == 31 { return fraction == 0 ? sign * .infinity : .nan }
    if exponent == 0 { return sign * fraction * 0x1p-24 }
    return sign * (1 + fraction / 1024) * Double(sign: .plus, exponent: exponent - 15, significand: 1)
  }
}

/// A number in decimal digits.
func decimal(_ value: Int) -> String { decimal(Int64(value)) }

func decimal(_ value: Int64) -> String {
  var digits: [UInt8] = []
  appendDecimal(value, to: &digits)
  return String(decoding: digits, as: UTF8.self)
}

func appendDecimal(_ value: Int64, to out: inout [UInt8]) {
  let magnitude = value.magnitude
  if value < 0 { out.put(0x2D) }
  // From the front: turning digits around that lie in an array costs two copies of them.
  var power: UInt64 = 1
  while magnitude / power >= 10 { power *= 10 }
  while power > 0 {
    out.put(UInt8(truncatingIfNeeded: 0x30 + magnitude / power % 10))
    power /= 10
  }
}
