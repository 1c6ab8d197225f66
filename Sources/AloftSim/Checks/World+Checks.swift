// SPDX-License-Identifier: Apache-2.0
// The invariants, checked while the world runs. Each check names the promise of docs/simulator.md that it guards.

import AloftCore

extension World {
  // MARK: the server against the oracle

  /// S02, S03, S08, S09, S10, S12–S14: each judgement is what the oracle expects, and each mutation is judged once.
  mutating func compare(_ request: SyncRequest, _ result: PushResult, _ user: Int, _ now: Instant, _ touched: inout [RecordKey]) {
    for (n, outcome) in result.outcomes {
      guard violation == nil, !isInconclusive else { return }
      guard let mutation = request.mutations.first(where: { $0.n == n }) else {
        return fail("S04", "the server answers for mutation \(n), which was not sent")
      }
      let id = MutationID(device: request.device, n: n)
      let head = oracle.heads[request.device] ?? 0
      if n <= head {
        guard let original = oracle.verdicts[id] else { return fail("S03", "mutation \(n) is a duplicate of one that was never judged") }
        if !original.agrees(with: outcome) && n > server.image.device(request.device)?.acknowledged ?? 0 {
          return fail("S03", "a duplicate of mutation \(n) gets another outcome than the first: \(original.text.string), now \(outcome.words)")
        }
        continue
      }
      if n != head + 1 { return fail("S09", "mutation \(n) is judged after \(head)") }
      guard let family = familyOf[request.device], let index = issue(of: mutation, family: family) else {
        return fail("S04", "the server judges a mutation that nobody made: \(mutation.action.string) n\(n)")
      }
      if oracle.judgedCount(index) > 0 {
        guard isBeyondMemory(index, family) else { return fail("S03", "issue \(index) takes effect twice: \(issues[index].verb.text)") }
        // In doubt a change is repeated, never lost (decision 11); what it does the second time nobody can foretell.
        isInconclusive = true
        return
      }
      if let later = mutation.after.first(where: { $0 >= n }) {
        return fail("S09", "mutation \(n) waits for \(later), which its device has not made before it")
      }
      if issues[index].isParkedByDevice { return fail("S10", "issue \(index) was parked by its device and is judged after all") }
      if issues[index].user != user { return fail("S08", "issue \(index) of user \(issues[index].user) is judged as user \(user)'s") }
      if let parent = issues[index].laneParent, oracle.judgedCount(parent) == 0, !issues[parent].isExempt, !hasTwin(parent), !hasTwin(index) {
        return fail("S09", "issue \(index) is judged before issue \(parent), which its author made first on the same record")
      }
      tally.judged += 1
      let verdict = oracle.judge(index, issues[index], as: id, by: user, after: mutation.after, now: now)
      trace.note(40, UInt64(index), verdict.isApplied ? 1 : 0)
      trace.line("\(self.now) server judges issue \(index) (n\(n)): \(outcome.words)")
      if !verdict.agrees(with: outcome) {
        // Of two changes that are alike in all but the tab, nobody can say which one was judged first, nor which a later change had seen.
        if issues[index].verb.writes.contains(where: { isWrittenByTwins($0.key) }) {
          isInconclusive = true
          return
        }
        return fail("S10", "issue \(index) (\(issues[index].verb.text)): expected \(verdict.text.string), the server says \(outcome.words)")
      }
      for write in issues[index].verb.writes where !touched.contains(write.key) { touched.append(write.key) }
      // Once its author has dismissed or re-offered the parent, nothing needs to wait for it.
      if let parent = issues[index].laneParent, oracle.judgedCount(parent) > 0, !oracle.wasApplied(parent), verdict.isApplied,
        mutation.after.isEmpty, !issues[parent].isExempt, !issues[parent].isDismissed, !hasTwin(parent), !hasTwin(index)
      {
        return fail("S09", "issue \(index) applies though issue \(parent), which it was made on top of, did not")
      }
    }
  }

  /// Whether an issue was judged under a name that the server cannot compare any more, by a storage that went back in time since.
  private func isBeyondMemory(_ index: Int, _ family: Int) -> Bool {
    guard issues[index].isExempt, let name = oracle.nameOf[index] else { return false }
    // A server that went back in time has forgotten as well.
    return (stepsBack[family] ?? 0) + Int(server.epochCount) - 1 > 1 || (oracle.heads[name.device] ?? 0) >= name.n + 32
  }

