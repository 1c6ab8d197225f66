// SPDX-License-Identifier: Apache-2.0
// Reads a query as JavaScript writes it, with the path of every problem.

/// A problem in a query.
public struct QueryError: Error, Equatable, Sendable {
  public var path: Text
  public var message: Text

  init(_ path: String, _ message: String) {
    self.path = Text(path)
    self.message = Text(message)
  }
}

extension Query {
  /// - Parameter cbor: the query as CBOR (JSON goes through `JSONCodec.cbor`).
  public init(cbor: [UInt8], app: App) throws(QueryError) {
    var reader = QueryReader(CBORReader(cbor), app)
    self = try reader.query()
  }
}

private struct QueryReader {
  var cbor: CBORReader
  let app: App
  var collection: Collection
  private var conditionCount = 0

  init(_ cbor: CBORReader, _ app: App) {
    self.cbor = cbor
    self.app = app
    collection = Collection(name: Text(utf8: []))
  }

  mutating func query() throws(QueryError) -> Query {
    // `from` first: the other keys need its fields.
    let start = cbor
    var number: Int?
    for _ in 0..<(try map("")) {
      if try text("") == "from" {
        let name = try text("from")
        number = app.number(of: name)
        if number == nil { throw QueryError("from", "no such collection: " + name.string) }
      } else {
        try skip()
      }
    }
    guard let number else { throw QueryError("from", "is missing: the collection to look in") }
    collection = app.collections[number]
    cbor = start
    var query = Query(collection: number)
    for _ in 0..<(try map("")) {
      let key = try text("")
      if key == "from" {
        try skip()
      } else if key == "where" {
        query.filter = try filter("where", depth: 16)
      } else if key == "orderBy" {
        query.orderBy = try orderings()
      } else if key == "limit" {
        query.limit = try count("limit")
      } else if key == "offset" {
        query.offset = try count("offset")
      } else if key == "count" {
        if try bool("count") { query.aggregate = .count }
      } else if key == "sum" {
        query.aggregate = .sum(field: try field(try text("sum"), "sum"))
      } else {
        throw QueryError(key.string, "is not a key of a query; known are from, where, orderBy, limit, offset, count, sum")
      }
    }
    return query
  }

  private mutating func orderings() throws(QueryError) -> [Ordering] {
    var out: [Ordering] = []
    for index in 0..<(try array("orderBy")) {
      let path = "orderBy[" + decimal(index) + "]"
      if kind == .text {
        out.append(Ordering(field: try field(try text(path), path), isDescending: false))
        continue
      }
      let parts = try array(path)
      guard parts == 1 || parts == 2 else { throw QueryError(path, "must be a field, or [field, \"asc\" or \"desc\"]") }
      let name = try field(try text(path), path)
      let direction = parts == 2 ? try text(path) : Text("asc")
      guard direction == "asc" || direction == "desc" else { throw QueryError(path, "must be \"asc\" or \"desc\"") }
      out.append(Ordering(field: name, isDescending: direction == "desc"))
    }
    return out
  }

  private mutating func filter(_ path: String, depth: Int) throws(QueryError) -> Filter {
    guard depth > 0 else { throw QueryError(path, "is nested deeper than 16 levels") }
    var parts: [Filter] = []
    for _ in 0..<(try map(path)) {
      let key = try text(path)
      let here = path + "." + key.string
      if key == "and" || key == "or" {
        var inner: [Filter] = []
        for index in 0..<(try array(here)) { inner.append(try filter(here + "[" + decimal(index) + "]", depth: depth - 1)) }
        parts.append(key == "and" ? .all(inner) : .any(inner))
      } else if key == "not" {
        parts.append(.not(try filter(here, depth: depth - 1)))
      } else {
        try conditions(try field(key, here), here, &parts)
      }
    }
    return parts.count == 1 ? parts[0] : .all(parts)
  }

  private mutating func conditions(_ field: Int, _ path: String, _ parts: inout [Filter]) throws(QueryError) {
    guard kind == .map else {
      parts.append(.compare(field: field, .equal, try value(field, path)))
      return try limit(path)
    }
    for _ in 0..<(try map(path)) {
      let word = try text(path)
      let here = path + "." + word.string
      try limit(path)
      if word == "in" {
        var values: [Value] = []
        for _ in 0..<(try array(here)) { values.append(try value(field, here)) }
        parts.append(.oneOf(field: field, values))
      } else if word == "prefix" {
        parts.append(.prefix(field: field, try text(here)))
      } else if word == "has" {
        guard field >= 0, case .set(let element) = collection.fields[field].type else { throw QueryError(here, "needs a set") }
        parts.append(.has(field: field, try accept(element, here)))
      } else {
        parts.append(.compare(field: field, try comparison(word, here), try value(field, here)))
      }
    }
  }

  private mutating func limit(_ path: String) throws(QueryError) {
    conditionCount += 1
    if conditionCount > 256 { throw QueryError(path, "has more than 256 conditions") }
  }

  private func comparison(_ word: Text, _ path: String) throws(QueryError) -> Filter.Comparison {
    if word == "=" { return .equal }
    if word == "!=" { return .notEqual }
    if word == "<" { return .less }
    if word == "<=" { return .lessOrEqual }
    if word == ">" { return .greater }
    if word == ">=" { return .greaterOrEqual }
    throw QueryError(path, "is not a comparison; known are = != < <= > >= in prefix has")
  }

  private func field(_ name: Text, _ path: String) throws(QueryError) -> Int {
    if name == "id" { return -1 }
    if let number = collection.number(of: name) { return number }
    throw QueryError(path, "no such field: " + name.string)
  }

  private mutating func value(_ field: Int, _ path: String) throws(QueryError) -> Value {
    try accept(field < 0 ? .string : collection.fields[field].type, path)
  }

  private mutating func accept(_ type: FieldType, _ path: String) throws(QueryError) -> Value {
    let raw: Value
    do { raw = try Value(from: &cbor) } catch { throw QueryError(path, "must be a plain value") }
    // A choice or a reference may be compared with any text.
    if case .text = raw, case .choice = type { return raw }
    if case .text = raw, case .reference = type { return raw }
    var problem = Text(utf8: [])
    guard let value = type.accept(raw, problem: &problem) else { throw QueryError(path, problem.string) }
    return value
  }

  private var kind: CBORReader.Kind? { try? cbor.peek() }

  private mutating func map(_ path: String) throws(QueryError) -> Int {
    do { return try cbor.map() } catch { throw QueryError(path, "must be an object") }
  }

  private mutating func array(_ path: String) throws(QueryError) -> Int {
    do { return try cbor.array() } catch { throw QueryError(path, "must be a list") }
  }

  private mutating func text(_ path: String) throws(QueryError) -> Text {
    do { return try cbor.text() } catch { throw QueryError(path, "must be text") }
  }

  private mutating func bool(_ path: String) throws(QueryError) -> Bool {
    do { return try cbor.bool() } catch { throw QueryError(path, "must be true or false") }
  }

  private mutating func count(_ path: String) throws(QueryError) -> Int {
    do {
      let value = try cbor.int()
      if value >= 0, value <= 1 << 29 { return Int(value) }
    } catch {}
    throw QueryError(path, "must be a whole number, 0 or more")
  }

  private mutating func skip() throws(QueryError) {
    do { try cbor.skip() } catch { throw QueryError("", error.message.string) }
  }
}
