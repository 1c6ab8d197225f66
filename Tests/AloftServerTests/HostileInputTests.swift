// SPDX-License-Identifier: Apache-2.0
// Bytes that nobody vouches for: every answer is a clear error, and the server goes on.

import AloftCore
import Foundation
import LoopbackHTTP
import Testing

@Suite struct HostileInputTests {
  /// A body with every part that a request may have.
  private static func validBody(_ device: String) -> String {
    """
    {"protocol":1,"schema":1,"device":"\(device)","issued":2,"acknowledged":0,"report":{"queued":2},\
    "cursors":{"team:north":[1,2,2,"AAAAAAAAAAA"]},"mutations":[\
    {"n":1,"time":[1700000000000,0],"action":"create","args":{"collection":"stores","id":"a","fields":{"team":"north","name":"Ünïcode \\u00e9"}}},\
    {"n":2,"time":[1700000000000,1],"after":[1],"seen":[[1,"a",1,[1]]],"action":"update",\
    "args":{"collection":"stores","id":"a","changes":{"phone":"1"}}}]}
    """
  }

  /// Sends a body; the answer must be an answer, never a cut connection, and errors must have their shape.
  @discardableResult
  private static func send(_ body: [UInt8], as type: String, _ visitor: Visitor) throws -> Int {
    let answer = try visitor.connection.exchange(
      "POST", "/sync", headers: ["Content-Type": type, "X-Aloft": "1", "Cookie": visitor.cookie ?? ""], body: body)
    var isOfNewerSchema = false
    if answer.status >= 400 {
      let object = try #require(try visitor.object(answer))
      #expect(object["aloft"] as? Int == 1)
      let error = object["error"] as? [String: Any]
      #expect(error?["code"] is String)
      // Damage to the number of the app's version may make it that of a release which this server must wait for.
      isOfNewerSchema = answer.status == 503 && error?["path"] as? String == "schema"
    }
    #expect([200, 400, 413, 426].contains(answer.status) || isOfNewerSchema, "\(answer.status) \(answer.text.prefix(200))")
    return answer.status
  }

