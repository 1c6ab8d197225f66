// SPDX-License-Identifier: Apache-2.0
// Random replicas that type, send and receive in any order agree with the oracle, and broken bytes do no harm.
import Testing

@testable import AloftCore

/// Replicas with everything they ever sent, and the oracle that saw it all.
struct Replicas {
  var documents: [TextDocument]
  var shadows: [[UInt8]]
  var agents: [Text] = []
  var oracle = Oracle()
  /// The oracle's number of each event, by agent and number.
  var names: [String: Int] = [:]
  var heads: [[Int]]
  var random: Random
  /// Whether all that is typed is ASCII: a log's text then stays packed after a restart.
  var isPlain = false

  init(_ count: Int, seed: UInt64) {
    documents = (0..<count).map { _ in tiny() }
    shadows = documents.map { _ in [] }
    heads = documents.map { _ in [] }
    random = Random(seed: seed)
    for index in 0..<count { agents.append(Text("\(seed % 7)-\((index * 5) % 11)-\(index)")) }
  }

  mutating func below(_ bound: Int) -> Int { Int(random.below(UInt64(bound))) }

  mutating func type(_ replica: Int) throws {
    let agent = agents[replica]
    let count = documents[replica].count
    let number = documents[replica].version.agents.firstIndex(of: agent).map { documents[replica].version.next[$0] } ?? 0
    if count > 0, below(3) == 0 {
      let place = below(count)
      let length = min(count - place, 1 + below(3))
      try documents[replica].delete(length, at: place, by: agent)
      for index in 0..<length { note(replica, number + index, nil, place) }
    } else {
      let place = below(4) == 0 ? 0 : below(count + 1)
      let scalars = (0...below(3)).map { _ in Array((isPlain ? "abcdefghuxyz" : "abcdeé€😀🎉xyz").unicodeScalars)[below(12)] }
      var string = String.UnicodeScalarView()
      string.append(contentsOf: scalars)
      try documents[replica].insert(Array(String(string).utf8), at: place, by: agent)
      for (index, scalar) in scalars.enumerated() { note(replica, number + index, scalar, place + index) }
    }
    shadows[replica] = documents[replica].utf8
  }

  private mutating func note(_ replica: Int, _ number: Int, _ scalar: Unicode.Scalar?, _ place: Int) {
    names["\(agents[replica].string)/\(number)"] = oracle.events.count
    oracle.events.append(
      .init(agent: agents[replica].utf8, number: number, parents: heads[replica], scalar: scalar, place: place))
    heads[replica] = [oracle.events.count - 1]
  }

  /// One replica sends another what it lacks, or more, or all; the changes told to an editor are applied to its shadow.
  mutating func send(_ from: Int, _ to: Int) throws {
    let version = below(5) == 0 ? TextVersion() : documents[to].version
    let session = below(2) == 0 ? agents : []
    let bytes = documents[from].encode(since: version, session: session, isPacked: below(3) == 0)
    let delta = try documents[to].merge(bytes, session: session)
    var units = Array(String(decoding: shadows[to], as: UTF8.self).utf16)
    for change in delta.changes {
      let text = Array(String(decoding: delta.inserted[change.bytes], as: UTF8.self).utf16)
      #expect(text.count == change.insertedUTF16)
      units.replaceSubrange(change.placeUTF16..<change.placeUTF16 + change.deletedUTF16, with: text)
    }
    shadows[to] = Array(String(decoding: units, as: UTF16.self).utf8)
    let known = oracle.history(heads[from] + heads[to])
    heads[to] = known.subtracting(known.flatMap { oracle.events[$0].parents }).sorted()
  }
}

@Suite("Replicas") struct ReplicaFuzz {
  @Test("replicas agree with a per-character replay whatever is delivered when", arguments: 0..<60)
  func agree(_ round: Int) throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    var replicas = Replicas(2 + round % 4, seed: seed)
    let count = replicas.documents.count
    for step in 0..<70 {
      // Some type other letters from a restart on.
      replicas.isPlain = round % 3 == 0 || (round % 3 == 1 && step < 35)
      for _ in 0...replicas.below(3) { try replicas.type(replicas.below(count)) }
      let (from, to) = (replicas.below(count), replicas.below(count))
      if from != to { try replicas.send(from, to) }
      // A restart keeps the log and nothing else.
      if replicas.below(15) == 0 { replicas.documents[to] = try TextDocument(saved: replicas.documents[to].save()) }
    }
    for _ in 0..<2 { for from in 0..<count { for to in 0..<count where from != to { try replicas.send(from, to) } } }
    var expected = String.UnicodeScalarView()
    expected.append(contentsOf: replicas.oracle.text())
    for (index, document) in replicas.documents.enumerated() {
      #expect(document.utf8 == Array(String(expected).utf8), "seed \(seed), round \(round), replica \(index)")
      #expect(document.utf8 == replicas.shadows[index], "changes, seed \(seed), round \(round), replica \(index)")
      let units = Array(String(expected).utf16)
      #expect(document.utf16Count == units.count)
      for scalar in 0...document.count { #expect(document.scalarOffset(ofUTF16: document.utf16Offset(of: scalar)) == scalar) }
    }
  }

