// SPDX-License-Identifier: Apache-2.0
// What people may read and write through every address, and that a push counts once.

import AloftCore
import Foundation
import LoopbackHTTP
import Testing

@Suite struct SyncTests {
  @Test func `nobody receives a byte of a team that is not theirs, on any address`() async throws {
    try await TestServer.run(configure: { configuration, _ in configuration.heartbeat = .milliseconds(50) }) { server in
      let canary = "CANARY7f3a"
      let noah = try server.person("noah")
      let made = try noah.push([
        Make.store("south-1", team: "south", name: canary),
        Make.create("visits", "visit-1", #""team":"south","store":"south-1","title":"\#(canary)","status":"open","notes":"\#(canary)""#),
      ])
      #expect(try noah.outcomes(made) == ["applied", "applied"])
      #expect(try noah.request("GET", "/sync").text.contains(canary))

      let mia = try server.person("mia")
      let forged = Base64URL.encode(Array(#"{"team:south":[1,0]}"#.utf8)).string
      for path in ["/sync", "/sync?since=\(forged)", "/app.json", "/session", "/health", "/", "/visits/visit-1", "/live/team:south", "/sync/team:south"] {
        try mia.request("GET", path)
      }
      // Guessing ids: reading through conflicts, errors and outcomes.
      let guesses = [
        Make.create("stores", "south-1", #""team":"north","name":"mine""#), Make.update("stores", "south-1", #""name":"mine""#),
        Make.update("visits", "visit-1", #""status":"closed""#), Make.delete("visits", "visit-1"),
        Make.create("visits", "visit-2", #""team":"south","store":"south-1","title":"x""#),
        #"{"action":"resolve","args":{"collection":"visits","id":"visit-1","fields":{"notes":"x"}}}"#,
        #"{"action":"restore","args":{"collection":"visits","id":"visit-1"}}"#,
        #"{"action":"closeVisit","args":{"visit":"visit-1","summary":"x"}}"#,
      ]
      let outcomes = try mia.outcomes(try mia.push(guesses, path: "/sync"))
      #expect(outcomes.count == guesses.count && outcomes.allSatisfy { $0.hasPrefix("rejected") }, "\(outcomes)")
      for cursors in [#"{"team:south":[0,0]}"#, #"{"team:south":[9,9,9,"AAAAAAAAAAA"],"*":[0,0]}"#] {
        let body = #"{"protocol":1,"schema":1,"device":"\#(mia.device)","cursors":\#(cursors)}"#
        try mia.request("POST", "/sync", json: body)
        try mia.request("POST", "/sync", json: body, headers: ["Accept": "application/cbor"])
      }
      // Another person's device, to read its outcomes.
      try mia.request("POST", "/sync", json: #"{"protocol":1,"schema":1,"device":"\#(noah.device)","issued":2}"#)
      try mia.request("POST", "/sync", json: Visitor.body(device: noah.device, [Make.delete("visits", "visit-1")], from: 2))

      try mia.connection.send("GET", "/live", headers: ["Cookie": mia.cookie ?? ""])
      _ = try noah.push([Make.update("stores", "south-1", #""name":"\#(canary)2""#)], from: 3)
      let live = try mia.connection.receive { String(decoding: $0, as: UTF8.self).components(separatedBy: ": beat").count > 3 }
      #expect(!String(decoding: live, as: UTF8.self).contains("south"))
      #expect(!String(decoding: mia.received, as: UTF8.self).contains(canary))
    }
  }

  @Test func `a representative may not delete, a manager may`() async throws {
    try await TestServer.run { server in
      let (mia, ada) = (try server.person("mia"), try server.person("ada"))
      let outcomes = try mia.outcomes(
        try mia.push([
          Make.store("north-1", team: "north", name: "Corner Shop"), Make.delete("stores", "north-1"),
          Make.update("stores", "north-1", #""phone":"1""#), Make.create("products", "p", #""name":"Tea""#),
        ]))
      #expect(outcomes == ["applied", "rejected forbidden", "applied", "rejected forbidden"])
      #expect(try ada.outcomes(try ada.push([Make.delete("stores", "north-1")])) == ["applied"])
    }
  }

  @Test func `a duplicate push changes nothing and gets the original outcomes`() async throws {
    try await TestServer.run { server in
      let (mia, ada) = (try server.person("mia"), try server.person("ada"))
      _ = try ada.push([Make.create("products", "tea", #""name":"Tea","stock":10"#)])
      let mutations = [
        Make.update("products", "tea", #""stock":{"$increment":-3}"#), Make.delete("products", "tea"),
        Make.update("products", "tea", #""stock":{"$increment":-100}"#),
      ]
      let first = try mia.outcomes(try mia.push(mutations))
      #expect(first.map { $0.prefix(8) } == ["applied", "rejected", "rejected"])
      for _ in 0..<3 { #expect(try mia.outcomes(try mia.push(mutations)) == first) }
      #expect(try ada.request("GET", "/sync").text.contains(#""stock":7"#))
    }
  }

  @Test func `a device belongs to the first user who used it`() async throws {
    try await TestServer.run { server in
      let (mia, noah) = (try server.person("mia"), try server.person("noah"))
      _ = try mia.push([Make.store("north-1", team: "north", name: "Corner Shop")])
      let body = Visitor.body(device: mia.device, [Make.store("south-1", team: "south", name: "Market")], from: 2)
      let answer = try noah.request("POST", "/sync", json: body)
      #expect(answer.text.contains(#""device":"foreign""#))
      #expect(!(try noah.request("GET", "/sync").text.contains("Market")))
      #expect(try mia.outcomes(try mia.push([Make.store("north-2", team: "north", name: "Deli")], from: 2)) == ["applied"])
    }
  }

  @Test func `cursors bring only what is new`() async throws {
    try await TestServer.run { server in
      let mia = try server.person("mia")
      _ = try mia.push([Make.store("a", team: "north", name: "First"), Make.store("b", team: "north", name: "Second")])
      let all = try mia.object(try mia.request("GET", "/sync"))
      let cursors = try JSONSerialization.data(withJSONObject: try #require(all?["cursors"]))
      let since = Base64URL.encode(Array(cursors)).string
      #expect(!(try mia.request("GET", "/sync?since=\(since)").text.contains("First")))
      _ = try mia.push([Make.update("stores", "b", #""name":"Changed""#)], from: 3)
      let delta = try mia.request("GET", "/sync?since=\(since)").text
      #expect(delta.contains("Changed") && !delta.contains("First"))
      #expect(try mia.request("GET", "/sync?since=%25%25").status == 400)
    }
  }

  @Test func `the answer comes in the format that is asked for, and CBOR begins with its mark`() async throws {
    try await TestServer.run { server in
      let mia = try server.person("mia")
      let body = Visitor.body(device: mia.device, [Make.store("a", team: "north", name: "First")])
      let json = try mia.request("POST", "/sync", json: body)
      #expect(json.headers["content-type"] == "application/json" && json.text.hasPrefix(#"{"aloft":1"#))
      let cbor = try mia.request("POST", "/sync", json: body, headers: ["Accept": "application/cbor"])
      #expect(cbor.headers["content-type"] == "application/cbor" && cbor.body.starts(with: [0xD9, 0xD9, 0xF7]))
      let request = try SyncRequest(body: Array(body.utf8), format: .json).encode()
      #expect(try mia.request("POST", "/sync", cbor: request).body.starts(with: [0xD9, 0xD9, 0xF7]))
      #expect(try mia.request("POST", "/sync", json: body, headers: ["Content-Type": "text/plain"]).status == 415)
    }
  }

  @Test func `a hint reaches those who hold the scope, and a sign-out ends the stream`() async throws {
    try await TestServer.run(configure: { configuration, _ in configuration.heartbeat = .milliseconds(50) }) { server in
      let (mia, ada) = (try server.person("mia"), try server.person("ada"))
      try mia.connection.send("GET", "/live", headers: ["Cookie": mia.cookie ?? ""])
      _ = try mia.connection.receive { String(decoding: $0, as: UTF8.self).contains(": connected") }
      _ = try ada.push([Make.store("a", team: "north", name: "First")])
      let hint = try mia.connection.receive { String(decoding: $0, as: UTF8.self).contains("sequence") }
      #expect(String(decoding: hint, as: UTF8.self).contains("event: hint\ndata: {\"scope\":\"team:north\",\"sequence\":1}\n\n"))
      let other = try server.visitor()
      try other.request("DELETE", "/session", headers: ["Cookie": mia.cookie ?? ""])
      // The chunk of length zero ends the stream.
      _ = try mia.connection.receive { String(decoding: $0, as: UTF8.self).contains("0\r\n\r\n") }
    }
  }
}
