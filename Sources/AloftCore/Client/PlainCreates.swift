// SPDX-License-Identifier: Apache-2.0
// The short way of creates whose fields all hold plain values: arguments and row are put together from the bytes of the call.
//
// Why a second way: bulk writes are creates like these, and decoding every field into a value only to encode it twice costs more
// than all the rest of a write. It takes what it knows to be right; whatever is unusual goes the general way, and so does every
// mistake, so that refusals are worded in one place.

/// Reads the calls of a batch, one after the other.
struct PlainCreates {
  /// The most bytes of values taken here: far below the limit for arguments, which the general way watches.
  private static let valueBytesMax = 1 << 19

  let action = Text("create" as StaticString)
  private let bytes: [UInt8]
  /// The collection of the last create, for which the fields were prepared.
  private(set) var collection = -1
  private var name = Text(utf8: [])
  private var fields: [PlainField] = []
  /// The encoded keys of the fields behind each other.
  private var keys: [UInt8] = []
  /// The numbers of the fields in the order of their keys, which is their order in deterministic arguments.
  private var order: [Int] = []
  /// The number of the field that came at each place in the last call: calls of a batch are mostly alike.
  private var arrival: [Int] = []

  // What the last call holds, besides the fields' values.
  private var id = 0..<0
  private var fieldCount = 0
  private var cellCount = 0
  private var keyBytes = 0
  private var valueBytes = 0

  init(_ calls: CBORReader) { bytes = calls.input }

  /// The id that the call gives its record.
  var givenID: Text? { id.isEmpty ? nil : Text(utf8: bytes.bytes(from: id.lowerBound, to: id.upperBound)) }

  /// The arguments with an id, in deterministic form.
  func arguments(id: Text) -> [UInt8] {
    // No more than is written: a draft keeps its arguments until the server has judged.
    var out = CBORWriter(capacity: keyBytes + valueBytes + name.utf8.count + id.utf8.count + 27)
    out.map(3)
    out.text("id")
    out.text(id)
    out.text("fields")
    out.map(fieldCount)
    for number in order where !fields[number].value.isEmpty {
      out.raw(keys, fields[number].key)
      out.raw(bytes, fields[number].value)
    }
    out.text("collection")
    out.text(name)
    return out.finish()
  }

  /// The bytes of the record's first row.
  func row(id: Text, stamp: Stamp) -> [UInt8] {
    var out = CBORWriter(capacity: valueBytes + cellCount - fieldCount + id.utf8.count + 48)
    out.array(6)
    out.text(id)
    out.uint(0)
    out.array(cellCount)
    for number in 0..<cellCount {
      if fields[number].value.isEmpty { out.undefined() } else { out.raw(bytes, fields[number].value) }
    }
    out.uint(0)
    out.array(5)
    stamp.encode(to: &out)
    out.array(0)
    return out.finish()
  }

  // MARK: reading

  /// Reads the next call and says where it ends; nil when it is not a create of this kind.
  mutating func read(_ calls: CBORReader, _ app: App) -> Int? {
    let bytes = self.bytes
    return bytes.withUnsafeBufferPointer { buffer in
      var heads = Heads(bytes: buffer, at: calls.position, end: calls.end)
      return call(&heads, app) ? heads.at : nil
    }
  }

  private mutating func call(_ heads: inout Heads, _ app: App) -> Bool {
    guard heads.count(5) == 2 else { return false }
    var isCreate = false
    var hasArguments = false
    for _ in 0..<2 {
      guard let key = heads.text() else { return false }
      if heads.spells("action", key) {
        guard let action = heads.text(), heads.spells("create", action) else { return false }
        isCreate = true
      } else if heads.spells("args", key) {
        hasArguments = arguments(&heads, app)
        if !hasArguments { return false }
      } else {
        return false
      }
    }
    return isCreate && hasArguments
  }

