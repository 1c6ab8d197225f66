// SPDX-License-Identifier: Apache-2.0
// Fixed hashes and checksums: the same number on every platform, for chains, scope checksums and damage detection.

/// A 64-bit hash of bytes, fixed for ever: it is stored and compared across devices. Not for secrets.
public enum Hash64 {
  /// FNV-like multiply-and-fold over eight bytes at a time, finished by the MurmurHash3 mixer. About 1 ns for each 8 bytes.
  public static func of(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
    bytes.withUnsafeBufferPointer { of(UnsafeRawBufferPointer($0), seed: seed) }
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

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), eight table look-ups for eight bytes ("slicing by 8", Intel 2006).
public enum CRC32C {
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for index in 0..<256 {
      var value = UInt32(index)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
      tables[index] = value
    }
    for index in 0..<256 {
      for table in 1..<8 {
        let before = tables[(table - 1) * 256 + index]
        tables[table * 256 + index] = before >> 8 ^ tables[Int(before & 0xFF)]
      }
    }
    return tables
  }()

  public static func of(_ bytes: [UInt8], from start: Int, to end: Int) -> UInt32 {
    precondition(start >= 0 && end <= bytes.count && start <= end, "CRC range outside the bytes")
    return tables.withUnsafeBufferPointer { buffer in
      bytes.withUnsafeBytes { raw in
        // The ranges were checked above; eight look-ups in one expression keep the loop free of calls.
        let table = buffer.baseAddress!
        var crc: UInt32 = 0xFFFF_FFFF
        var index = start
        while index + 8 <= end {
          let low = raw.loadUnaligned(fromByteOffset: index, as: UInt32.self).littleEndian ^ crc
          let high = raw.loadUnaligned(fromByteOffset: index + 4, as: UInt32.self).littleEndian
          let a = table[1792 + Int(low & 0xFF)] ^ table[1536 + Int(low >> 8 & 0xFF)]
          let b = table[1280 + Int(low >> 16 & 0xFF)] ^ table[1024 + Int(low >> 24)]
          let c = table[768 + Int(high & 0xFF)] ^ table[512 + Int(high >> 8 & 0xFF)]
          let d = table[256 + Int(high >> 16 & 0xFF)] ^ table[Int(high >> 24)]
          crc = a ^ b ^ c ^ d
          index += 8
        }
        while index < end {
          crc = crc >> 8 ^ table[Int((crc ^ UInt32(raw[index])) & 0xFF)]
          index += 1
        }
        return ~crc
      }
    }
  }
}
