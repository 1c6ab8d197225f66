// SPDX-License-Identifier: Apache-2.0
// Files of the app and of the platform: found safely, served with the right type, and not sent again when unchanged.

import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import NIOPosix
import Synchronization

/// A folder whose files are served under a prefix, or one file served under its full path.
public struct StaticFolder: Sendable {
  public var prefix: String
  public var folder: String

  /// `prefix` begins and ends with a slash: "/" or "/aloft/"; or it is the path of a file, and `folder` is that file.
  public init(prefix: String, folder: String) {
    self.prefix = prefix
    self.folder = folder
  }
}

/// Serves static folders. The longest prefix that matches is searched first; several folders may share one. Files are kept in
/// memory until they change.
final class StaticFiles: Sendable {
  private static let fileBytesMax = 32 << 20
  private static let cacheBytesMax = 64 << 20
  private static let policy =
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    + "base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

  private struct File: Sendable {
    var stamp: FileStamp
    var bytes: ByteBuffer
    var tag: String
  }

  private struct Cache: Sendable {
    var files: [String: File] = [:]
    var byteCount = 0
  }

  private let folders: [StaticFolder]
  private let threads: NIOThreadPool
  private let cache = Mutex(Cache())

  init(_ folders: [StaticFolder], threads: NIOThreadPool) {
    self.folders = folders.enumerated().sorted { ($1.element.prefix.count, $0.offset) < ($0.element.prefix.count, $1.offset) }.map(\.element)
    self.threads = threads
  }

  func answer(_ request: Request) async throws -> Response {
    let acceptsGzip = request.headers[.acceptEncoding]?.contains("gzip") == true
    let path = request.uri.path
    let found = try await threads.runIfActive { () -> (file: File, isGzip: Bool, name: String)? in
      guard let place = self.locate(path) else { return nil }
      if acceptsGzip, let packed = self.file(place + ".gz"), let plain = FileStamp(path: place), packed.stamp.isNotOlder(than: plain) {
        return (packed, true, place)
      }
      return self.file(place).map { ($0, false, place) }
    }
    guard let found else { throw Refusal.notFound }
    let type = MIMEType.of(path.hasSuffix("/") ? found.name : path)
    var headers: HTTPFields = [
      .contentType: type, .cacheControl: "no-cache", .eTag: found.file.tag, .vary: "Accept-Encoding",
    ]
    if found.isGzip { headers[.contentEncoding] = "gzip" }
    if type.hasPrefix("text/html") { headers[.contentSecurityPolicy] = Self.policy }
    if type.hasPrefix("text/javascript") { headers[.serviceWorkerAllowed] = "/" }
    if matches(request.headers[.ifNoneMatch], found.file.tag) { return Response(status: .notModified, headers: headers) }
    headers[.contentLength] = String(found.file.bytes.readableBytes)
    if request.method == .head { return Response(status: .ok, headers: headers) }
    return Response(status: .ok, headers: headers, body: .init(byteBuffer: found.file.bytes))
  }

  private func matches(_ wanted: String?, _ tag: String) -> Bool {
    guard let wanted else { return false }
    return wanted.split(separator: ",").contains { part in
      let candidate = part.trimmingCharacters(in: .whitespaces)
      return candidate == "*" || candidate == tag || candidate == "W/" + tag
    }
  }

  /// The file that a path names, inside one of the folders for certain; nil for everything else.
  private func locate(_ path: String) -> String? {
    guard let decoded = path.removingPercentEncoding, path.utf8.count <= 1_024 else { return nil }
    for folder in folders where decoded.hasPrefix(folder.prefix) {
      if !folder.prefix.hasSuffix("/") {
        if decoded == folder.prefix, let file = realPath(folder.folder) { return file }
      } else if let file = locate(String(decoded.dropFirst(folder.prefix.count)), in: folder.folder) {
        return file
      }
    }
    return nil
  }

  private func locate(_ path: String, in folder: String) -> String? {
    let name = path.isEmpty || path.hasSuffix("/") ? path + "index.html" : path
    for part in name.split(separator: "/", omittingEmptySubsequences: false) {
      // No empty parts, no ".." and ".", and no hidden files.
      if part.isEmpty || part.hasPrefix(".") { return nil }
      if part.utf8.contains(where: { $0 < 0x20 || $0 == 0x5C || $0 == 0x7F }) { return nil }
    }
    // A symbolic link must not lead out of the folder either.
    guard let root = realPath(folder), let real = realPath(root + "/" + name), real.hasPrefix(root + "/") else { return nil }
    return real
  }

  private func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// The file's bytes, read again when the file on disk has changed.
  private func file(_ path: String) -> File? {
    guard let stamp = FileStamp(path: path), stamp.byteCount <= Self.fileBytesMax else { return nil }
    if let known = cache.withLock({ $0.files[path] }), known.stamp == stamp { return known }
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    let digest = SHA256.hash(data: data).prefix(16).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    let file = File(stamp: stamp, bytes: ByteBuffer(bytes: data), tag: "\"\(digest)\"")
    cache.withLock { cache in
      if cache.byteCount + data.count > Self.cacheBytesMax { cache = Cache() }
      cache.byteCount += data.count - (cache.files[path]?.bytes.readableBytes ?? 0)
      cache.files[path] = file
    }
    return file
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

/// Content types by file name; unknown ones are plain bytes, which browsers never run.
enum MIMEType {
  private static let known = [
    "html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "mjs": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8", "json": "application/json", "map": "application/json", "wasm": "application/wasm",
    "webmanifest": "application/manifest+json", "svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg",
    "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp", "avif": "image/avif", "ico": "image/x-icon",
    "woff2": "font/woff2", "woff": "font/woff", "ttf": "font/ttf", "txt": "text/plain; charset=utf-8",
    "md": "text/plain; charset=utf-8", "ts": "text/plain; charset=utf-8", "xml": "application/xml", "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  ]

  static func of(_ name: String) -> String {
    guard let dot = name.lastIndex(of: ".") else { return "application/octet-stream" }
    return known[name[name.index(after: dot)...].lowercased()] ?? "application/octet-stream"
  }
}
