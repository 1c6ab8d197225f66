// SPDX-License-Identifier: Apache-2.0
// The conformance suite: each rule of `Store` as a named check that any store can be put through.

import AloftCore

/// How the suite gets stores of one kind.
public struct StoreFixture<S: Store>: Sendable {
  /// Makes a new, empty store that nobody else uses.
  public var make: @Sendable () throws -> S
  /// Closes a store and opens what it left. Nil for a store that forgets; the checks of durability are then left out.
  public var reopen: (@Sendable (S) throws -> S)?

  public init(make: @escaping @Sendable () throws -> S, reopen: (@Sendable (S) throws -> S)? = nil) {
    self.make = make
    self.reopen = reopen
  }
}

/// One rule, ready to run.
public struct StoreCheck<S: Store>: Sendable, CustomStringConvertible {
  /// The rule as a sentence.
  public let name: String
  /// Throws `ConformanceFailure` when the store breaks the rule, or the store's own error.
  public let run: @Sendable (StoreFixture<S>) throws -> Void

  public var description: String { name }
}

/// What a store did instead of what its rule says.
public struct ConformanceFailure: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// The rules of `Store` as checks. A test target runs each of them against a fixture:
///
///     @Test(arguments: StoreConformance.checks(of: MemoryStore.self))
///     func `the memory store keeps the rule`(check: StoreCheck<MemoryStore>) throws {
///       try check.run(StoreFixture(make: { MemoryStore() }))
///     }
public enum StoreConformance {
  /// Every check, in the order of the rules. `survivesReopening` adds those that close and open the store.
  public static func checks<S: Store>(of kind: S.Type, survivesReopening: Bool = false) -> [StoreCheck<S>] {
    commitChecks(of: kind) + logChecks(of: kind) + valueChecks(of: kind) + readChecks(of: kind)
      + (survivesReopening ? durabilityChecks(of: kind) : [])
  }
}

/// Throws a failure that says what was expected, when the two differ.
func expect<Value: Equatable>(_ found: Value, _ expected: Value, _ what: String) throws(ConformanceFailure) {
  guard found == expected else { throw ConformanceFailure("\(what): expected \(expected), found \(found)") }
}

/// A log entry as a value, for comparisons.
struct SeenEntry: Equatable {
  var sequence: AloftCore.Sequence
  var isPresent: Bool
  var collection: Int
  var body: [UInt8]

  static func present(_ sequence: AloftCore.Sequence, _ body: [UInt8], collection: Int = 0) -> SeenEntry {
    SeenEntry(sequence: sequence, isPresent: true, collection: collection, body: body)
  }

  static func departed(_ sequence: AloftCore.Sequence, _ id: Text, collection: Int = 0) -> SeenEntry {
    SeenEntry(sequence: sequence, isPresent: false, collection: collection, body: id.utf8)
  }
}

extension StoreReader {
  /// The entries of a scope as values.
  mutating func seenEntries(of scope: Text, after: AloftCore.Sequence = 0, limit: Int = .max) throws(StoreError) -> [SeenEntry] {
    var seen: [SeenEntry] = []
    try entries(of: scope, after: after) { entry in
      seen.append(
        SeenEntry(
          sequence: entry.sequence, isPresent: entry.kind == .present, collection: entry.collection, body: Array(entry.body)))
      return seen.count < limit
    }
    return seen
  }
}

extension RecordKey {
  init(_ id: Text) { self.init(collection: 0, id: id) }
}

extension Store {
  /// Writes records the way the Judge does: dense sequences, old entries removed, departures from scopes left. One transaction.
  func put(_ changes: [(key: RecordKey, row: [UInt8], scopes: [Text])]) throws(StoreError) {
    try write { (transaction) throws(StoreError) in
      let batch = try ChangeBatch(placing: changes, in: &transaction)
      try transaction.commit(batch)
    }
  }

  func put(_ id: Text, _ row: [UInt8], in scopes: Text...) throws(StoreError) { try put([(RecordKey(id), row, scopes)]) }
}

extension ChangeBatch {
  /// The batch that puts each record into its scopes. Each key may occur once.
  init<T: StoreTransaction>(
    placing changes: [(key: RecordKey, row: [UInt8], scopes: [Text])], in transaction: inout T
  ) throws(StoreError) {
    self.init()
    var heads: [Text: ScopeState] = [:]
    func next(_ scope: Text, _ transaction: inout T) throws(StoreError) -> AloftCore.Sequence {
      var state = ScopeState()
      if let known = heads[scope] { state = known } else if let stored = try transaction.scope(scope) { state = stored }
      state.sequence += 1
      heads[scope] = state
      return state.sequence
    }
    for change in changes {
      let previous = try transaction.record(change.key)?.placements ?? []
      var placements: [Placement] = []
      for scope in change.scopes {
        placements.append(Placement(scope: scope, sequence: try next(scope, &transaction)))
      }
      for left in previous where !change.scopes.contains(left.scope) {
        departures.append(Departure(scope: left.scope, sequence: try next(left.scope, &transaction), key: change.key))
      }
      records.append(
        RecordChange(key: change.key, record: StoredRecord(row: change.row, placements: placements), previous: previous))
    }
    scopes = heads.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
