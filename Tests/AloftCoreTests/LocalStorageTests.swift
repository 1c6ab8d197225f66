// SPDX-License-Identifier: Apache-2.0
// The device alone: what is saved survives, several contexts agree, compaction changes nothing that shows.
import AloftCore
import Testing

@Suite("Local storage")
struct LocalStorageTests {
  let create = #"{"action":"create","args":{"collection":"items","fields":{"list":"l1","title":"t"}}}"#

  func device(_ storage: TestDevice.Storage = .init(), seed: UInt64 = 1) -> TestDevice {
    TestDevice("mia", roles: [("member", "list:l1")], seed: seed, storage: storage)
  }

  @Test("what was reported saved is there after a restart, and still waits for the server")
  func restart() throws {
    let first = device()
    let handles = try first.mutate(create)
    #expect(first.saved.map(\.token) == [handles[0].token])
    let second = device(first.storage, seed: 2)
    #expect(second.show("items", handles[0].record.string).contains(#""title":"t""#))
    #expect(second.engine.status.queued == 1)
    let server = TestServer()
    try second.sync(server)
    #expect(second.engine.status.state == .synced)
  }

  @Test("two contexts that write at once leave no gap and no duplicate")
  func twoContexts() throws {
    let first = device()
    let second = device(first.storage, seed: 2)
    for k in 0..<20 {
      try (k % 3 == 0 ? first : second).mutate(create)
      if k % 5 == 0 { first.follow() }
    }
    first.follow()
    second.follow()
    #expect(first.engine.status.queued == 20)
    #expect(second.engine.status.queued == 20)
    let server = TestServer()
    try first.sync(server)
    try second.sync(server)
    second.follow()
    #expect(first.engine.status.state == .synced)
    #expect(try first.query(#"{"from":"items","orderBy":["id"]}"#) == second.query(#"{"from":"items","orderBy":["id"]}"#))
  }

