// SPDX-License-Identifier: Apache-2.0
// A device in a person's hand: what they do on it and what they see.
import AloftCore

/// How a device is connected.
public enum Connection: Sendable {
  case online
  case offline
  /// There is a network, but nobody answers.
  case unreachable
  /// A login page answers in the server's place.
  case captivePortal
}

/// What happens to one request.
public enum Fault: Sendable {
  /// It never reaches the server.
  case dropRequest
  /// The server does its work, and the answer never comes.
  case dropResponse
  /// The network delivers it twice.
  case duplicateRequest
  /// Half of the answer comes.
  case cutResponse
  /// A login page comes instead of the answer.
  case captivePortal
  /// Something between answers with this status.
  case status(Int, retryAfter: Int = 0)
}

/// A device of the lab.
public final class Device {
  public let name: String
  public let user: String
  /// The app as this device runs it.
  public let app: App
  /// What survives a crash.
  public let storage = DeviceStorage()
  public private(set) var connection = Connection.online
  /// How far the device's clock runs ahead of the server's; negative for behind.
  public var clockSkew: Duration = .zero
  /// False: the server takes the device's requests for a stranger's.
  public private(set) var isSignedIn = true
  /// The most mutations in one request.
  public var requestMutations = 1000 { didSet { engine?.requestMutationsMax = requestMutations } }
  /// Requests that were sent.
  public internal(set) var requestCount = 0
  /// Answers that arrived.
  public internal(set) var answerCount = 0
  /// Every change made on this device, in order.
  public private(set) var changes: [Change] = []

  unowned let lab: Lab
  let number: Int
  var engine: ClientEngine?
  /// Counts openings: what was under way for an earlier life is void.
  var life = 0
  var sendNumber = 0
  var timerNumber = 0
  var faults: [Fault] = []
  /// While the disk is full no write succeeds.
  public private(set) var isDiskFull = false
  var changesByToken: [UInt64: Change] = [:]
  var changesByNumber: [UInt64: Change] = [:]

  init(name: String, user: String, app: App, number: Int, lab: Lab) {
    self.name = name
    self.user = user
    self.app = app
    self.number = number
    self.lab = lab
  }

  // MARK: changing records

  /// Creates a record and returns its id. It shows at once and is stored when a little time has passed.
  /// - Throws: a `Rejection`, when the device itself refuses.
  @discardableResult
  public func create(_ collection: String, id: String? = nil, _ fields: [String: any FieldInput]) throws -> String {
    var arguments: [String: any FieldInput] = ["collection": collection, "fields": FieldObject(members: fields)]
    if let id { arguments["id"] = id }
    return try run("create", arguments).record
  }

  @discardableResult
  public func update(_ collection: String, _ id: String, _ fields: [String: any FieldInput]) throws -> Change {
    try run("update", ["collection": collection, "id": id, "changes": FieldObject(members: fields)])
  }

  @discardableResult
  public func delete(_ collection: String, _ id: String) throws -> Change { try run("delete", ["collection": collection, "id": id]) }

  @discardableResult
  public func restore(_ collection: String, _ id: String) throws -> Change { try run("restore", ["collection": collection, "id": id]) }

  /// Chooses among the candidates of `manual` fields.
  @discardableResult
  public func resolve(_ collection: String, _ id: String, _ fields: [String: any FieldInput]) throws -> Change {
    try run("resolve", ["collection": collection, "id": id, "fields": FieldObject(members: fields)])
  }

  /// Calls an action by its name, the app's own as well as the built-in ones.
  @discardableResult
  public func run(_ action: String, _ arguments: [String: any FieldInput]) throws -> Change {
    var out = CBORWriter()
    out.array(1)
    FieldObject(members: ["action": action, "args": FieldObject(members: arguments)]).write(to: &out)
    let call: (handles: [MutationHandle], effects: [ClientEffect])
    do { call = try live.mutate(out.finish(), now: clock) } catch {
      lab.note(name, "\(action) is refused on the device: \(error.words)")
      throw error
    }
    let change = Change(action, call.handles[0].record.string)
    changes.append(change)
    changesByToken[call.handles[0].token] = change
    lab.note(name, "\(action) \(change.record)")
    perform(call.effects)
    return change
  }

  /// The newest change of a record that was made here.
  public func change(of record: String) -> Change? { changes.last { $0.record == record } }

  // MARK: seeing

  /// The record as the person sees it; nil when there is none or it is deleted.
  public func record(_ collection: String, _ id: String) -> Record? {
    live.indexIDs()
    guard let number = app.number(of: Text(collection)) else { return nil }
    return record(RecordKey(collection: number, id: Text(id)))
  }

