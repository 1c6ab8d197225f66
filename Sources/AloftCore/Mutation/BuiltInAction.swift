// SPDX-License-Identifier: Apache-2.0
// The actions every collection has, and the check of their arguments against the declaration.

/// Create, update, delete, restore, resolve.
enum BuiltInAction: CaseIterable {
  case create, update, delete, restore, resolve

  init?(_ name: Text) {
    if name == "create" { self = .create } else if name == "update" { self = .update } else if name == "delete" { self = .delete } else if name == "restore" { self = .restore } else if name == "resolve" { self = .resolve } else { return nil }
  }

  /// Reads and checks the arguments.
  /// - Throws: `invalid` or `unknown` with the argument's path.
  func write(_ args: [UInt8], _ app: App) throws(Rejection) -> RecordWrite {
    var reader = ArgumentReader(args)
    var collection: Int?
    var id: Text?
    var changesAt: CBORReader?
    let count = try reader.map("")
    for _ in 0..<count {
      let key = try reader.key("")
      if key == "collection" {
        let name = try reader.text("collection")
        collection = app.number(of: name)
        if collection == nil { throw Rejection("unknown", "no such collection: " + name.string, path: "collection") }
      } else if key == "id" {
        let text = try reader.text("id")
        guard RecordID.isValid(text) else {
          throw Rejection("invalid", "a record id has 1 to 64 bytes, no spaces or control characters", path: "id")
        }
        id = text
      } else if key == changesKey {
        changesAt = reader.cbor
        try reader.skip()
      } else {
        throw Rejection("unknown", "no such argument: " + key.string, path: key.string)
      }
    }
    guard let collection else { throw Rejection("invalid", "is missing", path: "collection") }
    guard let id else { throw Rejection("invalid", "is missing", path: "id") }
    var write = RecordWrite(key: RecordKey(collection: collection, id: id), kind: kind, changes: [])
    if let changesAt {
      reader.cbor = changesAt
      write.changes = try changes(&reader, app.collections[collection])
    } else if self == .update || self == .resolve {
      throw Rejection("invalid", "is missing", path: Text(changesKeyWord).string)
    }
    return write
  }

  private var kind: RecordWrite.Kind {
    switch self {
    case .create: .create
    case .update, .resolve: .update
    case .delete: .delete
    case .restore: .restore
    }
  }

  private var changesKeyWord: StaticString { self == .update ? "changes" : "fields" }

  private var changesKey: Text {
    switch self {
    case .create, .update, .resolve: Text(changesKeyWord)
    case .delete, .restore: Text(utf8: [])
    }
  }

  private func changes(_ reader: inout ArgumentReader, _ collection: Collection) throws(Rejection) -> [(number: Int, change: FieldChange)] {
    let prefix = Text(changesKeyWord).string + "."
    var out: [(number: Int, change: FieldChange)] = []
    let count = try reader.map(Text(changesKeyWord).string)
    for _ in 0..<count {
      let name = try reader.key(Text(changesKeyWord).string)
      let path = prefix + name.string
      guard let number = collection.number(of: name) else { throw Rejection("unknown", "no such field: " + name.string, path: path) }
      if out.contains(where: { $0.number == number }) { throw Rejection("invalid", "is written twice", path: path) }
      out.append((number, try reader.change(collection.fields[number], path)))
    }
    return out
  }
}

/// Reads arguments and turns decoding problems into refusals with a path.
struct ArgumentReader {
  var cbor: CBORReader

  init(_ args: [UInt8]) { cbor = CBORReader(args) }

  mutating func map(_ path: String) throws(Rejection) -> Int {
    do { return try cbor.map() } catch { throw Rejection("invalid", "must be an object", path: path) }
  }

  mutating func key(_ path: String) throws(Rejection) -> Text { try text(path) }

  mutating func text(_ path: String) throws(Rejection) -> Text {
    do { return try cbor.text() } catch { throw Rejection("invalid", "must be text", path: path) }
  }

  mutating func skip() throws(Rejection) {
    do { try cbor.skip() } catch { throw Rejection("invalid", error.message.string) }
  }

  mutating func value(_ type: FieldType, _ path: String) throws(Rejection) -> Value {
    let raw: Value
    do { raw = try Value(from: &cbor) } catch { throw Rejection("invalid", "must be of type " + Text(type.name).string, path: path) }
    var problem = Text(utf8: [])
    guard let value = type.accept(raw, problem: &problem) else { throw Rejection(code: "invalid", path: Text(path), message: problem) }
    return value
  }

  /// A change: a plain value, {"$increment": n}, or {"$add": […], "$remove": […]}.
  mutating func change(_ field: Field, _ path: String) throws(Rejection) -> FieldChange {
    guard (try? cbor.peek()) == .map else { return .set(try value(field.type, path)) }
    var add: [Value] = []
    var remove: [Value] = []
    var increment: Int64?
    for _ in 0..<(try map(path)) {
      let key = try key(path)
      if key == "$increment" {
        guard case .int(let amount) = try value(.int, path + ".$increment") else { throw Rejection("invalid", "must be a whole number", path: path) }
        increment = amount
      } else if key == "$add" || key == "$remove" {
        guard case .set = field.type else { throw Rejection("invalid", "is not a set", path: path) }
        guard case .array(let values) = try value(field.type, path + "." + key.string) else {
          throw Rejection("invalid", "must be a list", path: path + "." + key.string)
        }
        if key == "$add" { add = values } else { remove = values }
      } else {
        throw Rejection("unknown", "takes a value, $increment, or $add and $remove", path: path + "." + key.string)
      }
    }
    if let increment { return .increment(increment) }
    return .alter(add: add, remove: remove)
  }
}
