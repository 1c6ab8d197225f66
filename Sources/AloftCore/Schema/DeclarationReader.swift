// SPDX-License-Identifier: Apache-2.0
// Reads a declaration from JSON (transcoded to CBOR) and names the path of each problem.

/// A cursor over the declaration that remembers where it is, in the words of the file's author.
struct DeclarationReader {
  private var reader: CBORReader
  private var path: [String] = []

  init(_ cbor: [UInt8]) { reader = CBORReader(cbor) }

  mutating func app() throws(SchemaError) -> App {
    var name: Text?
    var version = 1
    var collections: [Collection] = []
    var actions: [Action] = []
    try object { (self: inout Self, key: Text) throws(SchemaError) -> Bool in
      if key == "app" {
        name = try self.text()
      } else if key == "version" {
        version = Int(try self.int())
      } else if key == "collections" {
        try self.list { (self: inout Self) throws(SchemaError) in collections.append(try self.collection()) }
      } else if key == "actions" {
        try self.list { (self: inout Self) throws(SchemaError) in actions.append(try self.action()) }
      } else {
        return false
      }
      return true
    }
    guard let name else { throw SchemaError("app", "is missing: the app's name") }
    var app = App(name: name, version: version)
    app.collections = collections
    app.actions = actions
    return app
  }

  private mutating func collection() throws(SchemaError) -> Collection {
    var result = Collection(name: Text(utf8: []))
    try object { (self: inout Self, key: Text) throws(SchemaError) -> Bool in
      if key == "name" {
        result.name = try self.text()
      } else if key == "fields" {
        try self.list { (self: inout Self) throws(SchemaError) in result.fields.append(try self.field()) }
      } else if key == "scopes" {
        result.addScopes(try self.texts())
      } else if key == "allow" {
        try self.list { (self: inout Self) throws(SchemaError) in result.permissions.append(try self.permission()) }
      } else if key == "onConcurrentUpdate" {
        let choice = try self.text()
        if choice == "deleteWins" {
          result.onConcurrentUpdate = .deleteWins
        } else if choice == "updateWins" {
          result.onConcurrentUpdate = .updateWins
        } else {
          throw self.problem("must be deleteWins or updateWins")
        }
      } else {
        return false
      }
      return true
    }
    return result
  }

  private mutating func field() throws(SchemaError) -> Field {
    var name = Text(utf8: [])
    var type = TypeParts()
    var rule: Rule?
    var since = 1
    var isRequired = false
    var writers: [Text] = []
    var readers: [Text] = []
    try object { (self: inout Self, key: Text) throws(SchemaError) -> Bool in
      if key == "name" {
        name = try self.text()
      } else if key == "rule" {
        let word = try self.text()
        rule = Rule.allCases.first { Text($0.name) == word }
        if rule == nil {
          throw self.problem("must be one of latest, guarded, manual, addWins, counter, maximum, minimum, immutable, server")
        }
      } else if key == "since" {
        since = Int(try self.int())
      } else if key == "required" {
        isRequired = try self.bool()
      } else if key == "write" {
        writers = try self.texts()
      } else if key == "read" {
        readers = try self.texts()
      } else {
        return try self.typePart(key, &type)
      }
      return true
    }
    var field = Field("", try finish(type), rule, since: since, required: isRequired)
    field.name = name
    field.writers = writers
    field.readers = readers
    return field
  }

  private mutating func permission() throws(SchemaError) -> Permission {
    var result = Permission([], to: Text(utf8: []))
    try object { (self: inout Self, key: Text) throws(SchemaError) -> Bool in
      if key == "to" {
        result.role = try self.text()
      } else if key == "do" {
        for word in try self.texts() {
          guard let operation = Operation.allCases.first(where: { Text($0.name) == word }) else {
            throw self.problem("must list read, create, update or delete")
          }
          result.operations.append(operation)
        }
      } else {
        return false
      }
      return true
    }
    return result
  }

  private mutating func action() throws(SchemaError) -> Action {
    var result = Action("", [])
    try object { (self: inout Self, key: Text) throws(SchemaError) -> Bool in
      if key == "name" {
        result.name = try self.text()
      } else if key == "args" {
        try self.list { (self: inout Self) throws(SchemaError) in
          var name = Text(utf8: [])
          var type = TypeParts()
          try self.object { (self: inout Self, key: Text) throws(SchemaError) -> Bool in
            if key == "name" {
              name = try self.text()
              return true
            }
            return try self.typePart(key, &type)
          }
          result.parameters.append(Parameter(name: name, type: try self.finish(type)))
        }
      } else {
        return false
      }
      return true
    }
    return result
  }

