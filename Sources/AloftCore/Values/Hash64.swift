// SPDX-License-Identifier: Apache-2.0
// Fixed hashes and checksums: the same number on every platform, for chains, scope checksums and damage detection.

/// A 64-bit hash of bytes, fixed for ever: it is stored and compared across devices. Not for secrets.
public enum Hash64 {
  /// FNV-like multiply-and-fold over eight bytes at a time, finished by the MurmurHash3 mixer. About 1 ns for each 8 bytes.
  public static func of(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
    bytes.withUnsafeBufferPointer { of(UnsafeRawBufferPointer($0), seed: seed) }
  }

  /// The checksum of stored bytes: a change inside one word of eight bytes never goes unseen, any other with a chance of 2⁻⁶⁴.
  static func of(_ bytes: [UInt8], from start: Int) -> UInt64 {
    bytes.withUnsafeBytes { of(UnsafeRawBufferPointer(rebasing: $0[start...])) }
  }

  public static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
    var state = seed ^ 0x9E37_79B9_7F4A_7C15 ^ UInt64(bytes.count)
    var index = 0
    while index + 8 <= bytes.count {
      let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      state = (state ^ word) &* 0xFF51_AFD7_ED55_8CCD
      state ^= state >> 32
      index += 8
    }
    var tail: UInt64 = 0
    var shift: UInt64 = 0
    while index < bytes.count {
      tail |= UInt64(bytes[index]) << shift
      shift += 8
      index += 1
    }
    return mix((state ^ tail) &* 0xFF51_AFD7_ED55_8CCD)
  }

  /// Spreads every input bit over the whole word (the finaliser of MurmurHash3).
  public static func mix(_ value: UInt64) -> UInt64 {
    var x = value
    x ^= x >> 33
    x = x &* 0xFF51_AFD7_ED55_8CCD
    x ^= x >> 33
    x = x &* 0xC4CE_B9FE_1A85_EC53
    x ^= x >> 33
    return x
  }

  /// One record's share of its scope's checksum; shares are added, so order does not matter.
  public static func share(of key: RecordKey, version: UInt64) -> UInt64 {
    key.id.utf8.withUnsafeBytes { share(of: $0, in: key.collection, version: version) }
  }

  static func share(of id: UnsafeRawBufferPointer, in collection: Int, version: UInt64) -> UInt64 {
    mix(of(id, seed: UInt64(collection) &+ 1) ^ mix(version))
  }
}
