// SPDX-License-Identifier: Apache-2.0
// What happened, as one number that two equal runs share, and as lines when somebody wants to read them.

import AloftCore

public struct Trace: Sendable {
  /// Only the newest lines are kept.
  private static let lineCountMax = 100_000

  /// 128 bits over everything that happened, in order.
  private var hash: (UInt64, UInt64) = (1, 2)
  /// Both halves as one number: equal runs have equal digests, in any process and on any platform.
  public var digest: UInt64 { Hash64.mix(hash.0 ^ Hash64.mix(hash.1)) }
  var isKept = false
  public private(set) var lines: [String] = []

  mutating func note(_ what: UInt64, _ a: UInt64 = 0, _ b: UInt64 = 0) {
    hash.0 = Hash64.mix(hash.0 ^ what &* 0x9E37_79B9_7F4A_7C15 ^ a)
    hash.1 = Hash64.mix(hash.1 &+ hash.0 ^ b)
  }

  mutating func line(_ text: @autoclosure () -> String) {
    guard isKept else { return }
    if lines.count >= Self.lineCountMax { lines.removeFirst(Self.lineCountMax / 2) }
    lines.append(text())
  }
}

extension World {
  /// Notes an event of a device; `words` are only made when somebody reads them.
  mutating func note(_ device: Int, _ tab: Int, _ what: UInt64, _ value: UInt64, _ words: @autoclosure () -> String) {
    trace.note(what << 32 | UInt64(device) << 8 | UInt64(tab), now, value)
    if trace.isKept {
      let engine = devices[device].tabs[tab].engine
      let state = engine.map { "n\($0.settledNumber) q\($0.queued.count) d\($0.draftCount) t\($0.tray.count) h\($0.headSequence)" } ?? "closed"
      trace.line("\(now) d\(device).\(tab) \(words()) [\(state)]")
    }
  }
}
