// SPDX-License-Identifier: Apache-2.0
// Hybrid logical clock (Kulkarni and others, 2014): wall time that never runs backwards and respects cause and effect.

/// A moment given by a host: milliseconds since 1970. Engines never read a clock; they are told.
public typealias Instant = UInt64

/// A hybrid timestamp: wall milliseconds, and a counter for events within one.
public struct HybridTime: Hashable, Comparable, Sendable {
  public var milliseconds: UInt64
  public var counter: UInt32

  public init(milliseconds: UInt64, counter: UInt32 = 0) {
    self.milliseconds = milliseconds
    self.counter = counter
  }

  public static let zero = HybridTime(milliseconds: 0)

  public static func < (a: HybridTime, b: HybridTime) -> Bool {
    a.milliseconds == b.milliseconds ? a.counter < b.counter : a.milliseconds < b.milliseconds
  }
}

/// Gives timestamps that are later than every one it has given or seen.
public struct HybridClock: Sendable {
  /// How far ahead of the server's clock a timestamp may be before the server caps it.
  public static let skewMillisecondsMax: UInt64 = 60_000

  public private(set) var last: HybridTime

  public init(last: HybridTime = .zero) { self.last = last }

  /// A new timestamp for a local event.
  public mutating func tick(now: Instant) -> HybridTime {
    if now > last.milliseconds {
      last = HybridTime(milliseconds: now)
    } else if last.counter == .max {
      last = HybridTime(milliseconds: last.milliseconds + 1)
    } else {
      last.counter += 1
    }
    return last
  }

  /// Learns of a timestamp made elsewhere. One that lies further ahead of `now` than the allowed skew is ignored, so
  /// that a single broken clock cannot drag all others into the future.
  public mutating func observe(_ time: HybridTime, now: Instant) {
    if time > last && time.milliseconds <= now + Self.skewMillisecondsMax { last = time }
  }
}
