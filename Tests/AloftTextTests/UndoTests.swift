// SPDX-License-Identifier: Apache-2.0
// Undo takes back one's own edits and nothing else, whatever others did to the text in the meantime.
import Testing

@testable import AloftCore

/// A person's text with its undo, and another person's replica of it.
struct UndoPair {
  var mine = RichTextDocument(isPlain: true)
  var theirs = RichTextDocument(isPlain: true)
  var undo = TextUndo()
  var shadow: [UInt8] = []
  var agent: Text = "me"

  init(_ text: String, groupsMax: Int = 200, bytesMax: Int = 4_000_000) throws {
    undo = TextUndo(groupsMax: groupsMax, bytesMax: bytesMax)
    try theirs.insert(Array(text.utf8), at: 0, by: "they")
    try merge()
  }

  var text: String { String(decoding: mine.utf8, as: UTF8.self) }

  mutating func type(_ deleted: Int, _ place: Int, _ text: String) throws {
    follow(try undo.replace(deleted, at: place, with: Array(text.utf8), by: agent, in: &mine))
  }

  /// Replaces as a group of its own.
  mutating func replace(_ deleted: Int, _ place: Int, _ text: String = "") throws {
    try type(deleted, place, text)
    undo.endGroup()
  }

  mutating func back() throws { follow(try undo.undo(in: &mine, by: agent)) }
  mutating func forth() throws { follow(try undo.redo(in: &mine, by: agent)) }

  mutating func receive(_ other: RichTextDocument) throws {
    let delta = try mine.merge(other.encode(since: mine.version))
    undo.merged(delta)
    follow(delta)
  }

  /// Both learn what the other did.
  mutating func merge() throws {
    _ = try theirs.merge(mine.encode(since: theirs.version))
    try receive(theirs)
  }

  /// What an editor shows.
  mutating func follow(_ delta: RichTextDelta) {
    var units = Array(String(decoding: shadow, as: UTF8.self).utf16)
    for change in delta.text.changes {
      let text = Array(String(decoding: delta.text.inserted[change.bytes], as: UTF8.self).utf16)
      units.replaceSubrange(change.placeUTF16..<change.placeUTF16 + change.deletedUTF16, with: text)
    }
    shadow = Array(String(decoding: units, as: UTF16.self).utf8)
    #expect(shadow == mine.utf8)
  }
}

@Suite("Undo") struct UndoTests {
  @Test("undo of an insertion deletes what is left of it and keeps what others wrote inside")
  func insertion() throws {
    var pair = try UndoPair("one two")
    try pair.replace(0, 4, "NICE ")
    try pair.merge()
    try pair.theirs.insert(Array("very".utf8), at: 6, by: "they")
    try pair.theirs.delete(1, at: 4, by: "they")
    try pair.merge()
    #expect(pair.text == "one IveryCE two")
    try pair.back()
    #expect(pair.text == "one verytwo")
    try pair.forth()
    #expect(pair.text == "one IveryCE two")
  }

  @Test("undo of a deletion puts the text back where it was, also when others changed the text before it")
  func deletion() throws {
    var pair = try UndoPair("hello 😀 world")
    try pair.replace(2, 6)
    #expect(pair.text == "hello world")
    try pair.theirs.insert(Array("Oh, ".utf8), at: 0, by: "they")
    try pair.merge()
    try pair.back()
    #expect(pair.text == "Oh, hello 😀 world")
    try pair.forth()
    #expect(pair.text == "Oh, hello world")
  }

  @Test("a group is undone as one, and a deletion of own text inside an older group comes back before that group goes")
  func groups() throws {
    var pair = try UndoPair("")
    for (index, letter) in "hello".enumerated() { try pair.type(0, index, String(letter)) }
    pair.undo.endGroup()
    try pair.replace(2, 1)
    #expect(pair.text == "hlo")
    try pair.theirs.insert(Array("-".utf8), at: 0, by: "they")
    try pair.merge()
    let before = pair.text
    try pair.back()
    #expect(pair.text == before.replacing("hlo", with: "hello"))
    try pair.back()
    #expect(pair.text == "-")
    #expect(!pair.undo.canUndo)
    try pair.forth()
    try pair.forth()
    #expect(pair.text == before)
    #expect(!pair.undo.canRedo)
  }

