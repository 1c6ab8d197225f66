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
    let count = try reader.map(ArgumentPath(""))
    for _ in 0..<count {
      let key = try reader.keyRange(ArgumentPath(""))
      if reader.cbor.spells("collection", key) {
        collection = app.number(of: try reader.text(ArgumentPath("collection")))
        if collection == nil { throw ArgumentPath("collection").rejection("unknown", "no such collection") }
      } else if reader.cbor.spells("id", key) {
        let text = try reader.text(ArgumentPath("id"))
        guard RecordID.isValid(text) else {
          throw ArgumentPath("id").rejection("invalid", "a record id has 1 to 64 bytes, no spaces or control characters")
        }
        id = text
      } else if reader.cbor.spells(changesKey, key) {
        changesAt = reader.cbor
        try reader.skip()
      } else {
        throw ArgumentPath(reader.cbor.text(at: key)).rejection("unknown", "no such argument")
      }
    }
    guard let collection else { throw ArgumentPath("collection").rejection("invalid", "is missing") }
    guard let id else { throw ArgumentPath("id").rejection("invalid", "is missing") }
    var write = RecordWrite(key: RecordKey(collection: collection, id: id), kind: kind, changes: [])
    if let changesAt {
      reader.cbor = changesAt
      write.changes = try changes(&reader, app.collections[collection])
    } else if self == .update || self == .resolve {
      throw ArgumentPath(changesKey).rejection("invalid", "is missing")
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

  private var changesKey: StaticString {
    switch self {
    case .update: "changes"
    case .create, .resolve: "fields"
    case .delete, .restore: ""
    }
  }

  private func changes(_ reader: inout ArgumentReader, _ collection: Collection) throws(Rejection) -> [(number: Int, change: FieldChange)] {
    let whole = ArgumentPath(changesKey)
    let count = try reader.map(whole)
    var out: [(number: Int, change: FieldChange)] = []
    out.reserveCapacity(count)
    for _ in 0..<count {
      guard let number = try reader.number(in: collection, whole) else {
        throw ArgumentPath(changesKey, try reader.key(whole)).rejection("unknown", "no such field")
      }
      let path = ArgumentPath(changesKey, collection.fields[number].name)
      for earlier in out where earlier.number == number { throw path.rejection("invalid", "is written twice") }
      out.append((number, try reader.change(collection.fields[number].type, path)))
    }
    return out
  }
}

/// Where an argument lies. Spelt out only when it is needed: arguments are read far more often than refused.
struct ArgumentPath {
  private let root: StaticString
  private let name: Text?
  private var detail: StaticString = ""

  init(_ root: StaticString, _ name: Text? = nil) {
    self.root = root
    self.name = name
  }

  init(_ name: Text) {
    root = ""
    self.name = name
  }

  /// A part of the same argument, such as `$add`.
  func part(_ detail: StaticString) -> ArgumentPath {
    var path = self
    path.detail = detail
    return path
  }

  var text: Text {
    var bytes = Text(root).utf8
    if let name { bytes += (bytes.isEmpty ? [] : [0x2E]) + name.utf8 }
    if detail.utf8CodeUnitCount > 0 { bytes += [0x2E] + Text(detail).utf8 }
    return Text(utf8: bytes)
  }

  func rejection(_ code: StaticString, _ message: StaticString) -> Rejection { Rejection(code: Text(code), path: text, message: Text(message)) }
}

/// Reads arguments and turns decoding problems into refusals with a path.
struct ArgumentReader {
  var cbor: CBORReader

  init(_ args: [UInt8]) { cbor = CBORReader(args) }

  mutating func map(_ path: ArgumentPath) throws(Rejection) -> Int {
    do { return try cbor.map() } catch { throw path.rejection("invalid", "must be an object") }
  }

  mutating func key(_ path: ArgumentPath) throws(Rejection) -> Text { try text(path) }

  /// The bytes of the next key, to be compared in place.
  mutating func keyRange(_ path: ArgumentPath) throws(Rejection) -> Range<Int> {
    do { return try cbor.textRange() } catch { throw path.rejection("invalid", "must be text") }
  }

  mutating func text(_ path: ArgumentPath) throws(Rejection) -> Text {
    do { return try cbor.text() } catch { throw path.rejection("invalid", "must be text") }
  }

  /// The number of the field that the next key names, compared in place; nil, without moving, when there is none.
  mutating func number(in collection: Collection, _ path: ArgumentPath) throws(Rejection) -> Int? {
    let start = cbor
    let range = try keyRange(path)
    for number in collection.fields.indices where collection.fields[number].name.isEqual(to: cbor.input, range) {
      return number
    }
    cbor = start
    return nil
  }

  mutating func skip() throws(Rejection) {
    do { try cbor.skip() } catch { throw Rejection(code: Text("invalid" as StaticString), path: Text(utf8: []), message: error.message) }
  }

  mutating func value(_ type: FieldType, _ path: ArgumentPath) throws(Rejection) -> Value {
    var problem = Text(utf8: [])
    if let raw = try? Value(from: &cbor), let value = type.accept(raw, problem: &problem) { return value }
    if problem.utf8.isEmpty { problem = Text("must be of type " + Text(type.name).string) }
    throw Rejection(code: Text("invalid" as StaticString), path: path.text, message: problem)
  }

  /// A change: a plain value, {"$increment": n}, {"$edit": bytes}, or {"$add": […], "$remove": […]}.
  mutating func change(_ type: FieldType, _ path: ArgumentPath) throws(Rejection) -> FieldChange {
    guard (try? cbor.peek()) == .map else { return .set(try value(type, path)) }
    var add: [Value] = []
    var remove: [Value] = []
    var increment: Int64?
    var edit: [UInt8]?
    for _ in 0..<(try map(path)) {
      let key = try keyRange(path)
      if cbor.spells("$increment", key) {
        guard case .int(let amount) = try value(.int, path.part("$increment")) else { throw path.rejection("invalid", "must be a whole number") }
        increment = amount
      } else if cbor.spells("$add", key) {
        add = try elements(type, path.part("$add"))
      } else if cbor.spells("$remove", key) {
        remove = try elements(type, path.part("$remove"))
      } else if cbor.spells("$edit", key) {
        guard type.isText else { throw path.rejection("invalid", "the field is not a collaborative text") }
        guard case .bytes(let bytes) = try value(.bytes, path.part("$edit")) else { throw path.part("$edit").rejection("invalid", "must be bytes") }
        edit = bytes
      } else {
        throw path.rejection("unknown", "takes a value, $increment, $edit, or $add and $remove")
      }
    }
    if let increment { return .increment(increment) }
    if let edit { return .edit(edit) }
    return .alter(add: add, remove: remove)
  }

  private mutating func elements(_ type: FieldType, _ path: ArgumentPath) throws(Rejection) -> [Value] {
    guard case .set = type else { throw path.rejection("invalid", "the field is not a set") }
    guard case .array(let values) = try value(type, path) else { throw path.rejection("invalid", "must be a list") }
    return values
  }
}
