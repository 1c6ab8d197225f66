// SPDX-License-Identifier: Apache-2.0
// Files of the app and of the platform, with the right type, packed for those who take it, and not sent again when unchanged.

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOPosix

/// Answers every request that no route takes.
struct StaticFiles: Sendable {
  private static let policy =
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    + "base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

  private struct Found: Sendable {
    var bytes: ByteBuffer
    var tag: String
    var type: String
    var isPacked = false
  }

  private let folders: StaticFolders
  private let files = FileCache()
  private let precache: Precache
  private let threads: NIOThreadPool

  /// `optional`: see `ServerConfiguration.optionalFiles`.
  init(_ folders: [StaticFolder], optional: [String], unwanted: Set<String> = [], threads: NIOThreadPool) {
    self.folders = StaticFolders(folders)
    precache = Precache(folders: self.folders, files: files, optional: optional, unwanted: unwanted)
    self.threads = threads
  }

  func answer(_ request: Request) async throws -> Response {
    let acceptsGzip = request.headers[.acceptEncoding]?.contains("gzip") == true
    let path = request.uri.path
    guard let found = try await threads.runIfActive({ find(path, acceptsGzip) }) else { throw Refusal.notFound }
    var headers: HTTPFields = [
      .contentType: found.type, .cacheControl: "no-cache", .eTag: found.tag, .vary: "Accept-Encoding",
    ]
    if found.isPacked { headers[.contentEncoding] = "gzip" }
    if found.type.hasPrefix("text/html") { headers[.contentSecurityPolicy] = Self.policy }
    if found.type.hasPrefix("text/javascript") { headers[.serviceWorkerAllowed] = "/" }
    if matches(request.headers[.ifNoneMatch], found.tag) { return Response(status: .notModified, headers: headers) }
    headers[.contentLength] = String(found.bytes.readableBytes)
    if request.method == .head { return Response(status: .ok, headers: headers) }
    return Response(status: .ok, headers: headers, body: .init(byteBuffer: found.bytes))
  }

  /// The answer for a path; nil when nothing is there. Reads the disk.
  private func find(_ path: String, _ acceptsGzip: Bool) -> Found? {
    guard let place = folders.file(at: path) else { return path == Precache.path ? manifest() : nil }
    let type = MIMEType.of(path.hasSuffix("/") ? place : path)
    if acceptsGzip, MIMEType.isPackable(type), let packed = files.packed(place) {
      return Found(bytes: packed.bytes, tag: packed.tag, type: type, isPacked: true)
    }
    return files.file(place).map { Found(bytes: $0.bytes, tag: $0.tag, type: type) }
  }

  private func manifest() -> Found? {
    guard let (json, version) = precache.manifest() else { return nil }
    return Found(bytes: ByteBuffer(string: json), tag: "\"\(version)\"", type: "application/json")
  }

  private func matches(_ wanted: String?, _ tag: String) -> Bool {
    guard let wanted else { return false }
    return wanted.split(separator: ",").contains { part in
      let candidate = part.trimmingCharacters(in: .whitespaces)
      return candidate == "*" || candidate == tag || candidate == "W/" + tag
    }
  }
}
