// SPDX-License-Identifier: Apache-2.0
// One small sort and one small set: the library's are faster on some inputs but ten times larger for each element type.

extension Array {
  /// The elements in order; equal ones keep theirs. Bottom-up merge sort: n log n comparisons in the worst case, one copy of space.
  func sortedStably(by precedes: (Element, Element) -> Bool) -> [Element] {
    if count < 2 { return self }
    var source = self
    var target = self
    var width = 1
    while width < count {
      var start = 0
      while start < count {
        let middle = Swift.min(start + width, count)
        let end = Swift.min(start + 2 * width, count)
        var left = start
        var right = middle
        var out = start
        // Runs already in order, common in append-only data, are copied without a walk.
        let isOrdered = middle == end || !precedes(source[middle], source[middle - 1])
        if isOrdered { right = end }
        while right < end && left < middle {
          if precedes(source[right], source[left]) {
            target[out] = source[right]
            right += 1
          } else {
            target[out] = source[left]
            left += 1
          }
          out += 1
        }
        // What is left of one run; when both were in order, of both.
        let leftEnd = isOrdered ? end : middle
        while left < leftEnd {
          target[out] = source[left]
          left += 1
          out += 1
        }
        while right < end {
          target[out] = source[right]
          right += 1
          out += 1
        }
        start += 2 * width
      }
      swap(&source, &target)
      width *= 2
    }
    return source
  }

  mutating func sortStably(by precedes: (Element, Element) -> Bool) { self = sortedStably(by: precedes) }
}

/// A set of small numbers as a sorted array: built once, asked often.
struct SlotSet {
  private let sorted: [UInt32]

  init(_ slots: [UInt32]) { sorted = slots.sortedStably(by: <) }

  func contains(_ slot: UInt32) -> Bool {
    var low = 0
    var high = sorted.count
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < slot { low = middle + 1 } else { high = middle }
    }
    return low < sorted.count && sorted[low] == slot
  }
}
