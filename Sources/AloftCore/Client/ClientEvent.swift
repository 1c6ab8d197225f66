// SPDX-License-Identifier: Apache-2.0
// What a host tells the client engine, and what the engine asks of the host. Nothing else crosses the border.

/// Something that happened outside the engine.
public enum ClientEvent: Sendable {
  /// Storage was read: state, pages and log rows were loaded.
  case opened(user: Text)
  /// The rows of the last persist effect are in storage; `through` is the last sequence written.
  case persisted(through: UInt64)
  /// Another context took the sequence; these are the log's rows behind our head.
  case persistConflict(tail: [LogRow])
  /// Rows that other contexts wrote, read after a hint.
  case foreignRows([LogRow])
  case persistFailed(reason: Text)
  /// An answer came: HTTP status, seconds of Retry-After (0 for none), body.
  case response(status: Int, retryAfterSeconds: UInt32, body: [UInt8])
  case transportFailed(TransportFailure)
  case timer
  case wake(WakeReason)
  /// The live channel says that a scope's log has reached this sequence.
  case hint(scope: Text, sequence: Sequence)
  /// The host is ready to write a compaction; `generation` is what storage holds now.
  case compact(generation: UInt64)
  case compacted(generation: UInt64)
}

/// A row of the local log with its sequence.
public struct LogRow: Sendable {
  public var sequence: UInt64
  public var bytes: [UInt8]

  public init(sequence: UInt64, bytes: [UInt8]) {
    self.sequence = sequence
    self.bytes = bytes
  }
}

/// Why no answer of ours came.
public enum TransportFailure: UInt8, Sendable {
  /// The platform says that there is no network.
  case offline
  /// There is a network, but the server does not answer.
  case unreachable
  /// Too slow: the answer did not come in time.
  case timeout
  /// Something else answered, such as a login page.
  case portal
  /// Another context of this device is syncing.
  case busy
}

/// Why it is worth trying again.
public enum WakeReason: UInt8, Sendable {
  case online, offline, visible, hint, tap, signedIn, retrySave
}

/// Something the host must do.
public enum ClientEffect: Sendable {
  /// Write these rows at `first`, `first + 1`, … in one transaction; strict when they hold the person's own changes or many outcomes.
  case persist(first: UInt64, isStrict: Bool, rows: [[UInt8]])
  /// POST this body to /sync.
  case send([UInt8])
  /// Send `.timer` after so many milliseconds; nil cancels.
  case timer(milliseconds: UInt32?)
  case notify(Notification)
  /// Read the generation in storage and send `.compact`.
  case wantCompact
  case compact(Compaction)
}

/// One atomic rewrite of local storage.
public struct Compaction: Sendable {
  public var expectedGeneration: UInt64
  public var generation: UInt64
  /// Log rows up to here may be deleted.
  public var deleteThrough: UInt64
  public var state: [UInt8]
  public var pages: [(number: UInt32, bytes: [UInt8])]
  public var removed: [UInt32]
}

/// What the app should hear.
public struct Notification: Sendable {
  public var status: ClientStatus?
  /// Mutations that are now durable on this device, in runs of consecutive tokens and final numbers, from these on.
  public var saved: [(token: UInt64, n: UInt64, count: Int)] = []
  public var outcomes: [(token: UInt64, n: UInt64, outcome: Outcome)] = []
  var live: [(id: Int, collection: Int, notice: LiveQuery.Notice)] = []
  public var isPendingChanged = false

  var isEmpty: Bool { status == nil && saved.isEmpty && outcomes.isEmpty && live.isEmpty && !isPendingChanged }
}

/// The one status model: every badge and word derives from it.
public struct ClientStatus: Equatable, Sendable {
  public enum State: UInt8, Sendable {
    case starting, synced, syncing, queued, offline, unreachable, portal, slow, signedOut, attention, notSaved

    public var name: StaticString {
      switch self {
      case .starting: "starting"
      case .synced: "synced"
      case .syncing: "syncing"
      case .queued: "queued"
      case .offline: "offline"
      case .unreachable: "unreachable"
      case .portal: "portal"
      case .slow: "slow"
      case .signedOut: "signedOut"
      case .attention: "attention"
      case .notSaved: "notSaved"
      }
    }
  }

  public var state: State
  /// Mutations that the server has not judged yet, unsaved ones included.
  public var queued: Int
  /// Refused or parked mutations that wait for a person, conflicts excluded.
  public var parked: Int
  public var conflicts: Int
  /// When the head was last reached, in milliseconds; 0 for never.
  public var lastSynced: Instant
  public var user: Text
}
