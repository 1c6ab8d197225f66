// SPDX-License-Identifier: Apache-2.0
// Static files: the right type and headers, nothing outside their folders.

import AloftServer
import Foundation
import LoopbackHTTP
import Testing

@Suite struct StaticFilesTests {
  private static func run(_ body: @escaping @Sendable (TestServer) throws -> Void) async throws {
    try await TestServer.run(
      configure: { configuration, folder in
        try folder.write("app/index.html", "<!doctype html>app")
        try folder.write("app/deep/page.html", "<!doctype html>deep")
        try folder.write("app/main.js", "export {}")
        try folder.write("app/.env", "SECRET")
        try folder.write("app/.git/config", "SECRET")
        try folder.write("secret.txt", "SECRET")
        try folder.write("app-private/secret.txt", "SECRET")
        try folder.write("platform/aloft.js", "platform")
        try folder.write("platform/aloft.js.gz", "packed")
        try folder.write("other.wasm", "\0asm")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/app/out", withDestinationPath: folder.path)
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/app/link.txt", withDestinationPath: folder.path + "/secret.txt")
        configuration.folders = [
          StaticFolder(prefix: "/", folder: folder.path + "/app"), StaticFolder(prefix: "/aloft/", folder: folder.path + "/missing"),
          StaticFolder(prefix: "/aloft/", folder: folder.path + "/platform"),
          StaticFolder(prefix: "/aloft/aloft.wasm", folder: folder.path + "/other.wasm"),
        ]
      }, body)
  }

  @Test func `pages and modules come with their type and the policy that protects them`() async throws {
    try await Self.run { server in
      let visitor = try server.visitor()
      let page = try visitor.request("GET", "/")
      #expect(page.text == "<!doctype html>app" && page.headers["content-type"] == "text/html; charset=utf-8")
      #expect(
        page.headers["content-security-policy"]
          == "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
          + "base-uri 'none'; frame-ancestors 'none'; object-src 'none'")
      #expect(page.headers["x-content-type-options"] == "nosniff" && page.headers["referrer-policy"] == "no-referrer")
      let module = try visitor.request("GET", "/aloft/aloft.js")
      #expect(module.text == "platform" && module.headers["content-type"] == "text/javascript; charset=utf-8")
      #expect(module.headers["service-worker-allowed"] == "/")
      let engine = try visitor.request("GET", "/aloft/aloft.wasm")
      #expect(engine.headers["content-type"] == "application/wasm" && engine.body.count == 4)
      #expect(try visitor.request("GET", "/deep/page.html?x=1").text == "<!doctype html>deep")
    }
  }

  @Test func `an unchanged file is not sent again, a changed one is`() async throws {
    try await Self.run { server in
      let visitor = try server.visitor()
      let first = try visitor.request("GET", "/main.js")
      let tag = try #require(first.headers["etag"])
      #expect(first.headers["cache-control"] == "no-cache")
      #expect(try visitor.request("GET", "/main.js", headers: ["If-None-Match": tag]).status == 304)
      #expect(try visitor.request("GET", "/main.js", headers: ["If-None-Match": "\"x\", W/\(tag)"]).status == 304)
      try server.folder.write("app/main.js", "export const changed = 1")
      let second = try visitor.request("GET", "/main.js", headers: ["If-None-Match": tag])
      #expect(second.status == 200 && second.text == "export const changed = 1")
      let head = try visitor.request("HEAD", "/main.js")
      #expect(head.status == 200 && head.headers["content-length"] == "24" && head.body.isEmpty)
    }
  }

  @Test func `a packed file beside the plain one is sent to those who take it`() async throws {
    try await Self.run { server in
      let visitor = try server.visitor()
      let packed = try visitor.request("GET", "/aloft/aloft.js", headers: ["Accept-Encoding": "gzip, br"])
      #expect(packed.text == "packed" && packed.headers["content-encoding"] == "gzip" && packed.headers["vary"] == "Accept-Encoding")
      #expect(packed.headers["content-type"] == "text/javascript; charset=utf-8")
      #expect(try visitor.request("GET", "/aloft/aloft.js").headers["content-encoding"] == nil)
    }
  }

  @Test func `a large text is packed once for those who take it, an image is not`() async throws {
    try await Self.run { server in
      let visitor = try server.visitor()
      let text = String(repeating: "export const word = 'again';\n", count: 500)
      try server.folder.write("app/large.js", text)
      try server.folder.write("app/large.png", text)
      let plain = try visitor.request("GET", "/large.js")
      #expect(plain.text == text && plain.headers["content-encoding"] == nil)
      let packed = try visitor.request("GET", "/large.js", headers: ["Accept-Encoding": "gzip"])
      #expect(packed.headers["content-encoding"] == "gzip" && packed.body.count < text.utf8.count / 10)
      #expect(packed.headers["content-length"] == String(packed.body.count))
      // A gzip file begins with these bytes and ends with the length of what it holds.
      #expect(packed.body.starts(with: [0x1F, 0x8B, 8]))
      #expect(packed.body.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) } == text.utf8.count)
      let tag = try #require(packed.headers["etag"])
      #expect(tag != plain.headers["etag"])
      #expect(try visitor.request("GET", "/large.js", headers: ["Accept-Encoding": "gzip", "If-None-Match": tag]).status == 304)
      #expect(try visitor.request("GET", "/large.js", headers: ["If-None-Match": tag]).status == 200)
      #expect(try visitor.request("GET", "/large.png", headers: ["Accept-Encoding": "gzip"]).headers["content-encoding"] == nil)
      #expect(try visitor.request("GET", "/main.js", headers: ["Accept-Encoding": "gzip"]).headers["content-encoding"] == nil)
    }
  }

  @Test func `no path leads out of the folder or to a hidden file`() async throws {
    try await Self.run { server in
      let visitor = try server.visitor()
      for path in [
        "/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/%2e%2e%2fsecret.txt", "/deep/../../secret.txt", "/..\\secret.txt",
        "/..%5csecret.txt", "/%252e%252e/secret.txt", "//secret.txt", "/./../secret.txt", "/aloft/../../secret.txt", "/aloft/..%2f..%2fsecret.txt",
        "/.env", "/.git/config", "/%2eenv", "/deep/", "/deep", "/out/secret.txt", "/link.txt", "/secret.txt%00.html", "/%00", "/..",
        "/../app-private/secret.txt", "/index.html/", "/aloft/", "/" + String(repeating: "a/", count: 2_000), "/%ff%fe", "/%", "/%zz",
        "/etc/passwd", "//etc/passwd", "/aloft/aloft.wasm/x",
      ] {
        let answer = try visitor.request("GET", path)
        #expect(answer.status == 404 || answer.status == 400, "\(path): \(answer.status)")
        #expect(!answer.text.contains("SECRET"), "\(path)")
      }
    }
  }
}
