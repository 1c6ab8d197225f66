// SPDX-License-Identifier: Apache-2.0
// A change that a person made, followed from the screen to the server's judgement.
import AloftCore

/// What became of one mutation.
public final class Change: CustomStringConvertible {
  /// The action's name: `create`, `update`, … or one of the app's own.
  public let action: String
  /// The record that it writes first; empty when it writes none.
  public let record: String
  /// Whether it is on the device's disk.
  public internal(set) var isSaved = false
  /// The server's judgement; nil until it is known on the device.
  public internal(set) var outcome: Outcome?

  init(_ action: String, _ record: String) {
    self.action = action
    self.record = record
  }

  public var description: String { "\(action) \(record): " + (outcome?.words ?? (isSaved ? "queued" : "saving")) }
}

/// Something that is not settled: it waits for the server, or in the tray for its author.
public struct Pending: Sendable, CustomStringConvertible {
  /// Names it in `retry` and `discard`.
  public var number: UInt64
  public var action: String
  public var record: String
  /// Why it did not take effect; nil while it waits for the server.
  public var outcome: Outcome?

  public var isInTray: Bool { outcome != nil }
  public var isConflict: Bool { if case .conflict = outcome { true } else { false } }

  public var description: String { "\(action) \(record): \(outcome?.words ?? "waits")" }
}
