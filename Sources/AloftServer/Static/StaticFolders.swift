// SPDX-License-Identifier: Apache-2.0
// Which file on disk answers a URL, and which URLs have one. Nothing outside the folders and nothing hidden has.

import Foundation

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

/// Several folders as one tree. The longest prefix that matches is searched first; folders of one prefix in the order given.
struct StaticFolders: Sendable {
  private static let depthMax = 16

  private let folders: [StaticFolder]

  init(_ folders: [StaticFolder]) {
    self.folders = folders.enumerated().sorted { ($1.element.prefix.count, $0.offset) < ($0.element.prefix.count, $1.offset) }.map(\.element)
  }

  /// The file that a URL's path names, inside one of the folders for certain; nil for everything else.
  func file(at path: String) -> String? {
    guard path.utf8.count <= 1_024, let decoded = path.removingPercentEncoding else { return nil }
    for folder in folders where decoded.hasPrefix(folder.prefix) {
      if !folder.prefix.hasSuffix("/") {
        if decoded == folder.prefix, let file = realPath(folder.folder) { return file }
      } else if let file = file(named: String(decoded.dropFirst(folder.prefix.count)), in: folder.folder) {
        return file
      }
    }
    return nil
  }

  private func file(named path: String, in folder: String) -> String? {
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
}

extension StaticFolders {
  /// The paths of all URLs that a file answers, percent-encoded as browsers do it; an index.html under its folder's own URL.
  /// Links to folders are not followed: they could go round in circles.
  func paths() -> Set<String> {
    var found: Set<String> = []
    for folder in folders {
      if folder.prefix.hasSuffix("/") { collect(folder.folder, folder.prefix, depth: Self.depthMax, &found) } else { found.insert(folder.prefix) }
    }
    // What a listing shows and what a request gets are decided in one place.
    return Set(found.lazy.map(Self.encoded).filter { file(at: $0) != nil })
  }

  private func collect(_ folder: String, _ prefix: String, depth: Int, _ found: inout Set<String>) {
    // A folder that is missing or may not be read has no files.
    guard depth > 0, let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return }
    for name in names where !name.hasPrefix(".") {
      var status = stat()
      guard lstat(folder + "/" + name, &status) == 0 else { continue }
      if status.st_mode & S_IFMT == S_IFDIR {
        collect(folder + "/" + name, prefix + name + "/", depth: depth - 1, &found)
      } else {
        found.insert(name == "index.html" ? prefix : prefix + name)
      }
    }
  }

  /// The URL standard's percent-encoding of paths, and of the percent sign itself.
  private static func encoded(_ path: String) -> String {
    var out = ""
    for byte in path.utf8 {
      switch byte {
      case 0x00...0x20, 0x22, 0x23, 0x25, 0x3C, 0x3E, 0x3F, 0x5E, 0x60, 0x7B, 0x7D, 0x7F...:
        out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      default: out.unicodeScalars.append(Unicode.Scalar(byte))
      }
    }
    return out
  }
}
