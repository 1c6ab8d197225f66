// SPDX-License-Identifier: Apache-2.0
// Small JSON objects of the wasm border: reading arguments, writing results.
import AloftCore

/// The arguments of an operation: one JSON object.
struct Arguments {
  private let cbor: [UInt8]
  private var items: [(key: Text, value: Range<Int>)] = []

  init(json: [UInt8]) throws(Refusal) {
    do throws(DecodeError) {
      cbor = try JSONCodec.cbor(fromJSON: json)
      var reader = CBORReader(cbor)
      for _ in 0..<(try reader.map()) {
        let key = try reader.text()
        let start = reader.position
        try reader.skip()
        items.append((key, start..<reader.position))
      }
    } catch { throw Refusal(error) }
  }

  /// An argument where it lies.
  func reader(_ name: StaticString) -> CBORReader? {
    for item in items where item.key == name { return CBORReader(cbor, from: item.value.lowerBound, to: item.value.upperBound) }
    return nil
  }

  /// An argument as CBOR of its own.
  func item(_ name: StaticString) -> [UInt8]? {
    for item in items where item.key == name { return cbor.bytes(from: item.value.lowerBound, to: item.value.upperBound) }
    return nil
  }

  func text(_ name: StaticString) -> Text? {
    guard var reader = reader(name) else { return nil }
    return try? reader.text()
  }

  func required(_ name: StaticString) throws(Refusal) -> Text {
    guard let text = text(name) else { throw Refusal("invalid", "is missing or not text", path: name) }
    return text
  }

  func number(_ name: StaticString) throws(Refusal) -> Int64 {
    if var reader = reader(name), let value = try? reader.int() { return value }
    throw Refusal("invalid", "is missing or not a whole number", path: name)
  }
}

enum JSONText {
  static func object(_ entries: [(StaticString, Text)]) -> [UInt8] {
    var out = CBORWriter()
    out.map(entries.count)
    for (key, value) in entries {
      out.text(key)
      out.text(value)
    }
    return json(out)
  }

  static func value(_ value: Value) -> [UInt8] {
    var out = CBORWriter()
    switch value {
    case .int(let number): out.int(number)
    case .double(let number): out.double(number)
    default: out.null()
    }
    return json(out)
  }

  /// Our own encoding always transcodes.
  private static func json(_ out: CBORWriter) -> [UInt8] { (try? JSONCodec.json(fromCBOR: out.finish())) ?? [] }
}
