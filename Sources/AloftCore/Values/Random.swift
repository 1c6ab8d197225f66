// SPDX-License-Identifier: Apache-2.0
// The one random generator: seeded by an argument, integers only, equal on every platform.

/// xoshiro256** (Blackman and Vigna, 2018). The host supplies 32 bytes of real entropy; a simulator supplies a seed.
public struct Random: RandomNumberGenerator, Sendable {
  private var s0: UInt64
  private var s1: UInt64
  private var s2: UInt64
  private var s3: UInt64

  /// Starts from four words; all-zero state, which the generator cannot leave, is replaced.
  public init(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) {
    (s0, s1, s2, s3) = a | b | c | d == 0 ? (1, 2, 3, 4) : (a, b, c, d)
  }

  public init(seed: UInt64) {
    self.init(Hash64.mix(seed &+ 1), Hash64.mix(seed &+ 2), Hash64.mix(seed &+ 3), Hash64.mix(seed &+ 4))
  }

  public mutating func next() -> UInt64 {
    let result = rotate(s1 &* 5, 7) &* 9
    let t = s1 << 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    s3 = rotate(s3, 45)
    return result
  }

  /// A number in 0..<bound; 0 when the bound is 0. The bias is below 2^-32 for bounds below 2^32.
  public mutating func below(_ bound: UInt64) -> UInt64 {
    bound == 0 ? 0 : next().multipliedFullWidth(by: bound).high
  }

  private func rotate(_ x: UInt64, _ k: UInt64) -> UInt64 { x << k | x >> (64 - k) }
}