  private mutating func arguments(_ heads: inout Heads, _ app: App) -> Bool {
    let count = heads.count(5)
    // A key that comes twice leaves another one out.
    guard count == 2 || count == 3 else { return false }
    var hasCollection = false
    var hasFields = false
    var fieldsAt: Heads?
    id = 0..<0
    for _ in 0..<count {
      guard let key = heads.text() else { return false }
      if heads.spells("collection", key) {
        guard let name = heads.text(), prepare(name, app) else { return false }
        hasCollection = true
      } else if heads.spells("fields", key) {
        if hasCollection {
          hasFields = values(&heads)
          if !hasFields { return false }
        } else {
          // Sorted keys put the fields before the name of their collection.
          fieldsAt = heads
          var reader = CBORReader(bytes, from: heads.at, to: heads.end)
          if (try? reader.skip()) == nil { return false }
          heads.at = reader.position
        }
      } else if heads.spells("id", key) {
        guard let text = heads.text(), heads.isValid(text) else { return false }
        id = text
        guard let id = givenID, RecordID.isValid(id) else { return false }
      } else {
        return false
      }
    }
    if hasCollection, var fieldsAt { hasFields = values(&fieldsAt) }
    return hasFields && id.isEmpty == (count == 2)
  }

  private mutating func values(_ heads: inout Heads) -> Bool {
    fieldCount = heads.count(5)
    guard fieldCount >= 0, fieldCount <= fields.count else { return false }
    for number in fields.indices { fields[number].value = 0..<0 }
    (cellCount, keyBytes, valueBytes) = (0, 0, 0)
    for place in 0..<fieldCount {
      let number = field(&heads, place)
      guard number >= 0, fields[number].value.isEmpty else { return false }
      let start = heads.at
      guard value(&heads, number) else { return false }
      fields[number].value = start..<heads.at
      cellCount = max(cellCount, number + 1)
      keyBytes += fields[number].key.count
      valueBytes += heads.at - start
    }
    for number in fields.indices where fields[number].isRequired && fields[number].value.isEmpty { return false }
    return valueBytes <= Self.valueBytesMax
  }

  /// The number of the field that the next key names, or -1.
  private mutating func field(_ heads: inout Heads, _ place: Int) -> Int {
    if heads.skip(keys, fields[arrival[place]].key) { return arrival[place] }
    for number in fields.indices where heads.skip(keys, fields[number].key) {
      arrival[place] = number
      return number
    }
    return -1
  }

  private func value(_ heads: inout Heads, _ number: Int) -> Bool {
    if fields[number].isNullPlain && heads.null() { return true }
    switch fields[number].kind {
    case .other: return false
    case .int: return heads.int()
    case .bool: return heads.bool()
    case .text:
      guard let text = heads.text() else { return false }
      return text.count <= FieldType.bytesMax && heads.isValid(text)
    case .choice:
      guard let text = heads.text() else { return false }
      for choice in fields[number].choices where choice.isEqual(to: bytes, text) { return true }
      return false
    }
  }

  /// Works out what creates of one collection have in common.
  private mutating func prepare(_ name: Range<Int>, _ app: App) -> Bool {
    if collection >= 0 && self.name.isEqual(to: bytes, name) { return true }
    collection = -1
    for number in app.collections.indices where app.collections[number].name.isEqual(to: bytes, name) { collection = number }
    if collection < 0 { return false }
    self.name = app.collections[collection].name
    (fields, order, arrival) = ([], [], [])
    var encoded = CBORWriter(capacity: 256)
    for field in app.collections[collection].fields {
      let start = encoded.count
      encoded.text(field.name)
      arrival.append(fields.count)
      order.append(fields.count)
      fields.append(PlainField(field, key: start..<encoded.count))
    }
    keys = encoded.finish()
    for end in order.indices {
      var place = end
      while place > 0, CanonicalCBOR.compare(keys, fields[order[place]].key, fields[order[place - 1]].key) < 0 {
        order.swapAt(place, place - 1)
        place -= 1
      }
    }
    return true
  }
}

