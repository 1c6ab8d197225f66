// SPDX-License-Identifier: Apache-2.0
// The app of a run, drawn from a number: one to three collections that between them use every rule.

import AloftCore

/// Which collections, fields and permissions a run's app has. Each property is a few bits of `code`.
public struct SimSchema: Equatable, Sendable {
  public static let member = Text("member")
  public static let boss = Text("boss")

  public var code: UInt64

  public init(code: UInt64) { self.code = code }

  private func bits(_ collection: Int, _ question: UInt64) -> UInt64 { Hash64.mix(code &* 31 &+ UInt64(collection) &* 1009 &+ question) }

  public var collectionCount: Int { 1 + Int(Hash64.mix(code) % 3) }

  /// The fields of a collection, in the order of declaration.
  public func fields(_ collection: Int) -> [SimField] {
    var fields: [SimField] = [.space]
    if bits(collection, 1) % 3 == 0 { fields.append(.also) }
    // The first collection always has every rule; the others leave some out, so that field numbers differ.
    for rule in Rule.allCases where collection == 0 || bits(collection, 100 + UInt64(rule.rawValue)) % 4 > 0 {
      fields.append(SimField.standing(for: rule))
    }
    if bits(collection, 2) % 2 == 0 { fields.append(.hidden) }
    if bits(collection, 3) % 2 == 0 { fields.append(.price) }
    if collection > 0 { fields.append(.link) }
    fields.append(.later)
    return fields
  }

  /// Some texts take marks.
  private func isTextRich(_ collection: Int) -> Bool { bits(collection, 10) % 2 == 0 }
  func updateWins(_ collection: Int) -> Bool { bits(collection, 4) % 2 == 1 }
  func memberMayDelete(_ collection: Int) -> Bool { !isBossOnly(collection) && bits(collection, 5) % 2 == 0 }
  /// Some collections only a boss may see.
  func isBossOnly(_ collection: Int) -> Bool { collection == 2 && bits(collection, 6) % 2 == 0 }
  func isSpaceImmutable(_ collection: Int) -> Bool { bits(collection, 7) % 3 == 0 }
  func counterMin(_ collection: Int) -> Int64? { bits(collection, 8) % 2 == 0 ? 0 : nil }
  func counterMax(_ collection: Int) -> Int64? { bits(collection, 9) % 2 == 0 ? 60 : nil }

  /// The app as a release of this version declares it: the field `later` came with version 2.
  public func app(version: Int) -> App {
    var app = App(name: Text("sim"), version: version)
    for number in 0..<collectionCount {
      var collection = Collection(name: Text(utf8: [0x63, 0x30 + UInt8(number)]))
      for field in fields(number) where field != .later || version >= 2 { collection.fields.append(declare(field, number)) }
      collection.addScopes([Text("space:{space}")])
      if fields(number).contains(.also) { collection.addScopes([Text("space:{also}")]) }
      collection.onConcurrentUpdate = updateWins(number) ? .updateWins : .deleteWins
      collection.permissions = [
        Permission([.read, .create, .update], to: Self.member), Permission([.read, .create, .update, .delete], to: Self.boss),
      ]
      if memberMayDelete(number) { collection.permissions.append(Permission([.delete], to: Self.member)) }
      if isBossOnly(number) { collection.permissions.removeFirst() }
      app.collections.append(collection)
    }
    app.actions = [Self.stamp, Self.pair]
    app.finish()
    return app
  }

  private func declare(_ field: SimField, _ collection: Int) -> Field {
    let name = Text(field.name).string
    switch field {
    case .space: return Field(name, .string, isSpaceImmutable(collection) ? .immutable : .latest)
    case .also, .latest: return Field(name, .string)
    case .guarded: return Field(name, .string, .guarded)
    case .manual: return Field(name, .string, .manual)
    case .addWins: return Field(name, .set(.string))
    case .counter: return Field(name, .counter(min: counterMin(collection), max: counterMax(collection)))
    case .maximum: return Field(name, .int, .maximum)
    case .minimum: return Field(name, .int, .minimum)
    case .immutable: return Field(name, .string, .immutable)
    case .server: return Field(name, .string, .server)
    case .hidden: return Field(name, .string, read: ["boss"])
    case .price: return Field(name, .int, write: ["boss"])
    case .link: return Field(name, .reference("c0"))
    case .later: return Field(name, .string, since: 2)
    case .text: return Field(name, isTextRich(collection) ? .richText : .text)
    }
  }

  /// Reads a record and writes a field that only server code may write.
  private static let stamp = Action("stamp", [Parameter("record", .reference("c0")), Parameter("word", .string)]) {
    arguments, context throws(Rejection) in
    let record = try context.read("c0", arguments.text("record"))
    guard record.exists else { throw Rejection("notFound", "no such record") }
    try context.update("c0", arguments.text("record"), ("server", arguments["word"]))
    try context.increment("c0", arguments.text("record"), "counter", by: 1)
  }

  /// Writes two records, both or neither.
  private static let pair = Action(
    "pair", [Parameter("first", .reference("c0")), Parameter("second", .reference("c0")), Parameter("word", .string)]
  ) { arguments, context throws(Rejection) in
    try context.update("c0", arguments.text("first"), ("latest", arguments["word"]))
    try context.update("c0", arguments.text("second"), ("latest", arguments["word"]))
    try context.increment("c0", arguments.text("second"), "counter", by: -1)
  }
}