  @Test("a group of which others left nothing is forgotten, and so is what is typed and taken away again")
  func vanished() throws {
    var pair = try UndoPair("ab")
    try pair.replace(0, 1, "X")
    try pair.merge()
    try pair.theirs.delete(1, at: 1, by: "they")
    try pair.merge()
    #expect(!pair.undo.canUndo)
    try pair.type(0, 0, "x")
    try pair.type(1, 0, "")
    #expect(!pair.undo.canUndo)
  }

  @Test("a new edit ends redo, and an edit that is refused changes nothing")
  func refused() throws {
    var pair = try UndoPair("abc")
    try pair.replace(1, 0, "X")
    try pair.back()
    #expect(throws: TextError.outOfBounds) { try pair.replace(3, 1) }
    #expect(throws: TextError.outOfBounds) { try pair.replace(0, -1, "x") }
    #expect(throws: TextError.notUTF8) { _ = try pair.undo.replace(0, at: 0, with: [0xFF], by: "me", in: &pair.mine) }
    pair.agent = ""
    #expect(throws: TextError.badAgent) { try pair.forth() }
    pair.agent = "me"
    #expect(pair.text == "abc" && pair.undo.canRedo)
    try pair.replace(0, 0, "Y")
    #expect(!pair.undo.canRedo)
    // A document that it did not hear of: refused, not a trap.
    try pair.replace(0, 4, "long")
    var other = RichTextDocument(isPlain: true)
    #expect(throws: TextError.outOfBounds) { _ = try pair.undo.undo(in: &other, by: "me") }
    #expect(other.count == 0)
  }

  @Test("memory is bounded: the oldest groups go first")
  func bounded() throws {
    var pair = try UndoPair(String(repeating: "a", count: 20_000), groupsMax: 10, bytesMax: 1_000)
    for index in 0..<50 {
      try pair.replace(200, 0, "\(index)")
      #expect(pair.undo.memoryBytes <= 1_000)
      try pair.back()
      try pair.forth()
      if index % 5 == 0 { for _ in 0..<3 { try pair.replace(0, 0, "x") } }
    }
    try pair.replace(3_000, 0)
    #expect(!pair.undo.canUndo)
    for _ in 0..<30 { try pair.replace(0, 0, "x") }
    var count = 0
    while pair.undo.canUndo {
      try pair.back()
      count += 1
    }
    #expect(count == 10)
  }

  /// Every scalar that ever was, in order, and who took it away: tells apart what undo must give.
  struct Ledger {
    struct Entry {
      var scalar: Unicode.Scalar
      var isMine: Bool
      var isDeletedByMe = false
      var isDeletedByThem = false
      var isVisible: Bool { !isDeletedByMe && !isDeletedByThem }
    }
    var entries: [Entry] = []

    var visible: [Int] { entries.indices.filter { entries[$0].isVisible } }
    func text(_ keep: (Entry) -> Bool) -> String {
      var view = String.UnicodeScalarView()
      view.append(contentsOf: entries.filter(keep).map(\.scalar))
      return String(view)
    }
    /// Where in the list something goes that is inserted before a visible place.
    func index(_ place: Int) -> Int { place == 0 ? 0 : visible[place - 1] + 1 }
    /// Whether that is certain once own text is gone: no deleted text lies there, beside which undo may put either first.
    func isClear(_ place: Int) -> Bool {
      var from = index(place)
      var end = from
      while from > 0, entries[from - 1].isMine || !entries[from - 1].isVisible { from -= 1 }
      while end < entries.count, entries[end].isMine || !entries[end].isVisible { end += 1 }
      return !entries[from..<end].contains { !$0.isMine && $0.isDeletedByMe && !$0.isDeletedByThem }
    }
  }