/// A field as plain creates see it.
private struct PlainField {
  /// How a value must look for arguments and row to hold its bytes as they are.
  enum Kind { case other, text, choice, int, bool }

  var kind = Kind.other
  var choices: [Text] = []
  let isRequired: Bool
  /// Whether null is stored like any other value.
  let isNullPlain: Bool
  /// Its part of the encoded keys.
  let key: Range<Int>
  /// The bytes of its value in the last call; empty for none.
  var value = 0..<0

  init(_ field: Field, key: Range<Int>) {
    self.key = key
    isRequired = field.isRequired
    // The rules that take a first value as it is; of null, `immutable` takes no notice.
    let isPlain = field.rule == .latest || field.rule == .guarded
    isNullPlain = isPlain && !isRequired
    guard isPlain || field.rule == .immutable else { return }
    switch field.type {
    case .string: kind = .text
    case .choice(let choices): (kind, self.choices) = (.choice, choices)
    case .int, .timestamp: kind = .int
    case .bool: kind = .bool
    default: break
    }
  }
}

/// Reads item heads where they lie. What is not plain gives -1, an empty range or false.
private struct Heads {
  let bytes: UnsafeBufferPointer<UInt8>
  var at: Int
  let end: Int

  /// The argument of the next head when it is of this kind; `isShortest` refuses one that has more bytes than it needs.
  private mutating func argument(_ major: UInt8, isShortest: Bool) -> UInt64? {
    guard at < end, bytes[at] >> 5 == major else { return nil }
    let low = Int(bytes[at] & 0x1F)
    at += 1
    if low < 24 { return UInt64(low) }
    let width = 1 << (low - 24)
    guard low < 28, width <= end - at else { return nil }
    var value: UInt64 = 0
    for _ in 0..<width {
      value = value << 8 | UInt64(bytes[at])
      at += 1
    }
    let least: UInt64 = width == 1 ? 24 : 1 << UInt64(width * 4)
    return isShortest && value < least ? nil : value
  }

  /// The number of items of a container. JSON's have a head of four bytes, whatever their count.
  mutating func count(_ major: UInt8) -> Int {
    guard let value = argument(major, isShortest: false), value <= UInt64(end - at) else { return -1 }
    return Int(value)
  }

  /// The bytes of a text, unchecked.
  mutating func text() -> Range<Int>? {
    guard let length = argument(3, isShortest: true), length <= UInt64(end - at) else { return nil }
    at += Int(length)
    return at - Int(length)..<at
  }

  func isValid(_ text: Range<Int>) -> Bool { Text.isValidUTF8(bytes, from: text.lowerBound, to: text.upperBound) }

  func spells(_ word: StaticString, _ text: Range<Int>) -> Bool {
    text.count == word.utf8CodeUnitCount && word.withUTF8Buffer { isEqual($0, at: text.lowerBound) }
  }

  private func isEqual(_ other: UnsafeBufferPointer<UInt8>, at start: Int) -> Bool {
    for index in 0..<other.count where other[index] != bytes[start + index] { return false }
    return true
  }

  /// Moves past a part of `keys` when it comes next.
  mutating func skip(_ keys: [UInt8], _ part: Range<Int>) -> Bool {
    guard part.count <= end - at, keys.withUnsafeBufferPointer({ isEqual(UnsafeBufferPointer(rebasing: $0[part]), at: at) }) else { return false }
    at += part.count
    return true
  }

  mutating func null() -> Bool { skip(0xF6) }
  mutating func bool() -> Bool { skip(0xF4) || skip(0xF5) }

  private mutating func skip(_ byte: UInt8) -> Bool {
    guard at < end, bytes[at] == byte else { return false }
    at += 1
    return true
  }

  mutating func int() -> Bool {
    if let value = argument(0, isShortest: true) { return value <= UInt64(Value.intMax) }
    // -1 - argument
    guard let value = argument(1, isShortest: true) else { return false }
    return value < UInt64(Value.intMax)
  }
}
