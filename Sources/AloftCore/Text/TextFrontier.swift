// SPDX-License-Identifier: Apache-2.0
// Where a walk from versions into their history is: which entries of the graph it has reached and not yet taken.
//
// A walk takes the newest entry first and reaches only older ones from there. So a bit for each entry serves as its queue, and what is
// reached on several ways is one entry. The bits are a ring, as long as what lies between the newest and the oldest entry reached.

/// A set of graph entries, each with the greatest event in it that either of two sides reached.
///
/// Reaching costs the same always, taking what lies between an entry and the next one in the set, divided by 32.
struct TextFrontier: Sendable {
  /// A bit for each entry, at its number's remainder by the size of the ring.
  private var bits = TextColumn()
  /// For each entry with its bit two numbers: the greatest event that each side reached, plus 1; 0 for none.
  private var reached = TextColumn()
  private var size = 0
  /// No entry of the set is newer than `top`, none older than `lowest`.
  private var top = 0
  private var lowest = 0
  private(set) var count = 0
  /// How many entries of the set both sides reached at the same event, so that all below is in the history of both.
  private(set) var shared = 0
  /// How many steps were made, since somebody began to count.
  var steps = 0

  /// Begins a walk in which no entry is newer than `top`.
  @inline(never) mutating func start(at top: Int) {
    bits.own()
    reached.own()
    if count > 0 {
      let bits = bits.unchecked()
      let last = size >> 5 - 1
      var index = self.top >> 5
      while index >= lowest >> 5 {
        bits[index & last] = 0
        index -= 1
      }
    }
    self.top = top
    lowest = top
    count = 0
    shared = 0
  }

  /// Adds an event of an entry for the sides with a bit in `sides`: 1, 2, or both.
  @inline(__always) mutating func reach(_ event: Int, in entry: Int, _ sides: Int) {
    if top - entry >= size { grow(to: top - entry + 1) }
    let (bits, reached) = (bits.unchecked(), reached.unchecked())
    let place = entry & (size - 1)
    let bit = 1 << (place & 31)
    let word = bits[place >> 5]
    if word & bit == 0 {
      bits[place >> 5] = word | bit
      count += 1
      lowest = min(lowest, entry)
      reached[2 * place] = sides & 1 != 0 ? event + 1 : 0
      reached[2 * place + 1] = sides & 2 != 0 ? event + 1 : 0
      if sides == 3 { shared += 1 }
      return
    }
    let a = reached[2 * place]
    let b = reached[2 * place + 1]
    let newA = sides & 1 != 0 ? max(a, event + 1) : a
    let newB = sides & 2 != 0 ? max(b, event + 1) : b
    reached[2 * place] = newA
    reached[2 * place + 1] = newB
    if a == b { shared -= 1 }
    if newA == newB { shared += 1 }
  }

  /// Takes the newest entry; there must be one. Gives the ends of what each side reached in it: the event after, or 0.
  @inline(never) mutating func take() -> (entry: Int, a: Int, b: Int) {
    let (bits, reached) = (bits.unchecked(), reached.unchecked())
    let place = top & (size - 1)
    var index = place >> 5
    // Where the ring goes round, newer bits than `top` in its word are the oldest.
    var word = UInt32(truncatingIfNeeded: bits[index]) & (~0 >> UInt32(truncatingIfNeeded: 31 - place & 31))
    while word == 0 {
      index = (index - 1) & (size >> 5 - 1)
      word = UInt32(truncatingIfNeeded: bits[index])
      steps += 1
    }
    let bit = 31 - word.leadingZeroBitCount
    let found = index << 5 | bit
    bits[index] = bits[index] & ~(1 << bit)
    top -= (place - found) & (size - 1)
    steps += 1
    count -= 1
    let (a, b) = (reached[2 * found], reached[2 * found + 1])
    if a == b { shared -= 1 }
    return (top, a, b)
  }

  @inline(never) private mutating func grow(to least: Int) {
    var old = self
    var newSize = 64
    while newSize < least { newSize *= 2 }
    self = TextFrontier()
    size = newSize
    top = old.top
    lowest = old.top
    steps = old.steps
    bits.append(0, times: newSize / 32)
    reached.append(0, times: 2 * newSize)
    while old.count > 0 {
      let (entry, a, b) = old.take()
      if a > 0 { reach(a - 1, in: entry, 1) }
      if b > 0 { reach(b - 1, in: entry, 2) }
    }
  }
}
