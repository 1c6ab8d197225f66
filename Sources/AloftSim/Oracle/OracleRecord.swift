// SPDX-License-Identifier: Apache-2.0
// The oracle's own model of a record and of each rule, written from docs/rules.md and sharing no code with the engine.
//
// Where the engine names mutations by device and number, the oracle names them by *issue*: the place in the run's list of
// everything that people did. An issue keeps its name when its device takes a new identity.

import AloftCore

/// A write as the oracle remembers it.
struct OracleWrite: Equatable {
  var issue: Int
  /// After the server's cap.
  var time: HybridTime
  var id: MutationID

  /// The order of `latest`: time, then device, then number.
  func isLater(than other: OracleWrite) -> Bool {
    if time.milliseconds != other.time.milliseconds { return time.milliseconds > other.time.milliseconds }
    if time.counter != other.time.counter { return time.counter > other.time.counter }
    if id.device.high != other.id.device.high { return id.device.high > other.id.device.high }
    if id.device.low != other.id.device.low { return id.device.low > other.id.device.low }
    return id.n > other.id.n
  }
}

/// A write that somebody had seen. What its author had not sent yet has no name that lasts.
struct SeenWrite: Equatable {
  var issue: Int
  var id: MutationID?
}

extension OracleWrite {
  /// After a restored backup one issue may have two names: who saw it under the forgotten one has not seen it under the other.
  /// What the server had forgotten when it was seen may have come to it again since, under the same name.
  func isAmong(_ seen: [SeenWrite]) -> Bool {
    seen.contains { $0.issue == issue ? $0.id == nil || $0.id == id : $0.issue < 0 && $0.id == id }
  }
}

/// What a field holds.
enum OracleField {
  case absent
  case plain(Value, OracleWrite)
  /// Values that nobody has chosen between, and the last write.
  case candidates([(value: Value, write: OracleWrite)], last: OracleWrite)
  /// Elements with the writes that added them, and the last write.
  case elements([(value: Value, adds: [OracleWrite])], last: OracleWrite)
  case text(OracleText)

  var lastWrite: OracleWrite? {
    switch self {
    case .absent: nil
    case .plain(_, let write), .candidates(_, let write), .elements(_, let write): write
    case .text(let text): text.writes.last
    }
  }

  /// What is shown where one value is shown.
  var value: Value {
    switch self {
    case .absent, .elements, .text: return .null
    case .plain(let value, _): return value
    case .candidates(let all, _):
      var best = all[0]
      for other in all where other.write.isLater(than: best.write) { best = other }
      return best.value
    }
  }

  /// The writes that the content depends on.
  var support: [OracleWrite] {
    switch self {
    case .absent: []
    case .plain(_, let write): [write]
    case .candidates(let all, _): all.map { $0.write }
    case .elements(let all, _): all.flatMap { $0.adds }
    case .text(let text): text.writes
    }
  }
}

struct OracleRecord {
  var isDeleted = false
  /// What created, deleted or restored it.
  var life: OracleWrite
  var fields = [OracleField](repeating: .absent, count: SimField.allCases.count)

  subscript(_ field: SimField) -> OracleField {
    get { fields[Int(field.rawValue)] }
    set { fields[Int(field.rawValue)] = newValue }
  }

  /// Everything the record still depends on.
  var support: [OracleWrite] {
    var all = [life]
    for field in fields {
      all += field.support
      if let last = field.lastWrite { all.append(last) }
    }
    return all
  }

  /// The spaces that hold it, the home space first.
  var spaces: [Text] {
    var names: [Text] = []
    for field in [SimField.space, .also] {
      if case .text(let name) = self[field].value, !name.utf8.isEmpty, !names.contains(name) { names.append(name) }
    }
    return names
  }
}

/// What a rule says to a change.
enum RuleVerdict: Equatable {
  case changed, unchanged, kept, lost, conflict
  case refused(StaticString)

  static func == (a: RuleVerdict, b: RuleVerdict) -> Bool {
    switch (a, b) {
    case (.changed, .changed), (.unchanged, .unchanged), (.kept, .kept), (.lost, .lost), (.conflict, .conflict), (.refused, .refused): true
    default: false
    }
  }
}