  /// S04, S11: a stored record is what the oracle holds.
  mutating func checkStored(_ keys: [RecordKey]) {
    for key in keys where violation == nil && !isInconclusive {
      tally.checks += 1
      let stored = server.image.record(key)
      guard let expected = oracle.records[key] else {
        if stored != nil { fail("S04", "the server stores \(key.id.string), which nobody was allowed to make") }
        continue
      }
      guard let stored, let row = try? Row(bytes: stored.row) else {
        fail("S02", "the server has lost \(key.id.string)")
        continue
      }
      let order = fields[key.collection]
      if Digest.of(row, key.collection, order) != oracle.sum(of: key) {
        if isWrittenByTwins(key) {
          isInconclusive = true
          return
        }
        fail("S04", "the server's \(key.id.string) is \(row.text(order)), expected \(expected.text)")
      }
      let spaces = expected.spaces.map { Text("space:" + $0.string) }
      if stored.placements.map({ $0.scope }) != spaces {
        fail("S06", "\(key.id.string) lies in \(stored.placements.map { $0.scope.string }), expected \(spaces.map { $0.string })")
      }
    }
  }

  // MARK: what leaves the server

  /// S07: nothing outside the reader's permission leaves the server, in rows or anywhere else.
  mutating func checkAnswer(_ body: [UInt8], _ user: Int) {
    guard isStrict || draw(.check, user, UInt64(body.count)) % 16 == 0 else { return }
    tally.checks += 1
    if !oracle.grants[user].contains(2), SimWords.holdsCanary(body) { fail("S07", "user \(user) is sent a field that only a boss may read") }
    guard let rows = try? AnswerRows.names(in: body) else { return fail("S27", "an answer of the server cannot be read") }
    for row in rows {
      let key = RecordKey(collection: row.collection, id: row.id)
      if row.isGone { continue }
      guard let record = oracle.records[key], oracle.mayRead(user, key.collection, in: record.spaces) else {
        return fail("S07", "user \(user) is sent \(row.id.string), which they may not read")
      }
    }
  }

  /// Remembers what a user may see while the logs stand where they stand now.
  mutating func rememberView(_ user: Int) {
    let name = viewName(user) { server.image.scope($0)?.sequence ?? 0 }
    views[name] = oracle.views[user]
    if isStrict { pastOracles[name] = oracle }
  }

  /// A name for a user's position in all the scopes that they hold.
  private func viewName(_ user: Int, _ sequence: (Text) -> UInt64) -> UInt64 {
    var name = Hash64.mix(UInt64(user) &+ 77 &+ server.epochCount &* 1000)
    for (space, role) in oracle.grants[user].enumerated() where role > 0 {
      let scope = SimWords.scope(space)
      name &+= Hash64.mix(Hash64.of(scope.utf8, seed: UInt64(role)) &+ sequence(scope) &* 0x9E37_79B9_7F4A_7C15)
    }
    return name
  }

  // MARK: devices against the oracle

  /// S06: what a tab holds is what the server showed at exactly these cursors.
  mutating func checkView(_ id: ContextID) {
    guard isStrict || draw(.check, id.device, 99) % 128 == 0, let engine = devices[id.device].tabs[id.tab].engine, !engine.lacksPages else { return }
    let user = devices[id.device].user
    let cursors = engine.heldCursors
    let principal = principal(user)
    for (scope, cursor) in cursors {
      guard cursor.base == cursor.sequence, cursor.epoch == server.judge.epoch(of: scope, for: principal, store: server.epochCount) else { return }
    }
    let held = oracle.grants[user].enumerated().filter { $0.element > 0 }.map { SimWords.scope($0.offset) }
    guard held.count == cursors.count, cursors.allSatisfy({ held.contains($0.scope) }) else { return }
    let name = viewName(user) { scope in cursors.first { $0.scope == scope }!.cursor.sequence }
    guard let expected = views[name] else { return }
    tally.checks += 1
    if sum(engine) != expected {
      let place = cursors.map { "\($0.scope.string)@\($0.cursor.sequence)" }.joined(separator: " ")
      fail("S06", "device \(id.device) at \(place): " + difference(engine, user, pastOracles[name] ?? oracle))
    }
  }

  func sum(_ engine: ClientEngine) -> UInt64 {
    var sum: UInt64 = 0
    engine.eachBase { collection, row in sum &+= Digest.of(row, collection, fields[collection]) }
    return sum
  }

  /// In words, how a tab's rows differ from what its user may see.
  func difference(_ engine: ClientEngine, _ user: Int, _ past: Oracle? = nil) -> String {
    let oracle = past ?? self.oracle
    var seen: [RecordKey] = []
    var words: [String] = []
    engine.eachBase { collection, row in
      let key = RecordKey(collection: collection, id: row.id)
      seen.append(key)
      guard let record = oracle.records[key], oracle.mayRead(user, collection, in: record.spaces) else {
        words.append("holds \(row.id.string), which it should not")
        return
      }
      let sum = Digest.of(record, key)
      if Digest.of(row, collection, fields[collection]) != (oracle.role(user, in: record.spaces) >= 2 ? sum.whole : sum.open) {
        words.append("\(row.id.string) is \(row.text(fields[collection])), expected \(record.text)")
      }
    }
    for key in oracle.keys {
      guard let record = oracle.records[key], oracle.mayRead(user, key.collection, in: record.spaces), !seen.contains(key) else { continue }
      words.append("lacks \(key.id.string)")
    }
    return words.isEmpty ? "no difference to the present" : words.prefix(3).joined(separator: "; ")
  }

