// SPDX-License-Identifier: Apache-2.0
// After the storm: everything must come to rest, and then everybody must hold the same.

import AloftCore

extension World {
  /// How long healthy devices may take to come to rest, in milliseconds.
  private static let quiesceBound: UInt64 = 900_000

  /// A long queue over a slow line takes its time: a round trip for each request.
  private var patience: UInt64 { Self.quiesceBound + UInt64(plan.ops.count) * (plan.settings.latency + 50) * 4 }

  /// More events than this in one run mean that something goes round in circles: a hundred times what a plan of this size makes.
  private var eventsMax: Int { 20_000 + plan.ops.count * 100 }

  /// Runs the whole plan: chaos, healing, rest, audit.
  public mutating func run() {
    advance(to: chaosEnd)
    if violation != nil || isInconclusive { return }
    heal()
    settle()
    // Whoever left changes behind on a shared device comes back once.
    for device in devices.indices {
      for user in plan.grants.indices where user != devices[device].user && !devices[device].disks[user].image.isEmpty {
        if violation != nil || isInconclusive { return }
        audit(device)
        act(PlanOp(at: now, device: device, tab: 0, verb: .signIn(user)))
        settle()
      }
    }
    // What the network still holds arrives now, and must change nothing.
    advance(to: now + 4_000_000)
    settle()
    for device in devices.indices { audit(device) }
    auditIssues()
    for user in plan.grants.indices { auditNewcomer(user) }
    auditTexts()
    for device in devices.indices { auditColdStart(device) }
  }

  private mutating func advance(to end: UInt64) {
    while violation == nil, !isInconclusive, let next = heap.nextTime, next <= end {
      _ = step()
      if tally.events > eventsMax { return fail("L4", "\(tally.events) events, and no end") }
    }
    now = max(now, end)
  }

  /// L1: within the bound nothing is queued, nothing is sent and nothing is written.
  mutating func settle() {
    let end = now + patience
    while violation == nil, !isInconclusive, !isAtRest, let next = heap.nextTime, next <= end {
      _ = step()
      if tally.events > eventsMax { return fail("L4", "\(tally.events) events, and no end") }
    }
    if violation == nil && !isInconclusive && !isAtRest { fail("L1", "does not come to rest: " + unrest) }
  }

  private var isAtRest: Bool {
    guard hintsUnderWay == 0, server.group.isEmpty else { return false }
    return devices.indices.allSatisfy { device in
      !devices[device].isDown && devices[device].tabs.indices.allSatisfy { isAtRest(device, $0) }
    }
  }

  private func isAtRest(_ device: Int, _ tab: Int) -> Bool {
    devices[device].tabs[tab].isAtRest(devices[device].disks[devices[device].user].image.lastSequence)
  }

  private var unrest: String {
    var words: [String] = []
    for device in devices.indices {
      for tab in devices[device].tabs.indices where !isAtRest(device, tab) {
        let engine = devices[device].tabs[tab].engine!
        words.append("d\(device).\(tab) queued \(engine.queued.count), drafts \(engine.draftCount), sending \(engine.isSending), \(Text(engine.status.state.name).string), head \(engine.headSequence) of \(devices[device].disks[devices[device].user].image.lastSequence)")
      }
      if devices[device].isDown { words.append("d\(device) is down") }
    }
    return words.joined(separator: "; ")
  }

  /// L1, L2, S10, S23, S26: a device at rest has nothing queued, stands at the head, and shows what its user may see.
  mutating func audit(_ device: Int) {
    guard violation == nil, !isInconclusive else { return }
    let user = devices[device].user
    for tab in devices[device].tabs.indices {
      guard let engine = devices[device].tabs[tab].engine else { continue }
      tally.checks += 1
      let queue = engine.queued
      if !queue.isEmpty { return fail("L1", "device \(device) still queues \(queue.count) mutations, status \(Text(engine.status.state.name).string)") }
      if sum(engine) != oracle.views[user] { return fail("L2", "device \(device).\(tab): " + difference(engine, user)) }
      if engine.hasOverlays { return fail("S26", "device \(device) shows pending changes though nothing is pending") }
      for (scope, cursor) in engine.heldCursors where cursor.sequence != server.image.scope(scope)?.sequence ?? 0 {
        return fail("L1", "device \(device) stands at \(cursor.sequence) in \(scope.string), the head is \(server.image.scope(scope)?.sequence ?? 0)")
      }
      let status = engine.status.state
      if status != .synced && status != .attention { return fail("S23", "device \(device) has everything and shows \(Text(status.name).string)") }
      auditTray(device, engine)
    }
  }

