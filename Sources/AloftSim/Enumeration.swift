// SPDX-License-Identifier: Apache-2.0
// Small plans, taken apart: a death of a device before each single effect, and the same plan in other circumstances.

import AloftCore

/// Tries what sampling may miss: in a small plan, every place where a device can die.
///
/// A world is a value, so each death is a fork of the world at the event that leads to it, not a run from the beginning.
public struct CrashEnumeration {
  /// How many deaths were tried.
  public private(set) var deathCount = 0
  /// What the first one broke, with the number of the effect and whether the power was cut.
  public private(set) var failure: (violation: Violation, effect: Int, isPowerCut: Bool)?

  /// Runs the plan once for each effect and each of the two ways to die, with every check.
  public init(_ plan: Plan) {
    var world = World(plan: plan, isStrict: true)
    var before = world
    while world.advanceByOneEvent() {
      for effect in before.effectCount + 1..<world.effectCount + 1 {
        for isPowerCut in [false, true] {
          var fork = before
          fork.doom = Doom(effect: effect, isPowerCut: isPowerCut)
          fork.run()
          deathCount += 1
          guard let violation = fork.violation else { continue }
          failure = (violation, effect, isPowerCut)
          return
        }
      }
      before = world
    }
  }
}

/// The same plan in other circumstances must come to the same end: no oracle is needed to see that.
///
/// Only plans whose operations leave each other time have one end whatever the circumstances are.
public enum Circumstance: CaseIterable, Sendable {
  /// One change a request, answers of a few rows, no group.
  case onePerRequest
  /// The server waits and commits everything that came meanwhile.
  case largeGroups
  /// Every device folds its log after each change.
  case compactions
  /// Every request arrives twice.
  case doubled
  /// Every device dies after each change.
  case restarts
  /// Two tabs take turns.
  case tabs

  func applied(to calm: Plan) -> Plan {
    var plan = calm
    let end = (plan.ops.last?.at ?? 0) + 1
    switch self {
    case .onePerRequest:
      plan.settings.requestMutations = 1
      plan.settings.answerBytes = 200
      plan.settings.groupDelay = 0
    case .largeGroups: plan.settings.groupDelay = 400
    case .compactions:
      plan.ops = plan.ops.flatMap { $0.verb == .tap ? [$0] : [$0, PlanOp(at: $0.at + 2_000, device: $0.device, tab: $0.tab, verb: .compact)] }
    case .doubled:
      for device in plan.devices.indices { plan.faults.append(PlanFault(from: 0, to: end, kind: .duplicate, device: device, value: 1000)) }
    case .restarts:
      for op in plan.ops where op.verb != .tap { plan.faults.append(PlanFault(from: op.at + 3_000, to: op.at + 3_000, kind: .crash, device: op.device, value: 0)) }
    case .tabs:
      let opening = plan.devices.indices.map { PlanOp(at: 1, device: $0, tab: 0, verb: .openTab) }
      plan.ops = opening + plan.ops.map { $0.verb == .tap ? $0 : PlanOp(at: $0.at, device: $0.device, tab: Int($0.at / 20_000 % 2), verb: $0.verb) }
    }
    return plan
  }

  /// What differs at the end of a plan in some circumstance, in words; nil when nothing does.
  /// - Parameter plan: its operations are spread out first, so that each is over before the next begins.
  public static func difference(in plan: Plan) -> String? {
    let calm = plan.spreadOut
    var world = World(plan: calm, isStrict: true)
    world.run()
    if let violation = world.violation { return "as it is: \(Text(violation.invariant).string) \(violation.text.string)" }
    for circumstance in allCases {
      var other = World(plan: circumstance.applied(to: calm), isStrict: true)
      other.run()
      if let violation = other.violation { return "\(circumstance.word): \(Text(violation.invariant).string) \(violation.text.string)" }
      if other.isInconclusive || world.isInconclusive { continue }
      if other.endState != world.endState { return "\(circumstance.word): another end" }
    }
    return nil
  }

  private var word: String {
    switch self {
    case .onePerRequest: "one change a request"
    case .largeGroups: "large groups"
    case .compactions: "compactions"
    case .doubled: "doubled requests"
    case .restarts: "restarts"
    case .tabs: "two tabs"
    }
  }
}

extension Plan {
  /// The same operations, 20 s apart, without faults. Before each of them every tab looks for what is new, since a live channel may
  /// have lost a hint.
  var spreadOut: Plan {
    var plan = self
    plan.faults = []
    plan.settings = PlanSettings()
    plan.ops = ops.enumerated().flatMap { number, op in
      let at = UInt64(number + 1) * 20_000
      let taps = devices.indices.flatMap { device in (0..<2).map { PlanOp(at: at - 8_000, device: device, tab: $0, verb: .tap) } }
      return taps + [PlanOp(at: at, device: op.device, tab: 0, verb: op.verb)]
    }
    return plan
  }

  /// The first operations, and the faults that begin before they are over.
  public func prefix(_ count: Int) -> Plan {
    var plan = self
    plan.ops = Array(plan.ops.prefix(count))
    let end = (plan.ops.last?.at ?? 0) + 1_000
    plan.faults.removeAll { $0.from > end }
    for fault in plan.faults.indices { plan.faults[fault].to = min(plan.faults[fault].to, end) }
    return plan
  }
}

extension World {
  /// A number for what each person may see in the end.
  var endState: UInt64 { oracle.views.enumerated().reduce(0) { Hash64.mix($0 &+ $1.element &+ UInt64($1.offset)) } }

  /// Goes on by one event of the chaos phase. False when it is over.
  fileprivate mutating func advanceByOneEvent() -> Bool {
    guard let next = heap.nextTime, next <= chaosEnd else { return false }
    return step()
  }
}
