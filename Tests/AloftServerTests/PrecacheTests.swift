// SPDX-License-Identifier: Apache-2.0
// precache.json as the server makes it: it lists what is served, with the hashes of what is served, and nothing else.

import AloftCore
import AloftServer
import Crypto
import FieldVisits
import Foundation
import LoopbackHTTP
import Testing

@Suite struct PrecacheTests {
  private struct Manifest: Decodable {
    struct File: Decodable {
      var url: String
      var hash: String
      var optional: Bool?
    }
    var version: String
    var files: [File]
  }

  private static func run(
    app: App = fieldVisits, configure: @escaping (inout ServerConfiguration, Folder) throws -> Void = { _, _ in },
    _ body: @escaping @Sendable (TestServer) throws -> Void
  ) async throws {
    try await TestServer.run(
      app: app,
      configure: { configuration, folder in
        for (name, text) in [
          ("app/index.html", "page"), ("app/sw.js", "worker"), ("app/help/index.html", "help"), ("app/icons/a b.png", "icon"),
          ("app/.env", "SECRET"), ("app/.git/config", "SECRET"), ("secret.txt", "SECRET"), ("app/app.json", "{}"), ("app/sync/x.js", "x"),
          ("modules/aloft.js", "release"), ("modules/aloft.js.gz", "packed"), ("modules/field.wasm", "engine"), ("modules/aloft.wasm", "other"),
          ("modules/text.wasm", "text"), ("modules/text.js", "text"),
          ("sources/aloft.js", "source"), ("sources/part.js", "part"), ("sources/aloft.d.ts", "types"), ("sources/package.json", "{}"),
        ] { try folder.write(name, text) }
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/app/out", withDestinationPath: folder.path)
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/app/link.txt", withDestinationPath: folder.path + "/secret.txt")
        configuration.folders = [
          StaticFolder(prefix: "/aloft/aloft.wasm", folder: folder.path + "/modules/field.wasm"),
          StaticFolder(prefix: "/aloft/", folder: folder.path + "/modules"), StaticFolder(prefix: "/aloft/", folder: folder.path + "/sources"),
          StaticFolder(prefix: "/", folder: folder.path + "/app"),
        ]
        try configure(&configuration, folder)
      }, body)
  }

  private static func manifest(_ visitor: Visitor) throws -> Manifest {
    let answer = try visitor.request("GET", "/precache.json")
    #expect(answer.status == 200 && answer.headers["content-type"] == "application/json")
    return try JSONDecoder().decode(Manifest.self, from: Data(answer.body))
  }

  @Test func `an app without collaborative text keeps nothing of it`() async throws {
    let plain = App("plain", version: 1) {
      Collection("things") {
        Field("name", .string)
        Allow(.read, to: "member")
      }
    }
    try await Self.run(app: plain) { server in
      let manifest = try Self.manifest(try server.visitor())
      #expect(!manifest.files.contains { $0.url.contains("text") })
    }
  }

  @Test func `the manifest lists what is served, and each address answers bytes with that hash`() async throws {
    try await Self.run { server in
      let visitor = try server.visitor()
      let manifest = try Self.manifest(visitor)
      #expect(manifest.files.map(\.url) == ["/", "/aloft/aloft.js", "/aloft/aloft.wasm", "/aloft/part.js", "/aloft/text.js", "/aloft/text.wasm", "/help/", "/icons/a%20b.png"])
      #expect(manifest.files.map(\.optional) == [nil, nil, nil, nil, nil, nil, nil, true])
      for file in manifest.files {
        let answer = try visitor.request("GET", file.url)
        #expect(answer.status == 200)
        #expect(SHA256.hash(data: answer.body).map { String(format: "%02x", $0) }.joined() == file.hash, "\(file.url)")
      }
      #expect(try visitor.request("GET", "/aloft/aloft.wasm").text == "engine")
      #expect(try visitor.request("GET", "/aloft/aloft.js").text == "release")
    }
  }

  @Test func `the version is the one that Scripts precache gives the same files`() async throws {
    try await TestServer.run(
      configure: { configuration, folder in
        try folder.write("app/index.html", "page")
        try folder.write("app/a.js", "a")
        try folder.write("app/icons/b.svg", "b")
        configuration.folders = [StaticFolder(prefix: "/", folder: folder.path + "/app")]
      },
      { server in
        let version = try Self.manifest(try server.visitor()).version
        #expect(version == "c0ee2b21f70fb09e")
      })
  }

  @Test func `a file that changes, comes or goes changes the version, so that an update is offered`() async throws {
    try await Self.run { server in
      let visitor = try server.visitor()
      let first = try visitor.request("GET", "/precache.json")
      let tag = try #require(first.headers["etag"])
      #expect(try visitor.request("GET", "/precache.json").body == first.body)
      #expect(try visitor.request("GET", "/precache.json", headers: ["If-None-Match": tag]).status == 304)
      var versions = [try Self.manifest(visitor).version]
      try server.folder.write("sources/part.js", "part two")
      versions.append(try Self.manifest(visitor).version)
      try server.folder.write("app/new.css", "")
      versions.append(try Self.manifest(visitor).version)
      try FileManager.default.removeItem(atPath: server.folder.path + "/app/help/index.html")
      versions.append(try Self.manifest(visitor).version)
      #expect(Set(versions).count == 4)
      #expect(try visitor.request("GET", "/precache.json", headers: ["If-None-Match": tag]).status == 200)
      // What the worker never keeps makes no update.
      try server.folder.write("app/sw.js", "worker two")
      #expect(try Self.manifest(visitor).version == versions[3])
    }
  }

  @Test func `nothing hidden or outside the folders is ever listed`() async throws {
    try await Self.run { server in
      try server.folder.write("app/.hidden/page.html", "SECRET")
      try server.folder.write("app/back\\slash.js", "SECRET")
      let text = try server.visitor().request("GET", "/precache.json").text
      for part in ["..", "/.", "secret", "link", "out", "slash", "env", "git"] { #expect(!text.contains(part), "\(part)") }
      let hash = SHA256.hash(data: Data("SECRET".utf8)).map { String(format: "%02x", $0) }.joined()
      #expect(!text.contains(hash))
    }
  }

  @Test func `a manifest in the app's folder wins`() async throws {
    try await Self.run(configure: { _, folder in try folder.write("app/precache.json", "{\"mine\":1}") }) { server in
      let answer = try server.visitor().request("GET", "/precache.json")
      #expect(answer.text == "{\"mine\":1}")
    }
  }

  @Test func `a server without files has no manifest`() async throws {
    try await Self.run(configure: { configuration, _ in configuration.folders = [] }) { server in
      let answer = try server.visitor().request("GET", "/precache.json")
      #expect(answer.status == 404)
    }
  }
}
