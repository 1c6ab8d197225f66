// SPDX-License-Identifier: Apache-2.0
// counter: the sum of all increments; an increment that would break a bound is refused by the server.

enum CounterRule {
  static func apply(_ change: FieldChange, to row: inout Row, _ write: FieldWrite) -> FieldResult {
    let amount: Int64
    switch change {
    case .increment(let value): amount = value
    // Only a record's birth sets a counter: the first value is its first increment.
    case .set(.int(let value)) where row.cell(write.number) == .absent: amount = value
    case .set(.null) where row.cell(write.number) == .absent: return .unchanged
    default: return write.rejection("invalid", "is a counter: change it with $increment")
    }
    let current = row.value(write.number, rule: .counter).int ?? 0
    let (sum, overflow) = current.addingReportingOverflow(amount)
    if overflow || sum.magnitude > UInt64(Value.intMax) { return write.rejection("bound", "would leave the range of whole numbers") }
    if !write.isSpeculative, case .counter(let low, let high) = write.fields[write.number].type {
      if let low, sum < low { return write.rejection("bound", "would fall below " + decimal(low)) }
      if let high, sum > high { return write.rejection("bound", "would rise above " + decimal(high)) }
    }
    row.write(.plain(.int(sum)), to: write.number, by: write.stamp)
    return .changed
  }
}