  @Test("mutated bytes are refused or merged, never a trap, and a refusal changes nothing")
  func mutated() throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    var replicas = Replicas(3, seed: seed)
    for _ in 0..<60 {
      try replicas.type(replicas.below(3))
      let (from, to) = (replicas.below(3), replicas.below(3))
      if from != to { try replicas.send(from, to) }
    }
    let base = replicas.documents[0]
    let message = replicas.documents[1].encode(since: base.version)
    let wholes = [replicas.documents[1].encode(), replicas.documents[1].encode(isPacked: true)]
    let saved = replicas.documents[1].save()
    var refused = 0
    for round in 0..<6_000 {
      var bytes = round % 2 == 0 ? message : wholes[round / 2 % 2]
      for _ in 0...replicas.below(3) {
        if bytes.isEmpty { continue }
        switch replicas.below(4) {
        case 0: bytes[replicas.below(bytes.count)] = UInt8(replicas.below(256))
        case 1: bytes[replicas.below(bytes.count)] ^= 1 << UInt8(replicas.below(8))
        case 2: bytes.removeLast(replicas.below(bytes.count))
        default: bytes.insert(UInt8(replicas.below(256)), at: replicas.below(bytes.count))
        }
      }
      var document = round % 3 == 0 ? TextDocument() : base
      var before = document
      do {
        _ = try document.merge(bytes)
        #expect(document.count == String(decoding: document.utf8, as: UTF8.self).unicodeScalars.count)
        var copy = TextDocument()
        try copy.absorb(document.encode())
        #expect(copy.utf8 == document.utf8, "seed \(seed)")
      } catch {
        refused += 1
        #expect(document.utf8 == before.utf8)
        #expect(document.save() == before.save(), "seed \(seed)")
        if round % 3 != 0 {
          _ = try document.merge(message)
          var good = before
          _ = try good.merge(message)
          #expect(document.utf8 == good.utf8)
        }
      }
      var file = saved
      file[replicas.below(file.count)] ^= 1 << UInt8(replicas.below(8))
      #expect(throws: TextError.self) { _ = try TextDocument(saved: file) }
    }
    #expect(refused > 300)
  }

  @Test("a place outside the text as its author saw it is refused, also when the text is longer by now")
  func outOfBounds() throws {
    var document = TextDocument()
    try document.insert(Array("abc".utf8), at: 0, by: "a")
    let version = document.version
    try document.insert(Array("def".utf8), at: 3, by: "a")
    // From the version after "abc" on, at place 5: agent "b", one insertion, parent (a, 2).
    let bytes: [UInt8] = [0x10, 1, 2, 2, 98, 2, 97, 0, 0, 0, 1 << 2 | 2, 2, 10 << 3 | 2, 120]
    #expect(throws: TextError.outOfBounds) { _ = try document.merge(bytes) }
    var good = bytes
    good[12] = 6 << 3 | 2
    _ = try document.merge(good)
    #expect(document.utf8 == Array("abcxdef".utf8) || document.utf8 == Array("abcdefx".utf8))
    #expect(document.encode(since: version).count > 0)
    #expect(throws: TextError.outOfBounds) { try document.insert([97], at: 8, by: "a") }
  }

  @Test("a cursor stays with its character through the changes of others")
  func cursors() throws {
    var a = TextDocument()
    try a.insert(Array("hello 😀 world".utf8), at: 0, by: "a")
    var b = TextDocument()
    _ = try b.merge(a.encode())
    try a.insert(Array("🎉".utf8), at: 0, by: "a")
    try a.delete(6, at: 1, by: "a")
    let delta = try b.merge(a.encode(since: b.version))
    #expect(delta.moved(8) == 3)
    #expect(delta.movedUTF16(9) == 5)
    #expect(delta.moved(0) == 0)
    #expect(delta.moved(0, isSticky: false) == 1)
    #expect(delta.moved(3) == 1)
  }

  @Test("after a restart typing goes on, also where the last insertion ended")
  func restart() throws {
    var document = TextDocument()
    try document.insert(Array("plain".utf8), at: 0, by: "a")
    var opened = try TextDocument(saved: document.save())
    #expect(opened.utf8 == document.utf8)
    let version = opened.version
    for (index, word) in ["é", "x", "😀"].enumerated() {
      try opened.insert(Array(word.utf8), at: 5 + index, by: "a")
      try document.insert(Array(word.utf8), at: 5 + index, by: "a")
      #expect(opened.operations.hidden == 5)
      #expect(opened.encode(since: version) == document.encode(since: version))
    }
    #expect(opened.encode() == document.encode())
    #expect(opened.save() == document.save())
    #expect(opened.operations.hidden == 0)
  }

  @Test("a keystroke is a message of at most 16 bytes when the session knows the agents")
  func keystroke() throws {
    var document = TextDocument()
    try document.insert([UInt8](repeating: 97, count: 100_000), at: 0, by: "author01")
    let version = document.version
    try document.insert([98], at: 50_000, by: "author01")
    #expect(document.encode(since: version, session: ["author01"]).count <= 16)
  }
}
