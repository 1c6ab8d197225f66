// SPDX-License-Identifier: Apache-2.0
// server: no device writes it; only code that runs on the server does.

enum ServerRule {
  static func apply(_ change: FieldChange, to row: inout Row, _ write: FieldWrite) -> FieldResult {
    guard write.isServerCode else { return write.rejection("forbidden", "is written by the server only") }
    guard case .set(let value) = change else { return write.rejection("invalid", "takes a value") }
    row.write(.plain(value), to: write.number, by: write.stamp)
    return .changed
  }
}
