// SPDX-License-Identifier: Apache-2.0
// Undo in rich text takes back one's own words and marks, and nothing that others did.
import Testing

@testable import AloftCore

/// A person's rich text with its undo, and another person's replica of it.
private struct RichDesk {
  var mine = RichTextDocument()
  var theirs = RichTextDocument()
  var undo = TextUndo()
  /// What an editor holds: the styles of each scalar, kept up by what it is told.
  var editor: [String] = []
  var agent: Text = "me"

  init(_ text: String) throws {
    try theirs.insert(Array(text.utf8), at: 0, by: "they")
    try merge()
  }

  var shown: String { AloftTextTests.shown(mine) }

  mutating func type(_ text: String, _ place: Int, deleting deleted: Int = 0) throws {
    follow(try undo.replace(deleted, at: place, with: Array(text.utf8), by: agent, in: &mine))
    undo.endGroup()
  }

  mutating func mark(_ key: Text, _ range: Range<Int>, _ value: Text? = "yes", grows: Bool = true) throws {
    follow(try undo.mark(key, value, range, grows: grows, by: agent, in: &mine))
  }

  mutating func back() throws { follow(try undo.undo(in: &mine, by: agent)) }
  mutating func forth() throws { follow(try undo.redo(in: &mine, by: agent)) }

  mutating func receive(_ other: RichTextDocument) throws {
    let delta = try mine.merge(other.encode(since: mine.version))
    undo.merged(delta)
    follow(delta)
  }

  mutating func merge() throws {
    _ = try theirs.merge(mine.encode(since: theirs.version))
    try receive(theirs)
    #expect(mine.spans() == theirs.spans() && mine.utf8 == theirs.utf8)
  }

  static func styles(_ document: RichTextDocument) -> [String] {
    let letters = String(decoding: document.utf8, as: UTF8.self).unicodeScalars.map { String($0) }
    var out: [String] = []
    for span in document.spans() {
      let words = span.styles.map { "\($0.key.string)=\($0.value.string)" }.joined(separator: " ")
      for _ in 0..<span.length { out.append(letters[out.count] + words) }
    }
    return out
  }

  /// What is inserted is plain, what is restyled is asked for again, and nothing else may look another way.
  mutating func follow(_ delta: RichTextDelta) {
    for change in delta.text.changes {
      let letters = String(decoding: delta.text.inserted[change.bytes], as: UTF8.self).unicodeScalars.map { String($0) }
      editor.replaceSubrange(change.place..<change.place + change.deleted, with: letters)
    }
    let wanted = Self.styles(mine)
    for range in delta.restyled where range.upperBound <= editor.count { editor.replaceSubrange(range, with: wanted[range]) }
    #expect(editor == wanted, "restyled \(delta.restyled)")
    editor = wanted
  }
}

@Suite("Undo in rich text") struct RichUndoTests {
  @Test("undo takes away one's own mark, also when others typed in it and marked on top, and redo puts it back")
  func ownMark() throws {
    var desk = try RichDesk("the red fox")
    try desk.mark("bold", 4..<7)
    #expect(desk.shown == "the [bold]red[] fox")
    try desk.merge()
    try desk.theirs.type("dd", 6, by: "they")
    try desk.theirs.mark("italic", "yes", 0..<6, grows: true, by: "they")
    try desk.merge()
    #expect(desk.shown == "[italic]the [bold,italic]re[bold]ddd[] fox")
    try desk.back()
    #expect(desk.shown == "[italic]the re[]ddd fox")
    #expect(!desk.undo.canUndo)
    try desk.forth()
    #expect(desk.shown == "[italic]the [bold,italic]re[bold]ddd[] fox")
    try desk.merge()
  }

  @Test("a mark made at the same time as another wins where it won when both came back and one is undone and redone")
  func cameBack() throws {
    var desk = try RichDesk("the red fox")
    try desk.mark("colour", 4..<7, "red")
    try desk.theirs.mark("colour", nil, 4..<9, grows: true, by: "they")
    try desk.merge()
    let before = desk.shown
    #expect(before == "the [colour=red]red[] fox")
    // Covers both, so that the way back brings both as marks of one author.
    try desk.mark("colour", 0..<11, "blue")
    try desk.back()
    #expect(desk.shown == before)
    try desk.back()
    try desk.forth()
    #expect(desk.shown == before)
    try desk.merge()
  }

  @Test("undo of a mark leaves the same mark of somebody else, and brings back what the mark had covered")
  func covered() throws {
    var desk = try RichDesk("the red fox")
    try desk.theirs.mark("colour", "red", 4..<7, grows: true, by: "they")
    try desk.merge()
    try desk.mark("colour", 0..<11, "blue")
    #expect(desk.shown == "[colour=blue]the red fox")
    try desk.back()
    #expect(desk.shown == "the [colour=red]red[] fox")
    try desk.theirs.mark("bold", "yes", 0..<3, grows: true, by: "they")
    try desk.mark("bold", 0..<3)
    try desk.merge()
    try desk.back()
    #expect(desk.shown == "[bold]the[] [colour=red]red[] fox")
    try desk.merge()
  }

