// SPDX-License-Identifier: Apache-2.0
// A server and devices in one process, under the test's hand: the shipped engines, joined by function calls.
import AloftCore
import AloftStore

let todoApp = App("todo", version: 1) {
  Collection("lists") {
    Field("name", .string)
    Scopes("list:{id}")
    Allow(.read, .create, .update, .delete, to: "member")
  }
  Collection("items") {
    Field("list", .reference("lists"), .immutable)
    Field("title", .string)
    Field("state", .choice("open", "closed"), .guarded)
    Field("tags", .set(.string))
    Field("likes", .counter(min: 0))
    Field("note", .string, .manual)
    Field("best", .int, .maximum)
    Field("place", .reference("lists"))
    Field("approved", .bool, .server)
    Field("price", .int, write: ["boss"])
    Scopes("list:{list}")
    Allow(.read, .create, .update, to: "member")
    Allow(.delete, to: "boss")
  }
  Action("approve", [Parameter("item", .reference("items"))]) { arguments, context throws(Rejection) in
    let item = try context.read("items", arguments.text("item"))
    guard item.exists else { throw Rejection("notFound", "no such item") }
    try context.update("items", arguments.text("item"), ("approved", true))
  }
}

func json(_ text: String) -> [UInt8] { try! JSONCodec.cbor(fromJSON: Array(text.utf8)) }

/// The server: the judge over the in-memory store.
final class TestServer {
  let judge: Judge
  var store: MemoryStore
  var now: UInt64 = 1_800_000_000_000
  var limitBytes = 1 << 20

  init(_ app: App = todoApp) {
    judge = Judge(app: app)
    store = MemoryStore(epoch: 7)
  }

  func answer(_ body: [UInt8], _ principal: Principal, _ format: WireFormat = .cbor) throws -> [UInt8] {
    let request = try SyncRequest(body: body, format: format)
    var pushed: PushResult?
    if request.hasMutations {
      pushed = try store.write { (tx) throws(StoreError) in try judge.push([(request, principal)], now: now, in: &tx)[0] }
    }
    return try store.read { (reader) throws(StoreError) in
      try judge.answer(
        request, pushed, for: principal, server: Text("test"), now: now, limitBytes: limitBytes, format: format, from: &reader)
    }
  }
}

/// One context of a device: an engine over a log and pages that several contexts may share.
final class TestDevice {
  /// What a browser would keep in IndexedDB.
  final class Storage {
    var log: [UInt64: [UInt8]] = [:]
    var state: [UInt8] = []
    var generation: UInt64 = 0
    var pages: [UInt32: [UInt8]] = [:]
  }

  let app: App
  let storage: Storage
  let principal: Principal
  var engine: ClientEngine
  var now: UInt64
  /// Requests that wait for `sync`.
  var outgoing: [[UInt8]] = []
  var outcomes: [(token: UInt64, outcome: Outcome)] = []
  var saved: [(token: UInt64, n: UInt64, count: Int)] = []
  var notices: [String] = []
  private var known: UInt64 = 0

  init(_ user: String, roles: [(String, String)], seed: UInt64, app: App = todoApp, storage: Storage = Storage(), now: UInt64 = 1_800_000_000_000, acceptsDamage: Bool = false) {
    self.app = app
    self.storage = storage
    self.now = now
    principal = Principal(user: Text(user), grants: roles.map { Grant(role: Text($0.0), scope: Text($0.1)) })
    engine = ClientEngine(app: app, entropy: (seed, seed &* 31, seed &* 77, seed &+ 5))
    if !storage.state.isEmpty { precondition(engine.load(state: storage.state)) }
    for page in storage.pages.keys.sorted() { precondition(engine.load(page: storage.pages[page]!) || acceptsDamage) }
    for sequence in storage.log.keys.sorted() where sequence > storage.generation {
      precondition(engine.load(log: LogRow(sequence: sequence, bytes: storage.log[sequence]!)))
      known = sequence
    }
    known = max(known, storage.generation)
    run(engine.handle(.opened(user: principal.user), now: now))
  }

