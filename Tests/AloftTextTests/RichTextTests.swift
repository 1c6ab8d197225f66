// SPDX-License-Identifier: Apache-2.0
// What people expect of formatting when several edit at once: the examples of Peritext, and the mistakes that others made with them.
import Testing
import TextTraces

@_spi(Checks) @testable import AloftCore

/// Two people's replicas of one text.
struct RichPair {
  var a = RichTextDocument(nodeSize: 4)
  var b = RichTextDocument(nodeSize: 4)

  init(_ text: String) throws {
    try a.insert(Array(text.utf8), at: 0, by: "a")
    try b.absorb(a.encode())
  }

  /// Both learn what the other did, and show the same: as `he[bold:yes]ll[]o`, where brackets give the styles of what follows.
  mutating func merge() throws -> String {
    let bytes = b.encode(since: a.version)
    _ = try b.merge(a.encode(since: b.version))
    _ = try a.merge(bytes)
    #expect(a.spans() == b.spans() && a.utf8 == b.utf8)
    let opened = try RichTextDocument(saved: a.save())
    #expect(opened.spans() == a.spans() && opened.utf8 == a.utf8)
    return shown(a)
  }
}

func shown(_ document: RichTextDocument) -> String {
  let scalars = Array(String(decoding: document.utf8, as: UTF8.self).unicodeScalars)
  var result = ""
  var at = 0
  for span in document.spans() {
    if at > 0 || !span.styles.isEmpty {
      result += "[" + span.styles.map { $0.value == "yes" ? $0.key.string : "\($0.key.string)=\($0.value.string)" }.joined(separator: ",") + "]"
    }
    result += String(String.UnicodeScalarView(scalars[at..<at + span.length]))
    at += span.length
  }
  return result
}

extension RichTextDocument {
  mutating func bold(_ range: Range<Int>, by agent: Text) throws { try mark("bold", "yes", range, grows: true, by: agent) }
  mutating func link(_ range: Range<Int>, _ target: Text, by agent: Text) throws { try mark("link", target, range, grows: false, by: agent) }
  mutating func type(_ text: String, _ place: Int, by agent: Text) throws { try insert(Array(text.utf8), at: place, by: agent) }
}

@Suite("Rich text") struct RichTextTests {
  @Test("a text that somebody covered with thousands of marks opens, and shows as many of them as fit")
  func coveredByThousands() throws {
    let count = 3_000
    var document = RichTextDocument()
    try document.insert([UInt8](repeating: 0x61, count: 2 * count), at: 0, by: "a")
    let value = Text(utf8: [UInt8](repeating: 0x62, count: 4_000))
    for index in 0..<count {
      try document.mark(Text("comment:\(index)"), value, index..<2 * count - index, grows: false, by: "a")
    }
    let message = document.encode()
    var other = RichTextDocument()
    try other.absorb(message)
    let spans = other.spans()
    #expect(spans.reduce(0) { $0 + $1.length } == 2 * count)
    #expect(spans.map { $0.styles.count }.max() == RichTextDocument.stylesMax)
    // What a page is told grows with what was sent, not with marks times runs.
    let told = try TextSession(saved: other.save(), agent: "b").spans()
    #expect(told.count < 2 * count * 140 + message.count * 2)
  }

  @Test("overlapping bold and bold is bold all over")
  func union() throws {
    var pair = try RichPair("The fox jumped")
    try pair.a.bold(0..<7, by: "a")
    try pair.b.bold(4..<14, by: "b")
    #expect(try pair.merge() == "[bold]The fox jumped")
  }

  @Test("overlapping bold and italic stack")
  func stack() throws {
    var pair = try RichPair("The fox jumped")
    try pair.a.bold(0..<7, by: "a")
    try pair.b.mark("italic", "yes", 4..<14, grows: true, by: "b")
    #expect(try pair.merge() == "[bold]The [bold,italic]fox[italic] jumped")
  }

