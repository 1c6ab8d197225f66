// SPDX-License-Identifier: Apache-2.0
// Writes deterministic CBOR (RFC 8949, section 4.2): shortest heads, definite lengths; the caller sorts map keys.

/// Appends CBOR items to bytes. What is called everywhere stays out of line: the browser module pays for every copy.
public struct CBORWriter: Sendable {
  /// Larger than what was written, so that writing is storing: an append to an array costs several calls, however short.
  private var room: [UInt8]
  public private(set) var count = 0

  @inline(never)
  public init(capacity: Int = 0) { room = Self.room(capacity) }

  /// A copy of the bytes so far.
  public var output: [UInt8] { room.bytes(from: 0, to: count) }

  /// The bytes, in no more room than they need.
  @inline(never)
  public consuming func finish() -> [UInt8] {
    count == room.count ? room : output
  }

  /// The same without a copy, in whatever room they took: for what is not kept. The writer is as good as new then.
  mutating func finishInPlace() -> [UInt8] {
    var bytes: [UInt8] = []
    swap(&bytes, &room)
    bytes.removeLast(bytes.count - count)
    count = 0
    return bytes
  }

  public mutating func uint(_ value: UInt64) { head(0x00, value) }

  public mutating func int(_ value: Int64) {
    if value >= 0 { head(0x00, UInt64(value)) } else { head(0x20, UInt64(-1 - value)) }
  }

  public mutating func bytes(_ value: [UInt8]) {
    head(0x40, UInt64(value.count))
    raw(value)
  }

  @_disfavoredOverload @inline(never)
  public mutating func text(_ value: Text) {
    head(0x60, UInt64(value.utf8.count))
    raw(value.utf8)
  }

  /// A device id as a byte string, without an array in between.
  mutating func device(_ id: DeviceID) {
    byte(0x50)
    big(id.high, 8)
    big(id.low, 8)
  }

  @inline(never)
  public mutating func text(_ value: StaticString) {
    head(0x60, UInt64(value.utf8CodeUnitCount))
    value.withUTF8Buffer { raw($0) }
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
  public mutating func bool(_ value: Bool) { byte(value ? 0xF5 : 0xF4) }
  public mutating func null() { byte(0xF6) }
  public mutating func undefined() { byte(0xF7) }

  /// A float in the shortest form that keeps its value; every NaN becomes the one quiet NaN.
  public mutating func double(_ value: Double) {
    if value.isNaN {
      byte(0xF9)
      big(0x7E00, 2)
      return
    }
    let single = Float(value)
    guard Double(single) == value else {
      byte(0xFB)
      big(value.bitPattern, 8)
      return
    }
    if let half = Self.half(single) {
      byte(0xF9)
      big(UInt64(half), 2)
    } else {
      byte(0xFA)
      big(UInt64(single.bitPattern), 4)
    }
  }

  /// Appends an item, or items, encoded before.
  public mutating func raw(_ bytes: [UInt8]) { bytes.withUnsafeBufferPointer { raw($0) } }
  public mutating func raw(_ bytes: UnsafeRawBufferPointer) { raw(bytes.bindMemory(to: UInt8.self)) }
  public mutating func raw(_ bytes: [UInt8], from start: Int, to end: Int) { raw(bytes, start..<end) }

  mutating func raw(_ bytes: [UInt8], _ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside the bytes")
    bytes.withUnsafeBufferPointer { raw(UnsafeBufferPointer(rebasing: $0[range])) }
  }

  @inline(never)
  mutating func raw(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
    if bytes.count > room.count - count { grow(bytes.count) }
    let start = count
    room.withUnsafeMutableBytes { copyBlock(source, to: $0.baseAddress! + start, bytes.count) }
    count += bytes.count
  }

  /// Whether one part of what was written comes before another, byte by byte.
  func precedes(_ a: Range<Int>, _ b: Range<Int>) -> Bool { CanonicalCBOR.compare(room, a, b) < 0 }

  /// Takes back what was written from a place on.
  mutating func cut(from place: Int) -> [UInt8] {
    let end = room.bytes(from: place, to: count)
    count = place
    return end
  }

  /// Starts a container whose count is not known yet: a head of four bytes, filled in later. Returns its place.
  mutating func openContainer(isMap: Bool) -> Int {
    byte(isMap ? 0xBA : 0x9A)
    big(0, 4)
    return count - 4
  }

  mutating func setCount(_ count: Int, at place: Int) {
    room.withUnsafeMutableBytes { $0.storeBytes(of: UInt32(truncatingIfNeeded: count).bigEndian, toByteOffset: place, as: UInt32.self) }
  }

  #if hasFeature(Embedded)
  @inline(never)
  #else
  @inline(__always)
  #endif
  private mutating func head(_ major: UInt8, _ value: UInt64) {
    if value < 24 { store(major | UInt8(truncatingIfNeeded: value)) } else { longHead(major, value) }
  }

  @inline(never)
  private mutating func longHead(_ major: UInt8, _ value: UInt64) {
    let power = value <= 0xFF ? 0 : value <= 0xFFFF ? 1 : value <= 0xFFFF_FFFF ? 2 : 3
    store(major | UInt8(truncatingIfNeeded: 24 + power))
    big(value, 1 << power)
  }

  @inline(never)
  private mutating func byte(_ value: UInt8) { store(value) }

  @inline(__always)
  private mutating func store(_ value: UInt8) {
    if count == room.count { grow(1) }
    let place = count
    // The place is in the room: a subscript would ask again.
    room.withUnsafeMutableBufferPointer { $0.baseAddress![place] = value }
    count = place + 1
  }

  @inline(never)
  private mutating func big(_ value: UInt64, _ width: Int) {
    if width > room.count - count { grow(width) }
    let start = count
    room.withUnsafeMutableBytes { bytes in
      switch width {
      case 1: bytes.storeBytes(of: UInt8(truncatingIfNeeded: value), toByteOffset: start, as: UInt8.self)
      case 2: bytes.storeBytes(of: UInt16(truncatingIfNeeded: value).bigEndian, toByteOffset: start, as: UInt16.self)
      case 4: bytes.storeBytes(of: UInt32(truncatingIfNeeded: value).bigEndian, toByteOffset: start, as: UInt32.self)
      default: bytes.storeBytes(of: value.bigEndian, toByteOffset: start, as: UInt64.self)
      }
    }
    count += width
  }

  @inline(never)
  private mutating func grow(_ more: Int) {
    var larger = Self.room(max(count + more, 2 * count, 32))
    let count = self.count
    room.withUnsafeBufferPointer { old in
      larger.withUnsafeMutableBufferPointer { if count > 0 { copyBlock(old.baseAddress!, to: $0.baseAddress!, count) } }
    }
    room = larger
  }

  #if hasFeature(Embedded)
  /// What lies there is never read.
  private static func room(_ size: Int) -> [UInt8] { [UInt8](unsafeUninitializedCapacity: size) { $1 = $0.count } }
  #else
  private static let zeros = [UInt8](repeating: 0, count: 512)

  /// Zeros: copying them is cheaper than asking the runtime for the type, as the array's own initializers do each time.
  private static func room(_ size: Int) -> [UInt8] { size <= zeros.count ? zeros.bytes(from: 0, to: size) : [UInt8](repeating: 0, count: size) }
  #endif

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