  /// S26: an engine that is built from storage now holds what the running one holds.
  mutating func checkColdStart(_ id: ContextID) {
    guard isStrict || draw(.check, id.device, 177) % 512 == 0 else { return }
    let user = devices[id.device].user
    let image = devices[id.device].disks[user].image
    guard let engine = devices[id.device].tabs[id.tab].engine, engine.headSequence == image.lastSequence else { return }
    tally.checks += 1
    guard let cold = World.load(image, apps[devices[id.device].appVersion - 1]) else {
      return fail("S01", "device \(id.device): its storage cannot be read")
    }
    if sum(cold) != sum(engine) { return fail("S26", "device \(id.device) after a cold start: " + difference(cold, user)) }
    if cold.queued.map({ $0.n }) != engine.queued.map({ $0.n }) { return fail("S26", "device \(id.device) queues something else after a cold start") }
    if cold.tray.count != engine.tray.count { return fail("S10", "device \(id.device) has another tray after a cold start") }
  }

  /// S01: everything reported saved is still there when storage is opened again.
  mutating func checkReopened(_ id: ContextID) {
    guard let engine = devices[id.device].tabs[id.tab].engine else { return }
    let family = devices[id.device].families[devices[id.device].user]
    var kept: [UInt64] = engine.queued.map { Self.identity(family, $0) } + engine.tray.map { Self.identity(family, $0.mutation) }
    kept.sort()
    // What its other clones were told is theirs to keep.
    for index in issues.indices where issues[index].family == family && issues[index].device == id.device && issues[index].isSaved && !issues[index].isExempt {
      guard oracle.judgedCount(index) == 0, !issues[index].isDismissed, !hasTwin(index) else { continue }
      tally.checks += 1
      let identity = issues[index].identity
      if !kept.contains(identity) { return fail("S01", "device \(id.device) reported issue \(index) saved and has lost it: \(issues[index].verb.text)") }
    }
  }

  /// S16: the author sees at once what they did.
  mutating func checkShown(_ index: Int, _ id: ContextID) {
    guard case .update(let collection, let record, let changes) = issues[index].verb else { return }
    let key = RecordKey(collection: collection, id: SimWords.record(collection, record))
    guard devices[id.device].tabs[id.tab].engine!.shownValue(key, 0) != nil else {
      return fail("S16", "device \(id.device) does not show the record that it changed")
    }
    if let edit = issues[index].edit, let number = fields[collection].firstIndex(of: .text) {
      tally.checks += 1
      let shown = devices[id.device].tabs[id.tab].engine!.shownValue(key, number)
      if shown != .text(Text(utf8: edit.shown)) { fail("S16", "device \(id.device) does not show what its user just typed: \(issues[index].verb.text)") }
    }
    for change in changes {
      guard let number = fields[collection].firstIndex(of: change.field), case .set(let code) = change.effect else { continue }
      guard change.field == .latest || change.field == .guarded || change.field == .hidden else { continue }
      tally.checks += 1
      let shown = devices[id.device].tabs[id.tab].engine!.shownValue(key, number)
      if shown != SimWords.value(code, of: change.field) {
        fail("S16", "device \(id.device) does not show what its user just wrote: \(issues[index].verb.text), shown \(shown?.words ?? "nothing")")
      }
    }
  }

  /// S10: the app hears the outcome that the server gave, and a refusal stands in the tray.
  mutating func checkOutcome(_ index: Int, _ n: UInt64, _ outcome: Outcome, _ id: ContextID) {
    tally.checks += 1
    if issues[index].isExempt || hasTwin(index) { return }
    if case .parked = outcome, oracle.judgedCount(index) == 0 {
      // Parked by the device itself, when it took a new identity: the server must never see it.
      issues[index].isParkedByDevice = true
      // What was not saved yet cannot be parked with it: it goes on alone.
      let family = issues[index].family
      for draft in devices[id.device].tabs[id.tab].engine?.newestDrafts(.max) ?? [] {
        if let child = issue(of: draft, family: family) { issues[child].laneParent = nil }
      }
      return
    }
    guard oracle.judgedCount(index) > 0 else { return fail("S10", "device \(id.device) hears of issue \(index), which was never judged") }
    if outcome.isApplied != oracle.wasApplied(index) {
      fail("S10", "device \(id.device) hears that issue \(index) is \(outcome.words)")
    }
  }

