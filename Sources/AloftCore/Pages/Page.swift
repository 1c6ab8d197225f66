// SPDX-License-Identifier: Apache-2.0
// The local page format: rows packed into at most 128 KiB with a checksum.
//
//   bytes 0..<4    "ALP2"
//   bytes 4..<12   Hash64 of all that follows, little-endian
//   bytes 12..<16  page number      bytes 16..<20  collection number      bytes 20..<24  row count
//   then for each row: 4 bytes of length, and the row
//
// Why this size: a cold open reads every page, and each costs a request. But what is above 64 KiB when Chromium has compressed it, as
// pages of 240 KiB are, it keeps in files, and the first of those arrive when nearly all have been read (docs/decisions/0012).

enum Page {
  static let bytesMax = 128 * 1024
  static let headerBytes = 24

  static func begin(number: UInt32, collection: Int) -> [UInt8] {
    var bytes = Array("ALP2".utf8)
    bytes.putWord(0)
    bytes.putWord(0)
    bytes.putWord(Int(truncatingIfNeeded: number))
    bytes.putWord(collection)
    bytes.putWord(0)
    return bytes
  }

  /// Writes the row count and the checksum.
  static func seal(_ bytes: inout [UInt8], count: Int) {
    setWord(UInt32(count), at: 20, in: &bytes)
    let hash = Hash64.of(bytes, from: 12)
    setWord(UInt32(truncatingIfNeeded: hash), at: 4, in: &bytes)
    setWord(UInt32(truncatingIfNeeded: hash >> 32), at: 8, in: &bytes)
  }

  /// What the header of a page says, when the page is whole.
  static func check(_ bytes: [UInt8]) -> (number: UInt32, collection: Int, count: Int)? {
    guard bytes.count >= headerBytes, word(bytes, 0) == 0x3250_4C41,
      UInt64(word(bytes, 8)) << 32 | UInt64(word(bytes, 4)) == Hash64.of(bytes, from: 12)
    else { return nil }
    let (collection, count) = (word(bytes, 16), word(bytes, 20))
    // Each row takes more than its four bytes of length.
    guard collection < 1 << 16, count < UInt32(bytes.count / 4) else { return nil }
    return (word(bytes, 12), Int(collection), Int(count))
  }

  static func word(_ bytes: [UInt8], _ at: Int) -> UInt32 {
    UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16 | UInt32(bytes[at + 3]) << 24
  }

  static func setWord(_ value: UInt32, at: Int, in bytes: inout [UInt8]) {
    for index in 0..<4 { bytes[at + index] = UInt8(truncatingIfNeeded: value >> UInt32(index * 8)) }
  }
}
