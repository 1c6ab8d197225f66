// SPDX-License-Identifier: Apache-2.0
// Where people have their cursors: told to those who may read the text, at once, and to nobody else.

import AloftCore
import FieldVisits
import LoopbackHTTP
import Testing

@testable import AloftServer

@Suite struct PresenceTests {
  private static func told(_ cursor: String, id: String = "visit-1", session: String = "session-of-mia") -> String {
    #"{"collection":"visits","id":"\#(id)","field":"notes","session":"\#(session)","cursor":\#(cursor),"anchor":3}"#
  }

  /// Mia's team has one visit.
  private static func makeVisit(_ mia: Visitor) throws {
    _ = try mia.push([
      Make.store("north-1", team: "north", name: "Corner Shop"),
      Make.create("visits", "visit-1", #""team":"north","store":"north-1","title":"Shelf""#),
    ])
  }

  private static func follow(_ visitor: Visitor) throws {
    try visitor.connection.send("GET", "/live", headers: ["Cookie": visitor.cookie ?? ""])
    _ = try visitor.connection.receive { String(decoding: $0, as: UTF8.self).contains(": connected") }
  }

  @Test func `a colleague sees the cursor at once, another team never gets a byte of it`() async throws {
    try await TestServer.run(configure: { configuration, _ in configuration.heartbeat = .milliseconds(50) }) { server in
      let (mia, ada, noah) = (try server.person("mia"), try server.person("ada"), try server.person("noah"))
      try Self.makeVisit(mia)
      for person in [ada, noah] { try Self.follow(person) }
      #expect(try mia.request("POST", "/live/presence", json: Self.told("7")).status == 204)
      let seen = try ada.connection.receive { String(decoding: $0, as: UTF8.self).contains("event: presence\n") }
      let text = String(decoding: seen, as: UTF8.self)
      #expect(text.contains(#""id":"visit-1","field":"notes","session":"session-of-mia","user":"mia","name":"Mia","cursor":7,"anchor":3}"#), "\(text)")
      let beats = try noah.connection.receive { String(decoding: $0, as: UTF8.self).components(separatedBy: ": beat").count > 3 }
      #expect(!String(decoding: beats, as: UTF8.self).contains("presence"))
    }
  }

  @Test func `who comes later hears where people are, and not of those who left`() async throws {
    try await TestServer.run(configure: { configuration, _ in configuration.heartbeat = .milliseconds(50) }) { server in
      let (mia, ada) = (try server.person("mia"), try server.person("ada"))
      try Self.makeVisit(mia)
      try mia.request("POST", "/live/presence", json: Self.told("7"))
      try mia.request("POST", "/live/presence", json: Self.told("1", session: "another-text"))
      try mia.request("POST", "/live/presence", json: Self.told("null", session: "another-text"))
      try ada.connection.send("GET", "/live", headers: ["Cookie": ada.cookie ?? ""])
      let heard = try ada.connection.receive { String(decoding: $0, as: UTF8.self).contains(": beat") }
      let text = String(decoding: heard, as: UTF8.self)
      #expect(text.contains(#""session":"session-of-mia""#))
      #expect(!text.contains("another-text"))
    }
  }

  @Test func `the sender's own session is told nothing`() async throws {
    try await TestServer.run(configure: { configuration, _ in configuration.heartbeat = .milliseconds(50) }) { server in
      let (mia, other) = (try server.person("mia"), try server.visitor())
      other.cookie = mia.cookie
      try Self.makeVisit(mia)
      try Self.follow(other)
      try mia.request("POST", "/live/presence", json: Self.told("7"))
      let heard = try other.connection.receive { String(decoding: $0, as: UTF8.self).components(separatedBy: ": beat").count > 3 }
      #expect(!String(decoding: heard, as: UTF8.self).contains("presence"))
    }
  }

  @Test func `what may not be read and what is not there get one and the same answer`() async throws {
    try await TestServer.run { server in
      let (mia, noah) = (try server.person("mia"), try server.person("noah"))
      try Self.makeVisit(mia)
      let forbidden = try noah.request("POST", "/live/presence", json: Self.told("7"))
      let missing = try noah.request("POST", "/live/presence", json: Self.told("7", id: "visit-2"))
      #expect(forbidden.status == 404 && missing.status == 404)
      #expect(forbidden.text.contains("There is no such text.") && missing.text.contains("There is no such text."))
      #expect(try server.visitor().request("POST", "/live/presence", json: Self.told("7")).status == 401)
    }
  }

  @Test func `malformed, large and hasty messages are refused in words`() async throws {
    try await TestServer.run { server in
      let mia = try server.person("mia")
      try Self.makeVisit(mia)
      for (body, status) in [
        ("", 400), ("[]", 400), (#"{"collection":"visits"}"#, 400), (Self.told("-1"), 400), (Self.told("1e30"), 400), (Self.told("\"a\""), 400),
        (Self.told("1", session: "short"), 400), (Self.told("1", session: String(repeating: "s", count: 65)), 400),
        (Self.told("1", session: String(repeating: "s", count: 2_000)), 413),
      ] {
        let answer = try mia.request("POST", "/live/presence", json: body)
        #expect(answer.status == status, "\(body.prefix(80)): \(answer.status)")
        #expect(answer.text.hasPrefix(#"{"aloft":1,"error":{"code""#))
      }
      let statuses = try (0..<60).map { _ in try mia.request("POST", "/live/presence", json: Self.told("7")).status }
      #expect(statuses.contains(429) && Set(statuses).isSubset(of: [204, 429]), "\(statuses)")
    }
  }

  @Test func `one person has at most sixteen open texts, and what is half a minute old is forgotten`() {
    let table = PresenceTable()
    let visits = fieldVisits.collections[2]
    let place = FieldPlace(visits, visits.fields[0], in: ["team:north"])
    let (mia, noah) = (Principal(user: "mia", grants: [Grant(role: "member", scope: "team:north")]), Principal(user: "noah", grants: []))
    func put(_ number: Int, now: Double) -> Bool {
      table.put(
        Presence(owner: [1], collection: "visits", id: "a", field: "notes", session: "session-\(number)", user: "mia", name: "Mia", cursor: 1, anchor: 1),
        at: place, now: now)
    }
    #expect((0..<18).map { put($0, now: 0) } == Array(repeating: true, count: 16) + [false, false])
    #expect(put(3, now: 29))
    #expect(table.current(for: mia, except: nil, now: 30).map(\.session) == ["session-3"])
    #expect(table.current(for: mia, except: [1], now: 30).isEmpty && table.current(for: noah, except: nil, now: 30).isEmpty)
    #expect(put(17, now: 30))
  }
}
