// SPDX-License-Identifier: Apache-2.0
// A real server on a free port, and people who talk to it over real sockets.

import AloftCore
import AloftSQLite
import AloftServer
import AloftStore
import FieldVisits
import Foundation
import LoopbackHTTP

/// A folder that disappears with the test.
final class Folder: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appending(path: "aloft-tests-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }  // a folder left in /tmp harms nobody

  func write(_ name: String, _ text: String) throws {
    let url = URL(fileURLWithPath: path).appending(path: name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }
}

/// Field Visits with three people, on SQLite, in this process.
struct TestServer: Sendable {
  let port: Int
  let folder: Folder

  static let people = [
    person("mia", ["member"], ["team:north", "catalog"]), person("noah", ["member"], ["team:south", "catalog"]),
    person("ada", ["member", "manager"], ["team:north", "team:south", "catalog"]),
  ]

  private static func person(_ name: String, _ roles: [String], _ scopes: [String]) -> User {
    User(
      user: name, name: name.capitalized, password: "secret-of-\(name)",
      grants: scopes.flatMap { scope in roles.map { User.GrantText(role: $0, scope: scope) } })
  }

  /// Starts a server, runs `body` on a thread of its own (its sockets block), and stops the server.
  static func run(
    users: [User]? = people, app: App = fieldVisits, configure: (inout ServerConfiguration, Folder) throws -> Void = { _, _ in },
    _ body: @escaping @Sendable (TestServer) throws -> Void
  ) async throws {
    let folder = try Folder()
    var configuration = ServerConfiguration()
    configuration.port = 0
    configuration.logLevel = .critical
    try configure(&configuration, folder)
    // Few rounds: the tests are about the rules, and a debug build derives slowly.
    let identity: any Identity =
      try users.map { try PasswordIdentity(users: $0, path: folder.path + "/sessions.sqlite", rounds: 1_000) } ?? OpenIdentity()
    let store = try SQLiteStore(path: folder.path + "/store.sqlite")
    let server = AloftServer(app: app, store: store, identity: identity, configuration: configuration)
    let (ports, announce) = AsyncStream<Int>.makeStream()
    let serving = Task { try await server.application(running: { announce.yield($0) }).run() }
    var port = 0
    for await found in ports {
      port = found
      break
    }
    let result = await onThread { [port] in Result { try body(TestServer(port: port, folder: folder)) } }
    serving.cancel()
    _ = await serving.result
    await onThread {
      server.stop()
      store.close()
    }
    try result.get()
  }

  func visitor() throws -> Visitor { try Visitor(port: port) }

  /// A visitor who is signed in.
  func person(_ name: String) throws -> Visitor {
    let visitor = try visitor()
    try visitor.signIn(name, password: "secret-of-\(name)")
    return visitor
  }
}

/// Runs blocking work off the concurrency pool, on which the server under test runs.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
  await withCheckedContinuation { done in
    Thread.detachNewThread { done.resume(returning: body()) }
  }
}

/// One browser: a connection and its cookie.
final class Visitor {
  let connection: LoopbackConnection
  var cookie: String?
  /// Every byte that ever came back.
  private(set) var received: [UInt8] = []
  let device = Base64URL.encode((0..<16).map { _ in UInt8.random(in: .min ... .max) }).string

  init(port: Int) throws { connection = try LoopbackConnection(port: port) }

  @discardableResult
  func request(
    _ method: String, _ path: String, json: String? = nil, cbor: [UInt8]? = nil, headers: [String: String] = [:]
  ) throws -> LoopbackAnswer {
    var all = headers
    if all["X-Aloft"] == nil { all["X-Aloft"] = "1" }
    if all["X-Aloft"] == "" { all["X-Aloft"] = nil }
    if let cookie, all["Cookie"] == nil { all["Cookie"] = cookie }
    if all["Content-Type"] == nil { all["Content-Type"] = json != nil ? "application/json" : cbor != nil ? "application/cbor" : nil }
    let answer = try connection.exchange(method, path, headers: all, body: json.map { Array($0.utf8) } ?? cbor ?? [])
    received += answer.raw
    return answer
  }

  func signIn(_ user: String, password: String) throws {
    let answer = try request("POST", "/session", json: "{\"user\":\"\(user)\",\"password\":\"\(password)\"}")
    guard answer.status == 200, let set = answer.headers["set-cookie"] else { throw Unexpected(answer) }
    cookie = String(set.prefix(while: { $0 != ";" }))
  }

  /// Pushes mutations, each `{"action":…,"args":…}` without number and time, from number `n` on.
  func push(_ mutations: [String], from n: Int = 1, path: String = "/sync/mutations") throws -> LoopbackAnswer {
    try request("POST", path, json: Self.body(device: device, mutations, from: n))
  }

  static func body(device: String, _ mutations: [String], from n: Int = 1) -> String {
    let numbered = mutations.enumerated().map { index, mutation in
      "{\"n\":\(n + index),\"time\":[1700000000000,\(n + index)]," + mutation.dropFirst()
    }
    return "{\"protocol\":1,\"schema\":1,\"device\":\"\(device)\",\"mutations\":[\(numbered.joined(separator: ","))]}"
  }

  /// The outcomes of a push, "applied" or "rejected forbidden".
  func outcomes(_ answer: LoopbackAnswer) throws -> [String] {
    guard answer.status == 200, let object = try object(answer), let list = object["outcomes"] as? [[String: Any]] else {
      throw Unexpected(answer)
    }
    return list.map { [$0["outcome"] as? String, $0["code"] as? String].compactMap { $0 }.joined(separator: " ") }
  }

  func object(_ answer: LoopbackAnswer) throws -> [String: Any]? {
    try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
  }
}

struct Unexpected: Error, CustomStringConvertible {
  let description: String
  init(_ answer: LoopbackAnswer) { description = "\(answer.status) \(answer.text)" }
}

/// Mutations of Field Visits as JSON.
enum Make {
  static func create(_ collection: String, _ id: String, _ fields: String) -> String {
    "{\"action\":\"create\",\"args\":{\"collection\":\"\(collection)\",\"id\":\"\(id)\",\"fields\":{\(fields)}}}"
  }

  static func update(_ collection: String, _ id: String, _ changes: String) -> String {
    "{\"action\":\"update\",\"args\":{\"collection\":\"\(collection)\",\"id\":\"\(id)\",\"changes\":{\(changes)}}}"
  }

  static func delete(_ collection: String, _ id: String) -> String {
    "{\"action\":\"delete\",\"args\":{\"collection\":\"\(collection)\",\"id\":\"\(id)\"}}"
  }

  static func store(_ id: String, team: String, name: String) -> String {
    create("stores", id, "\"team\":\"\(team)\",\"name\":\"\(name)\"")
  }
}
