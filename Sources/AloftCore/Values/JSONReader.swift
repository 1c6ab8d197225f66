// SPDX-License-Identifier: Apache-2.0
// Turns JSON text (RFC 8259) into CBOR bytes in one pass, without recursion.
//
// Why transcode: every message then has one decoder, the CBOR one. Arrays and maps get a four-byte count that is filled in when
// they close, so the result is valid but not the shortest CBOR; what must be deterministic is encoded again by its owner.

/// JSON in and out.
public enum JSONCodec {
  /// CBOR of a JSON text: integers stay integers up to 64 bits, other numbers become doubles.
  /// - Throws: malformed text, nesting above 32, invalid UTF-8 or lone surrogates, with the byte offset.
  public static func cbor(fromJSON input: [UInt8]) throws(DecodeError) -> [UInt8] {
    var reader = JSONReader(input: input)
    return try reader.run()
  }
}

private struct JSONReader {
  private struct Open {
    var headAt: Int
    var count: Int
    var isObject: Bool
  }

  let input: [UInt8]
  var position = 0
  var out: CBORWriter
  private var open: [Open] = []

  init(input: [UInt8]) {
    self.input = input
    out = CBORWriter(capacity: input.count)
  }

  mutating func run() throws(DecodeError) -> [UInt8] {
    skipSpace()
    try value()
    while let top = open.last {
      skipSpace()
      let isFirst = top.count == 0
      let closing: UInt8 = top.isObject ? 0x7D : 0x5D
      guard position < input.count else { throw failure(.truncated) }
      if input[position] == closing {
        position += 1
        close()
        continue
      }
      if !isFirst {
        guard input[position] == 0x2C else { throw failure(.malformed) }
        position += 1
        skipSpace()
      }
      open[open.count - 1].count += 1
      if top.isObject {
        guard position < input.count, input[position] == 0x22 else { throw failure(.malformed) }
        try string()
        skipSpace()
        guard position < input.count, input[position] == 0x3A else { throw failure(.malformed) }
        position += 1
        skipSpace()
      }
      try value()
    }
    skipSpace()
    guard position == input.count else { throw failure(.trailingBytes) }
    return out.finishInPlace()
  }

  func failure(_ reason: DecodeError.Reason) -> DecodeError { DecodeError(reason: reason, position: position) }