  @Test("undo of everything gives the text as it were without own edits, and redo of everything what it was with them", arguments: 0..<150)
  func fuzz(_ round: Int) throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    var random = Random(seed: seed)
    func below(_ bound: Int) -> Int { Int(random.below(UInt64(bound))) }
    let letters = Array("abcdeé€😀🎉xyz".unicodeScalars)
    func word(_ count: Int) -> String { String(String.UnicodeScalarView((0..<count).map { _ in letters[below(letters.count)] })) }
    let start = word(20 + round % 20)
    var pair = try UndoPair(start)
    var ledger = Ledger(entries: start.unicodeScalars.map { .init(scalar: $0, isMine: false) })
    for _ in 0..<60 {
      let count = pair.mine.count
      if below(2) == 0 {
        let place = below(count + 1)
        let deleted = below(3) == 0 ? min(count - place, below(4)) : 0
        let text = word(below(4))
        try pair.type(deleted, place, text)
        let index = ledger.index(place)
        for entry in ledger.visible[place..<place + deleted] { ledger.entries[entry].isDeletedByMe = true }
        ledger.entries.insert(contentsOf: text.unicodeScalars.map { .init(scalar: $0, isMine: true) }, at: index)
        if below(3) > 0 { pair.undo.endGroup() }
      } else {
        // The other knows everything, so that the place is certain; what it does may be several edits in one merge. Of one kind: where
        // what stood between two texts goes as the second comes, undo may put either first.
        try pair.merge()
        let deletes = below(3) == 0
        for _ in 0...below(3) {
          let place = below(pair.theirs.count + 1)
          let visible = ledger.visible
          if deletes {
            if place == visible.count { continue }
            // Own text that the other takes away cannot come back through redo, so it takes only what is not mine.
            if ledger.entries[visible[place]].isMine { continue }
            try pair.theirs.delete(1, at: place, by: "they")
            ledger.entries[visible[place]].isDeletedByThem = true
          } else if ledger.isClear(place) {
            let text = word(1 + below(3))
            try pair.theirs.insert(Array(text.utf8), at: place, by: "they")
            ledger.entries.insert(
              contentsOf: text.unicodeScalars.map { .init(scalar: $0, isMine: false) }, at: ledger.index(place))
          }
        }
        try pair.merge()
      }
      if below(8) == 0 {
        // Some back and forth in between.
        let before = pair.text
        let steps = 1 + below(4)
        for _ in 0..<steps { try pair.back() }
        for _ in 0..<steps { try pair.forth() }
        #expect(pair.text == before, "seed \(seed), round \(round)")
      }
      #expect(pair.text == ledger.text { $0.isVisible }, "seed \(seed), round \(round)")
    }
    while pair.undo.canUndo { try pair.back() }
    #expect(pair.text == ledger.text { !$0.isMine && !$0.isDeletedByThem }, "seed \(seed), round \(round)")
    while pair.undo.canRedo { try pair.forth() }
    #expect(pair.text == ledger.text { $0.isVisible }, "seed \(seed), round \(round)")
    try pair.merge()
    #expect(pair.theirs.utf8 == pair.mine.utf8)
  }

  @Test("replicas of several people who undo and redo at random stay equal, and every editor follows", arguments: 0..<40)
  func replicas(_ round: Int) throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    var random = Random(seed: seed)
    func below(_ bound: Int) -> Int { Int(random.below(UInt64(bound))) }
    var pairs = try (0..<3).map { _ in try UndoPair("") }
    for index in 0..<3 { pairs[index].agent = Text("\(index)") }
    for _ in 0..<120 {
      let who = below(3)
      var pair = pairs[who]
      let count = pair.mine.count
      let place = below(count + 1)
      switch below(7) {
      case 0: try pair.back()
      case 1: try pair.forth()
      case 2: try pair.type(min(count - place, 4), place, "")
      case 3, 4: try pair.type(below(2) == 0 ? 0 : min(1, count - place), place, "é😀b")
      default:
        let other = below(3)
        if other != who { try pair.receive(pairs[other].mine) }
      }
      if below(2) == 0 { pair.undo.endGroup() }
      pairs[who] = pair
    }
    for _ in 0..<2 {
      for to in 0..<3 { for from in 0..<3 where from != to { _ = try pairs[to].mine.merge(pairs[from].mine.encode()) } }
    }
    #expect(pairs[0].mine.utf8 == pairs[1].mine.utf8 && pairs[1].mine.utf8 == pairs[2].mine.utf8, "seed \(seed), round \(round)")
  }
}
