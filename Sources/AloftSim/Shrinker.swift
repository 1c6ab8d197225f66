// SPDX-License-Identifier: Apache-2.0
// From a plan that breaks a promise to a small one that breaks the same promise: delta debugging.
//
// What is drawn in a run is a hash of the seed, the purpose, the actor and the moment. So what is left of a plan behaves as before
// when a part of it is taken out, and most parts can be.

import AloftCore

public struct Shrinker {
  /// The smallest plan so far.
  public private(set) var plan: Plan
  /// What it breaks.
  public private(set) var violation: Violation
  /// How many plans were tried.
  public private(set) var runCount = 0
  private let runCountMax: Int
  private let hasCanary: Bool
  private let isStrict: Bool

  /// Runs the plan with every check; nil when it breaks nothing.
  /// - Parameters:
  ///   - runCountMax: the most plans to try.
  ///   - isStrict: makes every check. A run without end is too long for that.
  public init?(_ plan: Plan, isStrict: Bool = true, hasCanary: Bool = false, runCountMax: Int = 800) {
    guard let violation = Self.violation(of: plan, isStrict, hasCanary) else { return nil }
    self.plan = plan
    self.violation = violation
    self.hasCanary = hasCanary
    self.isStrict = isStrict
    self.runCountMax = runCountMax
  }

  private static func violation(of plan: Plan, _ isStrict: Bool, _ hasCanary: Bool) -> Violation? {
    var world = World(plan: plan, isStrict: isStrict, hasCanary: hasCanary)
    world.run()
    return world.violation
  }

  /// Makes the plan as small as it gets: large parts first, then small ones, until a round finds nothing more.
  public mutating func shrink() {
    cutEnd()
    var before: Plan
    repeat {
      before = plan
      dropDevices()
      dropPeople()
      dropFaultKinds()
      dropFaults()
      dropRecords()
      dropOps()
      dropChanges()
      simplifySettings()
      simplifyValues()
      shortenWindows()
      shortenDelays()
    } while plan != before && runCount < runCountMax
  }

  /// Takes the candidate when it breaks the same promise.
  @discardableResult
  private mutating func accept(_ candidate: Plan) -> Bool {
    guard candidate != plan, runCount < runCountMax else { return false }
    runCount += 1
    guard let found = Self.violation(of: candidate, isStrict, hasCanary), Text(found.invariant) == Text(violation.invariant) else { return false }
    plan = candidate
    violation = found
    return true
  }

  /// Drops halves of a list, then quarters, down to single elements, from the end: what comes later depends on what came before.
  private mutating func drop(_ count: (Plan) -> Int, _ remove: (inout Plan, Range<Int>) -> Void) {
    var size = max(1, count(plan) / 2)
    while runCount < runCountMax {
      var end = count(plan)
      while end > 0 {
        let start = max(0, end - size)
        var candidate = plan
        remove(&candidate, start..<end)
        accept(candidate)
        end = min(start, count(plan))
      }
      if size == 1 { return }
      size /= 2
    }
  }

  // MARK: large parts

  /// What begins after the promise was broken cannot matter, unless it was broken at rest.
  private mutating func cutEnd() {
    var candidate = plan
    candidate.ops.removeAll { $0.at > violation.at }
    candidate.faults.removeAll { $0.from > violation.at }
    accept(candidate)
  }

  private mutating func dropDevices() {
    for device in plan.devices.indices.reversed() {
      if plan.devices.count > 1, accept(plan.without(device: device)) { continue }
      accept(plan.idling(device: device))
    }
  }

  /// People without a device, and spaces.
  private mutating func dropPeople() {
    for user in plan.grants.indices.reversed() where !plan.devices.contains(where: { $0.user == user }) {
      if plan.grants.count > 1 { accept(plan.without(user: user)) }
    }
    while plan.spaceCount > 1 {
      var candidate = plan
      for user in candidate.grants.indices { candidate.grants[user].removeLast() }
      if !accept(candidate) { return }
    }
  }

  private mutating func dropFaultKinds() {
    for kind in FaultKind.allCases {
      var candidate = plan
      candidate.faults.removeAll { $0.kind == kind }
      accept(candidate)
    }
  }

  /// Whole records with everything that is done to them: most have nothing to do with what went wrong.
  private mutating func dropRecords() {
    drop({ $0.records.count }) { plan, range in
      let dropped = plan.records[range]
      plan.ops.removeAll { op in op.verb.writes.contains { dropped.contains($0.key) } }
    }
  }

  private mutating func dropFaults() { drop({ $0.faults.count }) { $0.faults.removeSubrange($1) } }
  private mutating func dropOps() { drop({ $0.ops.count }) { $0.ops.removeSubrange($1) } }

  // MARK: small parts

  private mutating func dropChanges() {
    for op in plan.ops.indices {
      drop({ $0.ops[op].verb.changes.count }) { $0.ops[op].verb.changes.removeSubrange($1) }
    }
  }

  private mutating func simplifySettings() {
    let plain = PlanSettings()
    var candidate = plan
    candidate.settings = plain
    if accept(candidate) { return }
    for number in 0..<5 {
      candidate = plan
      switch number {
      case 0: candidate.settings.latency = plain.latency
      case 1: candidate.settings.writeDelay = plain.writeDelay
      case 2: candidate.settings.groupDelay = plain.groupDelay
      case 3: candidate.settings.answerBytes = plain.answerBytes
      default: candidate.settings.requestMutations = plain.requestMutations
      }
      accept(candidate)
    }
    for device in plan.devices.indices {
      candidate = plan
      candidate.devices[device].clockOffset = 0
      accept(candidate)
      candidate = plan
      candidate.devices[device].appVersion = 2
      accept(candidate)
    }
  }

