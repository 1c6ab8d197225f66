// SPDX-License-Identifier: Apache-2.0
// The judge: permission, then rule, then writes. Pure over the Store port; the server and the simulator run this same code.

/// What came of one request's mutations.
public struct PushResult: Sendable {
  public var standing: DeviceStanding = .ok
  /// The last number judged for this device.
  public var judged: UInt64 = 0
  public var outcomes: [(n: UInt64, outcome: Outcome)] = []
  /// The scopes that changed in the whole transaction, with their new sequence, for hints.
  public var changed: [Placement] = []
}

/// Judges mutations against the declaration.
public struct Judge: Sendable {
  public let app: App

  public init(app: App) { self.app = app }

  /// Judges the mutations of several requests, in order, in one transaction, and commits once.
  ///
  /// One mutation is atomic in itself: a refused one leaves nothing behind and the next is judged. Cost: one read for each
  /// record touched, one write for each record changed, one commit.
  /// - Throws: a `StoreError`; then nothing of any request was committed and all may be tried again.
  public func push<T: StoreTransaction>(
    _ pushes: [(request: SyncRequest, principal: Principal)], now: Instant, in tx: inout T
  ) throws(StoreError) -> [PushResult] {
    var workspace = Workspace()
    var batch = ChangeBatch()
    var devices: [DeviceID: DeviceState] = [:]
    var order: [DeviceID] = []
    var results: [PushResult] = []
    for (request, principal) in pushes {
      var device = DeviceState(user: principal.user)
      if let known = devices[request.device] { device = known } else if let known = try tx.device(request.device) { device = known }
      var round = Round(judge: self, request: request, principal: principal, now: now, device: device)
      try round.run(&workspace, &batch, &tx)
      if round.result.standing != .foreign {
        if devices[request.device] == nil { order.append(request.device) }
        devices[request.device] = round.device
      }
      results.append(round.result)
    }
    for id in order { batch.devices.append((id, devices[id]!)) }
    workspace.fill(&batch)
    try tx.commit(batch)
    let changed = workspace.changed
    for index in results.indices { results[index].changed = changed }
    return results
  }

  /// How the device stands when it only pulls.
  func standing<R: StoreReader>(of request: SyncRequest, _ principal: Principal, _ reader: inout R) throws(StoreError) -> (DeviceStanding, UInt64) {
    guard let device = try reader.device(request.device) else {
      if let user = request.user, user != principal.user { return (.foreign, 0) }
      return ((request.issued ?? 0) > 0 && !request.hasMutations ? .unknownHistory : .ok, 0)
    }
    if device.user != principal.user || request.user.map({ $0 != principal.user }) == true { return (.foreign, 0) }
    return (Self.standing(of: request, device), device.head)
  }

  static func standing(of request: SyncRequest, _ device: DeviceState) -> DeviceStanding {
    if let issued = request.issued, issued < device.head { return .rolledBack }
    guard let head = request.head else { return .ok }
    if head.n > device.head { return .unknownHistory }
    return device.agrees(head.n, head.hash) == false ? .rolledBack : .ok
  }
}

/// One request's turn in a transaction.
private struct Round {
  let judge: Judge
  let request: SyncRequest
  let principal: Principal
  let now: Instant
  var device: DeviceState
  var result = PushResult()
  /// Outcomes of this round and of numbers before it, by n, for dependants.
  private var failed: [UInt64] = []

  init(judge: Judge, request: SyncRequest, principal: Principal, now: Instant, device: DeviceState) {
    self.judge = judge
    self.request = request
    self.principal = principal
    self.now = now
    self.device = device
  }

  mutating func run<T: StoreTransaction>(_ workspace: inout Workspace, _ batch: inout ChangeBatch, _ tx: inout T) throws(StoreError) {
    guard device.user == principal.user, request.user == nil || request.user == principal.user else {
      result.standing = .foreign
      return
    }
    device.seen = now
    if !request.report.isEmpty { device.report = request.report }
    result.judged = device.head
    // Their numbers follow each other, so those that were given out before come first.
    let repeated = request.mutations.firstIndex { $0.n > device.head } ?? request.mutations.count
    let recognised = recognised(repeated)
    if repeated == 0 || request.head == nil {
      result.standing = Judge.standing(of: request, device)
    } else if recognised == 0 {
      result.standing = .rolledBack
    }
    guard result.standing == .ok else { return }
    acknowledge(&batch)
    for mutation in request.mutations[..<recognised] { try repeatOutcome(mutation.n, batch, &tx) }
    // The rest is another history under the same numbers. The device hears so when nothing before it waits any more.
    if recognised < repeated { return }
    if repeated < request.mutations.count { try judgeNew(from: repeated, &workspace, &batch, &tx) }
  }

