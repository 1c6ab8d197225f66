// SPDX-License-Identifier: Apache-2.0
// addWins: an observed-remove set (Shapiro and others, 2011). A remove takes away only the adds that its author had seen.

enum AddWinsRule {
  static func apply(_ change: FieldChange, to row: inout Row, _ write: FieldWrite) -> FieldResult {
    var elements: [SupportedValue] = []
    if case .supported(let current) = row.cell(write.number) { elements = current }
    var adds: [Value]
    var removes: [Value]
    switch change {
    case .alter(let add, let remove): (adds, removes) = (add, remove)
    case .set(.array(let whole)):
      adds = whole.filter { value in !elements.contains { $0.value == value } }
      removes = elements.map { $0.value }.filter { !whole.contains($0) }
    case .set(.null): (adds, removes) = ([], elements.map { $0.value })
    default: return write.rejection("invalid", "takes a list, or $add and $remove")
    }
    var isChanged = false
    for value in removes where !adds.contains(value) {
      guard let place = elements.firstIndex(where: { $0.value == value }) else { continue }
      let left = unseen(elements[place].dots, row, write)
      isChanged = isChanged || left.count != elements[place].dots.count
      if left.isEmpty { elements.remove(at: place) } else { elements[place].dots = left }
    }
    for value in adds {
      isChanged = true
      let dot = row.index(of: write.stamp)
      if let place = elements.firstIndex(where: { $0.value == value }) {
        // The new add supersedes those that its author saw, so the dots of an element stay few.
        elements[place].dots = unseen(elements[place].dots, row, write) + [dot]
      } else {
        elements.append(SupportedValue(value: value, dots: [dot]))
      }
    }
    guard isChanged else { return .unchanged }
    elements.sortStably { Value.precedes($0.value, $1.value) }
    row.write(.supported(elements), to: write.number, by: write.stamp)
    return .changed
  }

  private static func unseen(_ dots: [Int], _ row: Row, _ write: FieldWrite) -> [Int] {
    dots.filter { !write.seen.contains(row.stamps[$0].mutation) }
  }
}
