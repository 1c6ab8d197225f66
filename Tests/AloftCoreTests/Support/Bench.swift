// SPDX-License-Identifier: Apache-2.0
// A server and devices in one process, under the test's hand: the shipped engines, joined by function calls. Storage and server are
// those of the lab; here a test decides itself when a device syncs, and looks into the engine.
import AloftCore
import AloftTesting

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

/// The lab's server, with a clock that the test sets.
final class TestServer {
  private let server: LabServer
  var now: UInt64 = 1_800_000_000_000
  var limitBytes: Int {
    get { server.answerBytes }
    set { server.answerBytes = newValue }
  }

  init(_ app: App = todoApp) { server = LabServer(app) }

  func answer(_ body: [UInt8], _ principal: Principal, _ format: WireFormat = .cbor) throws -> [UInt8] {
    try server.answer(body, principal, at: now, format: format)
  }

  /// Lets days go by. What a server forgets is decided by the hours before and after.
  func letPass(days: UInt64) throws {
    try server.forget(Retention(), at: now)
    now += days * 86_400_000
    try server.forget(Retention(), at: now)
  }

  func record(_ collection: String, _ id: String) -> Record? { server.record(collection, id) }
}

/// One context of a device: an engine over a log and pages that several contexts may share.
final class TestDevice {
  typealias Storage = DeviceStorage

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
    precondition(storage.load(into: &engine) || acceptsDamage)
    known = storage.last
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
        guard storage.write(compaction) else { continue }
        run(engine.handle(.compacted(generation: compaction.generation), now: now))
      }
    }
  }

  private func persist(_ first: UInt64, _ rows: [[UInt8]]) {
    guard storage.append(rows, at: first) else {
      return run(engine.handle(.persistConflict(tail: storage.tail(after: first - 1)), now: now))
    }
    known = first + UInt64(rows.count) - 1
    run(engine.handle(.persisted(through: known), now: now))
  }

  /// Reads what other contexts wrote.
  func follow() {
    let tail = storage.tail(after: known)
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