  private mutating func simplifyValues() {
    for op in plan.ops.indices {
      if plan.ops[op].tab > 0 {
        var candidate = plan
        candidate.ops[op].tab = 0
        accept(candidate)
      }
      for change in plan.ops[op].verb.changes.indices {
        var candidate = plan
        candidate.ops[op].verb.changes[change].effect = plan.ops[op].verb.changes[change].effect.simplified
        accept(candidate)
      }
    }
  }

  private mutating func shortenWindows() {
    for fault in plan.faults.indices {
      while plan.faults[fault].to > plan.faults[fault].from {
        var candidate = plan
        candidate.faults[fault].to -= (candidate.faults[fault].to - candidate.faults[fault].from + 1) / 2
        if !accept(candidate) { break }
      }
    }
  }

  /// Moves everything from an operation on nearer to what precedes it.
  private mutating func shortenDelays() {
    for op in plan.ops.indices {
      let previous = op == 0 ? 0 : plan.ops[op - 1].at
      guard plan.ops[op].at > previous + 1 else { continue }
      let gap = plan.ops[op].at - previous
      for left in [1, gap / 10, gap / 2] where left > 0 && left < gap {
        if accept(plan.earlier(by: gap - left, from: plan.ops[op].at)) { break }
      }
    }
  }
}

// MARK: plans without a part

extension Plan {
  /// The records that operations write.
  fileprivate var records: [RecordKey] {
    var (seen, records): (Set<RecordKey>, [RecordKey]) = ([], [])
    for op in ops { for write in op.verb.writes where seen.insert(write.key).inserted { records.append(write.key) } }
    return records
  }

  /// Without a device; those behind it move up.
  fileprivate func without(device: Int) -> Plan {
    var plan = idling(device: device)
    plan.devices.remove(at: device)
    for op in plan.ops.indices where plan.ops[op].device > device { plan.ops[op].device -= 1 }
    for fault in plan.faults.indices where plan.faults[fault].device > device { plan.faults[fault].device -= 1 }
    for fault in plan.faults.indices where plan.faults[fault].device >= plan.devices.count { plan.faults[fault].device = 0 }
    return plan
  }

  /// Without a person who has no device; those behind them move up.
  fileprivate func without(user: Int) -> Plan {
    var plan = self
    plan.grants.remove(at: user)
    for device in plan.devices.indices where plan.devices[device].user > user { plan.devices[device].user -= 1 }
    plan.ops.removeAll { $0.verb == .signIn(user) }
    for op in plan.ops.indices {
      if case .signIn(let other) = plan.ops[op].verb, other > user { plan.ops[op].verb = .signIn(other - 1) }
    }
    func grantee(_ fault: PlanFault) -> Int? { fault.kind == .grant || fault.kind == .revoke ? Int(fault.value / 100) : nil }
    plan.faults.removeAll { grantee($0) == user }
    for fault in plan.faults.indices where grantee(plan.faults[fault]) ?? 0 > user { plan.faults[fault].value -= 100 }
    // A lost session may be followed by another person's: 0 is nobody's, 1 the first person's.
    for fault in plan.faults.indices where plan.faults[fault].kind == .signedOut {
      if plan.faults[fault].value == Int64(user) + 1 { plan.faults[fault].value = 0 }
      if plan.faults[fault].value > Int64(user) + 1 { plan.faults[fault].value -= 1 }
    }
    return plan
  }

  /// With a device that nobody touches and nothing befalls.
  fileprivate func idling(device: Int) -> Plan {
    var plan = self
    plan.ops.removeAll { $0.device == device }
    plan.faults.removeAll { $0.device == device && !$0.kind.isServers }
    return plan
  }

  /// With everything from a time on moved towards the beginning.
  func earlier(by distance: UInt64, from start: UInt64) -> Plan {
    var plan = self
    for op in plan.ops.indices where plan.ops[op].at >= start { plan.ops[op].at -= distance }
    for fault in plan.faults.indices {
      if plan.faults[fault].from >= start {
        plan.faults[fault].from -= distance
        plan.faults[fault].to -= distance
      } else if plan.faults[fault].to >= start {
        plan.faults[fault].to = max(plan.faults[fault].to - distance, plan.faults[fault].from)
      }
    }
    return plan
  }
}

extension Verb {
  /// What it does to fields; empty for verbs that do nothing to any.
  fileprivate var changes: [SimChange] {
    get {
      switch self {
      case .create(_, _, let changes), .update(_, _, let changes), .resolve(_, _, let changes): changes
      case .delete, .restore, .stamp, .pair, .retry, .discard, .tap, .compact, .openTab, .closeTab, .signOut, .signIn: []
      }
    }
    set {
      switch self {
      case .create(let collection, let key, _): self = .create(collection, key, newValue)
      case .update(let collection, let key, _): self = .update(collection, key, newValue)
      case .resolve(let collection, let key, _): self = .resolve(collection, key, newValue)
      case .delete, .restore, .stamp, .pair, .retry, .discard, .tap, .compact, .openTab, .closeTab, .signOut, .signIn: break
      }
    }
  }
}

extension SimChange.Effect {
  /// The plainest effect of its kind.
  fileprivate var simplified: SimChange.Effect {
    switch self {
    case .set: .set(0)
    case .clear: .clear
    case .add: .add(1)
    case .type: .type(0)
    case .alter(let add, let remove): .alter(add: Array(add.prefix(1)), remove: Array(remove.prefix(1)))
    }
  }
}
