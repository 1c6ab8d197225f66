// SPDX-License-Identifier: Apache-2.0
// From the small codes of a plan to the values that records hold.

import AloftCore

enum SimWords {
  /// A space's name; its scope is `space:` and this.
  static func space(_ code: Int64) -> Text { named("s", code) }

  static func scope(_ space: Int) -> Text { named("space:s", Int64(space)) }

  static func user(_ number: Int) -> Text { named("u", Int64(number)) }

  /// The id of the key-th record of a collection. Each collection has its own, so that ids never stand for two records.
  static func record(_ collection: Int, _ key: Int) -> Text {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(16)
    bytes.append(0x72)
    bytes.append(0x30 + UInt8(collection))
    bytes.append(0x2D)
    append(Int64(key), to: &bytes)
    return Text(utf8: bytes)
  }

  static func collection(_ number: Int) -> Text { Text(utf8: [0x63, 0x30 + UInt8(number)]) }

  private static func named(_ word: StaticString, _ number: Int64) -> Text {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(16)
    word.withUTF8Buffer { bytes.append(contentsOf: $0) }
    append(number, to: &bytes)
    return Text(utf8: bytes)
  }

  /// Begins each value of a hidden field, so that raw bytes can be searched for it.
  static let canary: [UInt8] = Array("\u{A7}H\u{A7}".utf8)

  static func holdsCanary(_ bytes: [UInt8]) -> Bool {
    let canary = canary
    var index = 0
    while index + canary.count <= bytes.count {
      if bytes[index] == canary[0], bytes[index..<index + canary.count].elementsEqual(canary) { return true }
      index += 1
    }
    return false
  }

  /// A word; codes below 0 stand for texts at the borders of what is allowed.
  static func word(_ code: Int64, in field: SimField) -> Text {
    var bytes: [UInt8] = field == .hidden ? canary : []
    switch code {
    case -1: break
    case -2: bytes.append(0)
    case -3: bytes += Array("e\u{301} \u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467} \u{202E}\u{5D0}".utf8)
    case -4: bytes += [UInt8](repeating: 0x78, count: 4096)
    default:
      bytes.append(0x77)
      append(code, to: &bytes)
    }
    return Text(utf8: bytes)
  }

  static func value(_ code: Int64, of field: SimField) -> Value {
    switch field.kind {
    case .space: .text(space(code))
    case .word, .set: .text(word(code, in: field))
    case .number, .counter: .int(code)
    case .reference: .text(record(0, Int(code)))
    // What is typed depends on what stands there.
    case .text: .null
    }
  }

  static func append(_ number: Int64, to out: inout [UInt8]) {
    if number < 0 { out.append(0x2D) }
    var power: UInt64 = 1
    while number.magnitude / power >= 10 { power *= 10 }
    while power > 0 {
      out.append(0x30 + UInt8(number.magnitude / power % 10))
      power /= 10
    }
  }
}

extension Verb {
  /// The action and arguments of the call; nil for what is not a mutation.
  /// - Parameter edit: what its author types.
  func call(_ edit: [UInt8] = []) -> (action: Text, args: [UInt8])? {
    switch self {
    case .create(let collection, let key, let changes): (Text("create"), Self.args(collection, key, "fields", changes, edit))
    case .update(let collection, let key, let changes): (Text("update"), Self.args(collection, key, "changes", changes, edit))
    case .resolve(let collection, let key, let changes): (Text("resolve"), Self.args(collection, key, "fields", changes, edit))
    case .delete(let collection, let key): (Text("delete"), Self.args(collection, key, nil, []))
    case .restore(let collection, let key): (Text("restore"), Self.args(collection, key, nil, []))
    case .stamp(let key, let word):
      (Text("stamp"), Self.arguments([("word", SimWords.word(word, in: .server)), ("record", SimWords.record(0, key))]))
    case .pair(let first, let second, let word):
      (Text("pair"), Self.arguments([
        ("word", SimWords.word(word, in: .latest)), ("first", SimWords.record(0, first)), ("second", SimWords.record(0, second)),
      ]))
    case .retry, .discard, .tap, .compact, .openTab, .closeTab, .signOut, .signIn: nil
    }
  }

  private static func arguments(_ entries: [(StaticString, Text)]) -> [UInt8] {
    var out = CBORWriter(capacity: 64)
    out.map(entries.count)
    for (name, text) in entries {
      out.text(name)
      out.text(text)
    }
    return out.finish()
  }

  private static func args(_ collection: Int, _ key: Int, _ word: StaticString?, _ changes: [SimChange], _ edit: [UInt8] = []) -> [UInt8] {
    var out = CBORWriter(capacity: 128)
    out.map(word == nil ? 2 : 3)
    out.text("id")
    out.text(SimWords.record(collection, key))
    if let word {
      out.text(word)
      write(changes, edit, to: &out)
    }
    out.text("collection")
    out.text(SimWords.collection(collection))
    return out.finish()
  }

  private static func write(_ changes: [SimChange], _ edit: [UInt8], to out: inout CBORWriter) {
    out.map(changes.count)
    for change in changes {
      out.text(change.field.name)
      switch change.effect {
      case .clear: out.null()
      case .set(let code): write(SimWords.value(code, of: change.field), to: &out)
      case .add(let amount):
        out.map(1)
        out.text("$increment")
        out.int(amount)
      case .alter(let add, let remove):
        out.map(2)
        out.text("$add")
        out.array(add.count)
        for code in add { out.text(SimWords.word(code, in: change.field)) }
        out.text("$remove")
        out.array(remove.count)
        for code in remove { out.text(SimWords.word(code, in: change.field)) }
      case .type:
        out.map(1)
        out.text("$edit")
        out.bytes(edit)
      }
    }
  }

  private static func write(_ value: Value, to out: inout CBORWriter) {
    switch value {
    case .text(let text): out.text(text)
    case .int(let number): out.int(number)
    default: out.null()
    }
  }
}
