// SPDX-License-Identifier: Apache-2.0
// latest: the write with the highest hybrid timestamp stands; the device id breaks ties; the loser goes to history.

enum LatestRule {
  static func apply(_ change: FieldChange, to row: inout Row, _ write: FieldWrite) -> FieldResult {
    guard case .set(let value) = change else { return write.rejection("invalid", "takes a value, not an increment or a list of changes") }
    if let current = row.stamp(of: write.number), !write.stamp.isNewer(than: current), !write.isSpeculative { return .lost }
    row.write(.plain(value), to: write.number, by: write.stamp)
    return .changed
  }
}