  /// Records as a query finds them.
  /// - Parameters:
  ///   - conditions: as in an app: `["status": "open"]`, `["price": [">": 100]]`.
  ///   - orderBy: fields in order of weight, as in an app: `["status", ["planned", "desc"]]`.
  public func records(
    _ collection: String, where conditions: [String: any FieldInput] = [:], orderBy: [any FieldInput] = [], limit: Int? = nil
  ) throws -> [Record] {
    var query: [String: any FieldInput] = ["from": collection]
    if !conditions.isEmpty { query["where"] = FieldObject(members: conditions) }
    if !orderBy.isEmpty { query["orderBy"] = FieldList(elements: orderBy) }
    if let limit { query["limit"] = limit }
    var out = CBORWriter()
    FieldObject(members: query).write(to: &out)
    let parsed = try Query(cbor: out.finish(), app: app)
    return live.keys(of: parsed).compactMap { record($0) }
  }

  private func record(_ key: RecordKey) -> Record? {
    guard let row = live.shown(key), !row.isDeleted else { return nil }
    return Record(row, of: app.collections[key.collection], state: live.stateName(of: key)?.description)
  }

  /// What the badge says.
  public var status: ClientStatus { live.status }

  /// Everything that is not settled: first what is in the tray, then what waits, oldest first.
  public var pending: [Pending] {
    live.pendingItems().map { item in
      var outcome: Outcome?
      if case .tray(let judged) = item.state { outcome = judged }
      return Pending(number: item.n, action: item.action.string, record: item.keys.first?.id.string ?? "", outcome: outcome)
    }
  }

  /// What did not take effect and waits for its author.
  public var tray: [Pending] { pending.filter(\.isInTray) }

  /// The lines of the lab's journal that are about this device.
  public var lines: [String] { lab.journal.filter { $0.contains("s \(name): ") } }

  // MARK: the tray

  /// Offers a change again. For a conflict this is *keep mine*.
  public func retry(_ item: Pending) throws {
    let (handles, effects) = try live.retry(item.number, now: clock)
    for handle in handles {
      let change = Change(item.action, handle.record.string)
      changes.append(change)
      changesByToken[handle.token] = change
    }
    lab.note(name, "retries \(item.action) \(item.record)")
    perform(effects)
  }

  /// Gives a change up. For a conflict this is *keep theirs*.
  public func discard(_ item: Pending) throws {
    lab.note(name, "discards \(item.action) \(item.record)")
    perform(try live.discard(item.number, now: clock))
  }

  // MARK: network

  public func goOffline() { connect(.offline) }
  public func goOnline() { connect(.online) }

  /// Changes how the device is connected. An answer on its way is lost with the connection.
  public func connect(_ connection: Connection) {
    guard connection != self.connection else { return }
    lab.note(name, "is \(connection)")
    let before = self.connection
    self.connection = connection
    guard engine != nil else { return }
    if live.isSending { failSending(sendNumber, connection == .offline ? .offline : .unreachable) }
    if connection == .offline { feed(.wake(.offline)) }
    // A browser says "online" when a network appears. That a login page has gone away it does not say: a retry finds out.
    if before == .offline { feed(.wake(.online)) }
  }

  /// Lets something happen to the next requests, one each.
  public func fail(_ fault: Fault, times: Int = 1) { faults += Array(repeating: fault, count: times) }

  public func signOut() { isSignedIn = false }

  public func signIn() {
    isSignedIn = true
    feed(.wake(.signedIn))
  }

  /// A tap on "try again".
  public func retryNow() { feed(.wake(.tap)) }

  // MARK: life and death

  /// The device dies at once. What is not on its disk is lost.
  public func crash() {
    lab.note(name, "crashes")
    engine = nil
    life += 1
    storage.forget(lab.diskForgets)
  }

  /// Opens the app again from what is stored.
  public func reopen() {
    if engine != nil { crash() }
    open()
  }

  /// No write succeeds until there is space again.
  public func fillDisk() { isDiskFull = true }

  public func freeDisk() {
    isDiskFull = false
    feed(.wake(.retrySave))
  }

  /// Milliseconds since 1970 by the device's clock.
  var clock: Instant {
    let skew = Int64(clockSkew.components.seconds * 1000 + clockSkew.components.attoseconds / 1_000_000_000_000_000)
    return UInt64(max(1, Int64(lab.now) + skew))
  }

  /// The engine of a device that is open.
  var live: ClientEngine {
    get {
      guard let engine else { preconditionFailure("\(name) has crashed: call reopen() first") }
      return engine
    }
    _modify {
      guard engine != nil else { preconditionFailure("\(name) has crashed: call reopen() first") }
      yield &engine!
    }
  }

  /// Whether nothing will change before somebody does something.
  var isAtRest: Bool {
    guard let engine else { return true }
    if engine.isSending || engine.isPersisting { return false }
    if isDiskFull && engine.status.state == .notSaved { return true }
    if connection != .online || !lab.server.isUp { return engine.draftCount == 0 }
    switch engine.status.state {
    case .synced, .attention, .signedOut: return true
    default: return false
    }
  }

  /// The state in one line, for messages.
  var stateWords: String {
    guard let engine else { return "crashed" }
    let status = engine.status
    return "\(status.state.name), \(status.queued) queued, \(status.parked) parked, \(status.conflicts) conflicts"
  }
}