  mutating func skipSpace() {
    while position < input.count {
      switch input[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  private mutating func close() {
    let top = open.removeLast()
    out.setCount(top.count, at: top.headAt)
  }

  private mutating func value() throws(DecodeError) {
    guard position < input.count else { throw failure(.truncated) }
    switch input[position] {
    case 0x7B, 0x5B:
      guard open.count < CBORReader.depthMax else { throw failure(.tooDeep) }
      let isObject = input[position] == 0x7B
      position += 1
      open.append(Open(headAt: out.openContainer(isMap: isObject), count: 0, isObject: isObject))
    case 0x22: try string()
    case 0x74:
      try literal("true")
      out.bool(true)
    case 0x66:
      try literal("false")
      out.bool(false)
    case 0x6E:
      try literal("null")
      out.null()
    default: try number()
    }
  }

  private mutating func literal(_ word: StaticString) throws(DecodeError) {
    let length = word.utf8CodeUnitCount
    guard position + length <= input.count else { throw failure(.truncated) }
    let matches = word.withUTF8Buffer { buffer in
      for index in 0..<length where buffer[index] != input[position + index] { return false }
      return true
    }
    guard matches else { throw failure(.malformed) }
    position += length
  }

  private mutating func number() throws(DecodeError) {
    let start = position
    let negative = input[position] == 0x2D
    if negative { position += 1 }
    var mantissa: UInt64 = 0
    var exponent = 0
    // The exponent as it stands in the text, apart from what the decimal point adds.
    var written = 0
    var isInteger = true
    var isExact = true
    let digitsStart = position
    func append(_ digit: UInt8, fraction: Bool) {
      if mantissa < 1_000_000_000_000_000_000 {
        mantissa = mantissa * 10 + UInt64(digit)
        if fraction { exponent -= 1 }
      } else {
        isExact = isExact && digit == 0
        if !fraction { exponent += 1 }
      }
    }
    while position < input.count, input[position] &- 0x30 < 10 {
      append(input[position] - 0x30, fraction: false)
      position += 1
    }
    guard position > digitsStart, input[digitsStart] != 0x30 || position == digitsStart + 1 else { throw failure(.malformed) }
    if position < input.count, input[position] == 0x2E {
      isInteger = false
      position += 1
      let fractionStart = position
      while position < input.count, input[position] &- 0x30 < 10 {
        append(input[position] - 0x30, fraction: true)
        position += 1
      }
      guard position > fractionStart else { throw failure(.malformed) }
    }
    if position < input.count, input[position] | 0x20 == 0x65 {
      isInteger = false
      position += 1
      var negativeExponent = false
      if position < input.count, input[position] == 0x2B || input[position] == 0x2D {
        negativeExponent = input[position] == 0x2D
        position += 1
      }
      let exponentStart = position
      while position < input.count, input[position] &- 0x30 < 10 {
        written = min(written * 10 + Int(input[position] - 0x30), 100_000)
        position += 1
      }
      guard position > exponentStart else { throw failure(.malformed) }
      if negativeExponent { written = -written }
      exponent += written
    }
    if isInteger && exponent == 0 && mantissa <= UInt64(Int64.max) {
      out.int(negative ? -Int64(mantissa) : Int64(mantissa))
      return
    }
    let magnitude = isExact ? DecimalParser.double(mantissa: mantissa, exponent: exponent) : longDecimal(from: digitsStart, exponent: written)
    guard magnitude.isFinite else { throw DecodeError(reason: .outOfRange, position: start) }
    out.double(negative ? -magnitude : magnitude)
  }

  /// A number whose digits do not fit a word: all of them are read again.
  private func longDecimal(from start: Int, exponent: Int) -> Double {
    var digits: [UInt8] = []
    var exponent = exponent
    var isFraction = false
    var index = start
    while index < position, input[index] | 0x20 != 0x65 {
      if input[index] == 0x2E {
        isFraction = true
      } else {
        if isFraction { exponent -= 1 }
        if !digits.isEmpty || input[index] != 0x30 { digits.append(input[index]) }
      }
      index += 1
    }
    return DecimalParser.double(digits: digits, exponent: exponent)
  }

  private mutating func string() throws(DecodeError) {
    position += 1
    let start = position
    position = JSONCodec.firstSpecial(input, from: position, to: input.count)
    guard position < input.count else { throw failure(.truncated) }
    guard input[position] >= 0x20 else { throw failure(.malformed) }
    if input[position] == 0x22 {
      guard Text.isValidUTF8(input, from: start, to: position) else { throw failure(.invalidText) }
      out.string(isText: true, input, from: start, to: position)
      position += 1
      return
    }
    var decoded = input.bytes(from: start, to: position)
    while true {
      guard position < input.count else { throw failure(.truncated) }
      let byte = input[position]
      position += 1
      if byte == 0x22 { break }
      guard byte >= 0x20 else { throw failure(.malformed) }
      if byte != 0x5C {
        decoded.put(byte)
        continue
      }
      try escape(into: &decoded)
    }
    guard Text.isValidUTF8(decoded, from: 0, to: decoded.count) else { throw failure(.invalidText) }
    out.string(isText: true, decoded, from: 0, to: decoded.count)
  }

  private mutating func escape(into decoded: inout [UInt8]) throws(DecodeError) {
    guard position < input.count else { throw failure(.truncated) }
    let byte = input[position]
    position += 1
    switch byte {
    case 0x22, 0x5C, 0x2F: decoded.put(byte)
    case 0x62: decoded.put(8)
    case 0x66: decoded.put(12)
    case 0x6E: decoded.put(10)
    case 0x72: decoded.put(13)
    case 0x74: decoded.put(9)
    case 0x75:
      var scalar = try hex4()
      if scalar & 0xFC00 == 0xD800 {
        guard position + 1 < input.count, input[position] == 0x5C, input[position + 1] == 0x75 else { throw failure(.invalidText) }
        position += 2
        let low = try hex4()
        guard low & 0xFC00 == 0xDC00 else { throw failure(.invalidText) }
        scalar = 0x10000 + (scalar & 0x3FF) << 10 + low & 0x3FF
      } else if scalar & 0xFC00 == 0xDC00 {
        throw failure(.invalidText)
      }
      appendUTF8(scalar, to: &decoded)
    default: throw failure(.malformed)
    }
  }

  private mutating func hex4() throws(DecodeError) -> UInt32 {
    guard position + 4 <= input.count else { throw failure(.truncated) }
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = hexDigit(input[position]) else { throw failure(.malformed) }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  private func appendUTF8(_ scalar: UInt32, to out: inout [UInt8]) {
    switch scalar {
    case 0..<0x80: out.put(UInt8(scalar))
    case 0x80..<0x800:
      out.put(UInt8(0xC0 | scalar >> 6))
      out.put(UInt8(0x80 | scalar & 0x3F))
    case 0x800..<0x10000:
      out.put(UInt8(0xE0 | scalar >> 12))
      out.put(UInt8(0x80 | scalar >> 6 & 0x3F))
      out.put(UInt8(0x80 | scalar & 0x3F))
    default:
      out.put(UInt8(0xF0 | scalar >> 18))
      out.put(UInt8(0x80 | scalar >> 12 & 0x3F))
      out.put(UInt8(0x80 | scalar >> 6 & 0x3F))
      out.put(UInt8(0x80 | scalar & 0x3F))
    }
  }
}

func hexDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case 0x30...0x39: byte - 0x30
  case 0x41...0x46: byte - 0x41 + 10
  case 0x61...0x66: byte - 0x61 + 10
  default: nil
  }
}
