// SPDX-License-Identifier: Apache-2.0
// Writes deterministic CBOR (RFC 8949, section 4.2): shortest heads, definite lengths; the caller sorts map keys.

/// Appends CBOR items to a byte array.
public struct CBORWriter: Sendable {
  public private(set) var output: [UInt8]

  public init(capacity: Int = 0) {
    output = []
    output.reserveCapacity(capacity)
  }

  /// The bytes so far; `output` under a name that reads well at the end of a chain.
  public consuming func finish() -> [UInt8] { output }

  public mutating func uint(_ value: UInt64) { head(0x00, value) }

  public mutating func int(_ value: Int64) {
    if value >= 0 { head(0x00, UInt64(value)) } else { head(0x20, UInt64(-1 - value)) }
  }

  public mutating func bytes(_ value: [UInt8]) {
    head(0x40, UInt64(value.count))
    output.append(contentsOf: value)
  }

  @_disfavoredOverload
  public mutating func text(_ value: Text) {
    head(0x60, UInt64(value.utf8.count))
    output.append(contentsOf: value.utf8)
  }

  /// A device id as a byte string, without an array in between.
  mutating func device(_ id: DeviceID) {
    output.append(0x50)
    big(id.high, 8)
    big(id.low, 8)
  }

  public mutating func text(_ value: StaticString) {
    head(0x60, UInt64(value.utf8CodeUnitCount))
    value.withUTF8Buffer { output.append(contentsOf: $0) }
  }

  mutating func string(isText: Bool, _ source: [UInt8], from start: Int, to end: Int) {
    head(isText ? 0x60 : 0x40, UInt64(end - start))
    raw(source, from: start, to: end)
  }

  /// Starts an array; exactly `count` items must follow.
  public mutating func array(_ count: Int) { head(0x80, UInt64(count)) }

  /// Starts a map; exactly `count` pairs must follow, keys in bytewise order of their encodings.
  public mutating func map(_ count: Int) { head(0xA0, UInt64(count)) }

  public mutating func tag(_ number: UInt64) { head(0xC0, number) }
  public mutating func bool(_ value: Bool) { output.append(value ? 0xF5 : 0xF4) }
  public mutating func null() { output.append(0xF6) }
  public mutating func undefined() { output.append(0xF7) }

  /// A float in the shortest form that keeps its value; every NaN becomes the one quiet NaN.
  public mutating func double(_ value: Double) {
    if value.isNaN {
      output.append(contentsOf: [0xF9, 0x7E, 0x00])
      return
    }
    let single = Float(value)
    guard Double(single) == value else {
      output.append(0xFB)
      big(value.bitPattern, 8)
      return
    }
    if let half = Self.half(single) {
      output.append(0xF9)
      big(UInt64(half), 2)
    } else {
      output.append(0xFA)
      big(UInt64(single.bitPattern), 4)
    }
  }

  /// Appends an item, or items, encoded before.
  public mutating func raw(_ bytes: [UInt8]) { output.append(contentsOf: bytes) }
  public mutating func raw(_ bytes: UnsafeRawBufferPointer) { output.append(contentsOf: bytes) }
  public mutating func raw(_ bytes: [UInt8], from start: Int, to end: Int) {
    precondition(start >= 0 && start <= end && end <= bytes.count, "range outside the bytes")
    bytes.withUnsafeBufferPointer { output.append(contentsOf: UnsafeBufferPointer(rebasing: $0[start..<end])) }
  }

  private mutating func head(_ major: UInt8, _ value: UInt64) {
    if value < 24 {
      output.append(major | UInt8(value))
    } else if value <= 0xFF {
      output.append(major | 24)
      output.append(UInt8(value))
    } else if value <= 0xFFFF {
      output.append(major | 25)
      big(value, 2)
    } else if value <= 0xFFFF_FFFF {
      output.append(major | 26)
      big(value, 4)
    } else {
      output.append(major | 27)
      big(value, 8)
    }
  }

  private mutating func big(_ value: UInt64, _ count: Int) {
    let word = (value << UInt64(64 - count * 8)).bigEndian
    withUnsafeBytes(of: word) { output.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
  }

  /// The half-precision bits of a value that half precision holds exactly, else nil.
  private static func half(_ value: Float) -> UInt16? {
    let bits = value.bitPattern
    let sign = UInt16(bits >> 16 & 0x8000)
    let exponent = Int(bits >> 23 & 0xFF)
    let fraction = bits & 0x7F_FFFF
    if exponent == 0xFF { return fraction == 0 ? sign | 0x7C00 : nil }
    if exponent == 0 && fraction == 0 { return sign }
    let unbiased = exponent - 127
    if unbiased >= -14 && unbiased <= 15 {
      return fraction & 0x1FFF == 0 ? sign | UInt16(unbiased + 15) << 10 | UInt16(fraction >> 13) : nil
    }
    if unbiased >= -24 && unbiased < -14 {
      let shift = UInt32(-unbiased - 1)
      let full = fraction | 0x80_0000
      return full & (1 << shift - 1) == 0 ? sign | UInt16(full >> shift) : nil
    }
    return nil
  }
}
