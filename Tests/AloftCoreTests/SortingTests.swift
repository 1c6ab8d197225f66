// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import AloftCore

@Suite("Sorting")
struct SortingTests {
  @Test("every small input and many random ones come out as the library sorts them, ties in their order")
  func agreesWithTheLibrary() {
    var random = Random(seed: 1)
    for round in 0..<2000 {
      let count = round < 64 ? round : Int(random.below(300))
      let bound = random.below(40) + 1
      let input = (0..<count).map { (key: random.below(bound), place: $0) }
      let expected = input.sorted { $0.key == $1.key ? $0.place < $1.place : $0.key < $1.key }
      let sorted = input.sortedStably { $0.key < $1.key }
      #expect(sorted.map { $0.place } == expected.map { $0.place }, "round \(round)")
    }
  }
}
