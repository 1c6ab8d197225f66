// SPDX-License-Identifier: Apache-2.0
// Encodes any CBOR item again in its deterministic form, so that one content has one sequence of bytes.

enum CanonicalCBOR {
  /// The next item in deterministic form: shortest heads, sorted map keys, duplicate keys refused. Depth is at most `CBORReader.depthMax`.
  static func append(_ reader: inout CBORReader, to out: inout CBORWriter, depth: Int = CBORReader.depthMax) throws(DecodeError) {
    guard depth > 0 else { throw reader.failure(.tooDeep) }
    switch try reader.peek() {
    case .uint: out.uint(try reader.uint())
    case .negative: out.int(try reader.int())
    case .bytes: out.bytes(try reader.bytes())
    case .text: out.text(try reader.text())
    case .bool: out.bool(try reader.bool())
    case .null:
      try reader.skip()
      out.null()
    case .undefined:
      try reader.skip()
      out.undefined()
    case .double: out.double(try reader.double())
    case .tag:
      out.tag(try reader.tag())
      try append(&reader, to: &out, depth: depth - 1)
    case .array:
      let count = try reader.array()
      out.array(count)
      for _ in 0..<count { try append(&reader, to: &out, depth: depth - 1) }
    case .map: try appendMap(&reader, to: &out, depth: depth)
    }
  }

  private static func appendMap(_ reader: inout CBORReader, to out: inout CBORWriter, depth: Int) throws(DecodeError) {
    let count = try reader.map()
    var entries: [(key: [UInt8], value: [UInt8])] = []
    for _ in 0..<count {
      var key = CBORWriter()
      try append(&reader, to: &key, depth: depth - 1)
      var value = CBORWriter()
      try append(&reader, to: &value, depth: depth - 1)
      entries.append((key.finish(), value.finish()))
    }
    entries.sort { Text.precedes($0.key, $1.key) }
    out.map(count)
    for index in entries.indices {
      if index > 0 && entries[index].key == entries[index - 1].key { throw reader.failure(.malformed) }
      out.raw(entries[index].key)
      out.raw(entries[index].value)
    }
  }
}
