// SPDX-License-Identifier: Apache-2.0
// Writes JSON text from values and from CBOR, without recursion for CBOR.

extension JSONCodec {
  /// JSON of one CBOR item: byte strings become base64url text, undefined becomes null, tags are dropped.
  public static func json(fromCBOR input: [UInt8]) throws(DecodeError) -> [UInt8] {
    var reader = CBORReader(input)
    var out: [UInt8] = []
    out.reserveCapacity(input.count * 2)
    try append(&reader, to: &out)
    guard reader.isAtEnd else { throw reader.failure(.trailingBytes) }
    return out
  }

  /// Appends the JSON of the next CBOR item.
  static func append(_ reader: inout CBORReader, to out: inout [UInt8]) throws(DecodeError) {
    // One frame for each open container: what is left in it, and whether it is a map.
    var open: [(left: Int, isMap: Bool)] = []
    while true {
      if let top = open.last, top.isMap, top.left & 1 == 0 { try key(&reader, to: &out) } else {
        switch try reader.peek() {
        case .tag:
          _ = try reader.tag()
          continue
        case .array, .map:
          let isMap = try reader.peek() == .map
          let count = isMap ? try reader.map() * 2 : try reader.array()
          guard open.count < CBORReader.depthMax else { throw reader.failure(.tooDeep) }
          out.append(isMap ? 0x7B : 0x5B)
          if count > 0 {
            open.append((count, isMap))
            continue
          }
          out.append(isMap ? 0x7D : 0x5D)
        default: try scalar(&reader, to: &out)
        }
      }
      while !open.isEmpty {
        let last = open.count - 1
        open[last].left -= 1
        if open[last].left > 0 {
          out.append(open[last].isMap && open[last].left & 1 == 1 ? 0x3A : 0x2C)
          break
        }
        out.append(open[last].isMap ? 0x7D : 0x5D)
        open.removeLast()
      }
      if open.isEmpty { return }
    }
  }

  private static func key(_ reader: inout CBORReader, to out: inout [UInt8]) throws(DecodeError) {
    if try reader.peek() == .text {
      let range = try reader.textRange()
      appendString(reader.input, from: range.lowerBound, to: range.upperBound, to: &out)
    } else {
      out.put(0x22)
      appendDecimal(try reader.int(), to: &out)
      out.put(0x22)
    }
  }

  private static func scalar(_ reader: inout CBORReader, to out: inout [UInt8]) throws(DecodeError) {
    switch try reader.peek() {
    case .uint, .negative: appendDecimal(try reader.int(), to: &out)
    case .text:
      let range = try reader.textRange()
      appendString(reader.input, from: range.lowerBound, to: range.upperBound, to: &out)
    case .bytes:
      out.put(0x22)
      Base64URL.append(try reader.bytes(), to: &out)
      out.put(0x22)
    case .bool: literal(try reader.bool() ? "true" : "false", to: &out)
    case .double: appendDouble(try reader.double(), to: &out)
    default:
      try reader.skip()
      literal("null", to: &out)
    }
  }

  /// Appends the JSON of a value.
  static func append(_ value: Value, to out: inout [UInt8]) {
    switch value {
    case .null: literal("null", to: &out)
    case .bool(let value): literal(value ? "true" : "false", to: &out)
    case .int(let value): appendDecimal(value, to: &out)
    case .double(let value): appendDouble(value, to: &out)
    case .text(let value): appendString(value.utf8, from: 0, to: value.utf8.count, to: &out)
    case .bytes(let value):
      out.put(0x22)
      Base64URL.append(value, to: &out)
      out.put(0x22)
    case .array(let values):
      out.put(0x5B)
      for index in 0..<values.count {
        if index > 0 { out.put(0x2C) }
        append(values[index], to: &out)
      }
      out.put(0x5D)
    }
  }

  /// Appends characters that need no escape, such as punctuation and literal words.
  static func literal(_ literal: StaticString, to out: inout [UInt8]) {
    literal.withUTF8Buffer { out.put($0) }
  }

  static func appendText(_ value: Text, to out: inout [UInt8]) {
    appendString(value.utf8, from: 0, to: value.utf8.count, to: &out)
  }

