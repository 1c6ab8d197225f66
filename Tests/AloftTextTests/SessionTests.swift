// SPDX-License-Identifier: Apache-2.0
// Open texts: places in UTF-16 units, what is handed on, and what another document may say.
import Testing

@testable import AloftCore

@Suite struct SessionTests {
  private static let pieces: [String] = ["a", "word ", "é", "日本", "🌍", "👩‍🚀", "\n", "x🌍y", ""]

  private static func session(_ agent: String, _ saved: [UInt8] = []) throws -> TextSession {
    try TextSession(saved: saved, agent: Text(agent))
  }

  /// What a device's engine does with an edit.
  private static func fold(_ saved: [UInt8], _ edits: [UInt8]...) throws -> [UInt8] {
    try #require(TextMerge.fold([saved] + edits.filter { !$0.isEmpty }))
  }

  @Test func `edits at random places give what a string of UTF-16 units gives`() throws {
    var random = Random(seed: 7)
    for round in 0..<40 {
      var session = try Self.session("agent-\(round)")
      var units: [UInt16] = []
      for _ in 0..<120 {
        // Whole pairs only: who holds the text splits none.
        let places = (0...units.count).filter { $0 == units.count || !UTF16.isTrailSurrogate(units[$0]) }
        let (from, to) = (Int(random.below(UInt64(places.count))), Int(random.below(UInt64(places.count))))
        let (start, end) = (places[min(from, to)], places[min(max(from, to), min(from, to) + 3)])
        let text = Self.pieces[Int(random.below(UInt64(Self.pieces.count)))]
        try session.replace(end - start, at: start, with: Array(text.utf8))
        units.replaceSubrange(start..<end, with: Array(text.utf16))
      }
      #expect(session.utf8 == Array(String(decoding: units, as: UTF16.self).utf8))
    }
  }

  @Test func `each message has what was typed since the one before, and two people end with one text`() throws {
    var (mia, ada) = (try Self.session("mia"), try Self.session("ada"))
    var saved: [UInt8] = []
    var random = Random(seed: 3)
    for step in 0..<60 {
      let isMia = random.below(2) == 0
      var session = isMia ? mia : ada
      let length = String(decoding: session.utf8, as: UTF8.self).utf16.count
      try session.replace(0, at: step % 3 == 0 ? 0 : length, with: Array((isMia ? "M🌍\(step)" : "a\(step)").utf8))
      if random.below(2) == 0 {
        saved = try Self.fold(saved, session.unsent())
        session.markSent()
        #expect(session.unsent() == [])
        #expect(try session.absorb(saved) != .lacksSent)
      }
      if isMia { mia = session } else { ada = session }
    }
    saved = try Self.fold(try Self.fold(saved, mia.unsent()), ada.unsent())
    mia.markSent()
    ada.markSent()
    _ = try mia.absorb(saved)
    _ = try ada.absorb(saved)
    #expect(mia.utf8 == ada.utf8)
    #expect(mia.utf8 == TextMerge.text(of: saved))
  }

  @Test func `a document without what was handed on is refused, and nothing changes`() throws {
    var session = try Self.session("mia")
    try session.replace(0, at: 0, with: Array("kept ".utf8))
    let kept = try Self.fold([], session.unsent())
    session.markSent()
    try session.replace(0, at: 5, with: Array("refused".utf8))
    session.markSent()
    #expect(try session.absorb(kept) == .lacksSent)
    #expect(try session.absorb([]) == .lacksSent)
    #expect(String(decoding: session.utf8, as: UTF8.self) == "kept refused")
  }

  @Test func `words of others that were taken back are told apart from own ones, and nothing changes`() throws {
    var session = try Self.session("mia")
    try session.replace(0, at: 0, with: Array("mine ".utf8))
    let kept = try Self.fold([], session.unsent())
    session.markSent()
    var other = try TextSession(saved: kept, agent: Text("ada"))
    try other.replace(0, at: 5, with: Array("hers".utf8))
    _ = try session.absorb(Self.fold(kept, other.unsent()))
    try session.replace(0, at: 9, with: Array(" unsent".utf8))
    #expect(try session.absorb(kept) == .lacksOthers)
    #expect(String(decoding: session.utf8, as: UTF8.self) == "mine hers unsent")
  }

  @Test func `undo takes back own words between those of others`() throws {
    var (mia, ada) = (try Self.session("mia"), try Self.session("ada"))
    try mia.replace(0, at: 0, with: Array("mi🌍lk".utf8))
    var saved = try Self.fold([], mia.unsent())
    mia.markSent()
    _ = try ada.absorb(saved)
    try ada.replace(0, at: 4, with: Array("X🌍".utf8))
    saved = try Self.fold(saved, ada.unsent())
    _ = try mia.absorb(saved)
    let delta = try mia.undo()
    #expect(String(decoding: mia.utf8, as: UTF8.self) == "X🌍")
    #expect(delta.movedUTF16(9) == 3)
    #expect(!mia.canUndo && mia.canRedo)
    _ = try mia.redo()
    #expect(String(decoding: mia.utf8, as: UTF8.self) == "mi🌍X🌍lk")
    try mia.replace(1, at: 0, with: Array("M".utf8))
    #expect(String(decoding: mia.utf8, as: UTF8.self) == "Mi🌍X🌍lk")
    #expect(mia.canUndo && !mia.canRedo)
  }

  @Test func `places outside, broken text and broken documents are errors, and the text stays`() throws {
    var session = try Self.session("mia")
    try session.replace(0, at: 0, with: Array("🌍".utf8))
    for (deleted, place) in [(0, 3), (1, 2), (-1, 0), (0, -1), (3, 0), (Int.max, 1), (1, Int.max)] {
      #expect(throws: TextError.outOfBounds) { try session.replace(deleted, at: place, with: []) }
    }
    #expect(throws: TextError.notUTF8) { try session.replace(0, at: 0, with: [0xFF]) }
    #expect(throws: TextError.badAgent) { try Self.session("") }
    for bytes in [[1], [0x14], Array(repeating: UInt8(0x14), count: 40)] as [[UInt8]] {
      #expect(throws: TextError.self) { try session.absorb(bytes) }
      #expect(throws: TextError.self) { try Self.session("a", bytes) }
    }
    #expect(String(decoding: session.utf8, as: UTF8.self) == "🌍")
  }
}
