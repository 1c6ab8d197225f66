// SPDX-License-Identifier: Apache-2.0
// Packs bytes as gzip with the system's zlib.

import CZlib

enum Gzip {
  /// The bytes in gzip form, as small as zlib makes them; nil when zlib has no memory. About 30 ms for a megabyte.
  static func pack(_ bytes: [UInt8]) -> [UInt8]? {
    var stream = z_stream()
    // 15 is the window of every browser; 16 more asks for the gzip frame.
    guard
      deflateInit2_(
        &stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return nil }
    defer { deflateEnd(&stream) }
    // The bound holds for one call, so one call is all it takes.
    let bound = Int(deflateBound(&stream, UInt(bytes.count)))
    var hasEnded = false
    var source = bytes
    let packed = source.withUnsafeMutableBufferPointer { source in
      [UInt8](unsafeUninitializedCapacity: bound) { target, count in
        stream.next_in = source.baseAddress
        stream.avail_in = UInt32(source.count)
        stream.next_out = target.baseAddress
        stream.avail_out = UInt32(bound)
        hasEnded = deflate(&stream, Z_FINISH) == Z_STREAM_END
        count = bound - Int(stream.avail_out)
      }
    }
    return hasEnded ? packed : nil
  }
}
