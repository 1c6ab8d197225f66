// SPDX-License-Identifier: Apache-2.0
// A longer history from a short one, as the Eg-walker paper makes them.

extension Trace {
  /// The history, which ends with a text, so many times, one after the other: each is typed before the text of those before it.
  public func repeated(_ times: Int, endingWith text: [UInt8]) -> Trace {
    var result = self
    var numbers = [Int](repeating: 0, count: agents.count)
    for item in transactions { numbers[item.agent] = max(numbers[item.agent], item.firstNumber + item.end - item.start) }
    let inner = Set(transactions.flatMap(\.parents))
    let heads = transactions.map { $0.end - 1 }.filter { !inner.contains($0) }
    for round in 1..<times {
      for item in transactions {
        var copy = item
        copy.firstNumber += round * numbers[item.agent]
        copy.start += round * eventCount
        copy.end += round * eventCount
        copy.parents = item.parents.isEmpty ? heads.map { $0 + (round - 1) * eventCount } : item.parents.map { $0 + round * eventCount }
        result.transactions.append(copy)
      }
    }
    result.eventCount *= times
    result.finalText = (0..<times).flatMap { _ in text }
    return result
  }

  /// The edits in order, as `TextReplay` wants them.
  public var edits: [UInt8] {
    let patches = transactions.flatMap(\.patches)
    var words = [patches.count]
    for patch in patches { words += [patch.place, patch.deleted, patch.inserted.count] }
    return words.flatMap { word in (0..<4).map { UInt8(word >> (8 * $0) & 255) } } + patches.flatMap(\.inserted)
  }
}
