// SPDX-License-Identifier: Apache-2.0
// Families of bad weather: which faults a generated plan may have.

import AloftCore

/// A family of faults. `calm` has none: any failure there is a plain bug, and its speed is the figure to quote.
public enum Profile: UInt8, CaseIterable, Sendable {
  case calm, lossy, partition, crash, disk, tabs, clone, clock, access, server, upgrade, swarm

  public var name: StaticString {
    switch self {
    case .calm: "calm"
    case .lossy: "lossy"
    case .partition: "partition"
    case .crash: "crash"
    case .disk: "disk"
    case .tabs: "tabs"
    case .clone: "clone"
    case .clock: "clock"
    case .access: "access"
    case .server: "server"
    case .upgrade: "upgrade"
    case .swarm: "swarm"
    }
  }

  /// The faults it draws from.
  var faults: [FaultKind] {
    switch self {
    case .calm: []
    case .lossy: [.dropRequest, .dropResponse, .duplicate, .slow, .portal, .serverError, .tooMany, .truncate, .staleAnswer]
    case .partition: [.offline, .dropRequest, .dropResponse, .slow]
    case .crash: [.crash, .powerCut, .serverCrash, .dropResponse]
    case .disk: [.diskFull, .slowDisk, .powerCut, .tear, .crash]
    case .tabs: [.freeze, .slowDisk, .crash, .dropResponse]
    case .clone: [.image, .rollBack, .clone, .wipe, .crash, .dropResponse]
    case .clock: [.clockJump, .serverClockJump, .offline]
    case .access: [.grant, .revoke, .signedOut, .offline, .duplicate, .expire]
    case .server: [.serverCrash, .backup, .restoreBackup, .expire, .serverError, .dropResponse]
    case .upgrade: [.upgrade, .offline, .crash]
    case .swarm: FaultKind.allCases
    }
  }

  public static func named(_ name: Text) -> Profile? { allCases.first { Text($0.name) == name } }
}
