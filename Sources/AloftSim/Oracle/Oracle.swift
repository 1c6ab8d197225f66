// SPDX-License-Identifier: Apache-2.0
// The oracle: what the server ought to hold, folded slowly and plainly from the mutations that it judged, in its order.

import AloftCore

struct Oracle {
  let schema: SimSchema
  /// For each user the role in each space, as the server has them now: 0 none, 1 member, 2 boss.
  private(set) var grants: [[UInt8]]
  private(set) var records: [RecordKey: OracleRecord] = [:]
  /// The digest of each record.
  private var sums: [RecordKey: (open: UInt64, whole: UInt64)] = [:]
  /// When each record was stored last, in server time.
  private(set) var storedAt: [RecordKey: Instant] = [:]
  /// The records in the order in which they were first made, for walks.
  private(set) var keys: [RecordKey] = []
  /// How far each device identity was judged.
  private(set) var heads: [DeviceID: UInt64] = [:]
  private(set) var verdicts: [MutationID: Verdict] = [:]
  private(set) var issueOf: [MutationID: Int] = [:]
  /// The name under which each issue was judged first.
  private(set) var nameOf: [Int: MutationID] = [:]
  /// How often each issue took effect or was refused.
  private(set) var judgedCounts: [UInt8] = []
  private(set) var isApplied: [Bool] = []
  /// For each user the sum over all that they may see.
  private(set) var views: [UInt64]
  private let spaceNames: [Text]
  private let bossOnly: [Bool]
  private let memberDeletes: [Bool]

  init(schema: SimSchema, grants: [[UInt8]]) {
    self.schema = schema
    self.grants = grants
    views = [UInt64](repeating: 0, count: grants.count)
    spaceNames = (0..<(grants.first?.count ?? 0)).map { SimWords.space(Int64($0)) }
    bossOnly = (0..<schema.collectionCount).map { schema.isBossOnly($0) }
    memberDeletes = (0..<schema.collectionCount).map { schema.memberMayDelete($0) }
  }

  // MARK: people

  func role(_ user: Int, in spaces: [Text]) -> UInt8 {
    var best: UInt8 = 0
    for space in spaceNames.indices where grants[user][space] > best && spaces.contains(spaceNames[space]) { best = grants[user][space] }
    return best
  }

  func mayRead(_ user: Int, _ collection: Int, in spaces: [Text]) -> Bool { role(user, in: spaces) >= (bossOnly[collection] ? 2 : 1) }

  private func may(_ kind: OracleWriteRequest.Kind, _ user: Int, _ collection: Int, in spaces: [Text]) -> Bool {
    let role = role(user, in: spaces)
    switch kind {
    case .create, .update, .restore: return role >= (bossOnly[collection] ? 2 : 1)
    case .delete: return role >= 2 || role == 1 && memberDeletes[collection]
    }
  }

  mutating func setGrant(_ user: Int, _ space: Int, _ role: UInt8) {
    grants[user][space] = role
    views[user] = 0
    for key in keys { if let record = records[key] { views[user] &+= share(of: sums[key]!, key.collection, in: record.spaces, for: user) } }
  }

  /// What a record adds to a user's sum.
  private func share(of sum: (open: UInt64, whole: UInt64), _ collection: Int, in spaces: [Text], for user: Int) -> UInt64 {
    let role = role(user, in: spaces)
    if role >= 2 { return sum.whole }
    return role == 1 && !bossOnly[collection] ? sum.open : 0
  }

  /// The digest of all of a record; 0 for none.
  func sum(of key: RecordKey) -> UInt64 { sums[key]?.whole ?? 0 }

  // MARK: judging

  func judgedCount(_ issue: Int) -> UInt8 { issue < judgedCounts.count ? judgedCounts[issue] : 0 }
  func wasApplied(_ issue: Int) -> Bool { issue < isApplied.count && isApplied[issue] }

  /// Judges a mutation and, when it applies, changes the model.
  mutating func judge(_ index: Int, _ issue: Issue, as id: MutationID, by user: Int, after: [UInt64], now: Instant) -> Verdict {
    while judgedCounts.count <= index {
      judgedCounts.append(0)
      isApplied.append(false)
    }
    judgedCounts[index] += 1
    heads[id.device] = id.n
    issueOf[id] = index
    if nameOf[index] == nil { nameOf[index] = id }
    let verdict = decide(index, issue, id, user, after, now)
    verdicts[id] = verdict
    isApplied[index] = verdict.isApplied
    return verdict
  }

