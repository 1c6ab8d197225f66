// SPDX-License-Identifier: Apache-2.0
// maximum and minimum: the value only ever moves one way, so the order of writes does not matter.

enum ExtremeRule {
  static func apply(_ change: FieldChange, to row: inout Row, _ write: FieldWrite) -> FieldResult {
    guard case .set(let value) = change, value != .null else { return write.rejection("invalid", "takes a number") }
    let current = row.value(write.number, rule: write.fields[write.number].rule)
    if current != .null {
      let advances = write.fields[write.number].rule == .maximum ? Value.precedes(current, value) : Value.precedes(value, current)
      if !advances { return current == value ? .unchanged : .lost }
    }
    row.write(.plain(value), to: write.number, by: write.stamp)
    return .changed
  }
}
