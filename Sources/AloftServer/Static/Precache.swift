// SPDX-License-Identifier: Apache-2.0
// precache.json made from what is served: the files that the service worker keeps on the device, each with its hash.
//
// The format, what is left out, and the version are those of Scripts/precache.mjs, so the same files have the same version
// whichever made the list. Web/precache.js reads it.

import Crypto
import Foundation

/// Lists the files of a server for its service workers.
struct Precache: Sendable {
  static let path = "/precache.json"

  /// Addresses that a route answers, not a file; and what the worker never keeps, because it belongs to one person.
  private static let routes = ["/app.json", "/health", "/live", "/session", "/sync"]

  let folders: StaticFolders
  let files: FileCache
  /// Files whose URL contains one of these may fail without stopping an update.
  let optional: [String]
  /// Files that this app has no use for.
  let unwanted: Set<String>

  /// The manifest and its version; nil when nothing is served. Costs a `stat` for each file; changed files are hashed anew.
  func manifest() -> (json: String, version: String)? {
    let paths = folders.paths()
    let list = paths.filter { isKept($0, paths) }.sorted().compactMap { path -> String? in
      guard let file = folders.file(at: path), let hash = files.hash(file) else { return nil }
      // Encoded paths hold nothing that JSON would escape.
      let mark = optional.contains { path.contains($0) } ? #","optional":true"# : ""
      return #"{"url":"\#(path)","hash":"\#(hash)"\#(mark)}"#
    }
    if list.isEmpty { return nil }
    let text = "[" + list.joined(separator: ",") + "]"
    let version = SHA256.hash(data: Data(text.utf8)).prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    return (#"{"version":"\#(version)","files":\#(text)}"# + "\n", version)
  }

  private func isKept(_ path: String, _ all: Set<String>) -> Bool {
    // The browser keeps the worker's own file itself.
    if path == "/sw.js" || path.hasSuffix("/precache.json") || path.hasSuffix("/package.json") || path.hasSuffix(".d.ts") { return false }
    if path.hasSuffix(".gz"), all.contains(String(path.dropLast(3))) { return false }
    // A build folder holds the engines of several apps; pages load the one served under this name.
    if path.hasPrefix("/aloft/"), path.hasSuffix(".wasm"), path != "/aloft/aloft.wasm", path != "/aloft/text.wasm" { return false }
    if unwanted.contains(path) { return false }
    return !Self.routes.contains { path == $0 || path.hasPrefix($0 + "/") }
  }
}