  private mutating func decide(
    _ index: Int, _ issue: Issue, _ id: MutationID, _ user: Int, _ after: [UInt64], _ now: Instant
  ) -> Verdict {
    for n in after where n < id.n {
      if let earlier = verdicts[MutationID(device: id.device, n: n)], !earlier.isApplied { return .parked }
    }
    let cap = now + 60_000
    let time = issue.time.milliseconds > cap ? HybridTime(milliseconds: cap) : issue.time
    let write = OracleWrite(issue: index, time: time, id: id)
    if case .stamp(let record, _) = issue.verb {
      // The action's body reads the record first, as its caller may see it.
      let key = RecordKey(collection: 0, id: SimWords.record(0, record))
      guard let record = records[key], mayRead(user, 0, in: record.spaces), !record.isDeleted else { return .rejected(["notFound"]) }
    }
    var drafts: [(key: RecordKey, record: OracleRecord)] = []
    var merged: [SimField] = []
    var conflicts: [SimField] = []
    for request in issue.verb.writes {
      let stored = records[request.key]
      let oldSpaces = stored?.spaces ?? []
      let draft = drafts.firstIndex { $0.key == request.key }
      var record = draft.map { drafts[$0].record } ?? stored
      switch prepare(request, &record, write, user, oldSpaces, issue) {
      case .go: break
      case .nothing: continue
      case .refuse(let code): return .rejected([code])
      case .done:
        keep(request.key, record!, draft, &drafts)
        continue
      }
      guard var record else { return .rejected(["notFound"]) }
      var refusals: [StaticString] = []
      var isChanged = request.kind == .create || stored?.isDeleted == true && !record.isDeleted
      for change in request.changes {
        let seen = issue.seen.first { $0.key == request.key && $0.field == change.field }?.writes ?? []
        let rule = rule(of: change.field, request.key.collection)
        let verdict = record.apply(
          change, rule: rule, write: write, seen: seen,
          bounds: change.field == .counter ? (schema.counterMin(request.key.collection), schema.counterMax(request.key.collection)) : (nil, nil),
          byServer: request.byServer, typed: issue.edit)
        switch verdict {
        case .changed: isChanged = true
        case .unchanged: break
        case .kept:
          isChanged = true
          merged.append(change.field)
        case .lost: merged.append(change.field)
        case .conflict: conflicts.append(change.field)
        case .refused(let code): refusals.append(code)
        }
      }
      if !refusals.isEmpty { return .rejected(refusals) }
      if !isChanged { continue }
      let spaces = record.spaces
      if spaces.isEmpty { return .rejected(["noScope"]) }
      if draft == nil && oldSpaces != spaces && !may(.create, user, request.key.collection, in: spaces) { return .rejected(["forbidden"]) }
      if request.kind == .create && request.changes.contains(where: { $0.field == .price }) && role(user, in: spaces) < 2 {
        return .rejected(["forbidden"])
      }
      keep(request.key, record, draft, &drafts)
    }
    if !conflicts.isEmpty { return .conflict(conflicts) }
    for (key, record) in drafts {
      store(key, record)
      storedAt[key] = now
    }
    return merged.isEmpty ? .applied : .merged(merged)
  }

  private enum Preparation { case go, nothing, done, refuse(StaticString) }

  /// Existence, permission and the record's life; field changes come after.
  private func prepare(
    _ request: OracleWriteRequest, _ record: inout OracleRecord?, _ write: OracleWrite, _ user: Int, _ oldSpaces: [Text], _ issue: Issue
  ) -> Preparation {
    let collection = request.key.collection
    if request.kind == .create {
      if record != nil { return .refuse("exists") }
      record = OracleRecord(life: write)
      return .go
    }
    guard let current = record else { return .refuse("notFound") }
    let spaces = oldSpaces.isEmpty ? current.spaces : oldSpaces
    guard mayRead(user, collection, in: spaces) else { return .refuse("notFound") }
    guard may(request.kind, user, collection, in: spaces) else { return .refuse("forbidden") }
    if request.changes.contains(where: { $0.field == .price }) && role(user, in: spaces) < 2 { return .refuse("forbidden") }
    switch request.kind {
    case .create: return .go
    case .update:
      if current.isDeleted {
        if !schema.updateWins(collection) { return .refuse("deleted") }
        record!.isDeleted = false
        record!.life = write
      }
      return .go
    case .delete:
      if current.isDeleted { return .nothing }
      if schema.updateWins(collection) {
        let seen = issue.seen.first { $0.key == request.key && $0.field == nil }?.writes ?? []
        if !current.support.allSatisfy({ $0.isAmong(seen) }) { return .refuse("changed") }
      }
      record!.isDeleted = true
      record!.life = write
      return .done
    case .restore:
      if !current.isDeleted { return .nothing }
      record!.isDeleted = false
      record!.life = write
      return .done
    }
  }

  private func keep(_ key: RecordKey, _ record: OracleRecord, _ draft: Int?, _ drafts: inout [(key: RecordKey, record: OracleRecord)]) {
    if let draft { drafts[draft].record = record } else { drafts.append((key, record)) }
  }

  private func rule(of field: SimField, _ collection: Int) -> Rule {
    for rule in Rule.allCases where SimField.standing(for: rule) == field { return rule }
    return field == .space && schema.isSpaceImmutable(collection) ? .immutable : .latest
  }

  /// The server has forgotten a deleted record: it is as if it had never been.
  mutating func forget(_ key: RecordKey) {
    records[key] = nil
    sums[key] = nil
  }

  private mutating func store(_ key: RecordKey, _ record: OracleRecord) {
    let before = records.updateValue(record, forKey: key)
    if before == nil && storedAt[key] == nil { keys.append(key) }
    let new = (sum: Digest.of(record, key), spaces: record.spaces)
    let old = (sum: sums.updateValue(new.sum, forKey: key) ?? (0, 0), spaces: before?.spaces ?? [])
    for user in grants.indices {
      views[user] &-= share(of: old.sum, key.collection, in: old.spaces, for: user)
      views[user] &+= share(of: new.sum, key.collection, in: new.spaces, for: user)
    }
  }
}
