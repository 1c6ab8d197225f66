// SPDX-License-Identifier: Apache-2.0
// What kind of content a file name stands for.

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

  /// Whether content of a type usually shrinks: images, fonts and archives are packed already.
  static func isPackable(_ type: String) -> Bool {
    ["text/", "application/json", "application/wasm", "application/manifest+json", "application/xml", "image/svg+xml"].contains { type.hasPrefix($0) }
  }
}
