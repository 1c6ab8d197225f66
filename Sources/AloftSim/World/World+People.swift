// SPDX-License-Identifier: Apache-2.0
// What people do: they change records, empty their trays, open tabs, sign out and in.

import AloftCore

extension World {
  mutating func act(_ op: PlanOp) {
    guard op.device < devices.count, !devices[op.device].isDown else { return }
    let device = op.device
    var tab = op.tab
    if !devices[device].tabs[tab].isOpen { tab = 1 - tab }
    switch op.verb {
    case .openTab: return openTab(device, 1)
    case .closeTab: return closeTab(device, 1)
    case .signOut:
      devices[device].session = nil
      return
    case .signIn(let user): return signIn(device, user)
    default: break
    }
    // Nobody can work on a frozen page.
    guard devices[device].tabs[tab].isOpen, !(tab == 0 && devices[device].isIn(.freeze)) else { return }
    let id = ContextID(device: device, tab: tab, life: devices[device].tabs[tab].life)
    switch op.verb {
    case .tap: wake(id, .tap)
    case .compact:
      note(device, tab, 20, 0, "orders a compaction")
      run(devices[device].tabs[tab].engine!.orderCompaction(now: clock(device)), id)
    case .retry(let place): retry(place, id)
    case .discard(let place): discard(place, id)
    default: mutate(op.verb, id)
    }
  }

  /// Another person, or the same one again, signs in: the tabs show that person's data.
  private mutating func signIn(_ device: Int, _ user: Int) {
    devices[device].session = user
    if devices[device].user != user {
      let open = devices[device].tabs.indices.filter { devices[device].tabs[$0].isOpen }
      for tab in open { closeTab(device, tab) }
      devices[device].user = user
      for tab in open { openTab(device, tab) }
    } else {
      for tab in devices[device].tabs.indices where devices[device].tabs[tab].isOpen {
        wake(ContextID(device: device, tab: tab, life: devices[device].tabs[tab].life), .signedIn)
      }
    }
  }

  // MARK: changes

  private mutating func mutate(_ verb: Verb, _ id: ContextID) {
    let (device, tab) = (id.device, id.tab)
    let edit = type(verb, id)
    guard let call = verb.call(edit?.bytes ?? []) else { return }
    var out = CBORWriter(capacity: call.args.count + 32)
    out.array(1)
    out.map(2)
    out.text("action")
    out.text(call.action)
    out.text("args")
    out.raw(call.args)
    let seen = sights(of: verb, id)
    do throws(Rejection) {
      let (handles, effects) = try devices[device].tabs[tab].engine!.mutate(out.finish(), now: clock(device))
      tally.operations += 1
      let issue = register(verb, seen, edit, id, token: handles[0].token, devices[device].tabs[tab].engine!.newestDrafts(1)[0])
      note(device, tab, 21, UInt64(issue), "issue \(issue): \(verb.text)")
      checkShown(issue, id)
      checkTime(issue, id, token: handles[0].token)
      run(effects, id)
    } catch {
      tally.refusedLocally += 1
      note(device, tab, 22, UInt64(error.code.utf8.count), "is told at once: \(error.code.string) \(error.path.string), for \(verb.text)")
    }
  }

  /// Enters what a device accepted into the list of issues.
  @discardableResult
  private mutating func register(_ verb: Verb, _ seen: [Issue.Sight], _ edit: SimEdit?, _ id: ContextID, token: UInt64, _ mutation: Mutation) -> Int {
    let (device, tab) = (id.device, id.tab)
    let user = devices[device].user
    let family = devices[device].families[user]
    let identity = Self.identity(family, mutation)
    var issue = Issue(verb: verb, user: user, device: device, family: family, time: mutation.time, seen: seen, identity: identity, edit: edit)
    for write in verb.writes {
      if let parent = devices[device].tabs[tab].lanes.updateValue(issues.count, forKey: write.key), parent < issues.count { issue.laneParent = parent }
    }
    issue.sameIdentity = issueIndex[identity]
    issueIndex[identity] = issues.count
    devices[device].tabs[tab].issues[token] = issues.count
    issues.append(issue)
    return issues.count - 1
  }

  /// What a mutation keeps through every change of its device's identity.
  static func identity(_ family: Int, _ mutation: Mutation) -> UInt64 {
    let time = Hash64.mix(mutation.time.milliseconds &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(mutation.time.counter))
    return Hash64.of(mutation.args, seed: time ^ Hash64.mix(UInt64(family) << 20)) ^ Hash64.of(mutation.action.utf8)
  }

  /// The issue behind a mutation; of several alike, the oldest that was not judged yet.
  func issue(of mutation: Mutation, family: Int) -> Int? {
    guard var index = issueIndex[Self.identity(family, mutation)] else { return nil }
    var best = index
    while let older = issues[index].sameIdentity {
      index = older
      if oracle.judgedCount(index) == 0 || oracle.judgedCount(best) > 0 { best = index }
    }
    return best
  }

  // MARK: what the author sees

