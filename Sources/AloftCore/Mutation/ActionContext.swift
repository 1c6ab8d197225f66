// SPDX-License-Identifier: Apache-2.0
// What an action's body works with: it reads records and stages writes; nothing takes effect until the rules have spoken.
//
// Records are loaded on demand without callbacks: a read of a record that is not loaded yet ends the run, the engine loads it and
// runs the body again from the start. Bodies are pure, so running one twice is harmless.

/// A record as an action's body sees it.
public struct RecordView: Sendable {
  let row: Row?
  let collection: Collection

  /// Whether there is such a record, not deleted.
  public var exists: Bool { row != nil && !row!.isDeleted }

  /// The field's value before the action; null when it was never written.
  public subscript(_ field: String) -> Value {
    guard let row, let number = collection.number(of: Text(field)) else { return .null }
    return row.value(number, rule: collection.fields[number].rule)
  }
}

/// The reads and writes of one run of an action's body.
public struct ActionContext: Sendable {
  /// Who called the action.
  public let user: Text
  /// When the author called it, in milliseconds since 1970, on the author's clock.
  public let time: Instant
  let app: App
  let rows: [(key: RecordKey, row: Row?)]
  /// The record that the body asked for and that is not loaded.
  var missing: RecordKey?
  var writes: [RecordWrite] = []

  /// The record as it is before this action.
  /// - Throws: `unknown` for a collection that is not declared; the engine catches the internal signal for a record not yet loaded.
  public mutating func read(_ collection: String, _ id: Text) throws(Rejection) -> RecordView {
    let number = try self.number(collection)
    let key = RecordKey(collection: number, id: id)
    for entry in rows where entry.key == key { return RecordView(row: entry.row, collection: app.collections[number]) }
    missing = key
    throw Rejection("load", "the record is not loaded yet")
  }

  public mutating func create(_ collection: String, _ id: Text, _ fields: (String, Value)...) throws(Rejection) {
    try stage(.create, collection, id, fields)
  }

  /// Sets fields, each by its declared rule.
  public mutating func update(_ collection: String, _ id: Text, _ fields: (String, Value)...) throws(Rejection) {
    try stage(.update, collection, id, fields)
  }

  public mutating func increment(_ collection: String, _ id: Text, _ field: String, by amount: Int64) throws(Rejection) {
    let number = try self.number(collection)
    let place = try self.field(field, number)
    append(RecordWrite(key: RecordKey(collection: number, id: id), kind: .update, changes: [(place, .increment(amount))]))
  }

  public mutating func delete(_ collection: String, _ id: Text) throws(Rejection) { try stage(.delete, collection, id, []) }

  private mutating func stage(_ kind: RecordWrite.Kind, _ collection: String, _ id: Text, _ fields: [(String, Value)]) throws(Rejection) {
    let number = try self.number(collection)
    var changes: [(number: Int, change: FieldChange)] = []
    for (name, raw) in fields {
      let place = try field(name, number)
      var problem = Text(utf8: [])
      guard let value = app.collections[number].fields[place].type.accept(raw, problem: &problem) else {
        throw Rejection(code: "invalid", path: Text(name), message: problem)
      }
      changes.append((place, .set(value)))
    }
    append(RecordWrite(key: RecordKey(collection: number, id: id), kind: kind, changes: changes))
  }

  private mutating func append(_ write: RecordWrite) {
    var write = write
    write.isServerCode = true
    writes.append(write)
  }

  private func number(_ collection: String) throws(Rejection) -> Int {
    if let number = app.number(of: Text(collection)) { return number }
    throw Rejection("unknown", "no such collection: " + collection)
  }

  private func field(_ name: String, _ collection: Int) throws(Rejection) -> Int {
    if let number = app.collections[collection].number(of: Text(name)) { return number }
    throw Rejection("unknown", "no such field: " + name, path: name)
  }
}

/// What a call of an action comes down to.
enum Expansion {
  case writes([RecordWrite])
  /// Load this record and expand again.
  case needs(RecordKey)
}

extension App {
  /// Turns an action call into writes, checking every argument before anything runs.
  func expand(action name: Text, args: [UInt8], user: Text, time: Instant, rows: [(key: RecordKey, row: Row?)]) throws(Rejection) -> Expansion {
    if let builtIn = BuiltInAction(name) { return .writes([try builtIn.write(args, self)]) }
    guard let action = action(name) else { throw Rejection("unknown", "no such action: " + name.string, path: "action") }
    guard let body = action.body else {
      throw Rejection("unavailable", "this action needs code that is not part of this build: " + name.string, path: "action")
    }
    let arguments = try arguments(args, action)
    var context = ActionContext(user: user, time: time, app: self, rows: rows)
    do { try body(arguments, &context) } catch {
      if let missing = context.missing { return .needs(missing) }
      throw error
    }
    return .writes(context.writes)
  }

  private func arguments(_ args: [UInt8], _ action: Action) throws(Rejection) -> Arguments {
    var reader = ArgumentReader(args)
    var out = Arguments(values: [])
    for _ in 0..<(try reader.map(ArgumentPath(""))) {
      let key = try reader.key(ArgumentPath(""))
      guard let parameter = action.parameters.first(where: { $0.name == key }) else {
        throw ArgumentPath(key).rejection("unknown", "no such argument")
      }
      out.values.append((key, try reader.value(parameter.type, ArgumentPath(key))))
    }
    return out
  }
}
