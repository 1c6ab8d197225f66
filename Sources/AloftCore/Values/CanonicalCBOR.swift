// SPDX-License-Identifier: Apache-2.0
// Encodes any CBOR item again in its deterministic form, so that one content has one sequence of bytes.

enum CanonicalCBOR {
  /// The next item in deterministic form: shortest heads, sorted map keys, duplicate keys refused. Depth is at most `CBORReader.depthMax`.
  static func append(_ reader: inout CBORReader, to out: inout CBORWriter, depth: Int = CBORReader.depthMax) throws(DecodeError) {
    guard depth > 0 else { throw reader.failure(.tooDeep) }
    switch try reader.peek() {
    case .uint: out.uint(try reader.uint())
    case .negative: out.int(try reader.int())
    case .bytes, .text: try reader.copyString(to: &out)
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
    // Pairs are written behind each other, then copied in the order of their keys.
    var scratch = CBORWriter(capacity: 128)
    var pairs: [(start: Int, keyEnd: Int, end: Int)] = []
    var isSorted = true
    for _ in 0..<count {
      let start = scratch.output.count
      try append(&reader, to: &scratch, depth: depth - 1)
      let keyEnd = scratch.output.count
      if let last = pairs.last, isSorted {
        isSorted = compare(scratch.output, last.start..<last.keyEnd, start..<keyEnd) < 0
      }
      try append(&reader, to: &scratch, depth: depth - 1)
      pairs.append((start, keyEnd, scratch.output.count))
    }
    out.map(count)
    if isSorted { return out.raw(scratch.output) }
    let bytes = scratch.output
    pairs.sortStably { compare(bytes, $0.start..<$0.keyEnd, $1.start..<$1.keyEnd) < 0 }
    for index in pairs.indices {
      let pair = pairs[index]
      if index > 0, compare(bytes, pairs[index - 1].start..<pairs[index - 1].keyEnd, pair.start..<pair.keyEnd) == 0 {
        throw reader.failure(.malformed)
      }
      out.raw(bytes, from: pair.start, to: pair.end)
    }
  }

  /// Below, at or above zero, as the first range of bytes comes before, equals or follows the second.
  private static func compare(_ bytes: [UInt8], _ a: Range<Int>, _ b: Range<Int>) -> Int {
    var offset = 0
    while offset < a.count && offset < b.count {
      let difference = Int(bytes[a.lowerBound + offset]) - Int(bytes[b.lowerBound + offset])
      if difference != 0 { return difference }
      offset += 1
    }
    return a.count - b.count
  }
}
