// SPDX-License-Identifier: Apache-2.0
// Files kept in memory until they change on disk: their bytes, their hashes, and their packed form.

import Crypto
import Foundation
import NIOCore
import Synchronization

/// The contents of files by path. A call costs one `stat` while the file is unchanged.
final class FileCache: Sendable {
  /// Larger files are not served: each of them would push out all others.
  private static let fileBytesMax = 32 << 20
  private static let byteCountMax = 64 << 20
  private static let hashCountMax = 100_000
  /// Files of a packet or less gain nothing, and packing very large ones keeps a person waiting.
  private static let packedBytes = 1_024...(8 << 20)

  struct File: Sendable {
    fileprivate var stamp: FileStamp
    var bytes: ByteBuffer
    /// The entity tag: strong, and different for the packed form.
    var tag: String
  }

  private struct Kept: Sendable {
    var files: [String: File] = [:]
    /// Nil bytes: packing does not make the file smaller.
    var packed: [String: (stamp: FileStamp, file: File?)] = [:]
    var byteCount = 0
    var hashes: [String: (stamp: FileStamp, hash: String)] = [:]
  }

  private let kept = Mutex(Kept())

  /// The file as it is on disk now; nil when there is none.
  func file(_ path: String) -> File? {
    guard let stamp = FileStamp(path: path), stamp.byteCount <= Self.fileBytesMax else { return nil }
    if let known = kept.withLock({ $0.files[path] }), known.stamp == stamp { return known }
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    let hash = SHA256.hash(data: data).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    let file = File(stamp: stamp, bytes: ByteBuffer(bytes: data), tag: "\"\(hash.prefix(32))\"")
    kept.withLock { kept in
      Self.makeRoom(for: data.count, in: &kept)
      kept.byteCount -= kept.files[path]?.bytes.readableBytes ?? 0
      kept.files[path] = file
      if kept.hashes.count >= Self.hashCountMax { kept.hashes = [:] }
      kept.hashes[path] = (stamp, hash)
    }
    return file
  }

  /// The SHA-256 of a file's bytes in hex. Remembered longer than the bytes, so that asking again reads nothing.
  func hash(_ path: String) -> String? {
    guard let stamp = FileStamp(path: path), stamp.byteCount <= Self.fileBytesMax else { return nil }
    if let known = kept.withLock({ $0.hashes[path] }), known.stamp == stamp { return known.hash }
    _ = file(path)
    return kept.withLock { $0.hashes[path] }?.hash
  }

  /// The file in gzip form: a file beside it named `….gz` that is not older, or packed here once. Nil when neither is smaller.
  func packed(_ path: String) -> File? {
    guard let stamp = FileStamp(path: path) else { return nil }
    if let beside = file(path + ".gz"), beside.stamp.isNotOlder(than: stamp) { return beside }
    if let known = kept.withLock({ $0.packed[path] }), known.stamp == stamp { return known.file }
    guard Self.packedBytes.contains(stamp.byteCount), let plain = file(path) else { return nil }
    var file: File?
    if let bytes = Gzip.pack(Array(plain.bytes.readableBytesView)), bytes.count < plain.bytes.readableBytes {
      file = File(stamp: plain.stamp, bytes: ByteBuffer(bytes: bytes), tag: plain.tag.dropLast() + "-gzip\"")
    }
    kept.withLock { [file] kept in
      Self.makeRoom(for: file?.bytes.readableBytes ?? 0, in: &kept)
      kept.byteCount -= kept.packed[path]?.file?.bytes.readableBytes ?? 0
      kept.packed[path] = (plain.stamp, file)
    }
    return file
  }

  /// Counts the new bytes; starts over when there would be too many.
  private static func makeRoom(for byteCount: Int, in kept: inout Kept) {
    if kept.byteCount + byteCount > byteCountMax {
      kept.files = [:]
      kept.packed = [:]
      kept.byteCount = 0
    }
    kept.byteCount += byteCount
  }
}

/// What tells whether a regular file has changed.
struct FileStamp: Equatable, Sendable {
  var byteCount: Int
  private var inode: UInt64
  private var seconds: Int
  private var nanoseconds: Int

  init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    byteCount = Int(status.st_size)
    inode = UInt64(status.st_ino)
    #if canImport(Darwin)
      (seconds, nanoseconds) = (status.st_mtimespec.tv_sec, status.st_mtimespec.tv_nsec)
    #else
      (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    #endif
  }

  func isNotOlder(than other: FileStamp) -> Bool { (seconds, nanoseconds) >= (other.seconds, other.nanoseconds) }
}
