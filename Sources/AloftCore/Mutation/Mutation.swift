// SPDX-License-Identifier: Apache-2.0
// A mutation: one action call with its identity, its time, and what its author had seen.

/// One change as it waits in the queue and crosses the wire.
public struct Mutation: Sendable {
  /// Counted by the device from 1, without gaps.
  public var n: UInt64
  public var time: HybridTime
  public var action: Text
  /// The arguments, a CBOR map in deterministic form.
  public var args: [UInt8]
  public var seen: [Seen]
  /// Earlier mutations of the same device that must have taken effect first: its lanes and the creations it refers to.
  public var after: [UInt64]

  public init(n: UInt64, time: HybridTime, action: Text, args: [UInt8], seen: [Seen] = [], after: [UInt64] = []) {
    self.n = n
    self.time = time
    self.action = action
    self.args = args
    self.seen = seen
    self.after = after
  }

  /// The hash chain over a device's mutations: equal chains mean equal histories.
  static func chain(_ hash: UInt64, _ encoded: [UInt8], from start: Int, to end: Int) -> UInt64 {
    encoded.withUnsafeBytes { Hash64.of(UnsafeRawBufferPointer(rebasing: $0[start..<end]), seed: hash) }
  }

  /// The deterministic encoding. `device` is the author's: its own mutations are written as plain numbers.
  func encode(to out: inout CBORWriter, device: DeviceID) {
    out.map(4 + (seen.isEmpty ? 0 : 1) + (after.isEmpty ? 0 : 1))
    out.text("n")
    out.uint(n)
    out.text("args")
    out.raw(args)
    if !seen.isEmpty {
      out.text("seen")
      out.array(seen.count)
      for entry in seen { entry.encode(to: &out, device: device) }
    }
    out.text("time")
    out.array(2)
    out.uint(time.milliseconds)
    out.uint(UInt64(time.counter))
    if !after.isEmpty {
      out.text("after")
      out.array(after.count)
      for n in after { out.uint(n) }
    }
    out.text("action")
    out.text(action)
  }

  init(from reader: inout CBORReader, device: DeviceID) throws(DecodeError) {
    self.init(n: 0, time: .zero, action: Text(utf8: []), args: [])
    for _ in 0..<(try reader.map()) {
      let key = try reader.textRange()
      if reader.spells("n", key) {
        n = try reader.uint()
      } else if reader.spells("args", key) {
        guard try reader.peek() == .map else { throw reader.failure(.unexpectedKind) }
        args = try CanonicalCBOR.item(&reader)
      } else if reader.spells("seen", key) {
        for _ in 0..<(try reader.array()) { seen.append(try Seen(from: &reader, device: device)) }
      } else if reader.spells("time", key) {
        guard try reader.array() == 2 else { throw reader.failure(.malformed) }
        let milliseconds = try reader.uint()
        let counter = try reader.uint()
        guard counter <= UInt64(UInt32.max), milliseconds < 1 << 53 else { throw reader.failure(.outOfRange) }
        time = HybridTime(milliseconds: milliseconds, counter: UInt32(counter))
      } else if reader.spells("after", key) {
        for _ in 0..<(try reader.array()) {
          after.append(try reader.uint())
          guard after[after.count - 1] > 0 else { throw reader.failure(.outOfRange) }
        }
      } else if reader.spells("action", key) {
        action = try reader.text()
      } else {
        try reader.skip()
      }
    }
    guard n > 0, n < 1 << 53, !action.utf8.isEmpty else { throw reader.failure(.outOfRange) }
    if args.isEmpty { args = [0xA0] }
  }
}

extension Seen {
  func encode(to out: inout CBORWriter, device: DeviceID) {
    out.array(4)
    out.uint(UInt64(key.collection))
    out.text(key.id)
    out.int(Int64(field))
    out.array(dots.count)
    for dot in dots {
      if dot.device == device {
        out.uint(dot.n)
      } else {
        out.array(2)
        out.device(dot.device)
        out.uint(dot.n)
      }
    }
  }

  init(from reader: inout CBORReader, device: DeviceID) throws(DecodeError) {
    guard try reader.array() == 4 else { throw reader.failure(.malformed) }
    let collection = try reader.uint()
    let id = try reader.text()
    let field = try reader.int()
    guard collection < 1 << 16, field >= -1, field < 1 << 16 else { throw reader.failure(.outOfRange) }
    var dots: [MutationID] = []
    for _ in 0..<(try reader.array()) {
      if try reader.peek() == .array {
        guard try reader.array() == 2 else { throw reader.failure(.malformed) }
        let author = try DeviceID(wire: &reader)
        dots.append(MutationID(device: author, n: try reader.uint()))
      } else {
        dots.append(MutationID(device: device, n: try reader.uint()))
      }
    }
    self.init(key: RecordKey(collection: Int(collection), id: id), field: Int(field), dots: dots)
  }
}

extension DeviceID {
  /// Reads 16 bytes, or the same as base64url text, which is what JSON carries.
  init(wire reader: inout CBORReader) throws(DecodeError) {
    guard let id = DeviceID(bytes: try reader.wireBytes()) else { throw reader.failure(.outOfRange) }
    self = id
  }
}

extension CBORReader {
  /// A byte string, or base64url text in its place.
  mutating func wireBytes() throws(DecodeError) -> [UInt8] {
    if try peek() == .bytes { return try bytes() }
    guard let bytes = Base64URL.decode(try text()) else { throw failure(.malformed) }
    return bytes
  }

  /// Eight bytes, most significant first: hashes and checksums, which JSON numbers could not hold.
  mutating func word() throws(DecodeError) -> UInt64 {
    let bytes = try wireBytes()
    guard bytes.count == 8 else { throw failure(.outOfRange) }
    return bytes.reduce(0) { $0 << 8 | UInt64($1) }
  }
}

extension CBORWriter {
  mutating func word(_ value: UInt64) {
    bytes((0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(56 - $0 * 8)) })
  }
}