  func run(_ effects: [ClientEffect]) {
    for effect in effects {
      switch effect {
      case .persist(let first, _, let rows): persist(first, rows)
      case .send(let body): outgoing.append(body)
      case .timer: break
      case .notify(let notification):
        saved += notification.saved
        outcomes += notification.outcomes.map { ($0.token, $0.outcome) }
        notices.append(String(decoding: engine.json(notification), as: UTF8.self))
      case .wantCompact: run(engine.handle(.compact(generation: storage.generation), now: now))
      case .compact(let compaction):
        guard compaction.expectedGeneration == storage.generation else { continue }
        storage.state = compaction.state
        storage.generation = compaction.generation
        for page in compaction.pages { storage.pages[page.number] = page.bytes }
        for page in compaction.removed { storage.pages[page] = nil }
        for sequence in storage.log.keys where sequence <= compaction.deleteThrough { storage.log[sequence] = nil }
        run(engine.handle(.compacted(generation: compaction.generation), now: now))
      }
    }
  }

  private func persist(_ first: UInt64, _ rows: [[UInt8]]) {
    if storage.log[first] != nil || first <= storage.generation {
      let tail = storage.log.keys.sorted().filter { $0 >= first }.map { LogRow(sequence: $0, bytes: storage.log[$0]!) }
      return run(engine.handle(.persistConflict(tail: tail), now: now))
    }
    for (index, row) in rows.enumerated() { storage.log[first + UInt64(index)] = row }
    known = first + UInt64(rows.count) - 1
    run(engine.handle(.persisted(through: known), now: now))
  }

  /// Reads what other contexts wrote.
  func follow() {
    let tail = storage.log.keys.sorted().filter { $0 > known }.map { LogRow(sequence: $0, bytes: storage.log[$0]!) }
    known = tail.last?.sequence ?? known
    run(engine.handle(.foreignRows(tail), now: now))
  }

  @discardableResult
  func mutate(_ text: String) throws -> [MutationHandle] {
    now += 1
    let (handles, effects) = try engine.mutate(json("[" + text + "]"), now: now)
    run(effects)
    return handles
  }

  /// Talks to the server until there is nothing left to say.
  func sync(_ server: TestServer, roundsMax: Int = 50) throws {
    now += 10
    server.now = max(server.now, now)
    run(engine.handle(.wake(.tap), now: now))
    var rounds = 0
    while !outgoing.isEmpty {
      rounds += 1
      precondition(rounds < roundsMax, "the device never comes to rest")
      let body = outgoing.removeFirst()
      let answer = try server.answer(body, principal)
      run(engine.handle(.response(status: 200, retryAfterSeconds: 0, body: answer), now: now))
    }
  }

  /// A record as JSON, or "null".
  func show(_ collection: String, _ id: String) -> String {
    String(decoding: engine.json(record: app.number(of: Text(collection))!, Text(id)), as: UTF8.self)
  }

  func query(_ text: String) throws -> String {
    let query = try Query(cbor: json(text), app: app)
    let slots = engine.rows(of: query)
    return String(decoding: engine.json(rows: slots, of: query), as: UTF8.self)
  }

  /// The number of what comes first in the tray or the queue.
  var firstPending: UInt64? { engine.pendingItems().first?.n }

  var pending: String { String(decoding: engine.jsonPending(), as: UTF8.self) }
}

/// Two members of one list and the list's boss.
struct World {
  let server = TestServer()
  let a = TestDevice("mia", roles: [("member", "list:l1")], seed: 1)
  let b = TestDevice("noah", roles: [("member", "list:l1")], seed: 2)
  let boss = TestDevice("ada", roles: [("member", "list:l1"), ("boss", "list:l1")], seed: 3)

  /// One item that everybody has.
  func begin() throws {
    try a.mutate(#"{"action":"create","args":{"collection":"items","id":"i1","fields":{"list":"l1","title":"first","state":"open","tags":["x","y"],"likes":1}}}"#)
    try settle()
  }

  func settle() throws {
    for device in [a, b, boss, a, b, boss] { try device.sync(server) }
  }
}
