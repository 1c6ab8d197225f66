// SPDX-License-Identifier: Apache-2.0
// What a device sends: where it stands in each scope, and the mutations that wait.

/// A place in a scope's log, held by the client.
public struct Cursor: Equatable, Sendable {
  public var epoch: UInt64
  public var sequence: Sequence
  /// Up to where the device has everything: `sequence` once a page reached the head, less while pages are being read.
  public var base: Sequence
  /// The device's own sum over the records it holds of this scope.
  public var checksum: UInt64

  public init(epoch: UInt64, sequence: Sequence, base: Sequence, checksum: UInt64) {
    self.epoch = epoch
    self.sequence = sequence
    self.base = base
    self.checksum = checksum
  }
}

extension Cursor {
  /// Nothing seen yet.
  static let start = Cursor(epoch: 0, sequence: 0, base: 0, checksum: 0)
}

/// One request of a device. Fields that a newer protocol adds are ignored.
public struct SyncRequest: Sendable {
  /// The protocol that this code speaks.
  public static let protocolVersion: UInt64 = 1
  /// The most mutations in one request.
  public static let mutationCountMax = 10_000

  private var spoken = SyncRequest.protocolVersion
  /// The version of the declaration that the device runs; 0 from clients that do not say.
  public var schema: UInt64 = 0
  public var device = DeviceID(high: 0, low: 0)
  /// Whose changes these are; nil from simple clients. Changes made by one person never travel under another's session.
  public var user: Text?
  /// The hash chain just before the first mutation below; nil from clients that keep none.
  public var head: (n: UInt64, hash: UInt64)?
  /// The highest number the device ever gave to a mutation; nil from simple clients.
  public var issued: UInt64?
  public var cursors: [(scope: Text, cursor: Cursor)] = []
  public var mutations: [Mutation] = []
  /// The deterministic bytes of all mutations behind each other, for the hash chain, and where each of them ends.
  private var encoded: [UInt8] = []
  private var encodedEnds: [Int] = []
  public var acknowledged: UInt64 = 0
  /// The device's report on itself, as CBOR; empty when it sent none.
  public var report: [UInt8] = []
  /// False for a push that wants outcomes only.
  public var wantsDelta = true

  public var hasMutations: Bool { !mutations.isEmpty }

  public init(device: DeviceID) { self.device = device }

  /// Reads a request from bytes nobody vouches for.
  /// - Throws: `malformed` with the byte offset, or `invalid` with the path.
  public init(body: [UInt8], format: WireFormat) throws(WireError) {
    let bytes: [UInt8]
    do {
      bytes = format == .json ? try JSONCodec.cbor(fromJSON: body) : body
      try CBORReader.checkWellFormed(bytes)
    } catch { throw WireError(.malformed, error.message.string) }
    var reader = CBORReader(bytes)
    var path = ""
    do { try read(&reader, path: &path) } catch {
      throw WireError(.invalid, path: path, "is missing, of the wrong type, or out of range: " + error.message.string)
    }
    try check()
  }

  /// A pull by a simple client: the cursors it was given last, as JSON text `{"scope": [epoch, sequence]}`; empty for everything.
  public init(sinceCursors json: [UInt8]) throws(WireError) {
    if json.isEmpty { return }
    do {
      let bytes = try JSONCodec.cbor(fromJSON: json)
      try CBORReader.checkWellFormed(bytes)
      var reader = CBORReader(bytes)
      try readCursors(&reader)
    } catch { throw WireError(.invalid, path: "since", "must be the cursors of an earlier answer: " + error.message.string) }
  }

  private mutating func read(_ reader: inout CBORReader, path: inout String) throws(DecodeError) {
    // The device is needed to read the mutations, and map order does not promise that it comes first.
    let mutationsReader = try readFields(&reader, path: &path)
    guard var reader = mutationsReader else { return }
    path = "mutations"
    let count = try reader.array()
    guard count <= Self.mutationCountMax else { throw reader.failure(.tooMany) }
    var out = CBORWriter(capacity: reader.end - reader.position)
    mutations.reserveCapacity(count)
    encodedEnds.reserveCapacity(count)
    for index in 0..<count {
      let mutation: Mutation
      do { mutation = try Mutation(from: &reader, device: device) } catch {
        path = "mutations[" + decimal(index) + "]"
        throw error
      }
      mutation.encode(to: &out, device: device)
      mutations.append(mutation)
      encodedEnds.append(out.count)
    }
    encoded = out.finish()
  }

