// SPDX-License-Identifier: Apache-2.0
// Queries: what to find, in which order, how much of it.

/// A condition on a record.
public indirect enum Filter: Equatable, Sendable {
  public enum Comparison: Sendable { case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual }

  /// True for every record when empty.
  case all([Filter])
  case any([Filter])
  case not(Filter)
  case compare(field: Int, Comparison, Value)
  case oneOf(field: Int, [Value])
  /// Text that starts with these bytes.
  case prefix(field: Int, Text)
  /// A set that has this element.
  case has(field: Int, Value)
}

/// One level of an ordering. `field` is -1 for the record's id.
public struct Ordering: Equatable, Sendable {
  public var field: Int
  public var isDescending: Bool

  public init(field: Int, isDescending: Bool) {
    self.field = field
    self.isDescending = isDescending
  }
}

/// A query over one collection. Deleted records are never part of an answer.
public struct Query: Equatable, Sendable {
  public enum Aggregate: Equatable, Sendable {
    case rows
    case count
    case sum(field: Int)
  }

  public var collection: Int
  public var filter = Filter.all([])
  /// Ties are settled by id. Without an ordering the order is unspecified but stable while the engine runs.
  public var orderBy: [Ordering] = []
  public var limit: Int?
  public var offset = 0
  public var aggregate = Aggregate.rows

  public init(collection: Int) { self.collection = collection }
}

extension Filter {
  /// Whether a row satisfies the condition. Cost: one walk to the field for each comparison.
  func matches(_ view: RowView, _ fields: [Field]) -> Bool {
    switch self {
    case .all(let parts):
      for part in parts where !part.matches(view, fields) { return false }
      return true
    case .any(let parts):
      for part in parts where part.matches(view, fields) { return true }
      return false
    case .not(let part): return !part.matches(view, fields)
    case .compare(let field, let comparison, let value): return Self.compare(view, field, comparison, value, fields)
    case .oneOf(let field, let values): return values.contains(Self.value(view, field, fields))
    case .prefix(let field, let prefix):
      guard case .text(let text) = Self.value(view, field, fields) else { return false }
      return text.utf8.starts(with: prefix.utf8)
    case .has(let field, let value):
      guard case .array(let values) = Self.value(view, field, fields) else { return false }
      return values.contains(value)
    }
  }

  private static func value(_ view: RowView, _ field: Int, _ fields: [Field]) -> Value {
    field < 0 ? .text(view.id) : view.value(field, rule: fields[field].rule)
  }

  private static func compare(_ view: RowView, _ field: Int, _ comparison: Comparison, _ wanted: Value, _ fields: [Field]) -> Bool {
    // The common case, text against text, is decided in place.
    if field >= 0, case .text(let text) = wanted, comparison == .equal || comparison == .notEqual {
      guard var reader = view.cell(field) else { return comparison == .notEqual }
      if (try? reader.peek()) == .text, let range = try? reader.textRange() {
        let isEqual = range.count == text.utf8.count && view.bytes[range].elementsEqual(text.utf8)
        return isEqual == (comparison == .equal)
      }
    }
    let value = Self.value(view, field, fields)
    switch comparison {
    case .equal: return isSame(value, wanted)
    case .notEqual: return !isSame(value, wanted)
    case .less: return value != .null && Value.precedes(value, wanted)
    case .lessOrEqual: return value != .null && !Value.precedes(wanted, value)
    case .greater: return value != .null && Value.precedes(wanted, value)
    case .greaterOrEqual: return value != .null && !Value.precedes(value, wanted)
    }
  }

  /// Equality of a query: 1 and 1.0 are the same number to a person.
  private static func isSame(_ a: Value, _ b: Value) -> Bool { a == b || !Value.precedes(a, b) && !Value.precedes(b, a) && a != .null && b != .null }
}
