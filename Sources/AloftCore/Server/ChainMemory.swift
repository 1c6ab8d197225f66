// SPDX-License-Identifier: Apache-2.0
// What the server remembers of a device's hash chain: enough to recognise mutations that it has judged before.
//
// Why: a device whose storage went back in time offers again what it had sent. Equal chains mean equal histories, so one hash that
// matches vouches for every mutation up to it, and those get their first outcomes instead of being judged twice.
// Why thinned out: a device forgets little as a rule, so the newest numbers are kept one by one, older ones ever more sparsely.
// That takes at most 576 bytes a device, and no row of its own that each commit would have to write.

extension DeviceState {
  /// Numbers that lie further back than this are not recognised.
  static let memoryReach: UInt64 = 4_096

  /// Whether the chain after `n` is the one that the server judged; nil when that is not remembered.
  func agrees(_ n: UInt64, _ hash: UInt64) -> Bool? {
    if n == head { return hash == self.hash }
    var answer: Bool?
    eachRemembered { known, half in
      if known == n { answer = half == UInt32(truncatingIfNeeded: hash) }
      return known > n
    }
    return answer
  }

  /// How many of the mutations from number `first` on, with these chains after them, the server has judged before. Up to the last
  /// one that is remembered and agrees; when in doubt, fewer.
  func recognised(_ chains: [UInt64], from first: UInt64) -> Int {
    var count = 0
    eachRemembered { n, half in
      guard n >= first else { return false }
      guard n - first < UInt64(chains.count) else { return true }
      let index = Int(n - first)
      let agrees = n == head ? chains[index] == hash : half == UInt32(truncatingIfNeeded: chains[index])
      if agrees { count = index + 1 }
      return !agrees
    }
    return count
  }

  /// Takes in the chains after the mutations that were judged since `old`, one for each number from `old.head + 1` to `head`.
  mutating func remember(_ chains: [UInt64], after old: DeviceState) {
    if chains.isEmpty { return }
    var halves: [(n: UInt64, half: UInt32)] = []
    old.eachRemembered { n, half in
      halves.append((n, half))
      return true
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(recent.count + 16)
    var place = 0
    var n = head
    while n > 0, head - n < Self.memoryReach {
      var half: UInt32 = 0
      if n > old.head {
        half = UInt32(truncatingIfNeeded: chains[Int(n - old.head - 1)])
      } else {
        while place < halves.count, halves[place].n > n { place += 1 }
        guard place < halves.count, halves[place].n == n else { break }
        half = halves[place].half
      }
      for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: half >> shift)) }
      n = below(n)
    }
    recent = bytes
  }

  /// The remembered numbers, newest first, each with the low half of the chain after it, until the body answers false.
  private func eachRemembered(_ body: (_ n: UInt64, _ half: UInt32) -> Bool) {
    var index = 0
    var n = head
    while n > 0, index + 4 <= recent.count {
      var half: UInt32 = 0
      for offset in 0..<4 { half |= UInt32(recent[index + offset]) << UInt32(offset * 8) }
      guard body(n, half) else { return }
      index += 4
      n = below(n)
    }
  }

  /// The next number to remember below `n`: every one within 32 of the head, every second within 64, every fourth within 128, and
  /// so on. A number that is remembered under a later head is remembered under each head before it.
  private func below(_ n: UInt64) -> UInt64 {
    var n = n - 1
    while true {
      let distance = head - n
      let step: UInt64 = distance < 32 ? 1 : 1 << UInt64(59 - distance.leadingZeroBitCount)
      if n & (step - 1) == 0 { return n }
      n &= ~(step - 1)
    }
  }
}
