// SPDX-License-Identifier: Apache-2.0
// Limits on failed sign-ins, for each user and for each address, so that guessing takes longer than anybody has.

import Synchronization

/// Counts failures in windows of five minutes. Keeps at most 20,000 counters; the oldest window goes first.
final class SignInThrottle: Sendable {
  static let windowSeconds: Double = 300
  static let userFailuresMax = 10
  static let addressFailuresMax = 50

  private struct Counter {
    var failures: Int
    var endsAt: Double
  }

  private let counters = Mutex<[String: Counter]>([:])

  /// Seconds to wait when one of the two has failed too often; nil when an attempt is allowed.
  func waitSeconds(user: String, address: String, now: Double) -> Int? {
    counters.withLock { counters in
      var wait = 0.0
      for (key, maximum) in limits(user, address) {
        if let counter = counters[key], counter.endsAt > now, counter.failures >= maximum { wait = max(wait, counter.endsAt - now) }
      }
      return wait > 0 ? Int(wait.rounded(.up)) : nil
    }
  }

  /// An attempt counts from its start, so that many at once cannot slip through; a success gives it back.
  func begin(user: String, address: String, now: Double) { add(1, user, address, now) }
  func succeeded(user: String, address: String, now: Double) { add(-1, user, address, now) }

  private func limits(_ user: String, _ address: String) -> [(String, Int)] {
    [("u:" + user.prefix(64), Self.userFailuresMax), ("a:" + address, Self.addressFailuresMax)]
  }

  private func add(_ amount: Int, _ user: String, _ address: String, _ now: Double) {
    counters.withLock { counters in
      if counters.count > 20_000 { counters = counters.filter { $0.value.endsAt > now } }
      if counters.count > 20_000 { counters = [:] }
      for (key, _) in limits(user, address) {
        var counter = counters[key] ?? Counter(failures: 0, endsAt: 0)
        if counter.endsAt <= now { counter = Counter(failures: 0, endsAt: now + Self.windowSeconds) }
        counter.failures = max(0, counter.failures + amount)
        counters[key] = counter
      }
    }
  }
}