  @Test("bold and un-bold at once: one of them holds where they overlap, the same for everybody, and the later one wins afterwards")
  func unmark() throws {
    var pair = try RichPair("The fox jumped")
    try pair.a.bold(0..<14, by: "a")
    _ = try pair.merge()
    try pair.a.unmark("bold", 4..<14, by: "a")
    try pair.b.bold(0..<7, by: "b")
    // Equally late: that of the greater author.
    #expect(try pair.merge() == "[bold]The fox[] jumped")
    try pair.a.unmark("bold", 0..<14, by: "a")
    #expect(try pair.merge() == "The fox jumped")
  }

  @Test("one key with two values at once: the greater value stands on all replicas, and over none at all")
  func winner() throws {
    var pair = try RichPair("colour")
    try pair.a.mark("color", "red", 0..<4, grows: true, by: "a")
    try pair.b.mark("color", "blue", 2..<6, grows: true, by: "b")
    #expect(try pair.merge() == "[color=red]colo[color=blue]ur")
    try pair.a.mark("color", "green", 3..<5, grows: true, by: "a")
    #expect(try pair.merge() == "[color=red]col[color=green]ou[color=blue]r")
    try pair.a.unmark("color", 0..<6, by: "a")
    try pair.b.mark("color", "amber", 4..<6, grows: true, by: "b")
    #expect(try pair.merge() == "colo[color=amber]ur")
  }

  @Test("comments overlap")
  func comments() throws {
    var pair = try RichPair("The fox jumped")
    try pair.a.mark("comment:1", "who?", 0..<7, grows: false, by: "a")
    try pair.b.mark("comment:2", "where?", 4..<14, grows: false, by: "b")
    #expect(try pair.merge() == "[comment:1=who?]The [comment:1=who?,comment:2=where?]fox[comment:2=where?] jumped")
  }

  @Test("bold grows at its end and not at its start; a link grows at neither")
  func growth() throws {
    var pair = try RichPair("a bold link z")
    try pair.a.bold(2..<6, by: "a")
    try pair.a.link(7..<11, "x", by: "a")
    try pair.a.type("!", 11, by: "a")
    try pair.a.type("?", 7, by: "a")
    try pair.a.type("er", 6, by: "a")
    try pair.a.type("-", 2, by: "a")
    #expect(try pair.merge() == "a -[bold]bolder[] ?[link=x]link[]! z")
  }

  @Test("a link at the end of bold: text typed behind both is bold and no link", arguments: [false, true])
  func bothEnd(_ isLinkFirst: Bool) throws {
    var pair = try RichPair("see here now")
    if isLinkFirst { try pair.a.link(4..<8, "x", by: "a") }
    try pair.a.bold(4..<8, by: "a")
    if !isLinkFirst { try pair.a.link(4..<8, "x", by: "a") }
    try pair.a.type("!", 8, by: "a")
    #expect(try pair.merge() == "see [bold,link=x]here[bold]![] now")
  }

  @Test("text typed concurrently inside a range that is made bold is bold")
  func inside() throws {
    var pair = try RichPair("The jumped")
    try pair.a.bold(0..<10, by: "a")
    try pair.b.type("fox ", 4, by: "b")
    #expect(try pair.merge() == "[bold]The fox jumped")
  }

  @Test("text typed exactly at both ends while the mark is made: both replicas agree, and the marked text keeps its style")
  func boundaries() throws {
    for grows in [false, true] {
      for (first, second) in [("a", "b"), ("b", "a")] as [(Text, Text)] {
        var pair = try RichPair("xMIDy")
        try pair.a.mark("bold", "yes", 1..<4, grows: grows, by: first == "a" ? "a" : "c")
        try pair.b.type("<", 1, by: second == "a" ? "b" : "0")
        try pair.b.type(">", 5, by: second == "a" ? "b" : "0")
        let text = try pair.merge()
        #expect(text.contains("MID"))
        #expect(String(decoding: pair.a.utf8, as: UTF8.self) == "x<MID>y")
      }
    }
  }