  /// What the rules will ask the author to have seen, taken from what the tab shows now.
  private func sights(of verb: Verb, _ id: ContextID) -> [Issue.Sight] {
    var sights: [Issue.Sight] = []
    for write in verb.writes {
      let asks = write.kind == .delete ? plan.schema.updateWins(write.key.collection) : write.changes.contains { Self.asksWhatWasSeen($0.field) }
      guard asks, let row = devices[id.device].tabs[id.tab].engine!.shown(write.key) else { continue }
      if write.kind == .delete {
        sights.append(Issue.Sight(key: write.key, field: nil, writes: row.stamps.map { seen($0.mutation, write.key, id) }))
        continue
      }
      for change in write.changes where Self.asksWhatWasSeen(change.field) {
        guard let number = fields[write.key.collection].firstIndex(of: change.field) else { continue }
        sights.append(Issue.Sight(key: write.key, field: change.field, writes: row.dots(of: number).map { seen($0, write.key, id) }))
      }
    }
    return sights
  }

  private static func asksWhatWasSeen(_ field: SimField) -> Bool { field == .guarded || field == .manual || field == .addWins }

  /// The write behind a mutation's name: what the server judged, or what waits in this tab. Issue -1 stands for what the server has
  /// forgotten since: nobody can have seen that now.
  private func seen(_ dot: MutationID, _ key: RecordKey, _ id: ContextID) -> SeenWrite {
    if dot.device == devices[id.device].tabs[id.tab].device, let mutation = devices[id.device].tabs[id.tab].engine!.pendingMutation(dot.n) {
      let issue = issue(of: mutation, family: devices[id.device].families[devices[id.device].user]) ?? -1
      // A device that went back in time gives numbers out again: what the server has under one of them is something else.
      if issue < 0 || issues[issue].verb.writes.contains(where: { $0.key == key }) { return SeenWrite(issue: issue, id: nil) }
    }
    return SeenWrite(issue: oracle.issueOf[dot] ?? -1, id: dot)
  }

  // MARK: the tray

  private mutating func retry(_ place: Int, _ id: ContextID) {
    let (device, tab) = (id.device, id.tab)
    let tray = devices[device].tabs[tab].engine!.tray
    guard place < tray.count else { return }
    let family = devices[device].families[devices[device].user]
    let first = tray[place].mutation
    guard let original = issue(ofTray: first, family) else { return fail("S04", "device \(device): the tray holds a mutation that nobody made") }
    let fresh = sights(of: issues[original].verb, id)
    do throws(Rejection) {
      let (handles, effects) = try devices[device].tabs[tab].engine!.retry(first.n, now: clock(device))
      let drafts = devices[device].tabs[tab].engine!.newestDrafts(handles.count)
      tally.operations += handles.count
      note(device, tab, 23, first.n, "retries n\(first.n) with \(handles.count - 1) behind it")
      var renamed: [(old: Int, new: Int)] = []
      // The first, and those that were parked behind it.
      let numbers = devices[device].tabs[tab].engine!.newestDismissal
      for (place, draft) in drafts.enumerated() {
        let handle = handles[place]
        guard place < numbers.count, let entry = tray.first(where: { $0.mutation.n == numbers[place] }), entry.mutation.args == draft.args,
          let old = issue(ofTray: entry.mutation, family)
        else { return fail("S04", "device \(device): a retry offers a mutation that nobody made") }
        // Only in guarded fields does trying again mean having seen what stands now.
        var seen = issues[old].seen.filter { $0.field != .guarded }
        for sight in seen.indices {
          for place in seen[sight].writes.indices {
            for pair in renamed where pair.old == seen[sight].writes[place].issue { seen[sight].writes[place] = SeenWrite(issue: pair.new, id: nil) }
          }
        }
        seen += (old == original ? fresh : sights(ofDraft: draft, id)).filter { $0.field == .guarded }
        let new = register(issues[old].verb, seen, issues[old].edit, id, token: handle.token, draft)
        renamed.append((old, new))
        dismiss(old, entry.outcome)
      }
      run(effects, id)
    } catch { note(device, tab, 24, first.n, "may not retry n\(first.n): \(error.code.string)") }
  }

  /// What a re-offered follower sees of guarded fields: its own lane's re-offered changes among them.
  private func sights(ofDraft draft: Mutation, _ id: ContextID) -> [Issue.Sight] {
    var sights: [Issue.Sight] = []
    for entry in draft.seen where entry.field >= 0 && fields[entry.key.collection][entry.field] == .guarded {
      sights.append(Issue.Sight(key: entry.key, field: .guarded, writes: entry.dots.map { seen($0, entry.key, id) }))
    }
    return sights
  }

  private mutating func discard(_ place: Int, _ id: ContextID) {
    let tray = devices[id.device].tabs[id.tab].engine!.tray
    guard place < tray.count else { return }
    let family = devices[id.device].families[devices[id.device].user]
    if let issue = issue(ofTray: tray[place].mutation, family) { dismiss(issue, tray[place].outcome) }
    do throws(Rejection) {
      let effects = try devices[id.device].tabs[id.tab].engine!.discard(tray[place].mutation.n, now: clock(id.device))
      note(id.device, id.tab, 25, tray[place].mutation.n, "discards n\(tray[place].mutation.n)")
      run(effects, id)
    } catch {}
  }

  private mutating func dismiss(_ issue: Int, _ outcome: Outcome) {
    issues[issue].isDismissed = true
    if case .parked = outcome { issues[issue].isFoundParked = true }
  }

  /// The issue behind an entry of the tray: one that was judged and did not apply.
  func issue(ofTray mutation: Mutation, _ family: Int) -> Int? {
    guard var index = issueIndex[Self.identity(family, mutation)] else { return nil }
    var best = index
    while true {
      if oracle.judgedCount(index) > 0, !oracle.wasApplied(index), !issues[index].isDismissed { best = index }
      guard let older = issues[index].sameIdentity else { return best }
      index = older
    }
  }
}
