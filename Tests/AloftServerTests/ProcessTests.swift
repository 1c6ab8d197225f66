// SPDX-License-Identifier: Apache-2.0
// The real program: killed in the middle of its work, stopped politely, and used from the command line.

import AloftCore
import Foundation
import LoopbackHTTP
import Synchronization
import Testing

/// A running `aloft` process.
final class AloftProcess {
  private let process = Process()
  private let output = Pipe()
  private(set) var port = 0

  /// Starts a server and waits until it tells its port.
  init(serving folder: String) throws {
    process.executableURL = Self.program
    process.arguments = ["serve", folder + "/app.json", "--data", folder + "/data", "--port", "0"]
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    var text = ""
    while port == 0 {
      let data = output.fileHandleForReading.availableData
      guard !data.isEmpty else { throw CommandFailure(description: "the server ended: \(text)") }
      text += String(decoding: data, as: UTF8.self)
      if let place = text.range(of: "http://127.0.0.1:"), text[place.upperBound...].contains("\n") {
        port = Int(text[place.upperBound...].prefix(while: \.isNumber)) ?? 0
      }
    }
  }

  deinit { if process.isRunning { kill() } }

  /// SIGKILL: no handler runs, nothing is flushed.
  func kill() {
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// SIGTERM; returns the exit code and the seconds it took. `meanwhile` runs after the signal.
  func stop(meanwhile: () throws -> Void = {}) rethrows -> (code: Int32, seconds: Double) {
    let started = ContinuousClock.now
    process.terminate()
    try meanwhile()
    process.waitUntilExit()
    return (process.terminationStatus, (ContinuousClock.now - started) / .seconds(1))
  }

  /// The program beside the tests.
  static let program = URL(fileURLWithPath: Bundle.main.executablePath ?? CommandLine.arguments[0])
    .resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "aloft")

  /// Runs a command to its end.
  static func run(_ arguments: String...) throws -> (code: Int32, output: String) {
    let process = Process()
    let output = Pipe()
    process.executableURL = program
    process.arguments = arguments
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }
}

struct CommandFailure: Error, CustomStringConvertible { let description: String }

/// A device that makes one record and one increment in each mutation pair, and remembers what was acknowledged.
private struct Pusher: Sendable {
  let device: String
  var nextN = 1
  var acknowledged = 0

  /// Pushes until the server is gone; the same push is repeated when nobody knows what became of it.
  mutating func run(port: Int, _ tally: Tally) throws {
    let visitor: Visitor
    do { visitor = try Visitor(port: port) } catch LoopbackError.cannotConnect { return }
    while true {
      let mutations = (0..<5).flatMap { index in
        [
          Make.create("items", "\(device)-\(nextN + 2 * index)", "\"n\":\(nextN + 2 * index)"),
          Make.update("sums", "sum", #""total":{"$increment":1}"#),
        ]
      }
      let answer: LoopbackAnswer
      do {
        answer = try visitor.request("POST", "/sync/mutations", json: Visitor.body(device: device, mutations, from: nextN))
      } catch is LoopbackError { return }
      guard try visitor.outcomes(answer).allSatisfy({ $0 == "applied" || $0 == "merged" }) else { throw Unexpected(answer) }
      nextN += 10
      acknowledged += 5
      tally.add()
    }
  }
}

/// Counts what several threads have done, for one that waits until it is enough.
// @unchecked: the stored properties are touched only while `condition` is locked.
private final class Tally: @unchecked Sendable {
  private let condition = NSCondition()
  private var count = 0
  private var working: Int

  init(working: Int) { self.working = working }

  func add() {
    condition.withLock {
      count += 1
      condition.broadcast()
    }
  }

  /// A thread will add no more.
  func leave() {
    condition.withLock {
      working -= 1
      condition.broadcast()
    }
  }

  /// Waits for the count, or until nobody works any more.
  func wait(for wanted: Int) { condition.withLock { while count < wanted, working > 0 { condition.wait() } } }
}

@Suite(.serialized) struct ProcessTests {
  private static let app = """
    {"app":"kill","version":1,"collections":[
      {"name":"items","fields":[{"name":"n","type":"int"}],"allow":[{"do":["read","create"],"to":"anyone"}]},
      {"name":"sums","fields":[{"name":"total","type":"counter"}],"allow":[{"do":["read","create","update"],"to":"anyone"}]}]}
    """