  @Test("a word that was a link is deleted: what is typed in its place is no link (Peritext 31, 32)")
  func ghostLink() throws {
    var pair = try RichPair("hello world!")
    try pair.a.link(6..<11, "x", by: "a")
    _ = try pair.merge()
    try pair.b.delete(5, at: 6, by: "b")
    #expect(pair.b.anchors.count == 0)
    try pair.b.type("you", 6, by: "b")
    #expect(try pair.merge() == "hello you!")
    // Typed by somebody else at the same time, next to the deleted word.
    try pair.a.link(6..<9, "x", by: "a")
    _ = try pair.merge()
    try pair.a.delete(3, at: 6, by: "a")
    try pair.b.type("?", 10, by: "b")
    #expect(try pair.merge() == "hello !?")
  }

  @Test("bold and a link over most of a text that is deleted and typed again are gone (Automerge 604)")
  func retyped() throws {
    var pair = try RichPair("hello world")
    try pair.a.bold(1..<11, by: "a")
    try pair.a.link(1..<11, "x", by: "a")
    _ = try pair.merge()
    try pair.b.delete(10, at: 1, by: "b")
    try pair.b.type("ello world", 1, by: "b")
    #expect(try pair.merge() == "hello world")
    #expect(pair.a.anchors.count == 0)
  }

  @Test("a mark of which concurrent deletions leave nothing splits no span and catches no text (Automerge 904, 1433)")
  func zeroLength() throws {
    var pair = try RichPair("abcdef")
    try pair.a.bold(2..<4, by: "a")
    _ = try pair.merge()
    // Each deletes half of it, so nobody cleans up.
    try pair.a.delete(1, at: 2, by: "a")
    try pair.b.delete(1, at: 3, by: "b")
    #expect(try pair.merge() == "abef")
    #expect(pair.a.spans().count == 1 && pair.a.anchors.count == 2)
    try pair.a.type("X", 2, by: "a")
    #expect(try pair.merge() == "abXef")
    // An empty range marks nothing.
    let before = pair.a.eventCount
    try pair.a.bold(3..<3, by: "a")
    #expect(pair.a.eventCount == before)
  }

  @Test("marks that a later one of the same key covers are dropped")
  func covered() throws {
    var pair = try RichPair("abcdef")
    for _ in 0..<20 {
      try pair.a.bold(1..<4, by: "a")
      try pair.a.unmark("bold", 0..<6, by: "a")
    }
    #expect(pair.a.anchors.count == 2)
    #expect(try pair.merge() == "abcdef")
  }

  @Test("a message without marks is that of plain text, byte for byte, and a document tells by its first byte whether it takes marks")
  func plain() throws {
    var plain = TextDocument()
    var rich = RichTextDocument()
    for (place, text) in [(0, "héllo 😀"), (3, "x"), (0, "y")] {
      try plain.insert(Array(text.utf8), at: place, by: "a")
      try rich.type(text, place, by: "a")
    }
    try plain.delete(2, at: 1, by: "a")
    try rich.delete(2, at: 1, by: "a")
    #expect(plain.encode() == rich.encode() && rich.save() != plain.save())
    var opened = try RichTextDocument(saved: rich.save())
    #expect(opened.utf8 == plain.utf8)
    #expect(try opened.merge(plain.encode()).isEmpty)
    try opened.bold(0..<2, by: "b")
    #expect(opened.count == plain.count && opened.utf16Count == plain.utf16Count && opened.byteCount == plain.byteCount)
    // Nothing is the empty plain text, the first byte alone the empty one that takes marks.
    #expect(try RichTextDocument(saved: []).isPlain && RichTextDocument(saved: plain.save()).isPlain)
    #expect(try !RichTextDocument(saved: [RichTextDocument.savedFormat]).isPlain)
    var still = try RichTextDocument(saved: plain.save())
    #expect(throws: TextError.hasMarks) { try still.bold(0..<2, by: "b") }
    #expect(throws: TextError.hasMarks) { try still.merge(opened.encode()) }
    try still.insert(TextAnchor.startBytes, at: 1, by: "b")
    #expect(try RichTextDocument(saved: still.save()).utf8 == still.utf8)
  }

