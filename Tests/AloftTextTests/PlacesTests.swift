// SPDX-License-Identifier: Apache-2.0
// A history read at its places gives what merging it gives, and places that are wrong do no harm.
import Testing
import TextTraces

@testable import AloftCore

@Suite("Places") struct PlacesTests {
  @Test(
    "a trace read at its places is the document that merging it makes",
    arguments: ["friendsforever", "git-makefile", "node_nodecc", "rustcode"])
  func traces(_ name: String) throws {
    let trace = Trace.load(traceFolder + name + ".gz")[0]
    let merged = try merging(trace.message(Array(trace.transactions.indices)))
    #expect(trace.ends(with: merged.utf8))
    try expectSame(merged, "\(name)")
  }

  @Test("random histories read at their places are the documents that merging them makes", arguments: 0..<40)
  func histories(_ round: Int) throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    try expectSame(try randomDocument(seed, plain: round % 2 == 0), "seed \(seed), round \(round)")
  }

  /// What must hold of a document's places, however the text in them is packed and whatever the reader wants to know.
  private func expectSame(_ document: TextDocument, _ what: Comment) throws {
    for isPacked in [false, true] {
      let placed = try document.encodePlaced(isPacked: isPacked)
      var read = TextDocument()
      let delta = try read.merge(trusted: placed)
      #expect(read.utf8 == document.utf8, what)
      #expect(read.encode() == document.encode(), what)
      var (copy, silent) = (document, TextDocument())
      try silent.absorb(trusted: placed)
      #expect(silent.save() == copy.save(), what)
      // An editor that follows the changes shows the same.
      var shadow: [UInt32] = []
      for change in delta.changes {
        let text = String(decoding: delta.inserted[change.bytes], as: UTF8.self).unicodeScalars.map(\.value)
        shadow.replaceSubrange(change.place..<change.place + change.deleted, with: text)
      }
      #expect(shadow == String(decoding: document.utf8, as: UTF8.self).unicodeScalars.map(\.value), what)
      // Equal logs have equal bytes, whoever writes them, also after a restart.
      #expect(try read.encodePlaced(isPacked: isPacked) == placed, what)
      #expect(try TextDocument(saved: read.save()).encodePlaced(isPacked: isPacked) == placed, what)
    }
  }

  @Test("a document that was read at its places goes on merging like every other")
  func goesOn() throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    var replicas = try randomReplicas(seed, plain: false)
    var read = TextDocument()
    try read.absorb(trusted: replicas.documents[0].encodePlaced())
    for _ in 0..<30 {
      try replicas.type(1 + replicas.below(2))
      try replicas.send(1 + replicas.below(2), 0)
      let news = replicas.documents[0].encode(since: read.version)
      try read.absorb(news)
      #expect(read.utf8 == replicas.documents[0].utf8, "seed \(seed)")
    }
  }

  @Test("a document that has events already, and a reader that orders otherwise, merge the events instead")
  func notEmpty() throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    let document = try randomDocument(seed, plain: false)
    let placed = try document.encodePlaced()
    var other = TextDocument()
    try other.insert(Array("first ".utf8), at: 0, by: "somebody")
    var merged = other
    try merged.absorb(document.encode())
    try other.absorb(trusted: placed)
    #expect(other.utf8 == merged.utf8 && other.encode() == merged.encode(), "seed \(seed)")
    var later = Array(placed.dropLast(8))
    later[1] = 2
    // Nobody may look at these places.
    for index in 4..<8 { later[index] = 0x7F }
    TextDocument.seal(&later)
    var read = TextDocument()
    try read.absorb(trusted: later)
    #expect(read.utf8 == document.utf8, "seed \(seed)")
    var plain = TextDocument()
    try plain.absorb(trusted: document.encode())
    #expect(plain.utf8 == document.utf8)
  }

  @Test("a message with places is refused from a peer")
  func peer() throws {
    var document = TextDocument()
    try document.insert(Array("words".utf8), at: 0, by: "a")
    let placed = try document.encodePlaced()
    var other = TextDocument()
    #expect(throws: TextError.hasPlaces) { try other.absorb(placed) }
    #expect(throws: TextError.hasPlaces) { _ = try other.merge(placed) }
    var rich = RichTextDocument()
    #expect(throws: TextError.hasPlaces) { try rich.absorb(placed) }
    #expect(throws: TextError.self) { _ = try TextDocument(saved: placed) }
  }

  @Test("an empty document has places as well")
  func empty() throws {
    var read = TextDocument()
    try read.absorb(trusted: TextDocument().encodePlaced())
    #expect(read.eventCount == 0)
  }

  @Test("changed bytes are refused by their checksum")
  func damaged() throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    let placed = try randomDocument(seed, plain: false).encodePlaced()
    var random = Random(seed: seed)
    for _ in 0..<400 {
      var bytes = placed
      bytes[1 + Int(random.below(UInt64(bytes.count - 1)))] ^= 1 << UInt8(random.below(8))
      var read = TextDocument()
      #expect(throws: TextError.damaged) { try read.absorb(trusted: bytes) }
      bytes = Array(placed.prefix(Int(random.below(UInt64(placed.count)))))
      #expect(throws: TextError.self) { try read.absorb(trusted: bytes) }
      #expect(read.eventCount == 0 && read.count == 0)
    }
  }

  @Test("places that another program got wrong are refused, or give another text of the same events, never a trap")
  func wrong() throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    let document = try randomDocument(seed, plain: false)
    let placed = try document.encodePlaced()
    var random = Random(seed: seed)
    var reader = TextReader(placed, 2, placed.count)
    let length = try reader.count()
    let start = reader.offset
    #expect(length > 20, "seed \(seed)")
    var refused = 0
    for _ in 0..<4_000 {
      var bytes = Array(placed.dropLast(8))
      for _ in 0...random.below(3) {
        let at = start + Int(random.below(UInt64(length)))
        if random.below(2) == 0 { bytes[at] = UInt8(random.below(256)) } else { bytes[at] ^= 1 << UInt8(random.below(8)) }
      }
      TextDocument.seal(&bytes)
      var read = TextDocument()
      do {
        _ = try read.merge(trusted: bytes)
        #expect(read.encode() == document.encode(), "seed \(seed)")
        #expect(read.count == String(decoding: read.utf8, as: UTF8.self).unicodeScalars.count, "seed \(seed)")
      } catch {
        refused += 1
        #expect(error == .malformed || error == .outOfBounds, "seed \(seed)")
        #expect(read.eventCount == 0 && read.count == 0, "seed \(seed)")
      }
    }
    #expect(refused > 1_000)
  }

  @Test("an event's place may be as far from its author's as a text is long, and no further")
  func far() throws {
    func read(_ places: [Int]) throws -> [UInt8] {
      var document = TextDocument()
      try document.insert(Array("ab".utf8), at: 0, by: "a")
      try document.delete(1, at: 0, by: "a")
      var writer = TextWriter()
      writer.bytes.append(contentsOf: [TextPlaced.format, 1])
      var column = TextWriter()
      for place in places { column.number(place) }
      writer.number(column.bytes.count)
      writer.bytes.append(contentsOf: column.bytes + document.encode())
      TextDocument.seal(&writer.bytes)
      var result = TextDocument()
      _ = try result.merge(trusted: writer.bytes)
      return result.utf8
    }
    #expect(try read([3 << 1, 0]) == Array("b".utf8))
    // The deletion takes effect one further right; or it is gone.
    #expect(try read([2 << 1, 0, 1 << 1, 1 << 1]) == Array("a".utf8))
    #expect(try read([2 << 1, 0, 1 << 1 | 1]) == Array("ab".utf8))
    #expect(throws: TextError.outOfBounds) { _ = try read([2 << 1, 0, 1 << 1, 2 << 1]) }
    #expect(throws: TextError.outOfBounds) { _ = try read([3 << 1 | 1]) }
    #expect(throws: TextError.outOfBounds) { _ = try read([3 << 1, 1]) }
    #expect(throws: TextError.malformed) { _ = try read([3 << 1, 0x7FFF_FFFF]) }
    #expect(throws: TextError.malformed) { _ = try read([3 << 1, 0, 1 << 1, 0]) }
    #expect(throws: TextError.malformed) { _ = try read([2 << 1, 0]) }
    #expect(throws: TextError.malformed) { _ = try read([0, 0]) }
  }

  private func merging(_ message: [UInt8]) throws -> TextDocument {
    var document = TextDocument()
    try document.absorb(message)
    return document
  }

  private func randomReplicas(_ seed: UInt64, plain: Bool) throws -> Replicas {
    var replicas = Replicas(3, seed: seed)
    replicas.isPlain = plain
    for _ in 0..<80 {
      try replicas.type(replicas.below(3))
      let (from, to) = (replicas.below(3), replicas.below(3))
      if from != to, replicas.below(2) == 0 { try replicas.send(from, to) }
    }
    for from in 1..<3 { try replicas.send(from, 0) }
    return replicas
  }

  private func randomDocument(_ seed: UInt64, plain: Bool) throws -> TextDocument { try randomReplicas(seed, plain: plain).documents[0] }
}