extension OracleRecord {
  /// Applies one change by the rule of its field.
  /// - Parameter seen: the writes whose effect on this field the author had seen.
  mutating func apply(
    _ change: SimChange, rule: Rule, write: OracleWrite, seen: [SeenWrite], bounds: (min: Int64?, max: Int64?), byServer: Bool,
    typed: SimEdit?
  ) -> RuleVerdict {
    let field = change.field
    var value = Value.null
    if case .set(let code) = change.effect { value = SimWords.value(code, of: field) }
    switch rule {
    case .latest:
      if let last = self[field].lastWrite, !write.isLater(than: last) { return .lost }
      self[field] = .plain(value, write)
      return .changed
    case .guarded:
      let support = self[field].support
      if support.count != seen.count || !support.allSatisfy({ $0.isAmong(seen) }) { return self[field].value == value ? .unchanged : .conflict }
      self[field] = .plain(value, write)
      return .changed
    case .manual:
      var left: [(value: Value, write: OracleWrite)] = []
      if case .candidates(let all, _) = self[field] { left = all.filter { !$0.write.isAmong(seen) } }
      if left.contains(where: { $0.value == value }) {
        // The same words, written by somebody else meanwhile: they stand for both.
        if left.count == self[field].support.count { return .unchanged }
        self[field] = .candidates(left, last: write)
        return left.count > 1 ? .kept : .changed
      }
      left.append((value, write))
      self[field] = .candidates(left, last: write)
      return left.count > 1 ? .kept : .changed
    case .addWins: return applySet(change, write, seen)
    case .text:
      guard let typed else { return .unchanged }
      var text = OracleText()
      if case .text(let current) = self[field] { text = current }
      guard text.take(typed, write) else { return .refused("invalid") }
      self[field] = .text(text)
      return .changed
    case .counter:
      var amount: Int64 = 0
      switch change.effect {
      case .add(let number): amount = number
      case .set(let number):
        if case .absent = self[field] { amount = number } else { return .refused("invalid") }
      case .clear: if case .absent = self[field] { return .unchanged } else { return .refused("invalid") }
      case .alter, .type: return .refused("invalid")
      }
      let before: Int64 = if case .int(let number) = self[field].value { number } else { 0 }
      let (sum, overflow) = before.addingReportingOverflow(amount)
      if overflow || sum > Value.intMax || sum < -Value.intMax { return .refused("bound") }
      if let min = bounds.min, sum < min { return .refused("bound") }
      if let max = bounds.max, sum > max { return .refused("bound") }
      self[field] = .plain(.int(sum), write)
      return .changed
    case .maximum, .minimum:
      guard case .int(let new) = value else { return .refused("invalid") }
      if case .int(let old) = self[field].value {
        if new == old { return .unchanged }
        if rule == .maximum ? new < old : new > old { return .lost }
      }
      self[field] = .plain(value, write)
      return .changed
    case .immutable:
      let current = self[field].value
      if current == value { return .unchanged }
      if current != .null { return .refused("immutable") }
      self[field] = .plain(value, write)
      return .changed
    case .server:
      if !byServer { return .refused("forbidden") }
      self[field] = .plain(value, write)
      return .changed
    }
  }

  private mutating func applySet(_ change: SimChange, _ write: OracleWrite, _ seen: [SeenWrite]) -> RuleVerdict {
    guard case .alter(let add, let remove) = change.effect else { return .refused("invalid") }
    var elements: [(value: Value, adds: [OracleWrite])] = []
    if case .elements(let all, _) = self[change.field] { elements = all }
    var isChanged = false
    let added = add.map { SimWords.value($0, of: change.field) }
    for code in remove {
      let value = SimWords.value(code, of: change.field)
      if added.contains(value) { continue }
      for index in elements.indices where elements[index].value == value {
        let left = elements[index].adds.filter { !$0.isAmong(seen) }
        if left.count != elements[index].adds.count { isChanged = true }
        elements[index].adds = left
      }
    }
    elements.removeAll { $0.adds.isEmpty }
    for value in added {
      isChanged = true
      if let index = elements.firstIndex(where: { $0.value == value }) {
        elements[index].adds = elements[index].adds.filter { !$0.isAmong(seen) } + [write]
      } else {
        elements.append((value, [write]))
      }
    }
    if !isChanged { return .unchanged }
    self[change.field] = .elements(elements, last: write)
    return .changed
  }
}
