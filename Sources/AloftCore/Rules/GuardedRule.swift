// SPDX-License-Identifier: Apache-2.0
// guarded: a write applies only when its author had seen the value that stands now.

enum GuardedRule {
  static func apply(_ change: FieldChange, to row: inout Row, _ write: FieldWrite) -> FieldResult {
    guard case .set(let value) = change else { return write.rejection("invalid", "takes a value, not an increment or a list of changes") }
    if !write.isSpeculative && row.dots(of: write.number) != write.seen {
      // The same value twice is agreement, not conflict.
      return row.value(write.number, rule: .guarded) == value ? .unchanged : .conflict
    }
    row.write(.plain(value), to: write.number, by: write.stamp)
    return .changed
  }
}
