// SPDX-License-Identifier: Apache-2.0
// The rule `text` from declaration to store: edits travel, merge everywhere alike, and cost what was typed.
import Testing

@testable import AloftCore

private let notesApp = App("notes", version: 1) {
  Collection("notes") {
    Field("list", .string, .immutable)
    Field("title", .string)
    Field("body", .text)
    Scopes("list:{list}")
    Allow(.read, .create, .update, .delete, to: "member")
    OnConcurrentUpdate(.updateWins)
  }
}

private struct Desk {
  let server = TestServer(notesApp)
  let a = TestDevice("mia", roles: [("member", "list:l1")], seed: 1, app: notesApp)
  let b = TestDevice("noah", roles: [("member", "list:l1")], seed: 2, app: notesApp)

  /// One note that both have.
  init(_ words: String) throws {
    try a.mutate(#"{"action":"create","args":{"collection":"notes","id":"n1","fields":{"list":"l1","title":"one","body":"\#(words)"}}}"#)
    try settle()
  }

  func settle() throws { for device in [a, b, a, b] { try device.sync(server) } }

  var stored: String? { server.record("notes", "n1")?["body"].text?.string }
}

extension TestDevice {
  fileprivate var body: String? { engine.shownValue(RecordKey(collection: 0, id: Text("n1")), 2)?.text?.string }

  fileprivate var document: TextDocument {
    get throws {
      let saved = engine.text(0, Text("n1"), 2)
      return saved.isEmpty ? TextDocument() : try TextDocument(saved: saved)
    }
  }

  /// Types as an editor does: on the document that shows.
  fileprivate func type(_ words: String, at place: Int, deleting count: Int = 0, as agent: String) throws {
    var document = try self.document
    let version = document.version
    try document.delete(count, at: place, by: Text(agent))
    try document.insert(Array(words.utf8), at: place, by: Text(agent))
    try edit(document.encode(since: version))
  }

  fileprivate func edit(_ edit: [UInt8]) throws {
    var base64: [UInt8] = []
    Base64URL.append(edit, to: &base64)
    try mutate(#"{"action":"update","args":{"collection":"notes","id":"n1","changes":{"body":{"$edit":"\#(String(decoding: base64, as: UTF8.self))"}}}}"#)
  }
}

@Suite("Rule text")
struct TextRuleTests {
  @Test("two people who type into one paragraph without a network both find all words, and nothing is a conflict")
  func both() throws {
    let desk = try Desk("The visit went well.")
    try desk.a.type(" very", at: 14, as: "mia-1")
    try desk.a.type(" Call back.", at: 25, as: "mia-1")
    try desk.b.type("really ", at: 10, as: "noah-1")
    #expect(desk.a.body == "The visit went very well. Call back.")
    #expect(desk.b.body == "The visit really went well.")
    try desk.settle()
    #expect(desk.stored == "The visit really went very well. Call back.")
    #expect(desk.a.body == desk.stored)
    #expect(desk.b.body == desk.stored)
    #expect(desk.a.engine.status.state == .synced && desk.b.engine.status.state == .synced)
    #expect(desk.a.outcomes.allSatisfy { $0.outcome == .applied } && desk.b.outcomes.allSatisfy { $0.outcome == .applied })
  }