  /// How many of the mutations whose numbers were given out before are the ones that were judged then. A simple client, which keeps
  /// no chain, is trusted.
  private func recognised(_ repeated: Int) -> Int {
    guard let head = request.head, repeated > 0 else { return repeated }
    var chains: [UInt64] = []
    chains.reserveCapacity(repeated)
    for index in 0..<repeated { chains.append(request.chain(chains.last ?? head.hash, index)) }
    return device.recognised(chains, from: head.n + 1)
  }

  /// Outcomes stay for as long as their mutations would be recognised: a device that forgot them may offer those again.
  private mutating func acknowledge(_ batch: inout ChangeBatch) {
    guard request.acknowledged > device.acknowledged && request.acknowledged <= device.head else { return }
    device.acknowledged = request.acknowledged
    guard device.head > DeviceState.memoryReach else { return }
    let n = min(request.acknowledged, device.head - DeviceState.memoryReach)
    batch.acknowledged.append(MutationID(device: request.device, n: n))
  }

  private mutating func judgeNew<T: StoreTransaction>(
    from first: Int, _ workspace: inout Workspace, _ batch: inout ChangeBatch, _ tx: inout T
  ) throws(StoreError) {
    guard request.mutations[first].n == device.head + 1 else {
      result.standing = .unknownHistory
      return
    }
    let before = device
    var chains: [UInt64] = []
    chains.reserveCapacity(request.mutations.count - first)
    for index in first..<request.mutations.count {
      let mutation = request.mutations[index]
      let outcome = try judge(mutation, &workspace, &batch, &tx)
      device.hash = request.chain(device.hash, index)
      device.head = mutation.n
      chains.append(device.hash)
      record(outcome, mutation.n, &batch)
    }
    device.remember(chains, after: before)
    result.judged = device.head
  }

  /// A duplicate: nothing happens again, and the answer is the one given first.
  private mutating func repeatOutcome<T: StoreTransaction>(_ n: UInt64, _ batch: ChangeBatch, _ tx: inout T) throws(StoreError) {
    let outcome = try original(n, batch, &tx)
    if !outcome.isApplied { failed.append(n) }
    result.outcomes.append((n, outcome))
  }

  private func original<T: StoreTransaction>(_ n: UInt64, _ batch: ChangeBatch, _ tx: inout T) throws(StoreError) -> Outcome {
    let id = MutationID(device: request.device, n: n)
    // The first copy may be in this same group, not yet in the store.
    var body = batch.outcomes.last { $0.mutation == id }?.body
    if body == nil { body = try tx.outcome(id) }
    guard let body else { return .applied }
    var reader = CBORReader(body)
    do { return try Outcome.decode(from: &reader).outcome } catch { throw .damaged(Text("an outcome cannot be read")) }
  }

  private mutating func record(_ outcome: Outcome, _ n: UInt64, _ batch: inout ChangeBatch) {
    result.outcomes.append((n, outcome))
    if outcome == .applied { return }
    if !outcome.isApplied { failed.append(n) }
    var out = CBORWriter()
    outcome.encode(n: n, to: &out)
    batch.outcomes.append(ChangeBatch.OutcomeRecord(mutation: MutationID(device: request.device, n: n), body: out.finish()))
  }

  private mutating func judge<T: StoreTransaction>(
    _ mutation: Mutation, _ workspace: inout Workspace, _ batch: inout ChangeBatch, _ tx: inout T
  ) throws(StoreError) -> Outcome {
    for n in mutation.after where n < mutation.n {
      if failed.contains(n) { return .parked(dependsOn: n) }
      guard n <= device.head else { continue }
      if try !original(n, batch, &tx).isApplied { return .parked(dependsOn: n) }
    }
    var loaded: [(key: RecordKey, row: Row?)] = []
    while true {
      let expansion: Expansion
      do {
        expansion = try judge.app.expand(
          action: mutation.action, args: mutation.args, user: principal.user, time: mutation.time.milliseconds, rows: loaded)
      } catch { return .rejected(error) }
      switch expansion {
      case .needs(let key):
        guard loaded.count < 1000 else { return .rejected(Rejection("tooMany", "the action reads more than 1000 records")) }
        let slot = try workspace.load(key, &tx)
        let isVisible = principal.may(.read, judge.app.collections[key.collection], in: workspace.scopeNames(slot))
        loaded.append((key, isVisible ? workspace.row(slot) : nil))
      case .writes(let writes): return try apply(writes, mutation, &workspace, &batch, &tx)
      }
    }
  }