  @Test func `a server killed under load has every acknowledged mutation once`() async throws {
    let folder = try Folder()
    try folder.write("app.json", Self.app)
    try await onThread {
      Result {
        var pushers = (0..<6).map { Pusher(device: Base64URL.encode([UInt8](repeating: UInt8($0 + 1), count: 16)).string) }
        do {
          let server = try AloftProcess(serving: folder.path)
          #expect(try Visitor(port: server.port).push([Make.create("sums", "sum", #""total":0"#)]).status == 200)
          server.kill()
        }
        for round in 0..<4 {
          let server = try AloftProcess(serving: folder.path)
          let results = Mutex<[Int: Result<Pusher, any Error>]>([:])
          let tally = Tally(working: pushers.count)
          let done = DispatchGroup()
          for (index, pusher) in pushers.enumerated() {
            done.enter()
            Thread.detachNewThread { [port = server.port] in
              var pusher = pusher
              let result = Result { try pusher.run(port: port, tally) }.map { pusher }
              results.withLock { $0[index] = result }
              tally.leave()
              done.leave()
            }
          }
          // All devices are pushing then, and their requests are at every stage.
          tally.wait(for: 40 + 7 * round)
          server.kill()
          done.wait()
          for index in pushers.indices { pushers[index] = try #require(results.withLock { $0[index] }).get() }
          try Self.check(folder.path, pushers)
        }
        let total = pushers.map(\.acknowledged).reduce(0, +)
        print("killed 4 times; \(total) acknowledged pairs of mutations, none missing, none doubled")
        #expect(total > 100)
      }
    }.get()
  }

  /// Restarts the server and compares what it holds with what was acknowledged.
  private static func check(_ folder: String, _ pushers: [Pusher]) throws {
    let server = try AloftProcess(serving: folder)
    defer { server.kill() }
    let visitor = try Visitor(port: server.port)
    var ids: [String] = []
    var sum = -1
    var path = "/sync"
    while true {
      let answer = try #require(try visitor.object(try visitor.request("GET", path)))
      for part in try #require(answer["scopes"] as? [String: [String: Any]]).values {
        for row in try #require(part["rows"] as? [[String: Any]]) {
          guard let id = row["id"] as? String, let fields = row["fields"] as? [String: Any] else { continue }
          if row["collection"] as? String == "items" { ids.append(id) } else { sum = fields["total"] as? Int ?? -1 }
        }
      }
      guard answer["more"] as? Bool == true else { break }
      let cursors = try JSONSerialization.data(withJSONObject: try #require(answer["cursors"]))
      path = "/sync?since=" + Base64URL.encode(Array(cursors)).string
    }
    let held = Set(ids)
    #expect(held.count == ids.count, "a record came twice")
    var judgedPairs = 0
    for pusher in pushers {
      for n in stride(from: 1, to: pusher.nextN, by: 2) where !held.contains("\(pusher.device)-\(n)") {
        Issue.record("an acknowledged record is missing: \(n)")
      }
      // A push that was committed but not answered counts as a whole or not at all.
      let extra = stride(from: pusher.nextN, to: pusher.nextN + 10, by: 2).filter { held.contains("\(pusher.device)-\($0)") }.count
      #expect(extra == 0 || extra == 5)
      judgedPairs += pusher.acknowledged + extra
    }
    #expect(ids.count == judgedPairs)
    #expect(sum == judgedPairs, "the counter must be the number of increments judged")
  }