  /// Whether twins wrote a record: which of the two a later change had seen, nobody can say.
  private func isWrittenByTwins(_ key: RecordKey) -> Bool {
    issues.indices.contains { index in hasTwin(index) && issues[index].verb.writes.contains { $0.key == key } }
  }

  /// Whether two people's hands did the very same in the same millisecond: then nobody can tell the two apart.
  func hasTwin(_ index: Int) -> Bool { issues[index].sameIdentity != nil || issueIndex[issues[index].identity] != index }

  /// S17, S22: a request is the device's own and not too large; retries keep their distance.
  mutating func checkRequest(_ body: [UInt8], _ id: ContextID) {
    if let device = devices[id.device].tabs[id.tab].device { familyOf[device] = devices[id.device].families[devices[id.device].user] }
    if body.count > 4 << 20 { fail("S22", "device \(id.device) sends \(body.count) bytes at once") }
  }

  /// S22: at most 12 failed rounds in a minute, after the first minute of trouble.
  mutating func noteFailure(_ device: Int) {
    devices[device].failures.append(now)
    let failures = devices[device].failures
    guard failures.count > 24, now - failures[0] > 60_000 else { return }
    let recent = failures.filter { now - $0 < 60_000 }.count
    if recent > 12 * devices[device].tabs.count * 4 { fail("S22", "device \(device) failed \(recent) times within a minute") }
  }

  /// S23: synced means that nothing waits.
  mutating func checkStatus(_ status: ClientStatus, _ id: ContextID) {
    trace.note(50, UInt64(id.device), UInt64(status.state.rawValue))
    trace.line("\(now) d\(id.device).\(id.tab) shows \(Text(status.state.name).string), \(status.queued) queued, \(status.parked) parked")
    guard status.state == .synced else { return }
    tally.checks += 1
    let family = devices[id.device].families[devices[id.device].user]
    for issue in devices[id.device].tabs[id.tab].issues.values where oracle.judgedCount(issue) == 0 && !issues[issue].isExempt && !hasTwin(issue) {
      if issues[issue].family == family { return fail("S23", "device \(id.device) says synced while issue \(issue) waits") }
    }
  }

  /// L3: a tab that has something to say has a timer, a request or a write under way.
  mutating func checkIdle(_ id: ContextID) {
    guard isAlive(id), devices[id.device].tabs[id.tab].isDue, waitsForNothing(id) else { return }
    fail("L3", "device \(id.device) has something to say and waits for nothing")
  }

  /// Whether a tab has no timer, request or write under way.
  func waitsForNothing(_ id: ContextID) -> Bool {
    !devices[id.device].tabs[id.tab].isSending && devices[id.device].tabs[id.tab].pending == nil && !devices[id.device].tabs[id.tab].timerIsSet
  }
}

extension Outcome {
  var words: String {
    switch self {
    case .applied: "applied"
    case .merged(let fields): "merged " + fields.map { $0.string }.joined(separator: " ")
    case .conflict(let fields, _): "conflict " + fields.map { $0.string }.joined(separator: " ")
    case .rejected(let rejection): "rejected " + rejection.code.string + " " + rejection.path.string
    case .parked(let n): "parked behind n\(n)"
    }
  }
}

extension Value {
  var words: String {
    switch self {
    case .null: "none"
    case .bool(let flag): flag ? "true" : "false"
    case .int(let number): "\(number)"
    case .double: "a double"
    case .text(let text): text.utf8.count > 40 ? "\(text.utf8.count) bytes" : text.string
    case .bytes(let bytes): "\(bytes.count) bytes"
    case .array(let values): "[" + values.map { $0.words }.joined(separator: ",") + "]"
    }
  }
}

extension Row {
  func text(_ fields: [SimField]) -> String {
    var words = [isDeleted ? "deleted" : "alive"]
    for number in 0..<min(cellCount, fields.count) {
      let name = Text(fields[number].name).string
      switch cell(number) {
      case .absent: continue
      case .plain(let value): words.append("\(name)=\(value.words)")
      case .supported(let values): words.append("\(name)={" + values.map { $0.value.words }.joined(separator: ",") + "}")
      case .text: words.append("\(name)=" + SimEdit.words(SimEdit.characters(of: self, number)))
      }
    }
    return words.joined(separator: " ")
  }
}

extension OracleRecord {
  var text: String {
    var words = [isDeleted ? "deleted" : "alive"]
    for field in SimField.allCases {
      let name = Text(field.name).string
      switch self[field] {
      case .absent: continue
      case .plain(let value, _): words.append("\(name)=\(value.words)")
      case .candidates(let all, _): words.append("\(name)={" + all.map { $0.value.words }.joined(separator: ",") + "}")
      case .elements(let all, _): words.append("\(name)={" + all.map { $0.value.words }.joined(separator: ",") + "}")
      case .text(let text): words.append("\(name) of " + SimEdit.words(text.standing))
      }
    }
    return words.joined(separator: " ")
  }
}