  /// Appends a quoted string; U+2028 and U+2029 are legal JSON and stay as they are.
  static func appendString(_ bytes: [UInt8], from start: Int, to end: Int, to out: inout [UInt8]) {
    out.put(0x22)
    var clean = start
    var index = start
    while true {
      index = firstSpecial(bytes, from: index, to: end)
      if index == end { break }
      let byte = bytes[index]
      out.put(bytes, from: clean, to: index)
      out.put(0x5C)
      switch byte {
      case 0x22, 0x5C: out.put(byte)
      case 0x0A: out.put(0x6E)
      case 0x0D: out.put(0x72)
      case 0x09: out.put(0x74)
      default:
        literal("u00", to: &out)
        out.put(hexCharacter(byte >> 4))
        out.put(hexCharacter(byte & 15))
      }
      index += 1
      clean = index
    }
    out.put(bytes, from: clean, to: end)
    out.put(0x22)
  }

  /// The first byte that a JSON string must escape, or `end`. Eight bytes at a time: nearly all of a message is plain text.
  static func firstSpecial(_ bytes: [UInt8], from start: Int, to end: Int) -> Int {
    bytes.withUnsafeBytes { raw in
      let ones: UInt64 = 0x0101_0101_0101_0101
      var index = start
      while index + 8 <= end {
        let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        let (quote, backslash) = (word ^ ones &* 0x22, word ^ ones &* 0x5C)
        // A byte's high bit is set where the byte is below 0x20, or zero after the exclusive or; a borrow can only reach the bytes
        // above such a one, so none is a false alarm when there is no real one.
        let found = (word &- ones &* 0x20) & ~word | (quote &- ones) & ~quote | (backslash &- ones) & ~backslash
        if found & (ones &* 0x80) != 0 { break }
        index += 8
      }
      while index < end {
        let byte = raw[index]
        if byte < 0x20 || byte == 0x22 || byte == 0x5C { break }
        index += 1
      }
      return index
    }
  }

  private static func appendDouble(_ value: Double, to out: inout [UInt8]) {
    guard value.isFinite else { return literal("null", to: &out) }
    var description = value.description
    description.withUTF8 { out.append(contentsOf: $0) }
  }
}

func hexCharacter(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x61 + nibble - 10 }

/// Base64 with the URL alphabet and without padding (RFC 4648, section 5).
public enum Base64URL {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  public static func encode(_ bytes: [UInt8]) -> Text {
    var out: [UInt8] = []
    append(bytes, to: &out)
    return Text(utf8: out)
  }

  static func append(_ bytes: [UInt8], to out: inout [UInt8]) {
    var index = 0
    while index < bytes.count {
      let left = bytes.count - index
      let a = UInt32(bytes[index])
      let b = left > 1 ? UInt32(bytes[index + 1]) : 0
      let c = left > 2 ? UInt32(bytes[index + 2]) : 0
      let word = a << 16 | b << 8 | c
      out.append(alphabet[Int(word >> 18 & 63)])
      out.append(alphabet[Int(word >> 12 & 63)])
      if left > 1 { out.append(alphabet[Int(word >> 6 & 63)]) }
      if left > 2 { out.append(alphabet[Int(word & 63)]) }
      index += 3
    }
  }

  /// The bytes, or nil when a character is foreign, the length impossible or spare bits are set.
  public static func decode(_ text: Text) -> [UInt8]? {
    var out: [UInt8] = []
    var word: UInt32 = 0
    var bits = 0
    for byte in text.utf8 {
      let six: UInt32
      switch byte {
      case 0x41...0x5A: six = UInt32(byte - 0x41)
      case 0x61...0x7A: six = UInt32(byte - 0x61 + 26)
      case 0x30...0x39: six = UInt32(byte - 0x30 + 52)
      case 0x2D: six = 62
      case 0x5F: six = 63
      default: return nil
      }
      word = word << 6 | six
      bits += 6
      if bits >= 8 {
        bits -= 8
        out.put(UInt8(word >> UInt32(bits) & 0xFF))
        word &= 1 << UInt32(bits) - 1
      }
    }
    return bits < 6 && word == 0 ? out : nil
  }
}
