// SPDX-License-Identifier: Apache-2.0
// A plan: everything that happens to a run from outside, as data. The same plan gives the same run, event by event.

import AloftCore

/// What a change does to a field.
public struct SimChange: Equatable, Sendable {
  public enum Effect: Equatable, Sendable {
    /// A word, number or space by its code; see `SimWords`.
    case set(Int64)
    case clear
    case add(Int64)
    case alter(add: [Int64], remove: [Int64])
    /// Typing somewhere in a text; the number decides where and how much, on the text that stands there then.
    case type(Int64)
  }

  public var field: SimField
  public var effect: Effect
}

/// What a person does.
public enum Verb: Equatable, Sendable {
  case create(Int, Int, [SimChange])
  case update(Int, Int, [SimChange])
  /// The same as an update, by the action that the conflict chooser calls.
  case resolve(Int, Int, [SimChange])
  case delete(Int, Int)
  case restore(Int, Int)
  case stamp(Int, Int64)
  case pair(Int, Int, Int64)
  /// The n-th entry of the tray, if there is one.
  case retry(Int)
  case discard(Int)
  case tap
  case compact
  case openTab
  case closeTab
  case signOut
  case signIn(Int)
}

/// Something that a person does at a time.
public struct PlanOp: Equatable, Sendable {
  /// Milliseconds since the run began.
  public var at: UInt64
  public var device: Int
  /// 0 for the first tab, 1 for the second; what is not open leaves it to the other.
  public var tab: Int
  public var verb: Verb
}

/// The ways in which the world goes wrong. Windows have a rate in thousandths; the others happen once, when they begin.
public enum FaultKind: UInt8, CaseIterable, Sendable {
  // Windows over a device's network; `value` is the rate in thousandths.
  case offline, dropRequest, dropResponse, duplicate, slow, portal, serverError, tooMany, truncate, signedOut, staleAnswer, freeze
  // Windows over a device's storage.
  case diskFull, slowDisk
  // Points on a device; `value` names an image, a device or an amount of milliseconds.
  case crash, powerCut, wipe, image, rollBack, clone, clockJump, tear
  // Points on the server; `value` names a user and a space, a version, or an amount.
  case serverCrash, serverClockJump, backup, restoreBackup, grant, revoke, upgrade, expire

  public var name: StaticString {
    switch self {
    case .offline: "offline"
    case .dropRequest: "drop-request"
    case .dropResponse: "drop-response"
    case .duplicate: "duplicate"
    case .slow: "slow"
    case .portal: "portal"
    case .serverError: "server-error"
    case .tooMany: "too-many"
    case .truncate: "truncate"
    case .signedOut: "signed-out"
    case .staleAnswer: "stale-answer"
    case .freeze: "freeze"
    case .diskFull: "disk-full"
    case .slowDisk: "slow-disk"
    case .crash: "crash"
    case .powerCut: "power-cut"
    case .wipe: "wipe"
    case .image: "image"
    case .rollBack: "roll-back"
    case .clone: "clone"
    case .clockJump: "clock-jump"
    case .tear: "tear"
    case .serverCrash: "server-crash"
    case .serverClockJump: "server-clock-jump"
    case .backup: "backup"
    case .restoreBackup: "restore-backup"
    case .grant: "grant"
    case .revoke: "revoke"
    case .upgrade: "upgrade"
    case .expire: "expire"
    }
  }

  /// Whether it lasts.
  var isWindow: Bool { rawValue <= FaultKind.slowDisk.rawValue }

  /// Whether it befalls the server, whatever the device.
  var isServers: Bool { rawValue >= FaultKind.serverCrash.rawValue }
}

/// One thing that goes wrong.
public struct PlanFault: Equatable, Sendable {
  public var from: UInt64
  /// Equal to `from` for what happens once.
  public var to: UInt64
  public var kind: FaultKind
  /// The device it befalls; the server's faults ignore it.
  public var device: Int
  public var value: Int64
}

/// A simulated person's device.
public struct PlanDevice: Equatable, Sendable {
  public var user: Int
  /// How far the clock is off, in milliseconds.
  public var clockOffset: Int64
  public var appVersion: Int
}

/// How the run's machinery is set: small limits drive the code into rare states.
public struct PlanSettings: Equatable, Sendable {
  /// Milliseconds one way.
  public var latency: UInt64 = 20
  /// Milliseconds that a write takes at most.
  public var writeDelay: UInt64 = 4
  /// How long the server gathers pushes before a commit.
  public var groupDelay: UInt64 = 2
  /// About how many bytes of rows an answer holds.
  public var answerBytes = 1 << 20
  /// How many mutations a request holds.
  public var requestMutations = 1000
  public var serverVersion = 2

  public init() {}
}

public struct Plan: Equatable, Sendable {
  public var seed: UInt64
  public var profile: Profile
  public var schema: SimSchema
  public var settings = PlanSettings()
  /// For each user the role in each space: 0 none, 1 member, 2 boss.
  public var grants: [[UInt8]] = []
  public var devices: [PlanDevice] = []
  public var ops: [PlanOp] = []
  public var faults: [PlanFault] = []

  public var spaceCount: Int { grants.first?.count ?? 0 }
}