  @Test func `a body cut at any byte is refused in words`() async throws {
    try await TestServer.run { server in
      let mia = try server.person("mia")
      let json = Array(Self.validBody(mia.device).utf8)
      let cbor = try JSONCodec.cbor(fromJSON: json)
      for (body, type) in [(json, "application/json"), (cbor, "application/cbor")] {
        for end in 0..<body.count { #expect(try Self.send(Array(body[..<end]), as: type, mia) == 400, "cut at \(end)") }
        #expect(try Self.send(body, as: type, mia) == 200)
      }
    }
  }

  @Test func `random damage never breaks the server`() async throws {
    try await TestServer.run { server in
      let mia = try server.person("mia")
      let seed = UInt64.random(in: 0 ... .max)
      print("fuzz seed \(seed)")
      var random = Random(seed: seed)
      let json = Array(Self.validBody(mia.device).utf8)
      let cbor = try JSONCodec.cbor(fromJSON: json)
      for round in 0..<3_000 {
        let isJSON = round % 2 == 0
        var body = isJSON ? json : cbor
        for _ in 0...random.below(6) {
          let place = Int(random.below(UInt64(body.count)))
          switch random.below(4) {
          case 0: body[place] = UInt8(truncatingIfNeeded: random.next())
          case 1: body.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
          case 2: body.remove(at: place)
          default: body.replaceSubrange(place..<min(body.count, place + 9), with: [0xFB, 0x7F, 0xF0, 0xFF, 0xFF])
          }
        }
        try Self.send(body, as: isJSON ? "application/json" : "application/cbor", mia)
      }
      #expect(try server.visitor().request("GET", "/health").status == 200)
    }
  }

  @Test func `nesting and counts are bounded before memory is taken`() async throws {
    try await TestServer.run { server in
      let mia = try server.person("mia")
      let deep = 100_000
      #expect(try Self.send(Array(repeating: UInt8(ascii: "["), count: deep), as: "application/json", mia) == 400)
      #expect(try Self.send(Array(#"{"report":"#.utf8) + Array(repeating: UInt8(ascii: "["), count: deep), as: "application/json", mia) == 400)
      #expect(try Self.send(Array(repeating: 0x81, count: deep), as: "application/cbor", mia) == 400)
      #expect(try Self.send(Array(repeating: 0xC1, count: deep), as: "application/cbor", mia) == 400)
      // Counts of 2^64 - 1 and 2^32 - 1 with nothing behind them.
      for head in [0x5B, 0x7B, 0x9B, 0xBB] as [UInt8] {
        #expect(try Self.send([head] + Array(repeating: 0xFF, count: 8), as: "application/cbor", mia) == 400)
      }
      let hugeMutations = [0xA1, 0x69] + Array("mutations".utf8) + [0x9A, 0xFF, 0xFF, 0xFF, 0xFF]
      #expect(try Self.send(hugeMutations, as: "application/cbor", mia) == 400)
      let many = (1...10_001).map { #"{"n":\#($0),"time":[1,0],"action":"x","args":{}}"# }.joined(separator: ",")
      let body = #"{"protocol":1,"device":"\#(mia.device)","mutations":[\#(many)]}"#
      #expect(try Self.send(Array(body.utf8), as: "application/json", mia) == 400)
    }
  }

  @Test func `wrong types, unknown actions and broken numbering are refused with the path`() async throws {
    try await TestServer.run { server in
      let mia = try server.person("mia")
      let device = mia.device
      for (body, path) in [
        (#"{"device":5}"#, "device"), (#"{"device":"AAAA"}"#, "device"), (#"{"device":"\#(device)","mutations":{}}"#, "mutations"),
        (#"{"device":"\#(device)","mutations":[5]}"#, "mutations[0]"), (#"{"device":"\#(device)","cursors":[]}"#, "cursors"),
        (#"{"mutations":[{"n":1,"time":[1,0],"action":"create","args":{}}]}"#, "device"),
        (#"{"device":"\#(device)","mutations":[{"n":1,"time":[1,0],"action":"x","args":{}},{"n":3,"time":[1,0],"action":"x","args":{}}]}"#, "mutations[1].n"),
        (#"{"device":"\#(device)","mutations":[{"n":0,"time":[1,0],"action":"x","args":{}}]}"#, "mutations[0]"),
        (#"{"device":"\#(device)","mutations":[{"n":-1,"time":[1,0],"action":"x","args":{}}]}"#, "mutations[0]"),
        (#"{"device":"\#(device)","mutations":[{"n":1e300,"time":[1,0],"action":"x","args":{}}]}"#, "mutations[0]"),
        (#"{"device":"\#(device)","issued":18446744073709551615}"#, nil), (#"[1,2,3]"#, nil), (#""text""#, nil), ("null", nil),
      ] as [(String, String?)] {
        let answer = try mia.request("POST", "/sync", json: body)
        #expect(answer.status == 400, "\(body): \(answer.text)")
        let error = try mia.object(answer)?["error"] as? [String: Any]
        if let path { #expect((error?["path"] as? String)?.hasPrefix(path) == true, "\(body): \(answer.text)") }
      }
      let unknown = try mia.push([#"{"action":"dropEverything","args":{}}"#, #"{"action":"create","args":{"collection":"nothing","id":"x"}}"#])
      #expect(try mia.outcomes(unknown).allSatisfy { $0.hasPrefix("rejected") })
    }
  }

  @Test func `an older protocol and a newer app are refused with a code of their own, and nothing is judged`() async throws {
    try await TestServer.run { server in
      let mia = try server.person("mia")
      let body = Visitor.body(device: mia.device, [Make.store("north-1", team: "north", name: "Shop")])
      let old = try mia.request("POST", "/sync", json: body.replacingOccurrences(of: #""protocol":1"#, with: #""protocol":0"#))
      #expect(old.status == 426 && old.text.contains(#""code":"protocolVersion""#), "\(old.text)")
      for path in ["/sync", "/sync/mutations"] {
        let early = try mia.request("POST", path, json: body.replacingOccurrences(of: #""schema":1"#, with: #""schema":1000"#))
        #expect(early.status == 503 && early.text.contains(#""code":"schemaVersion""#), "\(early.text)")
        #expect(early.headers["retry-after"] == "60")
      }
      // Reading does no harm, and the same mutations are judged once the server has caught up.
      #expect(try mia.request("POST", "/sync", json: #"{"protocol":2,"schema":1000,"device":"\#(mia.device)"}"#).status == 200)
      #expect(try mia.outcomes(try mia.request("POST", "/sync", json: body)) == ["applied"])
    }
  }

  @Test func `a body above the limit is refused before it is read`() async throws {
    try await TestServer.run { server in
      let mia = try server.person("mia")
      let headers = ["Content-Type": "application/json", "X-Aloft": "1", "Cookie": mia.cookie ?? ""]
      try mia.connection.send("POST", "/sync", headers: headers, body: Array(repeating: 0x20, count: (4 << 20) + 1))
      let answer = try mia.connection.receive()
      #expect(answer.status == 413 && answer.text.contains("tooLarge"))
      #expect(try server.visitor().request("POST", "/session", json: String(repeating: " ", count: 5_000)).status == 413)
      let allowed = try server.person("mia")
      let padded = Visitor.body(device: allowed.device, []) + String(repeating: " ", count: 4 << 20)
      #expect(try allowed.request("POST", "/sync", json: String(padded.prefix(4 << 20))).status == 200)
    }
  }

  @Test func `other methods and other addresses get clear answers`() async throws {
    try await TestServer.run { server in
      let mia = try server.person("mia")
      for (method, path, status) in [
        ("PUT", "/sync", 405), ("DELETE", "/sync", 405), ("GET", "/sync/mutations", 405), ("POST", "/live", 405), ("PATCH", "/session", 405),
        ("POST", "/app.json", 405), ("POST", "/health", 405), ("POST", "/anything", 404), ("GET", "/anything", 404), ("OPTIONS", "/sync", 404),
      ] {
        let answer = try mia.request(method, path)
        #expect(answer.status == status, "\(method) \(path): \(answer.status)")
        #expect(answer.text.hasPrefix(#"{"aloft":1,"error":{"code""#), "\(method) \(path): \(answer.text)")
        #expect(answer.headers["access-control-allow-origin"] == nil)
      }
    }
  }

  @Test func `half a request and a vanished client leave nothing behind`() async throws {
    try await TestServer.run { server in
      for _ in 0..<20 {
        let visitor = try server.visitor()
        try visitor.connection.write(Array("POST /sync HTTP/1.1\r\nHost: x\r\nContent-Le".utf8))
      }
      let mia = try server.person("mia")
      try mia.connection.send(
        "POST", "/sync", headers: ["X-Aloft": "1", "Content-Type": "application/json", "Cookie": mia.cookie ?? ""],
        body: Array(#"{"device":"#.utf8), declaredLength: 1_000)
      #expect(try server.visitor().request("GET", "/health").status == 200)
    }
  }
}
