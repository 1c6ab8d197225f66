// SPDX-License-Identifier: Apache-2.0
// Flat storage of the text engine: columns of 32-bit numbers, and a heap of event numbers for walks over the graph.
//
// Why columns: checked flat arrays are as fast as raw pointers here and half the size of Int arrays, and one element type means
// one copy of the code in the browser module. Event numbers and lengths stay below 2^31, also where Int has 32 bits.

/// Numbers from 0 to 2^31 - 1 in 32 bits each.
struct TextColumn: Sendable, Equatable {
  var words: [UInt32] = []

  init() {}
  init(one value: Int) { append(value) }

  @inline(__always) var count: Int { words.count }
  @inline(__always) var isEmpty: Bool { words.isEmpty }
  /// The last number; the column must not be empty.
  @inline(__always) var last: Int { self[words.count - 1] }

  @inline(__always) subscript(index: Int) -> Int {
    get { Int(truncatingIfNeeded: words[index]) }
    set { words[index] = UInt32(truncatingIfNeeded: newValue) }
  }

  @inline(__always) mutating func append(_ value: Int) { words.append(UInt32(truncatingIfNeeded: value)) }

  /// Keeps the memory. Most columns emptied are short, and the library's way has its price.
  @inline(never) mutating func removeAll() {
    if words.count > 8 { words.removeAll(keepingCapacity: true) }
    while !words.isEmpty { words.removeLast() }
  }

  /// Keeps the first `count` numbers.
  mutating func truncate(_ count: Int) {
    if words.count > count { words.removeLast(words.count - count) }
  }

  /// Appends the same number several times.
  @inline(never) mutating func append(_ value: Int, times: Int) {
    words.reserveCapacity(times > words.count ? words.count + times : 0)
    var left = times
    while left > 0 {
      append(value)
      left -= 1
    }
  }

  @inline(never) mutating func insert(_ value: Int, at index: Int) {
    words.append(0)
    var place = words.count - 1
    while place > index {
      words[place] = words[place - 1]
      place -= 1
    }
    self[index] = value
  }

  @inline(never) mutating func remove(at index: Int) {
    var place = index
    while place + 1 < words.count {
      words[place] = words[place + 1]
      place += 1
    }
    words.removeLast()
  }

  /// The index of the last number that is at most `value` in an ascending column; -1 if there is none. Logarithmic; the last
  /// entry, asked for most of the time, is looked at first.
  @inline(never) func lastIndex(atMost value: Int) -> Int {
    if words.isEmpty || self[0] > value { return -1 }
    if last <= value { return words.count - 1 }
    return words.withUnsafeBufferPointer { words in
      // What is looked for is in `length` entries from `low` on. Without a branch: nobody can predict it.
      var low = 0
      var length = words.count
      while length > 1 {
        let half = length >> 1
        low = Int(truncatingIfNeeded: words[low &+ half]) <= value ? low &+ half : low
        length = length &- half
      }
      return low
    }
  }

  /// The same for a column that begins with at most `value`, when it is likely that the index is `near` or next to it.
  // Out of line only where each copy is downloaded.
  #if hasFeature(Embedded)
  @inline(never)
  #else
  @inline(__always)
  #endif
  func lastIndex(atMost value: Int, near: Int) -> Int {
    var index = min(near, words.count - 1)
    if self[index] > value, index > 0 { index -= 1 }
    if self[index] <= value {
      if index + 1 == words.count || self[index + 1] > value { return index }
      if index + 2 == words.count || self[index + 2] > value { return index + 1 }
    }
    return lastIndex(atMost: value)
  }

  /// Sorts by an order in which no two are equal (a heap: the library's sort is five times its code, for each use anew).
  @inline(never) mutating func sort(_ precedes: (Int, Int) -> Bool) {
    var end = words.count
    var root = end / 2
    while end > 1 {
      if root > 0 { root -= 1 } else {
        end -= 1
        words.swapAt(0, end)
      }
      var at = root
      while 2 * at + 1 < end {
        var below = 2 * at + 1
        if below + 1 < end, precedes(self[below], self[below + 1]) { below += 1 }
        if !precedes(self[at], self[below]) { break }
        words.swapAt(at, below)
        at = below
      }
    }
  }

  func contains(_ value: Int) -> Bool {
    var index = 0
    while index < words.count {
      if self[index] == value { return true }
      index += 1
    }
    return false
  }
}

/// The greatest of a changing set of words first. Words usually hold an event number shifted left, and flags below.
struct TextHeap: Sendable {
  private var words: [UInt64] = []
  private(set) var count = 0
  /// How many words were taken, since somebody began to count.
  var taken = 0

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
    taken &+= 1
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
