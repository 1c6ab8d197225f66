// SPDX-License-Identifier: Apache-2.0
// What people do, as plans write it: `update c0/12 latest=104 counter+3 addWins{+1,-2}`.

import AloftCore

extension Verb {
  /// The verb as a plan writes it.
  var text: String {
    func list(_ changes: [SimChange]) -> String { changes.map { " " + $0.text }.joined() }
    switch self {
    case .create(let c, let key, let changes): return "create c\(c)/\(key)" + list(changes)
    case .update(let c, let key, let changes): return "update c\(c)/\(key)" + list(changes)
    case .resolve(let c, let key, let changes): return "resolve c\(c)/\(key)" + list(changes)
    case .delete(let c, let key): return "delete c\(c)/\(key)"
    case .restore(let c, let key): return "restore c\(c)/\(key)"
    case .stamp(let key, let word): return "stamp \(key) \(word)"
    case .pair(let first, let second, let word): return "pair \(first) \(second) \(word)"
    case .retry(let place): return "retry \(place)"
    case .discard(let place): return "discard \(place)"
    case .tap: return "tap"
    case .compact: return "compact"
    case .openTab: return "open-tab"
    case .closeTab: return "close-tab"
    case .signOut: return "sign-out"
    case .signIn(let user): return "sign-in \(user)"
    }
  }

  /// The largest number of a record.
  static let keyMax: Int64 = 1_000_000
  private static let codes = -Int64.max...Int64.max

  init(_ line: inout PlanLine, in plan: Plan) throws(PlanError) {
    let before = line
    switch line.word() {
    case "create":
      let (collection, key) = try line.record(in: plan)
      self = .create(collection, key, try line.changes())
    case "update":
      let (collection, key) = try line.record(in: plan)
      self = .update(collection, key, try line.changes())
    case "resolve":
      let (collection, key) = try line.record(in: plan)
      self = .resolve(collection, key, try line.changes())
    case "delete":
      let (collection, key) = try line.record(in: plan)
      self = .delete(collection, key)
    case "restore":
      let (collection, key) = try line.record(in: plan)
      self = .restore(collection, key)
    case "stamp":
      let key = try line.argument("a record's number", in: 0...Self.keyMax)
      self = .stamp(Int(key), try line.argument("a word's code", in: Self.codes))
    case "pair":
      let first = try line.argument("a record's number", in: 0...Self.keyMax)
      let second = try line.argument("a record's number", in: 0...Self.keyMax)
      self = .pair(Int(first), Int(second), try line.argument("a word's code", in: Self.codes))
    case "retry": self = .retry(Int(try line.argument("a place in the tray", in: 0...1_000)))
    case "discard": self = .discard(Int(try line.argument("a place in the tray", in: 0...1_000)))
    case "tap": self = .tap
    case "compact": self = .compact
    case "open-tab": self = .openTab
    case "close-tab": self = .closeTab
    case "sign-out": self = .signOut
    case "sign-in":
      try line.space()
      self = .signIn(try line.index("a user", below: plan.grants.count))
    default:
      throw before.error(
        "create, update, resolve, delete, restore, stamp, pair, retry, discard, tap, compact, open-tab, close-tab, sign-out or sign-in")
    }
  }
}

extension SimChange {
  /// The change as a plan writes it.
  var text: String {
    let name = Text(field.name).string
    switch effect {
    case .set(let code): return "\(name)=\(code)"
    case .clear: return "\(name)=none"
    case .add(let amount): return "\(name)\(amount < 0 ? "" : "+")\(amount)"
    case .type(let code): return "\(name)~\(code)"
    case .alter(let add, let remove): return "\(name){" + (add.map { "+\($0)" } + remove.map { "-\($0)" }).joined(separator: ",") + "}"
    }
  }

  private static let codes = -Int64.max...Int64.max

  init(_ line: inout PlanLine) throws(PlanError) {
    let before = line
    let name = line.word()
    guard let field = SimField.allCases.first(where: { Text($0.name) == name }) else { throw before.error("a field's name") }
    self.field = field
    if line.take("=") {
      effect = line.take("none") ? .clear : .set(try line.number("none or a code", in: Self.codes))
    } else if line.take("~") {
      effect = .type(try line.number("a number", in: 0...Int64.max))
    } else if line.take("+") {
      effect = .add(try line.number("an amount", in: 0...Int64.max))
    } else if line.take("-") {
      effect = .add(-(try line.number("an amount", in: 0...Int64.max)))
    } else if line.take("{") {
      effect = try Self.elements(&line)
    } else {
      throw line.error("=, +, -, ~ or {")
    }
  }

  private static func elements(_ line: inout PlanLine) throws(PlanError) -> Effect {
    var (add, remove): ([Int64], [Int64]) = ([], [])
    while !line.take("}") {
      if !add.isEmpty || !remove.isEmpty { try line.pass(",") }
      if line.take("+") {
        add.append(try line.number("an element's code", in: codes))
      } else if line.take("-") {
        remove.append(try line.number("an element's code", in: codes))
      } else {
        throw line.error("+, - or }")
      }
    }
    return .alter(add: add, remove: remove)
  }
}

extension PlanLine {
  /// A number behind a space.
  fileprivate mutating func argument(_ expected: String, in range: ClosedRange<Int64>) throws(PlanError) -> Int64 {
    try space()
    return try number(expected, in: range)
  }

  /// Such as ` c0/12`.
  fileprivate mutating func record(in plan: Plan) throws(PlanError) -> (collection: Int, key: Int) {
    try space()
    try pass("c")
    let collection = try index("a collection", below: plan.schema.collectionCount)
    try pass("/")
    return (collection, Int(try number("a record's number", in: 0...Verb.keyMax)))
  }

  fileprivate mutating func changes() throws(PlanError) -> [SimChange] {
    var changes: [SimChange] = []
    while !isAtEnd {
      try space()
      changes.append(try SimChange(&self))
    }
    return changes
  }
}
