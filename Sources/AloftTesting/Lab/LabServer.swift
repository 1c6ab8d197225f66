// SPDX-License-Identifier: Apache-2.0
// The server: the shipped judge over a store in memory, with the answers of the HTTP layer above it.
import AloftCore

/// At most so many requests of one person in a span of time; more are answered 429 with Retry-After.
public struct RateLimit: Sendable {
  public var requests: Int
  public var span: Duration

  public init(_ requests: Int, per span: Duration) {
    self.requests = requests
    self.span = span
  }
}

/// What `LabServer.backup` took.
public struct ServerBackup {
  fileprivate let image: StoreImage
}

/// The lab's server.
public final class LabServer {
  public private(set) var app: App
  /// False: nothing answers.
  public var isUp = true
  public var rateLimit: RateLimit?
  /// About how many bytes of records one answer holds; a small number makes snapshots come in several.
  public var answerBytes = 1 << 20
  /// Requests that were judged.
  public private(set) var requestCount = 0
  /// Requests that the rate limit refused.
  public private(set) var refusedCount = 0
  /// Requests that came although an earlier answer had asked to wait longer.
  public private(set) var impatientCount = 0

  weak var lab: Lab?
  private var image = StoreImage(epoch: 1)
  private var grants: [String: [Grant]] = [:]
  private var arrivals: [String: [Instant]] = [:]
  private var waits: [String: Instant] = [:]
  private var forgeries: UInt64 = 0

  public init(_ app: App) { self.app = app }

  // MARK: people

  func set(_ person: Person) { grants[person.user] = person.grants }

  /// Gives a person other roles; the next request is judged by them, and open devices hear at once.
  public func setRoles(of user: String, _ roles: KeyValuePairs<String, String>) {
    set(Person(user, roles))
    for device in lab?.devices ?? [] where device.user == user { device.hearOfChange() }
  }

  func person(_ user: String) -> Person { Person(user, grants: grants[user] ?? []) }

  // MARK: what stands

  /// The record as it stands; nil when there is none or it is deleted.
  public func record(_ collection: String, _ id: String) -> Record? {
    row(collection, id).map { Record($0, of: app.collections[app.number(of: Text(collection))!]) }
  }

  /// All records of a collection that are not deleted, by id.
  public func records(_ collection: String) -> [Record] {
    rows(collection).map { Record($0, of: app.collections[app.number(of: Text(collection))!]) }
  }

  /// What a person may see, by the declaration: the records, and of them the fields.
  public func records(_ collection: String, visibleTo person: Person) -> [Record] {
    guard let number = app.number(of: Text(collection)) else { return [] }
    let principal = person.principal
    let declared = app.collections[number]
    var out: [Record] = []
    for row in rows(collection) {
      let scopes = declared.scopes(of: row)
      guard principal.may(.read, declared, in: scopes) else { continue }
      out.append(Record(row, of: declared) { principal.mayRead($0, in: scopes) })
    }
    return out
  }

  private func row(_ collection: String, _ id: String) -> Row? {
    guard let number = app.number(of: Text(collection)) else { return nil }
    guard let stored = image.record(RecordKey(collection: number, id: Text(id))), let row = try? Row(bytes: stored.row) else { return nil }
    return row.isDeleted ? nil : row
  }

  private func rows(_ collection: String) -> [Row] {
    guard let number = app.number(of: Text(collection)) else { return [] }
    var rows: [String: Row] = [:]
    for scope in image.scopeNames() {
      image.entries(of: scope, after: 0) { entry in
        if entry.kind == .present, entry.collection == number, let row = try? Row(bytes: Array(entry.body)), !row.isDeleted {
          rows[row.id.string] = row
        }
        return true
      }
    }
    return rows.keys.sorted().map { rows[$0]! }
  }

  // MARK: operation

  /// Runs another version of the app over the same data.
  public func upgrade(to app: App) { self.app = app }

  public func backup() -> ServerBackup { ServerBackup(image: image) }

  /// Puts a backup in place of the data, as an operator does after a lost disk. Its logs are a new incarnation.
  public func restore(_ backup: ServerBackup) {
    let incarnation = image.incarnation
    image = backup.image
    image.incarnation = incarnation + 1
  }

  /// What the server says to a call that no honest device would send: whoever holds a session can send anything.
  public func outcome(of action: String, _ arguments: [String: any FieldInput], sentBy person: Person) throws -> Outcome {
    forgeries += 1
    var request = SyncRequest(device: DeviceID(high: 0xF0, low: forgeries))
    var out = CBORWriter()
    FieldObject(members: arguments).write(to: &out)
    let time = HybridTime(milliseconds: lab?.now ?? Lab.start)
    request.mutations = [Mutation(n: 1, time: time, action: Text(action), args: out.finish())]
    let pushed = try push(try SyncRequest(body: request.encode(), format: .cbor), person.principal, at: time.milliseconds)
    lab?.note("server", "\(person.user) forges \(action): \(pushed.outcomes[0].outcome.words)")
    return pushed.outcomes[0].outcome
  }

  // MARK: requests

  /// An answer as HTTP carries it.
  struct Answer {
    var status = 200
    var retryAfterSeconds: UInt32 = 0
    var body: [UInt8] = []
  }

  /// The way of a request through session, limit and judge.
  func receive(_ body: [UInt8], of user: String?) -> Answer {
    guard let user else { return Answer(status: 401) }
    if let wait = wait(of: user) {
      refusedCount += 1
      return Answer(status: 429, retryAfterSeconds: wait)
    }
    do { return Answer(body: try answer(body, person(user).principal, at: lab?.now ?? Lab.start)) } catch {
      lab?.note("server", "cannot answer: \(error)")
      return Answer(status: error is WireError ? 400 : 500)
    }
  }

  /// The seconds that a person is asked to wait; nil when the request is welcome.
  private func wait(of user: String) -> UInt32? {
    guard let rateLimit, let now = lab?.now else { return nil }
    if let until = waits[user], now < until { impatientCount += 1 }
    let span = rateLimit.span.wholeMilliseconds
    let recent = arrivals[user, default: []].filter { $0 + span > now }
    guard recent.count >= rateLimit.requests else {
      arrivals[user] = recent + [now]
      return nil
    }
    let seconds = ((recent.first ?? now) + span - now + 999) / 1000
    waits[user] = now + seconds * 1000
    return UInt32(seconds)
  }

  /// Judges a request and answers it, without session and limit.
  /// Forgets what was deleted long ago, as a server does every hour.
  package func forget(_ retention: Retention, at now: Instant) throws {
    _ = try Judge(app: app).forget(retention, now: now, in: &image)
  }

  package func answer(_ body: [UInt8], _ principal: Principal, at now: Instant, format: WireFormat = .cbor) throws -> [UInt8] {
    let request = try SyncRequest(body: body, format: format)
    let pushed = request.hasMutations ? try push(request, principal, at: now) : nil
    requestCount += 1
    return try Judge(app: app).answer(
      request, pushed, for: principal, server: Text("lab"), now: now, limitBytes: answerBytes, format: format, from: &image)
  }

  private func push(_ request: SyncRequest, _ principal: Principal, at now: Instant) throws -> PushResult {
    let result = try Judge(app: app).push([(request, principal)], now: now, in: &image)[0]
    for placement in result.changed { lab?.publish(placement) }
    return result
  }
}