  @Test("a draft of one context that speaks of its own earlier draft survives being renumbered")
  func renumberedChain() throws {
    let first = device()
    let second = device(first.storage, seed: 2)
    let id = try first.mutate(create)[0].record.string
    second.follow()
    try second.mutate(create)
    // The first context has not followed: its next write conflicts and is renumbered.
    try first.mutate(#"{"action":"update","args":{"collection":"items","id":"\#(id)","changes":{"state":"open"}}}"#)
    try first.mutate(#"{"action":"update","args":{"collection":"items","id":"\#(id)","changes":{"state":"closed"}}}"#)
    let server = TestServer()
    try first.sync(server)
    #expect(first.engine.status.conflicts == 0)
    #expect(first.show("items", id).contains(#""state":"closed""#))
  }

  @Test("compaction folds the log into pages and a restart shows the same")
  func compaction() throws {
    let first = device()
    let other = TestDevice("noah", roles: [("member", "list:l1")], seed: 5)
    let server = TestServer()
    let long = String(repeating: "words ", count: 60)
    for round in 0..<6 {
      let batch = (0..<300).map { _ in create.replacing("\"t\"", with: "\"\(long)\"") }.joined(separator: ",")
      try other.mutate(batch)
      try other.sync(server)
      try first.sync(server)
      if round == 3 { try first.mutate(create) }
    }
    try first.sync(server)
    #expect(first.storage.generation > 0)
    #expect(first.storage.pages.count > 1)
    for page in first.storage.pages.values { #expect(page.count <= 128 * 1024) }
    let before = try first.query(#"{"from":"items","orderBy":["id"]}"#)
    let second = device(first.storage, seed: 2)
    #expect(try second.query(#"{"from":"items","orderBy":["id"]}"#) == before)
    // A changed and a removed row move through a second compaction.
    try second.sync(server)
    #expect(second.engine.status.state == .synced)
  }

  @Test("a page larger than those of today, as an earlier version wrote it, is read, and split when it changes")
  func largerPage() throws {
    let first = device()
    let server = TestServer()
    let long = String(repeating: "words ", count: 60)
    let many = (0..<300).map { _ in create.replacing("\"t\"", with: "\"\(long)\"") }.joined(separator: ",")
    for _ in 0..<6 {
      try first.mutate(many)
      try first.sync(server)
    }
    let all = #"{"from":"items","orderBy":["id"]}"#
    let numbers = first.storage.pages.keys.sorted()
    first.storage.pages[numbers[0]] = joined(first.storage.pages[numbers[0]]!, first.storage.pages[numbers[1]]!)
    first.storage.pages[numbers[1]] = nil
    #expect(first.storage.pages[numbers[0]]!.count > 200 * 1024)
    let second = device(first.storage, seed: 2)
    #expect(try second.query(all) == first.query(all))
    let id = try #require(try second.query(all).firstMatch(of: /"id":"(\w+)"/)).1
    try second.mutate(#"{"action":"update","args":{"collection":"items","id":"\#(id)","changes":{"title":"changed"}}}"#)
    let generation = second.storage.generation
    for _ in 0..<6 {
      try second.mutate(many)
      try second.sync(server)
    }
    #expect(second.storage.generation > generation)
    for page in second.storage.pages.values { #expect(page.count <= 128 * 1024) }
    #expect(try device(second.storage, seed: 3).query(all) == second.query(all))
  }

  /// The rows of two pages in one, sealed.
  private func joined(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
    func count(_ page: [UInt8]) -> Int { (0..<4).reduce(0) { $0 | Int(page[20 + $1]) << ($1 * 8) } }
    var page = a + b[24...]
    let sum = count(a) + count(b)
    for index in 0..<4 { page[20 + index] = UInt8(truncatingIfNeeded: sum >> (index * 8)) }
    let hash = Hash64.of(Array(page[12...]))
    for index in 0..<8 { page[4 + index] = UInt8(truncatingIfNeeded: hash >> UInt64(index * 8)) }
    return page
  }

  @Test("a damaged page is refused, the rest goes on showing, and the server fills the gap in every context")
  func damagedPage() throws {
    let first = device()
    let server = TestServer()
    let long = String(repeating: "words ", count: 60)
    let big = create.replacing("\"t\"", with: "\"\(long)\"")
    for _ in 0..<6 {
      try first.mutate((0..<300).map { _ in big }.joined(separator: ","))
      try first.sync(server)
    }
    let number = try #require(first.storage.pages.keys.sorted().first)
    let whole = first.storage.pages[number]!
    let other = device(first.storage, seed: 2)
    first.storage.pages[number]![100] ^= 1
    let damaged = TestDevice("mia", roles: [("member", "list:l1")], seed: 3, storage: first.storage, acceptsDamage: true)
    let shown = try damaged.query(#"{"from":"items"}"#).ranges(of: "\"id\"").count
    #expect(shown > 0 && shown < 1800)
    try damaged.sync(server)
    other.follow()
    let expected = try first.query(#"{"from":"items","orderBy":["id"]}"#)
    #expect(try damaged.query(#"{"from":"items","orderBy":["id"]}"#) == expected)
    // Whoever compacts next, the pages on disk hold every record once.
    for writer in [other, damaged] {
      for _ in 0..<3 {
        try writer.mutate((0..<300).map { _ in big }.joined(separator: ","))
        try writer.sync(server)
        other.follow()
        damaged.follow()
      }
    }
    #expect(first.storage.pages[number] != whole)
    let reopened = device(first.storage, seed: 4)
    #expect(try reopened.query(#"{"from":"items","orderBy":["id"]}"#) == other.query(#"{"from":"items","orderBy":["id"]}"#))
    #expect(try reopened.query(#"{"from":"items"}"#).ranges(of: "\"id\"").count == 3600)
  }

  @Test("a page that is given twice is refused, so that no record shows twice")
  func pageTwice() throws {
    let first = device()
    let server = TestServer()
    let long = String(repeating: "words ", count: 60)
    for _ in 0..<6 {
      try first.mutate((0..<300).map { _ in create.replacing("\"t\"", with: "\"\(long)\"") }.joined(separator: ","))
      try first.sync(server)
    }
    let page = try #require(first.storage.pages.values.first)
    var engine = ClientEngine(app: todoApp, entropy: (1, 2, 3, 4))
    let accepted = [engine.load(state: first.storage.state), engine.load(page: page), engine.load(page: page)]
    #expect(accepted == [true, true, false])
  }

  @Test("bytes that are not ours are refused as state, page and log row, and never trap")
  func hostileStorage() {
    var random = Random(seed: 42)
    for _ in 0..<200 {
      var engine = ClientEngine(app: todoApp, entropy: (1, 2, 3, 4))
      let bytes = (0..<Int(random.below(200))).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      let accepted = [engine.load(state: bytes), engine.load(page: bytes), engine.load(log: LogRow(sequence: 1, bytes: bytes))]
      #expect(accepted == [false, false, false])
    }
  }
}
