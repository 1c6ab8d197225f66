// SPDX-License-Identifier: Apache-2.0
// Names for the things that travel: records, devices, mutations and places in a log.

/// The identity of one client replica: 16 random bytes, kept for as long as its storage lives.
///
/// Stored as two words so that comparing and hashing costs two instructions and no allocation.
public struct DeviceID: Hashable, Comparable, Sendable {
  public var high: UInt64
  public var low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Reads a device id from exactly 16 bytes; nil for any other count.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    var high: UInt64 = 0
    var low: UInt64 = 0
    for index in 0..<8 { high = high << 8 | UInt64(bytes[index]) }
    for index in 8..<16 { low = low << 8 | UInt64(bytes[index]) }
    self.init(high: high, low: low)
  }

  /// The 16 bytes, most significant first.
  public var bytes: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(16)
    for shift in stride(from: 56, through: 0, by: -8) { out.append(UInt8(truncatingIfNeeded: high >> UInt64(shift))) }
    for shift in stride(from: 56, through: 0, by: -8) { out.append(UInt8(truncatingIfNeeded: low >> UInt64(shift))) }
    return out
  }

  public static func < (a: DeviceID, b: DeviceID) -> Bool { (a.high, a.low) < (b.high, b.low) }
}

/// The identity of one mutation: the device that made it and its place in that device's own count, from 1.
public struct MutationID: Hashable, Comparable, Sendable {
  public var device: DeviceID
  public var n: UInt64

  public init(device: DeviceID, n: UInt64) {
    self.device = device
    self.n = n
  }

  public static func < (a: MutationID, b: MutationID) -> Bool {
    a.device == b.device ? a.n < b.n : a.device < b.device
  }
}

/// A place in one scope's log. The first entry has sequence 1; 0 means "nothing seen yet".
public typealias Sequence = UInt64

/// Where a record is: the number of its collection in the app declaration, and its id.
///
/// Ids are compared byte by byte, never by Unicode equivalence, so that every platform agrees.
public struct RecordKey: Hashable, Sendable {
  public var collection: Int
  public var id: Text

  public init(collection: Int, id: Text) {
    self.collection = collection
    self.id = id
  }
}

/// Makes record ids that sort by the time they were made.
public enum RecordID {
  /// The longest id that is accepted, in bytes.
  public static let bytesMax = 64

  /// A new id: 48 bits of milliseconds and 72 random bits as 24 characters of Crockford base32.
  public static func generate(milliseconds: UInt64, random: inout Random) -> Text {
    let low = random.next()
    let middle = random.next() & 0xFF
    // 120 bits in two words: 60 bits each, five bits a character.
    let first = (milliseconds & 0xFFFF_FFFF_FFFF) << 12 | middle << 4 | low >> 60
    let second = low & 0x0FFF_FFFF_FFFF_FFFF
    var out = alphabet.bytes(from: 0, to: 24)
    out.withUnsafeMutableBufferPointer { out in
      alphabet.withUnsafeBufferPointer { alphabet in
        var index = 0
        while index < 12 {
          let shift = UInt64(55 - index * 5)
          out[index] = alphabet[Int(truncatingIfNeeded: first >> shift & 31)]
          out[index + 12] = alphabet[Int(truncatingIfNeeded: second >> shift & 31)]
          index += 1
        }
      }
    }
    return Text(utf8: out)
  }

  private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

  /// Whether a text may name a record: 1 to 64 bytes and no control characters.
  public static func isValid(_ id: Text) -> Bool {
    guard !id.utf8.isEmpty, id.utf8.count <= bytesMax else { return false }
    for byte in id.utf8 where byte < 0x21 || byte == 0x7F { return false }
    return true
  }
}
