// SPDX-License-Identifier: Apache-2.0
// A heap of words: what a walk looks at next.

/// The greatest of a changing set of words first. Words usually hold an event number shifted left, and flags below.
struct TextHeap: Sendable {
  private var words: [UInt64] = []
  private(set) var count = 0

  @inline(__always) var isEmpty: Bool { count == 0 }
  /// The greatest word; the heap must not be empty.
  @inline(__always) var top: UInt64 { words[0] }

  @inline(__always) mutating func removeAll() { count = 0 }

  @inline(never) mutating func push(_ word: UInt64) {
    if count == words.count { words.append(word) }
    words.withUnsafeMutableBufferPointer { words in
      var place = count
      while place > 0 {
        let above = (place &- 1) >> 1
        if words[above] >= word { break }
        words[place] = words[above]
        place = above
      }
      words[place] = word
    }
    count += 1
  }

  /// Takes the greatest word; the heap must not be empty.
  @inline(never) mutating func pop() -> UInt64 {
    let result = words[0]
    count -= 1
    let word = words[count]
    words.withUnsafeMutableBufferPointer { words in
      var place = 0
      while true {
        var below = 2 &* place &+ 1
        if below >= count { break }
        if below &+ 1 < count, words[below &+ 1] > words[below] { below = below &+ 1 }
        if words[below] <= word { break }
        words[place] = words[below]
        place = below
      }
      words[place] = word
    }
    return result
  }
}
