// SPDX-License-Identifier: Apache-2.0
// Who is let in, what the cookie says, and what refuses requests of other sites.

import AloftServer
import Foundation
import LoopbackHTTP
import Testing

@Suite struct SessionTests {
  @Test func `signing in gives a cookie that a page cannot read, signing out ends it`() async throws {
    try await TestServer.run { server in
      let visitor = try server.visitor()
      #expect(try visitor.request("GET", "/session").status == 401)
      let answer = try visitor.request("POST", "/session", json: #"{"user":"mia","password":"secret-of-mia"}"#)
      #expect(answer.status == 200)
      #expect(answer.text == #"{"aloft":1,"user":"mia","name":"Mia","roles":["member"]}"#)
      let cookie = try #require(answer.headers["set-cookie"])
      #expect(cookie.hasPrefix("aloft_session=") && cookie.hasSuffix("; Path=/; Max-Age=7776000; HttpOnly; SameSite=Lax"))
      visitor.cookie = String(cookie.prefix(while: { $0 != ";" }))
      #expect(try visitor.request("GET", "/session").text == answer.text)
      #expect(try visitor.request("DELETE", "/session").status == 204)
      #expect(try visitor.request("GET", "/session").status == 401)
      #expect(try visitor.request("GET", "/sync").status == 401)
    }
  }

  @Test func `behind TLS the cookie is bound to this host and to TLS`() async throws {
    try await TestServer.run(configure: { configuration, _ in configuration.isBehindTLS = true }) { server in
      let answer = try server.visitor().request("POST", "/session", json: #"{"user":"mia","password":"secret-of-mia"}"#)
      let cookie = try #require(answer.headers["set-cookie"])
      #expect(cookie.hasPrefix("__Host-aloft_session=") && cookie.hasSuffix("; Secure"))
    }
  }

  @Test func `a wrong password and an unknown user get the same answer`() async throws {
    try await TestServer.run { server in
      let visitor = try server.visitor()
      let wrong = try visitor.request("POST", "/session", json: #"{"user":"mia","password":"guess"}"#)
      let unknown = try visitor.request("POST", "/session", json: #"{"user":"nobody","password":"guess"}"#)
      #expect(wrong.status == 401 && unknown.status == 401)
      #expect(wrong.headers["set-cookie"] == nil)
      #expect(wrong.text.prefix(80) == unknown.text.prefix(80))
    }
  }

  @Test func `ten wrong passwords stop guessing for that user, and for nobody else`() async throws {
    try await TestServer.run { server in
      let visitor = try server.visitor()
      for _ in 0..<10 {
        #expect(try visitor.request("POST", "/session", json: #"{"user":"mia","password":"guess"}"#).status == 401)
      }
      let refused = try visitor.request("POST", "/session", json: #"{"user":"mia","password":"secret-of-mia"}"#)
      #expect(refused.status == 429)
      #expect(Int(refused.headers["retry-after"] ?? "") ?? 0 > 200)
      #expect(try visitor.request("POST", "/session", json: #"{"user":"noah","password":"secret-of-noah"}"#).status == 200)
    }
  }

  @Test func `tokens that were never given out are refused`() async throws {
    try await TestServer.run { server in
      let visitor = try server.visitor()
      for cookie in [
        "aloft_session=", "aloft_session=AAAA", "aloft_session=" + String(repeating: "A", count: 4_000), "other=1", "=;=;=",
        "aloft_session=\"; aloft_session=x",
      ] {
        #expect(try visitor.request("GET", "/sync", headers: ["Cookie": cookie]).status == 401)
      }
    }
  }

  @Test func `a session survives a restart, and ends when the password changes or the user leaves the list`() async throws {
    let folder = try Folder()
    let path = folder.path + "/sessions.sqlite"
    var users = TestServer.people
    let first = try PasswordIdentity(users: users, path: path, rounds: 1_000)
    let mia = try await first.signIn(user: "mia", password: "secret-of-mia", address: "1").token
    let noah = try await first.signIn(user: "noah", password: "secret-of-noah", address: "1").token
    let ada = try await first.signIn(user: "ada", password: "secret-of-ada", address: "1").token
    users[1].password = "a new one"
    users.remove(at: 2)
    let second = try PasswordIdentity(users: users, path: path, rounds: 1_000)
    #expect(second.person(token: mia)?.principal.user == "mia")
    #expect(second.person(token: noah) == nil)
    #expect(second.person(token: ada) == nil)
  }

  @Test func `no file holds a password or a token`() async throws {
    let folder = try Folder()
    let path = folder.path + "/sessions.sqlite"
    let identity = try PasswordIdentity(users: TestServer.people, path: path, rounds: 1_000)
    let token = try await identity.signIn(user: "mia", password: "secret-of-mia", address: "1").token
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      let bytes = try #require(FileManager.default.contents(atPath: folder.path + "/" + name))
      #expect(bytes.range(of: Data(token.utf8)) == nil)
      #expect(bytes.range(of: Data("secret-of-mia".utf8)) == nil)
    }
  }

  @Test func `an expired session is refused`() async throws {
    let folder = try Folder()
    let clock = Clock()
    let identity = try PasswordIdentity(
      users: TestServer.people, path: folder.path + "/sessions.sqlite", rounds: 1_000, now: { clock.seconds })
    let token = try await identity.signIn(user: "mia", password: "secret-of-mia", address: "1").token
    #expect(identity.person(token: token) != nil)
    clock.seconds += 91 * 86_400
    #expect(identity.person(token: token) == nil)
  }

  @Test func `requests that change something need the marker and no other site behind them`() async throws {
    try await TestServer.run { server in
      let visitor = try server.person("mia")
      let body = Visitor.body(device: visitor.device, [])
      let host = "127.0.0.1:\(server.port)"
      for headers in [
        ["X-Aloft": ""], ["X-Aloft": "2"], ["Sec-Fetch-Site": "cross-site"], ["Sec-Fetch-Site": "same-site"],
        ["Origin": "https://evil.example"], ["Origin": "null"], ["Origin": "http://127.0.0.1:1"], ["Origin": "http://evil.example/\(host)"],
      ] {
        for (method, path) in [("POST", "/sync"), ("POST", "/sync/mutations"), ("POST", "/session"), ("DELETE", "/session")] {
          #expect(try visitor.request(method, path, json: body, headers: headers).status == 403)
        }
      }
      #expect(try visitor.request("POST", "/sync", json: body, headers: ["Origin": "http://\(host)", "Sec-Fetch-Site": "same-origin"]).status == 200)
      #expect(try visitor.request("GET", "/session", headers: ["X-Aloft": ""]).status == 200)
    }
  }

  @Test func `an open server answers to its own machine's names only`() async throws {
    try await TestServer.run(users: nil) { server in
      let visitor = try server.visitor()
      #expect(try visitor.request("GET", "/session").text == #"{"aloft":1,"user":"anyone","name":"Anyone","roles":["anyone"]}"#)
      #expect(try visitor.request("GET", "/sync", headers: ["Host": "localhost:\(server.port)"]).status == 200)
      #expect(try visitor.request("GET", "/sync", headers: ["Host": "rebound.example:\(server.port)"]).status == 403)
    }
  }

  @Test func `a users file says what is wrong with it`() {
    for (json, message) in [
      ("nonsense", "is not JSON"), (#"{"users":[{}]}"#, "users[0].user is missing"),
      (#"{"users":[{"user":"a","name":"A","password":"x","grants":[{"role":1}]}]}"#, "users[0].grants[0].role has the wrong type"),
      (#"{"users":[{"user":"a","name":"A","password":"","grants":[]}]}"#, "users[0].password: must not be empty"),
      (
        #"{"users":[{"user":"a","name":"A","password":"x","grants":[]},{"user":"a","name":"A","password":"x","grants":[]}]}"#,
        "users[1].user: \"a\" is already in the list"
      ),
    ] {
      #expect(throws: UserListError.self) { try User.list(json: Data(json.utf8)) }
      do { _ = try User.list(json: Data(json.utf8)) } catch { #expect("\(error)".contains(message), "\(error)") }
    }
  }
}

/// A clock that a test moves.
final class Clock: @unchecked Sendable {
  // @unchecked: moved and read by one test, one step after the other.
  var seconds = 1_700_000_000.0
}
