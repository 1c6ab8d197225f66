// SPDX-License-Identifier: Apache-2.0
// immutable: the first write stands for ever.

enum ImmutableRule {
  static func apply(_ change: FieldChange, to row: inout Row, _ write: FieldWrite) -> FieldResult {
    guard case .set(let value) = change else { return write.rejection("invalid", "takes a value, not an increment or a list of changes") }
    let current = row.value(write.number, rule: .immutable)
    if current == value { return .unchanged }
    if current != .null { return write.rejection("immutable", "cannot be changed once it is set") }
    row.write(.plain(value), to: write.number, by: write.stamp)
    return .changed
  }
}