  @Test("a text given as a whole is the smallest edit of what its author saw, so the words of others stay")
  func whole() throws {
    let desk = try Desk("milk, bread")
    try desk.a.mutate(#"{"action":"update","args":{"collection":"notes","id":"n1","changes":{"body":"milk, bread, eggs"}}}"#)
    try desk.b.mutate(#"{"action":"update","args":{"collection":"notes","id":"n1","changes":{"body":"oat milk, bread"}}}"#)
    try desk.settle()
    #expect(desk.stored == "oat milk, bread, eggs")
    #expect(desk.a.body == desk.stored && desk.b.body == desk.stored)
    try desk.a.mutate(#"{"action":"update","args":{"collection":"notes","id":"n1","changes":{"body":null}}}"#)
    try desk.settle()
    #expect(desk.stored == "" && desk.b.body == "")
  }

  @Test("a text without an edit yet is null, and one that is cut in the middle of a letter of several bytes stays whole")
  func letters() throws {
    let desk = try Desk("grün")
    try desk.a.mutate(#"{"action":"update","args":{"collection":"notes","id":"n1","changes":{"body":"gr\#u{FD}n 😀"}}}"#)
    try desk.settle()
    #expect(desk.stored == "gr\u{FD}n 😀")
    try desk.a.mutate(#"{"action":"create","args":{"collection":"notes","id":"n2","fields":{"list":"l1"}}}"#)
    #expect(desk.a.engine.shownValue(RecordKey(collection: 0, id: Text("n2")), 2) == .null)
  }

  @Test("an edit of a long text costs its own bytes on the way up and down, not the text's")
  func bytes() throws {
    let desk = try Desk(String(repeating: "a long story, ", count: 2000))
    let first = desk.a.engine.text(0, Text("n1"), 2).count
    #expect(first > 25_000)
    try desk.a.type("x", at: 700, as: "mia-1")
    try desk.a.sync(desk.server)
    desk.b.run(desk.b.engine.handle(.wake(.tap), now: desk.b.now + 20))
    let request = desk.b.outgoing.removeFirst()
    let answer = try desk.server.answer(request, desk.b.principal)
    #expect(answer.count < 400, "\(answer.count) bytes for a keystroke")
    desk.b.run(desk.b.engine.handle(.response(status: 200, retryAfterSeconds: 0, body: answer), now: desk.b.now + 30))
    try desk.settle()
    #expect(desk.b.body == desk.stored)
  }

  @Test("a device that missed few edits gets these, one that missed many the whole text, and both come to the same")
  func missed() throws {
    let desk = try Desk("0")
    for count in [1, 31, 32, 33, 34, 70] {
      for step in 0..<count { try desk.a.type("\(step % 10)", at: step % 3, as: "mia-\(count)") }
      try desk.a.sync(desk.server)
      try desk.b.sync(desk.server)
      #expect(desk.b.body == desk.stored, "after \(count) edits")
      #expect(desk.a.body == desk.stored, "after \(count) edits")
    }
    let late = TestDevice("noah", roles: [("member", "list:l1")], seed: 9, app: notesApp)
    try late.sync(desk.server)
    #expect(late.body == desk.stored)
    // Whoever saw everything may delete, however the edits came to the device.
    try desk.b.mutate(#"{"action":"delete","args":{"collection":"notes","id":"n1"}}"#)
    try desk.b.sync(desk.server)
    #expect(desk.b.outcomes.last?.outcome == .applied)
    #expect(desk.server.record("notes", "n1") == nil)
  }

  @Test("a delete by someone who had not seen the newest words gives way to them")
  func deleted() throws {
    let desk = try Desk("keep")
    try desk.a.type(" me", at: 4, as: "mia-1")
    try desk.a.sync(desk.server)
    try desk.b.mutate(#"{"action":"delete","args":{"collection":"notes","id":"n1"}}"#)
    try desk.settle()
    #expect(desk.stored == "keep me")
    #expect(desk.b.body == "keep me")
  }

  @Test("an edit that is damaged, or stands on words that the server has not got, is refused and changes nothing")
  func refused() throws {
    let desk = try Desk("abc")
    var other = try desk.a.document
    try other.insert(Array("hidden".utf8), at: 0, by: Text("x"))
    let version = other.version
    try other.insert(Array("!".utf8), at: 3, by: Text("y"))
    for (edit, _) in [(other.encode(since: version), 0), ([0xFF, 1, 2], 1), (other.save(), 2)] {
      try desk.b.edit(edit)
      #expect(desk.b.body == "abc")
      try desk.b.sync(desk.server)
      guard case .rejected(let rejection)? = desk.b.outcomes.last?.outcome else {
        Issue.record("accepted")
        continue
      }
      #expect(rejection.code == Text("invalid") && rejection.path == Text("body"), "\(rejection.message)")
    }
    #expect(desk.stored == "abc")
    #expect(desk.b.engine.tray.count == 3)
    #expect(throws: Rejection.self) { try desk.b.mutate(#"{"action":"update","args":{"collection":"notes","id":"n1","changes":{"title":{"$edit":""}}}}"#) }
    #expect(throws: Rejection.self) { try desk.b.mutate(#"{"action":"update","args":{"collection":"notes","id":"n1","changes":{"body":{"$increment":1}}}}"#) }
  }

  @Test("what was typed survives closing the app, and the same edit offered twice counts once")
  func reopened() throws {
    let desk = try Desk("one")
    try desk.a.type(" two", at: 3, as: "mia-1")
    let again = TestDevice("mia", roles: [("member", "list:l1")], seed: 7, app: notesApp, storage: desk.a.storage, now: desk.a.now)
    #expect(again.body == "one two")
    try again.sync(desk.server)
    let document = try again.document
    let all = document.encode()
    try again.edit(all)
    try again.sync(desk.server)
    #expect(desk.stored == "one two")
    let after = try again.document
    #expect(after.version == document.version && after.utf8 == document.utf8)
  }

  @Test("a client without the engine writes a text as words, and reads it as words")
  func simpleClient() throws {
    let desk = try Desk("one two")
    try desk.a.type(" three", at: 7, as: "mia-1")
    try desk.a.sync(desk.server)
    for (n, words) in [(1, "one 2 three"), (2, "one 2 three four"), (3, "")] {
      let request = #"{"protocol":1,"device":"AAECAwQFBgcICQoLDA0ODw","cursors":{},"mutations":[{"n":\#(n),"time":[1800000000000,\#(n)],"#
        + #""action":"update","args":{"collection":"notes","id":"n1","changes":{"body":"\#(words)"}}}]}"#
      let answer = String(decoding: try desk.server.answer(Array(request.utf8), desk.a.principal, .json), as: UTF8.self)
      #expect(answer.contains(#""n":\#(n),"outcome":"applied""#), "\(answer)")
      #expect(answer.contains(#""body":"\#(words)""#), "\(answer)")
      try desk.settle()
      #expect(desk.stored == words)
      #expect(desk.a.body == words && desk.b.body == words)
    }
  }

  @Test("queries find and sort by what stands in a text")
  func queried() throws {
    let desk = try Desk("beta")
    try desk.a.mutate(#"{"action":"create","args":{"collection":"notes","id":"n2","fields":{"list":"l1","body":"alpha"}}}"#)
    #expect(try desk.a.query(#"{"from":"notes","where":{"body":{"prefix":"be"}}}"#).contains("n1"))
    #expect(try !desk.a.query(#"{"from":"notes","where":{"body":{"prefix":"be"}}}"#).contains("n2"))
    let sorted = try desk.a.query(#"{"from":"notes","orderBy":[["body","asc"]]}"#)
    #expect(try #require(sorted.firstRange(of: "n2")).lowerBound < #require(sorted.firstRange(of: "n1")).lowerBound)
    #expect(desk.a.show("notes", "n2").contains(#""body":"alpha""#))
  }

  @Test("a declaration with a text where none can be is refused by its path", arguments: [
    (#"{"name":"b","type":"text","rule":"latest"}"#, "fields[0].rule"), (#"{"name":"b","type":"string","rule":"text"}"#, "fields[0].rule"),
    (#"{"name":"b","type":"set","of":"text"}"#, "fields[0].type"),
  ])
  func declared(field: String, path: String) throws {
    do {
      _ = try App(json: Array(#"{"app":"a","collections":[{"name":"x","fields":[\#(field)]}]}"#.utf8))
      Issue.record("accepted: \(field)")
    } catch { #expect(error.path == Text("collections[0]." + path), "\(error.message)") }
    #expect(throws: SchemaError.self) {
      try App(json: Array(#"{"app":"a","collections":[{"name":"x","fields":[{"name":"b","type":"text"}],"scopes":["s:{b}"]}]}"#.utf8))
    }
  }
}
