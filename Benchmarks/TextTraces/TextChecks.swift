// SPDX-License-Identifier: Apache-2.0
// What histories must give, in every way of merging them: for the tests, which take a sample, and for `text-bench check`, which takes all.
@_spi(Checks) import AloftCore

public enum TextChecks {
  /// Tiny nodes split often.
  static func tiny() -> TextDocument { TextDocument(nodeSize: 4) }

  /// Typing a sequential history, and merging, packing, saving and opening it. Gives the ways that went wrong.
  public static func sequential(_ trace: Trace) throws -> [String] {
    var wrong: [String] = []
    func expect(_ isRight: Bool, _ way: String) { if !isRight { wrong.append(way) } }
    var document = TextDocument()
    for patch in trace.transactions.flatMap(\.patches) {
      if patch.deleted > 0 { try document.delete(patch.deleted, at: patch.place, by: "a") }
      try document.insert(patch.inserted, at: patch.place, by: "a")
    }
    expect(trace.ends(with: document.utf8), "typed")
    var merged = TextDocument()
    try merged.absorb(document.encode())
    expect(merged.utf8 == document.utf8, "merged")
    expect(merged.encode() == document.encode(), "merged, bytes")
    var unpacked = TextDocument()
    try unpacked.absorb(document.encode(isPacked: true))
    expect(unpacked.utf8 == document.utf8 && unpacked.encode() == document.encode(), "packed")
    var foreign = TextDocument()
    try foreign.absorb(trace.message(Array(trace.transactions.indices)))
    expect(foreign.utf8 == document.utf8, "another author's")
    let saved = document.save()
    var opened = try TextDocument(saved: saved)
    expect(opened.utf8 == document.utf8 && opened.version == document.version, "opened")
    expect(opened.eventCount == document.eventCount, "opened, events")
    expect(opened.encode() == document.encode() && opened.save() == saved && merged.save() == saved, "saved")
    // With the log read and more typed, whole blocks are packed already.
    try opened.insert([97], at: 0, by: "b")
    try document.insert([97], at: 0, by: "b")
    expect(opened.save() == document.save(), "saved again")
    var read = TextDocument()
    try read.absorb(trusted: document.encodePlaced())
    expect(read.save() == document.save(), "read at its places")
    return wrong
  }

  /// A history in which each of one author's letters stands on one more of another's than the letter before: replaying it takes as many
  /// steps as the square of its length. Its parts are merged; the whole at once is refused, and leaves the document as it was.
  public static func slowBranches() throws -> [String] {
    let count = 4_000
    var (author, other) = (TextDocument(), TextDocument())
    var letters: [[UInt8]] = []
    for index in 0..<count {
      let seen = author.version
      try author.insert([97], at: index, by: "author")
      try other.absorb(author.encode(since: seen))
      let before = other.version
      try other.insert([98], at: 0, by: "other")
      letters.append(other.encode(since: before))
    }
    var document = author
    for letter in letters { try document.absorb(letter) }
    var wrong = document.utf8 == other.utf8 ? [] : ["merged letter by letter"]
    var reader = TextDocument()
    try reader.insert([99], at: 0, by: "reader")
    let (text, version) = (reader.utf8, reader.version)
    do {
      try reader.absorb(document.encode())
      wrong.append("merged at once")
    } catch TextError.tooLarge {
      if reader.utf8 != text || reader.version != version { wrong.append("refused, and changed") }
    }
    return wrong
  }

  /// A concurrent history at once, transaction by transaction, and from its own bytes.
  public static func concurrent(_ trace: Trace) throws -> [String] {
    var wrong: [String] = []
    func expect(_ isRight: Bool, _ way: String) { if !isRight { wrong.append(way) } }
    var document = TextDocument()
    try document.absorb(trace.message(Array(trace.transactions.indices)))
    expect(trace.ends(with: document.utf8), "at once")
    var streamed = TextDocument()
    for index in trace.transactions.indices { try streamed.absorb(trace.message([index])) }
    expect(trace.ends(with: streamed.utf8), "streamed")
    var unpacked = TextDocument()
    try unpacked.absorb(document.encode(isPacked: true))
    expect(trace.ends(with: unpacked.utf8), "packed")
    let opened = try TextDocument(saved: document.save())
    expect(opened.encode() == document.encode(), "saved")
    let placed = try document.encodePlaced()
    var read = TextDocument()
    try read.absorb(trusted: placed)
    expect(trace.ends(with: read.utf8) && read.encode() == document.encode(), "read at its places")
    let again = try read.encodePlaced()
    expect(again == placed, "places of what was read")
    return wrong
  }

  /// A history in file order and in random orders, whole and in parts, with a warm and a cold tracker and with tiny nodes.
  public static func orders(_ trace: Trace, _ random: inout Random) throws -> [String] {
    var wrong: [String] = []
    func compare(_ document: TextDocument, _ way: String) { if !trace.ends(with: document.utf8) { wrong.append(way) } }
    var whole = tiny()
    try whole.absorb(trace.message(Array(trace.transactions.indices)))
    compare(whole, "whole")
    var streamed = tiny()
    for index in trace.transactions.indices { try streamed.absorb(trace.message([index])) }
    compare(streamed, "streamed")
    for way in 0..<3 {
      let order = trace.randomOrder(&random)
      var document = way == 0 ? TextDocument() : tiny()
      var at = 0
      while at < order.count {
        let count = way == 0 ? order.count : 1 + Int(random.below(way == 1 ? 2 : 12))
        try document.absorb(trace.message(Array(order[at..<min(order.count, at + count)])))
        if way == 2, random.below(2) == 0 { document.forgetTracker() }
        // A restart keeps the log and nothing else.
        if way == 2, random.below(4) == 0 { document = try TextDocument(saved: document.save()) }
        at += count
      }
      compare(document, "random \(way)")
      var copy = TextDocument()
      try copy.absorb(document.encode())
      compare(copy, "encoded \(way)")
      var read = TextDocument()
      try read.absorb(trusted: document.encodePlaced())
      compare(read, "places \(way)")
    }
    return wrong
  }
}

extension Trace {
  /// A random order of all transactions in which parents and an agent's earlier ones come first.
  func randomOrder(_ random: inout Random) -> [Int] {
    var before = [Int](repeating: 0, count: transactions.count)
    var after = [[Int]](repeating: [], count: transactions.count)
    var last: [Int: Int] = [:]
    for index in transactions.indices {
      var needs = Set(transactions[index].parents.map { transaction(of: $0) })
      if let mine = last[transactions[index].agent] { needs.insert(mine) }
      last[transactions[index].agent] = index
      before[index] = needs.count
      for need in needs { after[need].append(index) }
    }
    var ready = transactions.indices.filter { before[$0] == 0 }
    var order: [Int] = []
    while !ready.isEmpty {
      let index = ready.remove(at: Int(random.below(UInt64(ready.count))))
      order.append(index)
      for next in after[index] {
        before[next] -= 1
        if before[next] == 0 { ready.append(next) }
      }
    }
    return order
  }
}