  // MARK: types

  private struct TypeParts {
    var name: Text?
    var choices: [Text] = []
    var target: Text?
    var element: FieldType?
    var low: Int64?
    var high: Int64?
  }

  private mutating func typePart(_ key: Text, _ parts: inout TypeParts) throws(SchemaError) -> Bool {
    if key == "type" {
      parts.name = try text()
    } else if key == "choices" {
      parts.choices = try texts()
    } else if key == "to" {
      parts.target = try text()
    } else if key == "of" {
      parts.element = try element()
    } else if key == "min" {
      parts.low = try int()
    } else if key == "max" {
      parts.high = try int()
    } else {
      return false
    }
    return true
  }

  private mutating func element() throws(SchemaError) -> FieldType {
    var parts = TypeParts()
    if (try? reader.peek()) == .text {
      parts.name = try text()
    } else {
      try object { (self: inout Self, key: Text) throws(SchemaError) -> Bool in
        // Sets of sets are refused, so this cannot nest.
        if key == "of" { throw self.problem("a set holds simple values") }
        return try self.typePart(key, &parts)
      }
    }
    return try finish(parts)
  }

  private func finish(_ parts: TypeParts) throws(SchemaError) -> FieldType {
    guard let name = parts.name else { throw problem("has no type") }
    if name == "string" { return .string }
    if name == "int" { return .int }
    if name == "double" { return .double }
    if name == "bool" { return .bool }
    if name == "timestamp" { return .timestamp }
    if name == "bytes" { return .bytes }
    if name == "text" { return .text }
    if name == "richText" { return .richText }
    if name == "choice" { return .choice(parts.choices) }
    if name == "counter" { return .counter(min: parts.low, max: parts.high) }
    if name == "reference" {
      guard let target = parts.target else { throw problem("a reference needs to: the collection it points to") }
      return .reference(target)
    }
    if name == "set" {
      guard let element = parts.element else { throw problem("a set needs of: the type of its elements") }
      return .set(element)
    }
    throw problem("has an unknown type: " + name.string)
  }

  // MARK: steps with a path

  private func problem(_ message: String) -> SchemaError {
    var out = ""
    for step in path {
      let isIndex = step.utf8.first == 0x5B
      out += out.isEmpty || isIndex ? step : "." + step
    }
    return SchemaError(out, message)
  }

  private mutating func object(_ entry: (inout Self, Text) throws(SchemaError) -> Bool) throws(SchemaError) {
    let count: Int
    do { count = try reader.map() } catch { throw problem("must be an object") }
    var seen: [Text] = []
    for _ in 0..<count {
      let key: Text
      do { key = try reader.text() } catch { throw problem("has a key that is not text") }
      path.append(key.string)
      if seen.contains(key) { throw problem("is written twice") }
      seen.append(key)
      guard try entry(&self, key) else { throw problem("is not a key that is known here") }
      path.removeLast()
    }
  }

  private mutating func list(_ element: (inout Self) throws(SchemaError) -> Void) throws(SchemaError) {
    let count: Int
    do { count = try reader.array() } catch { throw problem("must be an array") }
    for index in 0..<count {
      path.append("[" + decimal(index) + "]")
      try element(&self)
      path.removeLast()
    }
  }

  private mutating func text() throws(SchemaError) -> Text {
    do { return try reader.text() } catch { throw problem("must be text") }
  }

  private mutating func texts() throws(SchemaError) -> [Text] {
    var out: [Text] = []
    try list { (self: inout Self) throws(SchemaError) in out.append(try self.text()) }
    return out
  }

  private mutating func int() throws(SchemaError) -> Int64 {
    do {
      let value = try reader.int()
      if value.magnitude <= UInt64(Int32.max) { return value }
    } catch {}
    throw problem("must be a whole number")
  }

  private mutating func bool() throws(SchemaError) -> Bool {
    do { return try reader.bool() } catch { throw problem("must be true or false") }
  }
}