  /// S10: each refusal stands in its author's tray until it is dismissed.
  private mutating func auditTray(_ device: Int, _ engine: ClientEngine) {
    let family = devices[device].families[devices[device].user]
    var held = engine.tray.map { Self.identity(family, $0.mutation) }
    // A clone may have been the one that offered it.
    for other in devices.indices where other != device {
      for user in devices[other].disks.indices where devices[other].families[user] == family {
        guard let clone = Self.load(devices[other].disks[user].image, apps[1]) else { continue }
        held += clone.tray.map { Self.identity(family, $0.mutation) }
      }
    }
    for index in issues.indices where issues[index].family == family && !issues[index].isExempt && !issues[index].isDismissed && issues[index].isSaved {
      let isRefused = oracle.judgedCount(index) > 0 ? !oracle.wasApplied(index) : issues[index].isParkedByDevice
      guard isRefused, !held.contains(issues[index].identity) else { continue }
      return fail("S10", "issue \(index) was refused, and its author never hears of it: \(issues[index].verb.text)")
    }
  }

  /// S01, S02, S10: each saved change was judged, once.
  private mutating func auditIssues() {
    for index in issues.indices where issues[index].isSaved && !issues[index].isExempt && !issues[index].isParkedByDevice && violation == nil && !isInconclusive {
      tally.checks += 1
      if oracle.judgedCount(index) != 1 && !hasTwin(index)
        && !(oracle.judgedCount(index) == 0 && (issues[index].isFoundParked || isInTray(index)))
      {
        fail("S02", "issue \(index) was saved and judged \(oracle.judgedCount(index)) times: \(issues[index].verb.text)")
      }
    }
  }

  /// Whether some tray holds an issue: parked by its device while the tab that made it was gone, so that nobody heard of it.
  private func isInTray(_ index: Int) -> Bool {
    let family = issues[index].family
    return devices.contains { device in
      device.families.indices.contains { user in
        guard device.families[user] == family, let engine = Self.load(device.disks[user].image, apps[1]) else { return false }
        return engine.tray.contains { Self.identity(family, $0.mutation) == issues[index].identity }
      }
    }
  }

  /// L2: a new device of the same user comes to hold the same.
  private mutating func auditNewcomer(_ user: Int) {
    guard violation == nil, !isInconclusive else { return }
    devices.append(
      SimDevice(
        appVersion: 2, session: user, user: user, disks: [SimDisk](repeating: SimDisk(), count: plan.grants.count),
        families: plan.grants.indices.map { familyCount + $0 }, images: [DiskImage?](repeating: nil, count: plan.grants.count), clockOffset: 0))
    familyCount += plan.grants.count
    openTab(devices.count - 1, 0)
    settle()
    audit(devices.count - 1)
  }

  /// S01, S26: an engine that is built from storage holds what the running one holds.
  private mutating func auditColdStart(_ device: Int) {
    guard violation == nil, !isInconclusive, let engine = devices[device].tabs[0].engine, isStrict || draw(.check, device) % 4 == 0 else { return }
    let tray = engine.tray.count
    closeTab(device, 0)
    openTab(device, 0)
    guard violation == nil, let cold = devices[device].tabs[0].engine else { return }
    tally.checks += 1
    if sum(cold) != oracle.views[devices[device].user] { return fail("S26", "device \(device) after a cold start: " + difference(cold, devices[device].user)) }
    if cold.tray.count != tray { return fail("S10", "device \(device) has \(cold.tray.count) in its tray after a cold start, \(tray) before") }
  }
}
