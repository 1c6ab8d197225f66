// SPDX-License-Identifier: Apache-2.0
// An issue: one thing that a person asked for and their device accepted, whatever identity the device had then or takes later.

import AloftCore

struct Issue {
  /// What the author could see of one field when they acted.
  struct Sight: Equatable {
    var key: RecordKey
    /// Nil for the record's life.
    var field: SimField?
    var writes: [SeenWrite]
  }

  var verb: Verb
  var user: Int
  /// The device on which it was made.
  var device: Int
  /// The storage family that holds it; a clone belongs to the family of its original.
  var family: Int
  var time: HybridTime
  var seen: [Sight]
  /// What its mutation keeps under every name; see `World.identity`.
  var identity: UInt64
  /// The author's last change of the same record that was still waiting then.
  var laneParent: Int?
  /// What its author typed.
  var edit: SimEdit?
  /// An older issue that cannot be told apart by its content and time.
  var sameIdentity: Int?
  var isSaved = false
  /// It was on a disk that went back in time: it may be missing, but must still not count twice.
  var isExempt = false
  var isDismissed = false
  /// Its device put it into the tray without asking the server.
  var isParkedByDevice = false
  /// Its author found it parked in the tray. Its device may have done that while the tab that made it was gone, and nobody heard of it.
  var isFoundParked = false
}

/// A write to one record, as the oracle understands a verb.
struct OracleWriteRequest {
  enum Kind { case create, update, delete, restore }
  var key: RecordKey
  var kind: Kind
  var changes: [SimChange] = []
  var byServer = false
}

extension Verb {
  /// The records that the verb writes, first to last.
  var writes: [OracleWriteRequest] {
    func key(_ collection: Int, _ key: Int) -> RecordKey { RecordKey(collection: collection, id: SimWords.record(collection, key)) }
    switch self {
    case .create(let collection, let record, let changes): return [OracleWriteRequest(key: key(collection, record), kind: .create, changes: changes)]
    case .update(let collection, let record, let changes), .resolve(let collection, let record, let changes):
      return [OracleWriteRequest(key: key(collection, record), kind: .update, changes: changes)]
    case .delete(let collection, let record): return [OracleWriteRequest(key: key(collection, record), kind: .delete)]
    case .restore(let collection, let record): return [OracleWriteRequest(key: key(collection, record), kind: .restore)]
    case .stamp(let record, let word):
      return [
        OracleWriteRequest(key: key(0, record), kind: .update, changes: [SimChange(field: .server, effect: .set(word))], byServer: true),
        OracleWriteRequest(key: key(0, record), kind: .update, changes: [SimChange(field: .counter, effect: .add(1))], byServer: true),
      ]
    case .pair(let first, let second, let word):
      return [
        OracleWriteRequest(key: key(0, first), kind: .update, changes: [SimChange(field: .latest, effect: .set(word))], byServer: true),
        OracleWriteRequest(key: key(0, second), kind: .update, changes: [SimChange(field: .latest, effect: .set(word))], byServer: true),
        OracleWriteRequest(key: key(0, second), kind: .update, changes: [SimChange(field: .counter, effect: .add(-1))], byServer: true),
      ]
    case .retry, .discard, .tap, .compact, .openTab, .closeTab, .signOut, .signIn: return []
    }
  }
}

/// What the oracle expects of a judgement.
enum Verdict {
  case applied
  case merged([SimField])
  case conflict([SimField])
  /// Any of these codes: which one comes first is not a promise.
  case rejected([StaticString])
  case parked

  var isApplied: Bool {
    switch self {
    case .applied, .merged: true
    case .conflict, .rejected, .parked: false
    }
  }

  func agrees(with outcome: Outcome) -> Bool {
    switch (self, outcome) {
    case (.applied, .applied), (.parked, .parked): return true
    case (.merged(let fields), .merged(let names)), (.conflict(let fields), .conflict(let names, _)):
      return fields.count == names.count && fields.allSatisfy { names.contains(Text($0.name)) }
    case (.rejected(let codes), .rejected(let rejection)): return codes.contains { Text($0) == rejection.code }
    default: return false
    }
  }

  var text: Text {
    func list(_ fields: [SimField]) -> String { fields.map { Text($0.name).string }.joined(separator: " ") }
    switch self {
    case .applied: return Text("applied")
    case .parked: return Text("parked")
    case .merged(let fields): return Text("merged " + list(fields))
    case .conflict(let fields): return Text("conflict " + list(fields))
    case .rejected(let codes): return Text("rejected " + codes.map { Text($0).string }.joined(separator: "|"))
    }
  }
}
