// SPDX-License-Identifier: Apache-2.0
// Encodes any CBOR item again in its deterministic form, so that one content has one sequence of bytes.

enum CanonicalCBOR {
  /// The next item in deterministic form, as bytes of its own. What is in that form already, as our own devices send it, is
  /// checked where it lies and copied once.
  static func item(_ reader: inout CBORReader) throws(DecodeError) -> [UInt8] {
    var end = reader
    if (try? isCanonical(&end, depth: CBORReader.depthMax)) == true {
      let bytes = reader.input.bytes(from: reader.position, to: end.position)
      reader = end
      return bytes
    }
    var out = CBORWriter(capacity: 64)
    try append(&reader, to: &out)
    return out.finish()
  }

  /// Moves past the next item and tells whether `append` would write the same bytes; where it would throw, throws or says no.
  private static func isCanonical(_ reader: inout CBORReader, depth: Int) throws(DecodeError) -> Bool {
    let start = reader.position
    guard depth > 0 else { return false }
    switch try reader.peek() {
    case .uint:
      let value = try reader.uint()
      return reader.position - start == headLength(value)
    case .negative:
      let value = try reader.int()
      return reader.position - start == headLength(UInt64(-1 - value))
    case .bytes:
      let count = try reader.bytes().count
      return reader.position - start == headLength(UInt64(count)) + count
    case .text:
      let text = try reader.textRange()
      return text.lowerBound - start == headLength(UInt64(text.count)) && Text.isValidUTF8(reader.input, from: text.lowerBound, to: text.upperBound)
    case .bool, .null, .undefined:
      try reader.skip()
      return true
    case .double:
      var out = CBORWriter()
      out.double(try reader.double())
      return out.output == reader.input.bytes(from: start, to: reader.position)
    case .tag:
      let number = try reader.tag()
      guard reader.position - start == headLength(number) else { return false }
      return try isCanonical(&reader, depth: depth - 1)
    case .array:
      let count = try reader.array()
      guard reader.position - start == headLength(UInt64(count)) else { return false }
      for _ in 0..<count where !(try isCanonical(&reader, depth: depth - 1)) { return false }
      return true
    case .map:
      let count = try reader.map()
      guard reader.position - start == headLength(UInt64(count)) else { return false }
      var last = 0..<0
      for _ in 0..<count {
        let keyStart = reader.position
        guard try isCanonical(&reader, depth: depth - 1) else { return false }
        let key = keyStart..<reader.position
        if !last.isEmpty && compare(reader.input, last, key) >= 0 { return false }
        last = key
        guard try isCanonical(&reader, depth: depth - 1) else { return false }
      }
      return true
    }
  }

  /// The bytes of the shortest head with this argument.
  private static func headLength(_ argument: UInt64) -> Int {
    argument < 24 ? 1 : argument <= 0xFF ? 2 : argument <= 0xFFFF ? 3 : argument <= 0xFFFF_FFFF ? 5 : 9
  }

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
    out.map(count)
    let start = out.count
    var last = 0..<0
    var isSorted = true
    for _ in 0..<count {
      let keyStart = out.count
      try append(&reader, to: &out, depth: depth - 1)
      let key = keyStart..<out.count
      if !last.isEmpty && isSorted { isSorted = out.precedes(last, key) }
      last = key
      try append(&reader, to: &out, depth: depth - 1)
    }
    if !isSorted { try sortPairs(of: &out, from: start, count, reader) }
  }

  /// Puts the pairs that were written last in the order of their keys.
  private static func sortPairs(of out: inout CBORWriter, from start: Int, _ count: Int, _ source: CBORReader) throws(DecodeError) {
    let bytes = out.cut(from: start)
    var items = CBORReader(bytes)
    var pairs: [(start: Int, keyEnd: Int, end: Int)] = []
    pairs.reserveCapacity(count)
    for _ in 0..<count {
      let start = items.position
      try items.skip()
      let keyEnd = items.position
      try items.skip()
      pairs.append((start, keyEnd, items.position))
    }
    pairs.sortStably { compare(bytes, $0.start..<$0.keyEnd, $1.start..<$1.keyEnd) < 0 }
    for index in pairs.indices {
      let pair = pairs[index]
      if index > 0, compare(bytes, pairs[index - 1].start..<pairs[index - 1].keyEnd, pair.start..<pair.keyEnd) == 0 {
        throw source.failure(.malformed)
      }
      out.raw(bytes, from: pair.start, to: pair.end)
    }
  }

  /// Below, at or above zero, as the first range of bytes comes before, equals or follows the second.
  static func compare(_ bytes: [UInt8], _ a: Range<Int>, _ b: Range<Int>) -> Int {
    var offset = 0
    while offset < a.count && offset < b.count {
      let difference = Int(bytes[a.lowerBound + offset]) - Int(bytes[b.lowerBound + offset])
      if difference != 0 { return difference }
      offset += 1
    }
    return a.count - b.count
  }
}