  /// Decides on drafts, then lets the workspace have them: a refusal on the way leaves nothing behind.
  private func apply<T: StoreTransaction>(
    _ writes: [RecordWrite], _ mutation: Mutation, _ workspace: inout Workspace, _ batch: inout ChangeBatch, _ tx: inout T
  ) throws(StoreError) -> Outcome {
    let id = MutationID(device: request.device, n: mutation.n)
    // A clock that runs ahead must not win for ever: the server caps it.
    let cap = now + HybridClock.skewMillisecondsMax
    let time = mutation.time.milliseconds > cap ? HybridTime(milliseconds: cap) : mutation.time
    let stamp = Stamp(time: time, mutation: id)
    var drafts: [(slot: Int, row: Row, scopes: [Text])] = []
    var merged: [Text] = []
    var conflicts: [Text] = []
    var current: [Value] = []
    var history: [HistoryEntry] = []
    for write in writes {
      let collection = judge.app.collections[write.key.collection]
      let slot = try workspace.load(write.key, &tx)
      let old = workspace.scopeNames(slot)
      let drafted = drafts.firstIndex { $0.slot == slot }
      var row = if let drafted { Optional(drafts[drafted].row) } else { workspace.row(slot) }
      let before = row
      let result: WriteResult
      do {
        try permit(write, collection, old, row)
        result = try write.apply(to: &row, in: collection, stamp: stamp, seen: seen(by: mutation, write, row), isSpeculative: false)
      } catch { return .rejected(error) }
      for number in result.conflicts {
        conflicts.append(collection.fields[number].name)
        current.append(before?.value(number, rule: collection.fields[number].rule) ?? .null)
      }
      for number in result.merged { merged.append(collection.fields[number].name) }
      if !result.history.isEmpty { history.append(entry(result.history, write.key, id)) }
      guard result.isChanged, let row else { continue }
      let scopes = collection.scopes(of: row)
      if scopes.isEmpty {
        return .rejected(Rejection("noScope", "no scope would hold the record: a field that its scopes are named after is empty"))
      }
      if drafted == nil && old != scopes && !principal.may(.create, collection, in: scopes) {
        return .rejected(Rejection("forbidden", "you may not create records there"))
      }
      // Only now is it known where a new record lies.
      if write.kind == .create {
        do { try permitFields(write, collection, scopes) } catch { return .rejected(error) }
      }
      if let drafted { drafts[drafted] = (slot, row, scopes) } else { drafts.append((slot, row, scopes)) }
    }
    if !conflicts.isEmpty { return .conflict(fields: conflicts, current: current) }
    for draft in drafts { try workspace.accept(draft.row, draft.slot, scopes: draft.scopes, by: id, &tx) }
    batch.history.append(contentsOf: history)
    return merged.isEmpty ? .applied : .merged(fields: merged)
  }

  /// What the author had seen. A simple client keeps no stamps and cannot say; what it removes from a set it has seen there.
  private func seen(by mutation: Mutation, _ write: RecordWrite, _ row: Row?) -> [Seen] {
    guard request.head == nil, mutation.seen.isEmpty else { return mutation.seen }
    let fields = judge.app.collections[write.key.collection].fields
    return write.observe(row, in: judge.app.collections[write.key.collection]).filter { $0.field >= 0 && fields[$0.field].rule == .addWins }
  }

  /// The permission check of one write. What may not be seen answers as if it were not there.
  private func permit(_ write: RecordWrite, _ collection: Collection, _ scopes: [Text], _ row: Row?) throws(Rejection) {
    var scopes = scopes
    var operation = Operation.create
    switch write.kind {
    case .create:
      if row != nil {
        throw Rejection("exists", "a record with this id exists already", path: "id")
      }
      return
    case .update, .restore: operation = .update
    case .delete: operation = .delete
    }
    guard let row, principal.may(.read, collection, in: scopes.isEmpty ? collection.scopes(of: row) : scopes) else { throw RecordWrite.notFound }
    if scopes.isEmpty { scopes = collection.scopes(of: row) }
    guard principal.may(operation, collection, in: scopes) else {
      throw Rejection("forbidden", "your role may not " + Text(operation.name).string + " records of " + collection.name.string)
    }
    try permitFields(write, collection, scopes)
  }

  private func permitFields(_ write: RecordWrite, _ collection: Collection, _ scopes: [Text]) throws(Rejection) {
    for (number, _) in write.changes where !collection.fields[number].writers.isEmpty {
      let field = collection.fields[number]
      guard principal.mayWrite(field, in: scopes) else {
        throw Rejection("forbidden", "your role may not change " + field.name.string, path: field.name.string)
      }
    }
  }

  private func entry(_ values: [(field: Int, value: Value, isLoser: Bool)], _ key: RecordKey, _ id: MutationID) -> HistoryEntry {
    var out = CBORWriter()
    out.array(values.count)
    for (field, value, isLoser) in values {
      out.array(3)
      out.uint(UInt64(field))
      out.bool(isLoser)
      value.encode(to: &out)
    }
    return HistoryEntry(key: key, mutation: id, time: now, user: principal.user, body: out.finish())
  }
}