  @Test("plain text refuses messages and documents with marks, and goes on")
  func refusedByPlain() throws {
    var pair = try RichPair("abc")
    var plain = TextDocument()
    try plain.absorb(pair.a.encode())
    try pair.a.bold(0..<2, by: "a")
    #expect(throws: TextError.hasMarks) { _ = try plain.merge(pair.a.encode()) }
    #expect(throws: TextError.hasMarks) { _ = try TextDocument(saved: pair.a.save()) }
    #expect(plain.utf8 == Array("abc".utf8))
  }

  @Test("what is not right is refused with a name: places, keys, values, reserved characters, half a mark")
  func refusals() throws {
    var pair = try RichPair("abc")
    #expect(throws: TextError.outOfBounds) { try pair.a.bold(0..<4, by: "a") }
    #expect(throws: TextError.outOfBounds) { try pair.a.bold(-1..<2, by: "a") }
    #expect(throws: TextError.badMark) { try pair.a.mark("", "yes", 0..<1, grows: true, by: "a") }
    #expect(throws: TextError.badMark) { try pair.a.mark(Text(utf8: [UInt8](repeating: 97, count: 65)), "yes", 0..<1, grows: true, by: "a") }
    #expect(throws: TextError.badMark) {
      try pair.a.mark("a", Text(utf8: [UInt8](repeating: 97, count: 4_097)), 0..<1, grows: true, by: "a")
    }
    #expect(throws: TextError.badMark) { try pair.a.mark("a", Text(utf8: [0xFF]), 0..<1, grows: true, by: "a") }
    #expect(throws: TextError.badAgent) { try pair.a.bold(0..<2, by: "") }
    #expect(throws: TextError.reserved) { try pair.a.insert([120] + TextAnchor.startBytes, at: 0, by: "a") }
    #expect(shown(pair.a) == "abc")
    // A plain text may hold such a character; as rich text it would be an anchor that nobody set.
    var plain = TextDocument()
    try plain.insert(TextAnchor.startBytes + TextAnchor.endBytes, at: 0, by: "p")
    #expect(throws: TextError.reserved) { _ = try pair.a.merge(plain.encode()) }
    var half = TextDocument()
    try half.insert([120] + TextAnchor.startBytes, at: 0, by: "p")
    #expect(throws: TextError.malformed) { _ = try pair.a.merge([0x18, 5, 2 << 1, 1, 98, 1, 1] + half.encode()) }
    try half.insert(TextAnchor.endBytes, at: 1, by: "p")
    #expect(throws: TextError.malformed) { _ = try pair.a.merge([0x18, 5, 2 << 1, 1, 98, 1, 1] + half.encode()) }
    // The same said rightly is taken; a lamport number ahead of what its author can have seen is not.
    var good = TextDocument()
    try good.insert([120] + TextAnchor.startBytes + TextAnchor.endBytes, at: 0, by: "p")
    let head: [UInt8] = [0x18, 6, 2 << 1, 1, 98, 1, 120]
    #expect(throws: TextError.malformed) { _ = try pair.a.merge(head + [2] + good.encode()) }
    _ = try pair.a.merge(head + [1] + good.encode())
    #expect(shown(pair.a) == "abcx" || shown(pair.a) == "xabc")
  }

  @Test("a message that names an author twice, and so a mark twice, is refused")
  func twice() throws {
    let marks: [UInt8] = [2 << 1, 1, 98, 1, 120, 1, 1 << 1, 1]
    let anchors = TextAnchor.startBytes + TextAnchor.endBytes
    // Two agents "p", each with the events 0 and 1 on the empty text: an insertion of two at 0.
    let events: [UInt8] = [0x10, 4, 2, 2, 112, 2, 112, 1, 2, 0, 2, 0, 2, 0, 0, 0, 2 << 3 | 1, 2 << 3 | 3, 3]
    var document = RichTextDocument()
    #expect(throws: TextError.malformed) { try document.absorb([0x18, UInt8(marks.count)] + marks + events + anchors + anchors) }
    // Of two authors it is right.
    var other = events
    other[6] = 113
    try document.absorb([0x18, UInt8(marks.count)] + marks + other + anchors + anchors)
    #expect(document.marks.count == 2 && document.anchors.count == 4)
    #expect(TextFuzz.run(isRich: true, operations: 1, seed: 10_010_401) == nil)
  }

  @Test("what is asked for in the middle of a mark is sent with the whole of it")
  func wholeMarks() throws {
    var pair = try RichPair("abc")
    let before = pair.a.version
    try pair.a.bold(0..<2, by: "a")
    var asked = before
    asked.next[0] += 1
    #expect(pair.a.encode(since: asked) == pair.a.encode(since: before))
    #expect(try pair.merge() == "[bold]ab[]c")
  }

  @Test("an editor hears of changed text in the places it knows, and of ranges with other styles")
  func delta() throws {
    var pair = try RichPair("one 😀 two")
    try pair.a.bold(4..<5, by: "a")
    try pair.a.type("X", 6, by: "a")
    let delta = try pair.b.merge(pair.a.encode(since: pair.b.version))
    #expect(delta.text.changes.count == 1)
    #expect(delta.text.changes[0].place == 6 && delta.text.changes[0].placeUTF16 == 7)
    #expect(delta.text.inserted == Array("X".utf8))
    #expect(delta.restyled == [4..<5])
    try pair.a.type("!", 5, by: "a")
    #expect(try pair.b.merge(pair.a.encode(since: pair.b.version)).restyled == [5..<6])
    #expect(pair.b.utf16Offset(of: 7) == 8 && pair.b.scalarOffset(ofUTF16: 8) == 7)
    for scalar in 0...pair.b.count { #expect(pair.b.scalarOffset(ofUTF16: pair.b.utf16Offset(of: scalar)) == scalar) }
  }

  @Test("random sessions agree with the oracle: text, styles, and what editors are told", arguments: [false, true])
  func fuzz(_ isRich: Bool) throws {
    let seed = UInt64.random(in: 0..<1 << 40)
    #expect(TextFuzz.run(isRich: isRich, operations: 6_000, seed: seed) == nil)
  }

  @Test("mutated bytes of marks are refused or opened, never a trap")
  func mutated() throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    var random = Random(seed: seed)
    var pair = try RichPair("The fox jumped over the dog")
    try pair.a.bold(0..<7, by: "a")
    try pair.a.link(4..<9, "https://x", by: "a")
    try pair.b.mark("comment:1", "why?", 4..<20, grows: false, by: "b")
    try pair.b.delete(3, at: 5, by: "b")
    _ = try pair.merge()
    let (message, saved) = (pair.a.encode(), pair.a.save())
    for round in 0..<4_000 {
      var bytes = round % 2 == 0 ? message : Array(saved.dropLast(8))
      for _ in 0...random.below(2) {
        let at = Int(random.below(UInt64(bytes.count)))
        switch random.below(3) {
        case 0: bytes[at] = UInt8(random.below(256))
        case 1: bytes[at] ^= 1 << UInt8(random.below(8))
        default: bytes.removeLast(min(bytes.count - 1, Int(random.below(4))))
        }
      }
      if round % 2 == 0 {
        var document = round % 4 == 0 ? RichTextDocument() : pair.b
        do {
          _ = try document.merge(bytes)
          #expect(document.spans().reduce(0) { $0 + $1.length } == document.count, "seed \(seed)")
          var copy = RichTextDocument()
          try copy.absorb(document.encode())
          #expect(copy.spans() == document.spans(), "seed \(seed)")
        } catch {
          if round % 4 > 0 { #expect(document.spans() == pair.b.spans() && document.version == pair.b.version, "seed \(seed)") }
        }
      } else {
        // With a right checksum, as of another program's mistake.
        TextDocument.seal(&bytes)
        if var document = try? RichTextDocument(saved: bytes) {
          #expect(document.spans().reduce(0) { $0 + $1.length } == document.count, "seed \(seed)")
          try? document.bold(0..<document.count, by: "c")
          try? document.delete(document.count, at: 0, by: "c")
          _ = document.save()
        }
      }
    }
  }
}
