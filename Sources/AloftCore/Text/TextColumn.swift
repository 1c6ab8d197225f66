// SPDX-License-Identifier: Apache-2.0
// Flat storage of the text engine: columns of 32-bit numbers.
//
// Why not arrays: half the size of Int arrays, one element type, so one copy of the code in the browser module, and what appends is one
// function. A replay of concurrent events touches some hundred numbers for each run of events, where asking before every write whether
// anybody else holds the memory, and before every access whether it is inside, is half of the time in WebAssembly. There `own` asks once,
// and an `Unchecked` view is used from then on, which debug builds check.

/// Numbers from 0 to 2^32 - 1 (in WebAssembly, where Int has 32 bits, those from 2^31 on are negative) in 32 bits each. A value like an
/// array: copies share their memory until one of them changes.
struct TextColumn: @unchecked Sendable {
  /// With the number of words that it has room for.
  private typealias Storage = ManagedBuffer<Int, UInt32>

  /// There is one as soon as there is a number.
  private var storage: Storage?
  private(set) var count = 0

  @inline(__always) private var words: UnsafeMutablePointer<UInt32> { storage.unsafelyUnwrapped.withUnsafeMutablePointerToElements { $0 } }
  // Not `header` itself: that is checked for overlapping accesses at run time.
  @inline(__always) private var capacity: Int { storage.unsafelyUnwrapped.withUnsafeMutablePointerToHeader { $0.pointee } }

  init() {}
  init(one value: Int) { append(value) }

  @inline(__always) var isEmpty: Bool { count == 0 }
  /// The last number; the column must not be empty.
  @inline(__always) var last: Int { self[count - 1] }

  @inline(__always) subscript(index: Int) -> Int {
    get {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
      return storage.unsafelyUnwrapped.withUnsafeMutablePointerToElements { Int(truncatingIfNeeded: $0[index]) }
    }
    set { set(newValue, at: index) }
  }

  // Out of line only where each copy is downloaded.
  #if hasFeature(Embedded)
  @inline(never)
  #else
  @inline(__always)
  #endif
  private mutating func set(_ value: Int, at index: Int) {
    precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
    own()
    words[index] = UInt32(truncatingIfNeeded: value)
  }

  /// Every `stride`th number, the first at `offset`, without checks. Good while the column lives and does not grow; whoever writes must
  /// have called `own` since the column was copied.
  @inline(__always) func unchecked(_ offset: Int = 0, stride: Int = 1) -> Unchecked {
    Unchecked(first: words + offset, stride: stride, count: count - offset)
  }

  struct Unchecked {
    fileprivate let first: UnsafeMutablePointer<UInt32>
    fileprivate let stride: Int
    fileprivate let count: Int

    @inline(__always) subscript(index: Int) -> Int {
      get {
        assert(index >= 0 && index &* stride < count)
        return Int(truncatingIfNeeded: first[index &* stride])
      }
      nonmutating set {
        assert(index >= 0 && index &* stride < count)
        first[index &* stride] = UInt32(truncatingIfNeeded: newValue)
      }
    }
  }

  /// Makes the memory this column's own: copies it when a copy of the column holds it as well.
  @inline(__always) mutating func own() {
    if !isKnownUniquelyReferenced(&storage) { copy() }
  }

  @inline(never) private mutating func copy() {
    if storage != nil { move(to: count) }
  }

  private mutating func move(to capacity: Int) {
    let new = Storage.create(minimumCapacity: capacity) { _ in capacity }
    if count > 0 { new.withUnsafeMutablePointerToElements { TextColumn.copyWords(words, to: $0, count) } }
    storage = new
  }

  /// As bytes: the typed way is a loop where code is optimised for size.
  @inline(__always) private static func copyWords(_ from: UnsafeMutablePointer<UInt32>, to: UnsafeMutablePointer<UInt32>, _ count: Int) {
    UnsafeMutableRawPointer(to).copyMemory(from: from, byteCount: 4 * count)
  }

  /// Makes room for `added` more numbers in memory of its own.
  @inline(__always) private mutating func makeRoom(_ added: Int) {
    if !isKnownUniquelyReferenced(&storage) || capacity &- count < added { grow(added) }
  }

  @inline(never) private mutating func grow(_ added: Int) { move(to: max(count + added, count + count / 2, 4)) }

  // Out of line only where each copy is downloaded.
  #if hasFeature(Embedded)
  @inline(never)
  #else
  @inline(__always)
  #endif
  mutating func append(_ value: Int) { appendInline(value) }

  /// The same, for the few places where most of the appending is done.
  @inline(__always) mutating func appendInline(_ value: Int) {
    makeRoom(1)
    words[count] = UInt32(truncatingIfNeeded: value)
    count = count &+ 1
  }

