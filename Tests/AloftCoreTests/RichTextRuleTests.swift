// SPDX-License-Identifier: Apache-2.0
// Fields of the type `richText`, from declaration to store: marks travel with words, and what is no mark is refused.
import Testing

@testable import AloftCore

private let storyApp = App("stories", version: 1) {
  Collection("stories") {
    Field("list", .string, .immutable)
    Field("title", .text)
    Field("body", .richText)
    Scopes("list:{list}")
    Allow(.read, .create, .update, .delete, to: "member")
  }
}

private struct Desk {
  let server = TestServer(storyApp)
  let a = TestDevice("mia", roles: [("member", "list:l1")], seed: 1, app: storyApp)
  let b = TestDevice("noah", roles: [("member", "list:l1")], seed: 2, app: storyApp)

  /// One story that both have.
  init(_ words: String?) throws {
    let body = words.map { #","body":"\#($0)""# } ?? ""
    try a.mutate(#"{"action":"create","args":{"collection":"stories","id":"s1","fields":{"list":"l1","title":"one"\#(body)}}}"#)
    try settle()
  }

  func settle() throws { for device in [a, b, a, b] { try device.sync(server) } }

  var stored: String? { server.record("stories", "s1")?["body"].text?.string }
}

extension TestDevice {
  fileprivate var document: RichTextDocument { get throws { try RichTextDocument(saved: engine.text(0, Text("s1"), 2)) } }

  /// Words with their marks in brackets, as in `he[bold]ll[]o`.
  fileprivate var body: String {
    get throws {
      let document = try document
      let letters = Array(String(decoding: document.utf8, as: UTF8.self).unicodeScalars)
      var (out, at) = ("", 0)
      for span in document.spans() {
        let names = span.styles.map { $0.key.string }.joined(separator: ",")
        if at > 0 || !names.isEmpty { out += "[\(names)]" }
        out += String(String.UnicodeScalarView(letters[at..<at + span.length]))
        at += span.length
      }
      return out
    }
  }

  /// Edits as an editor does: the document that shows.
  fileprivate func edit(_ work: (inout RichTextDocument) throws -> Void) throws {
    var document = try self.document
    let version = document.version
    try work(&document)
    try send(document.encode(since: version))
  }

  fileprivate func send(_ edit: [UInt8], to field: String = "body") throws {
    var base64: [UInt8] = []
    Base64URL.append(edit, to: &base64)
    try mutate(#"{"action":"update","args":{"collection":"stories","id":"s1","changes":{"\#(field)":{"$edit":"\#(String(decoding: base64, as: UTF8.self))"}}}}"#)
  }
}

@Suite("Fields of rich text") struct RichTextRuleTests {
  @Test("one bolds a phrase while the other types inside it, both offline: both see the same bold words, and readers see words")
  func both() throws {
    let desk = try Desk("The red fox")
    try desk.a.edit { try $0.mark("bold", "yes", 4..<11, grows: true, by: "mia-1") }
    try desk.b.edit { try $0.insert(Array("dish".utf8), at: 7, by: "noah-1") }
    #expect(try desk.a.body == "The [bold]red fox")
    try desk.settle()
    #expect(try desk.a.body == "The [bold]reddish fox")
    #expect(try desk.b.body == desk.a.body)
    #expect(desk.stored == "The reddish fox")
    #expect(desk.a.outcomes.allSatisfy { $0.outcome == .applied } && desk.b.outcomes.allSatisfy { $0.outcome == .applied })
    // A whole text keeps the marks on what stays.
    try desk.b.mutate(#"{"action":"update","args":{"collection":"stories","id":"s1","changes":{"body":"The reddish foxes"}}}"#)
    try desk.settle()
    #expect(try desk.a.body == "The [bold]reddish foxes")
  }

  @Test("the first edit of an empty field may have marks, and many marks later a late device gets the whole")
  func empty() throws {
    let desk = try Desk(nil)
    try desk.a.edit {
      try $0.insert(Array("abcdefgh".utf8), at: 0, by: "mia-1")
      try $0.mark("bold", "yes", 2..<4, grows: true, by: "mia-1")
    }
    try desk.settle()
    #expect(try desk.b.body == "ab[bold]cd[]efgh")
    for step in 0..<40 {
      try desk.a.edit { try $0.mark("italic", step % 2 == 0 ? "yes" : nil, (step % 5)..<(step % 5 + 3), grows: true, by: "mia-1") }
      if step % 7 == 0 { try desk.a.sync(desk.server) }
    }
    try desk.settle()
    #expect(try desk.b.body == desk.a.body)
    let late = TestDevice("noah", roles: [("member", "list:l1")], seed: 9, app: storyApp)
    try late.sync(desk.server)
    #expect(try late.body == desk.a.body)
  }

  @Test("marks are refused where none may be, and so are damaged ones and more than a text takes; nothing changes")
  func refused() throws {
    let desk = try Desk("abc")
    var document = try desk.a.document
    let version = document.version
    try document.mark("bold", "yes", 0..<2, grows: true, by: "mia-1")
    let edit = document.encode(since: version)
    var half = TextDocument()
    try half.insert(TextAnchor.startBytes, at: 0, by: "mia-2")
    var plain = TextDocument()
    try plain.insert(TextAnchor.startBytes + TextAnchor.endBytes, at: 0, by: "mia-3")
    var broken = edit
    broken[3] ^= 0x40
    for (bytes, field) in [(edit, "title"), (half.encode(), "body"), (plain.encode(), "body"), (broken, "body"), (Array(edit.dropLast()), "body"), ([0x18], "body")] {
      try desk.a.send(bytes, to: field)
      try desk.settle()
      guard case .rejected(let rejection)? = desk.a.outcomes.last?.outcome else {
        Issue.record("not refused")
        continue
      }
      #expect(rejection.code == "invalid" && rejection.path == Text(field))
      #expect(try desk.a.body == "abc" && desk.b.body == "abc" && desk.stored == "abc")
    }
    try desk.a.send(edit)
    try desk.settle()
    #expect(try desk.b.body == "[bold]ab[]c")
  }

  @Test("hostile bytes in place of an edit with marks are refused or merged, never a trap")
  func hostile() throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    var random = Random(seed: seed)
    var document = try RichTextDocument(saved: TextMerge.empty(isRich: true))
    try document.insert(Array("The fox jumped over the dog".utf8), at: 0, by: "a")
    let saved = document.save()
    let version = document.version
    try document.mark("bold", "yes", 4..<7, grows: true, by: "b")
    try document.mark("link", "https://x", 6..<12, grows: false, by: "b")
    try document.delete(4, at: 5, by: "b")
    let edit = document.encode(since: version)
    #expect(TextMerge.foldHere([saved, edit]) != nil)
    for _ in 0..<3_000 {
      var bytes = edit
      for _ in 0...random.below(3) { bytes[Int(random.below(UInt64(bytes.count)))] = UInt8(random.below(256)) }
      guard let after = TextMerge.foldHere([saved, bytes]) else { continue }
      let opened = try RichTextDocument(saved: after)
      #expect(opened.utf8 == TextMerge.text(of: after) && opened.spans().reduce(0) { $0 + $1.length } == opened.count, "seed \(seed)")
    }
    #expect(TextMerge.words(of: edit) == [])
  }

  @Test("a declaration names the type, its rule follows, and a change of the type is no change that a schema allows")
  func declared() throws {
    let json = #"{"app":"notes","version":1,"collections":[{"name":"notes","fields":[{"name":"body","type":"richText"}],"scopes":["all"]}]}"#
    let app = try App(json: Array(json.utf8))
    #expect(app.collections[0].fields[0].type == .richText && app.collections[0].fields[0].rule == .text)
    #expect(try App(json: app.json()).json() == app.json())
    var plain = app
    plain.collections[0].fields[0].type = .text
    #expect(app.incompatibilities(with: plain).map(\.path) == ["collections[0].fields[0].type"])
    let wrong = json.replacing(#""type":"richText""#, with: #""type":"richText","rule":"latest""#)
    #expect(throws: SchemaError.self) { try App(json: Array(wrong.utf8)) }
  }
}