  @Test func `a polite stop finishes the work, ends live streams at once and leaves a clean folder`() async throws {
    let folder = try Folder()
    try folder.write("app.json", Self.app)
    try await onThread {
      Result {
        let server = try AloftProcess(serving: folder.path)
        let live = try Visitor(port: server.port)
        try live.connection.send("GET", "/live")
        _ = try live.connection.receive { String(decoding: $0, as: UTF8.self).contains(": connected") }
        let idle = try Visitor(port: server.port)
        #expect(try idle.request("GET", "/health").status == 200)
        // A request is under way. What was sent does not fit the buffers of both sides, so the server is reading it.
        let body = Visitor.body(device: idle.device, [Make.create("items", "last", #""n":1"#)])
        let padding = [UInt8](repeating: 0x20, count: 2 << 20)
        let slow = try LoopbackConnection(port: server.port, sendBufferBytes: 32_768)
        try slow.send(
          "POST", "/sync/mutations", headers: ["X-Aloft": "1", "Content-Type": "application/json"], body: padding + body.utf8.prefix(40),
          declaredLength: padding.count + body.utf8.count)
        let stopped = try server.stop {
          // The end of the stream shows that the stop has begun.
          _ = try live.connection.receive { String(decoding: $0, as: UTF8.self).contains("0\r\n\r\n") }
          try slow.write(Array(body.utf8.dropFirst(40)))
          #expect(try slow.receive().text.contains(#""outcome":"applied""#))
        }
        #expect(stopped.code == 0 && stopped.seconds < 1.5, "\(stopped)")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/data/store.sqlite-wal"))
        #expect(try AloftProcess.run("inspect", folder.path + "/data", "records").output.contains("items       last "))
      }
    }.get()
  }

  @Test func `one data folder has one server, and other files are not taken for it`() async throws {
    let folder = try Folder()
    try folder.write("app.json", Self.app)
    try folder.write("other/store.sqlite", "this is not a database, whatever its name says; it is long enough to be looked at")
    try folder.write("users.json", #"{"users":[{"user":"a"}]}"#)
    try await onThread {
      Result {
        let (app, data) = (folder.path + "/app.json", folder.path + "/data")
        let server = try AloftProcess(serving: folder.path)
        let second = try AloftProcess.run("serve", app, "--data", data, "--port", "0")
        #expect(second.code != 0 && second.output.contains("Another process is serving this data folder"), "\(second)")
        server.kill()
        let damaged = try AloftProcess.run("serve", app, "--data", folder.path + "/other", "--port", "0")
        #expect(damaged.code != 0 && damaged.output.contains("not a SQLite database"), "\(damaged)")
        let openToAll = try AloftProcess.run("serve", app, "--data", data, "--host", "0.0.0.0")
        #expect(openToAll.code != 0 && openToAll.output.contains("Give --users"), "\(openToAll)")
        let users = try AloftProcess.run("serve", app, "--data", data, "--users", folder.path + "/users.json")
        #expect(users.code != 0 && users.output.contains("users[0].name is missing"), "\(users)")
      }
    }.get()
  }

  @Test func `a data folder inside the served folder is refused`() async throws {
    let folder = try Folder()
    try folder.write("app.json", Self.app)
    try folder.write("web/index.html", "<!doctype html>")
    try await onThread {
      Result {
        let served = try AloftProcess.run(
          "serve", folder.path + "/app.json", "--data", folder.path + "/web/../web/data", "--web", folder.path + "/web", "--port", "0")
        #expect(served.code != 0 && served.output.contains("lies inside"), "\(served)")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/web/data"))
      }
    }.get()
  }

  @Test func `schema check passes additions and names what breaks older clients`() async throws {
    let folder = try Folder()
    try folder.write("app.json", Self.app)
    try await onThread {
      Result {
        let app = folder.path + "/app.json"
        #expect(try AloftProcess.run("schema", "check", app).code != 0)
        #expect(try AloftProcess.run("schema", "lock", app).code == 0)
        #expect(FileManager.default.fileExists(atPath: folder.path + "/app.lock.json"))
        try folder.write("app.json", Self.app.replacingOccurrences(of: #"{"name":"n","type":"int"}"#, with: #"{"name":"n","type":"int"},{"name":"more","type":"string","since":2}"#).replacingOccurrences(of: #""version":1"#, with: #""version":2"#))
        let grown = try AloftProcess.run("schema", "check", app)
        #expect(grown.code == 0, "\(grown)")
        try folder.write("app.json", Self.app.replacingOccurrences(of: #""type":"int""#, with: #""type":"string""#))
        let broken = try AloftProcess.run("schema", "check", app)
        #expect(broken.code == 1 && broken.output.contains("collections[0].fields[0]"), "\(broken)")
        let wrong = try AloftProcess.run("schema", "check", folder.path)
        #expect(wrong.code != 0)
      }
    }.get()
  }
}