  @Test("deleted text comes back with its marks, and in the mark it stood in")
  func deleted() throws {
    var desk = try RichDesk("the red fox")
    try desk.theirs.mark("bold", "yes", 4..<7, grows: true, by: "they")
    try desk.theirs.mark("link", "https://x", 8..<11, grows: false, by: "they")
    try desk.merge()
    let before = desk.shown
    for (text, place, count) in [("", 4, 3), ("", 4, 2), ("", 3, 3), ("", 0, 11), ("new", 4, 3), ("new", 2, 6)] {
      try desk.type(text, place, deleting: count)
      let after = desk.shown
      try desk.back()
      #expect(desk.shown == before)
      try desk.forth()
      #expect(desk.shown == after)
      try desk.back()
      try desk.merge()
    }
  }

  @Test("what takes the place of a selection looks like the first letter of it")
  func replaced() throws {
    var desk = try RichDesk("the red fox")
    try desk.mark("bold", 4..<7)
    try desk.type("blue", 4, deleting: 3)
    #expect(desk.shown == "the [bold]blue[] fox")
    try desk.type("a b", 0, deleting: 6)
    #expect(desk.shown == "a b[bold]ue[] fox")
  }

  @Test("a mark that lost one of its ends to a hostile edit is no trap for undo")
  func halfMark() throws {
    var desk = try RichDesk("the red fox")
    try desk.type("!", 11)
    try desk.mark("bold", 4..<7)
    try desk.merge()
    try desk.back()
    try desk.forth()
    // Somebody whose program is broken deletes the start alone.
    try desk.theirs.absorb(desk.mine.encode(since: desk.theirs.version))
    var plain = desk.theirs.text
    try plain.delete(1, at: 4, by: "they")
    try desk.receive(RichTextDocument.with(plain, like: desk.theirs))
    for _ in 0..<3 { try desk.back() }
    for _ in 0..<3 { try desk.forth() }
  }

  @Test("undo of everything gives what others made of the text, redo of everything what was there, and every editor follows", arguments: 0..<120)
  func fuzz(_ round: Int) throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    var random = Random(seed: seed)
    func below(_ bound: Int) -> Int { Int(random.below(UInt64(bound))) }
    let keys: [Text] = ["bold", "italic", "link"]
    // Without others: everything back is the beginning, step by step, and everything forth is the end.
    var desk = try RichDesk("The fox jumped over the dog")
    try desk.theirs.mark("italic", "yes", 4..<16, grows: true, by: "they")
    try desk.theirs.mark("link", "https://x", 8..<20, grows: false, by: "they")
    try desk.merge()
    var states = [desk.shown]
    for _ in 0..<40 {
      let place = below(desk.mine.count + 1)
      let length = min(desk.mine.count - place, below(8))
      if below(2) == 0, length > 0 {
        let key = below(3)
        try desk.mark(keys[key], place..<place + length, below(3) == 0 ? nil : Text("v\(below(2))"), grows: key < 2)
      } else {
        try desk.type(["", "x", "é😀"][below(3)], place, deleting: below(2) == 0 ? length : 0)
      }
      if desk.undo.canUndo, desk.shown != states.last { states.append(desk.shown) }
    }
    let end = desk.shown
    var way = [desk.shown]
    while desk.undo.canUndo {
      try desk.back()
      if desk.shown != way.last { way.append(desk.shown) }
    }
    #expect(way == states.reversed(), "seed \(seed), round \(round)")
    while desk.undo.canRedo { try desk.forth() }
    #expect(desk.shown == end, "seed \(seed), round \(round)")
    try desk.merge()
    // With others who do everything at once: back and forth changes nothing, and both end alike.
    for _ in 0..<60 {
      let place = below(desk.mine.count + 1)
      let length = min(desk.mine.count - place, below(8))
      switch below(6) {
      case 0 where length > 0: try desk.mark(keys[below(3)], place..<place + length, below(3) == 0 ? nil : "mine")
      case 1: try desk.type("m", place, deleting: below(2) * length)
      case 2:
        let place = below(desk.theirs.count + 1)
        let length = min(desk.theirs.count - place, below(8))
        if below(2) == 0 { try desk.theirs.delete(length, at: place, by: "they") } else { try desk.theirs.type("t", place, by: "they") }
        if length > 1, place + 1 < desk.theirs.count {
          try desk.theirs.mark(keys[below(3)], below(3) == 0 ? nil : "theirs", place..<place + 1, grows: true, by: "they")
        }
      case 3: try desk.merge()
      case 4: try desk.back()
      default: try desk.forth()
      }
      if below(6) == 0, desk.undo.canUndo {
        let before = desk.shown
        try desk.back()
        try desk.forth()
        #expect(desk.shown == before, "seed \(seed), round \(round)")
      }
    }
    try desk.merge()
    while desk.undo.canUndo { try desk.back() }
    try desk.merge()
    #expect(try RichTextDocument(saved: desk.mine.saved()).spans() == desk.mine.spans(), "seed \(seed), round \(round)")
  }
}

extension RichTextDocument {
  /// A rich text over a plain one that knows more events, as of a program that does not know marks.
  fileprivate static func with(_ text: TextDocument, like other: RichTextDocument) -> RichTextDocument {
    var document = other
    document.text = text
    return document
  }

  fileprivate func saved() -> [UInt8] {
    var copy = self
    return copy.save()
  }
}
