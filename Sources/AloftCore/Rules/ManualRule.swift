// SPDX-License-Identifier: Apache-2.0
// manual: concurrent values are all kept as candidates until somebody writes having seen them all (a multi-value register).

enum ManualRule {
  static func apply(_ change: FieldChange, to row: inout Row, _ write: FieldWrite) -> FieldResult {
    guard case .set(let value) = change else { return write.rejection("invalid", "takes a value, not an increment or a list of changes") }
    var candidates: [SupportedValue] = []
    if case .supported(let current) = row.cell(write.number) { candidates = current }
    let before = candidates.count
    candidates.removeAll { write.seen.contains(row.stamps[$0.dots[0]].mutation) }
    // The same words written twice need no choice: those that stand already stand for both.
    let stands = candidates.contains { $0.value == value }
    if stands && candidates.count == before { return .unchanged }
    if !stands { candidates.append(SupportedValue(value: value, dots: [row.index(of: write.stamp)])) }
    row.write(.supported(candidates), to: write.number, by: write.stamp)
    return candidates.count > 1 ? .kept : .changed
  }
}
