// SPDX-License-Identifier: Apache-2.0
// One change of one field, and the place where the declared rule decides what becomes of it.

/// What a mutation wants to do to a field.
public enum FieldChange: Equatable, Sendable {
  case set(Value)
  case increment(Int64)
  case alter(add: [Value], remove: [Value])
  /// An edit of a collaborative text, as `TextDocument.encode(since:)` makes it.
  case edit([UInt8])
}

/// What a rule made of a change.
enum FieldResult: Equatable {
  case changed
  case unchanged
  /// Another value stands; this one goes to history. The author sees *merged*.
  case lost
  /// Kept beside others until somebody resolves. The author sees *merged*.
  case kept
  /// The author had not seen the value that stands now. Nothing of the mutation applies.
  case conflict
  case rejected(Rejection)
}

/// The circumstances of a change.
struct FieldWrite {
  /// The collection's fields, shared: copying one field would cost a reference for each of its lists.
  let fields: [Field]
  var number: Int
  var stamp: Stamp
  /// The mutations whose effect on this field the author had seen.
  var seen: [MutationID]
  /// On the author's own device, before the server has judged: show what the person did, refuse nothing.
  var isSpeculative: Bool
  /// Inside an action body that runs on the server.
  var isServerCode = false

  var field: Field { fields[number] }

  /// Applies a change by the field's rule. A new rule must be added here, and the compiler says so.
  func apply(_ change: FieldChange, to row: inout Row) -> FieldResult {
    switch fields[number].rule {
    case .latest: LatestRule.apply(change, to: &row, self)
    case .guarded: GuardedRule.apply(change, to: &row, self)
    case .manual: ManualRule.apply(change, to: &row, self)
    case .addWins: AddWinsRule.apply(change, to: &row, self)
    case .counter: CounterRule.apply(change, to: &row, self)
    case .maximum, .minimum: ExtremeRule.apply(change, to: &row, self)
    case .immutable: ImmutableRule.apply(change, to: &row, self)
    case .server: ServerRule.apply(change, to: &row, self)
    case .text: TextRule.apply(change, to: &row, self)
    }
  }

  func rejection(_ code: String, _ message: String) -> FieldResult {
    .rejected(Rejection(code: Text(code), path: field.name, message: Text(field.name.string + " " + message)))
  }
}