  private mutating func readFields(_ reader: inout CBORReader, path: inout String) throws(DecodeError) -> CBORReader? {
    var mutationsReader: CBORReader?
    for _ in 0..<(try reader.map()) {
      let key = try reader.text()
      path = key.string
      if key == "protocol" {
        spoken = try reader.uint()
      } else if key == "schema" {
        schema = try reader.uint()
      } else if key == "device" {
        device = try DeviceID(wire: &reader)
      } else if key == "head" {
        guard try reader.array() == 2 else { throw reader.failure(.malformed) }
        let n = try reader.uint()
        head = (n, try reader.word())
      } else if key == "user" {
        user = try reader.text()
      } else if key == "issued" {
        issued = try reader.uint()
      } else if key == "cursors" {
        try readCursors(&reader)
      } else if key == "mutations" {
        mutationsReader = reader
        try reader.skip()
      } else if key == "acknowledged" {
        acknowledged = try reader.uint()
      } else if key == "report" {
        var out = CBORWriter()
        try CanonicalCBOR.append(&reader, to: &out)
        report = out.finish()
        guard report.count <= 4096 else { throw reader.failure(.tooMany) }
      } else {
        try reader.skip()
      }
    }
    return mutationsReader
  }

  private mutating func readCursors(_ reader: inout CBORReader) throws(DecodeError) {
    for _ in 0..<(try reader.map()) {
      let scope = try reader.text()
      let count = try reader.array()
      guard count == 2 || count == 4 else { throw reader.failure(.malformed) }
      var cursor = Cursor(epoch: try reader.uint(), sequence: try reader.uint(), base: 0, checksum: 0)
      if count == 4 {
        cursor.base = try reader.uint()
        cursor.checksum = try reader.word()
        hasChecksums = true
      }
      cursors.append((scope, cursor))
    }
  }

  /// Where the device stands in a scope; nil when it holds nothing of it.
  func cursor(_ scope: Text) -> Cursor? { cursors.first { $0.scope == scope }?.cursor }

  /// Whether the cursors carry checksums; simple clients leave them out.
  var hasChecksums = false

  /// The hash chain after a decoded mutation, from the one before it.
  func chain(_ hash: UInt64, _ index: Int) -> UInt64 {
    Mutation.chain(hash, encoded, from: index == 0 ? 0 : encodedEnds[index - 1], to: encodedEnds[index])
  }

  private func check() throws(WireError) {
    // A newer client may speak to us, since fields that we do not know are skipped; an older one would misunderstand our answer.
    if spoken < Self.protocolVersion {
      throw WireError(.protocolVersion, path: "protocol", "is older than this server understands; update the client")
    }
    if hasMutations && device == DeviceID(high: 0, low: 0) { throw WireError(.invalid, path: "device", "is missing: 16 random bytes that this device keeps") }
    for index in mutations.indices.dropFirst() where mutations[index].n != mutations[index - 1].n + 1 {
      throw WireError(.invalid, path: "mutations[" + decimal(index) + "].n", "must be one more than the number before it")
    }
    if let head, let first = mutations.first, first.n != head.n + 1 {
      throw WireError(.invalid, path: "head", "must be the state just before the first mutation")
    }
    if issued.map({ $0 >= 1 << 53 }) == true || head.map({ $0.n >= 1 << 53 }) == true { throw WireError(.invalid, path: "issued", "is out of range") }
  }

  /// The request in deterministic CBOR.
  public func encode() -> [UInt8] {
    var out = CBORWriter(capacity: 256)
    out.map(5 + (user == nil ? 0 : 1) + (head == nil ? 0 : 1) + (issued == nil ? 0 : 1) + (mutations.isEmpty ? 0 : 1) + (report.isEmpty ? 0 : 1))
    if let head {
      out.text("head")
      out.array(2)
      out.uint(head.n)
      out.word(head.hash)
    }
    if let user {
      out.text("user")
      out.text(user)
    }
    out.text("device")
    out.device(device)
    if let issued {
      out.text("issued")
      out.uint(issued)
    }
    if !report.isEmpty {
      out.text("report")
      out.raw(report)
    }
    out.text("schema")
    out.uint(schema)
    out.text("cursors")
    let sorted = cursors.sortedStably { Self.precedesAsKey($0.scope, $1.scope) }
    out.map(sorted.count)
    for (scope, cursor) in sorted {
      out.text(scope)
      out.array(4)
      out.uint(cursor.epoch)
      out.uint(cursor.sequence)
      out.uint(cursor.base)
      out.word(cursor.checksum)
    }
    out.text("protocol")
    out.uint(Self.protocolVersion)
    if !mutations.isEmpty {
      out.text("mutations")
      out.array(mutations.count)
      for mutation in mutations { mutation.encode(to: &out, device: device) }
    }
    out.text("acknowledged")
    out.uint(acknowledged)
    return out.finish()
  }

  /// The order of text keys in deterministic CBOR: shorter first, then byte by byte.
  static func precedesAsKey(_ a: Text, _ b: Text) -> Bool { a.utf8.count == b.utf8.count ? a < b : a.utf8.count < b.utf8.count }
}