  /// Appends the same number several times.
  @inline(never) mutating func append(_ value: Int, times: Int) {
    makeRoom(times)
    (words + count).initialize(repeating: UInt32(truncatingIfNeeded: value), count: times)
    count += times
  }

  /// Appends numbers that are not defined before they are written.
  @inline(__always) mutating func extend(by added: Int) {
    makeRoom(added)
    count = count &+ added
  }

  /// Keeps the memory, if nobody else holds it.
  @inline(never) mutating func removeAll() {
    count = 0
    if !isKnownUniquelyReferenced(&storage) { storage = nil }
  }

  /// Keeps the first `count` numbers.
  mutating func truncate(_ count: Int) {
    precondition(count >= 0)
    self.count = min(self.count, count)
  }

  @inline(never) mutating func insert(_ value: Int, at index: Int) {
    precondition(UInt(bitPattern: index) <= UInt(bitPattern: count))
    makeRoom(1)
    TextColumn.copyWords(words + index, to: words + index + 1, count - index)
    words[index] = UInt32(truncatingIfNeeded: value)
    count += 1
  }

  @inline(never) mutating func remove(at index: Int) {
    precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
    own()
    count -= 1
    TextColumn.copyWords(words + index + 1, to: words + index, count - index)
  }

  @inline(never) mutating func reverse() {
    own()
    var (low, high) = (0, count - 1)
    while low < high {
      swap(low, high)
      low += 1
      high -= 1
    }
  }

  private func swap(_ a: Int, _ b: Int) { (words[a], words[b]) = (words[b], words[a]) }

  /// The index of the last number that is at most `value` in an ascending column; -1 if there is none. Logarithmic; the last
  /// entry, asked for most of the time, is looked at first.
  @inline(never) func lastIndex(atMost value: Int) -> Int {
    if isEmpty || self[0] > value { return -1 }
    if last <= value { return count - 1 }
    return search(value, 0, count)
  }

  /// The last of `length` entries from `low` on that is at most `value`; the first one is.
  @inline(__always) private func search(_ value: Int, _ low: Int, _ length: Int) -> Int {
    precondition(low >= 0 && length >= 0 && low + length <= count)
    var (low, length) = (low, length)
    // Without a branch: nobody can predict it.
    while length > 1 {
      let half = length >> 1
      low = Int(truncatingIfNeeded: words[low &+ half]) <= value ? low &+ half : low
      length = length &- half
    }
    return low
  }

  /// The same for a column that begins with at most `value`, when it is likely that the index is not far from `near`: costs the
  /// logarithm of the distance.
  // Out of line only where each copy is downloaded.
  #if hasFeature(Embedded)
  @inline(never)
  #else
  @inline(__always)
  #endif
  func lastIndex(atMost value: Int, near: Int) -> Int {
    var index = min(near, count - 1)
    if self[index] > value, index > 0 { index -= 1 }
    if self[index] <= value {
      if index + 1 == count || self[index + 1] > value { return index }
      if index + 2 == count || self[index + 2] > value { return index + 1 }
    }
    return lastIndex(atMost: value, around: index)
  }

  @inline(never) private func lastIndex(atMost value: Int, around near: Int) -> Int {
    var low = near
    var step = 1
    if self[near] <= value {
      while low &+ step < count, self[low &+ step] <= value {
        low = low &+ step
        step = step &* 2
      }
    } else {
      while low > 0, self[low] > value {
        low = max(0, low &- step)
        step = step &* 2
      }
    }
    return search(value, low, min(step, count &- low))
  }

  /// Sorts by an order in which no two are equal (a heap: the library's sort is five times its code, for each use anew).
  @inline(never) mutating func sort(_ precedes: (Int, Int) -> Bool) {
    own()
    var end = count
    var root = end / 2
    while end > 1 {
      if root > 0 { root -= 1 } else {
        end -= 1
        swap(0, end)
      }
      var at = root
      while 2 * at + 1 < end {
        var below = 2 * at + 1
        if below + 1 < end, precedes(self[below], self[below + 1]) { below += 1 }
        if !precedes(self[at], self[below]) { break }
        swap(at, below)
        at = below
      }
    }
  }

  func contains(_ value: Int) -> Bool {
    var index = 0
    while index < count {
      if self[index] == value { return true }
      index += 1
    }
    return false
  }
}

extension TextColumn: Equatable {
  static func == (a: TextColumn, b: TextColumn) -> Bool {
    if a.count != b.count { return false }
    for index in 0..<a.count where a[index] != b[index] { return false }
    return true
  }
}
