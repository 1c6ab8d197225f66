// SPDX-License-Identifier: Apache-2.0
// What a device remembers besides its records: who it is, where it stands, what waits, what needs a person.

/// A mutation that the server has not judged.
struct PendingMutation: Sendable {
  var mutation: Mutation
  /// The writes that the action came to on this device; what the overlay shows. Empty where the arguments alone say them.
  var writes: [RecordWrite]
  /// The record of each write.
  var links: [Link] = []
  /// The handle that the app holds, in the context that made it; 0 elsewhere.
  var token: UInt64 = 0

  struct Link {
    /// Packed.
    var place: UInt64
    /// The pending mutation of the same record before this one; 0 for none.
    var before: UInt64 = 0
  }
}

/// A mutation that did not take effect and waits for its author.
struct TrayEntry: Sendable {
  var mutation: Mutation
  var outcome: Outcome
  var keys: [RecordKey]

  /// Takes its number, and those of other refused mutations that it speaks of, out of the way of a count that starts again.
  mutating func moveAside(from old: DeviceID, to new: DeviceID, refused: [UInt64]) {
    mutation.n += 1 << 40
    if case .parked(let n) = outcome { outcome = .parked(dependsOn: n + 1 << 40) }
    for entry in mutation.seen.indices {
      for place in mutation.seen[entry].dots.indices {
        let dot = mutation.seen[entry].dots[place]
        if dot.device == old && refused.contains(dot.n) { mutation.seen[entry].dots[place] = MutationID(device: new, n: dot.n + 1 << 40) }
      }
    }
  }
}

/// The durable state of a device, as the log's rows left it.
struct ClientState: Sendable {
  static let formatVersion: UInt64 = 2

  var device = DeviceID(high: 0, low: 0)
  var user = Text(utf8: [])
  /// The chain after the last mutation that the server judged.
  var settled: (n: UInt64, hash: UInt64) = (0, 0)
  var clock = HybridClock()
  var cursors: [(scope: Text, cursor: Cursor)] = []
  /// Committed and not judged, in order of n from settled.n + 1.
  var queue: [PendingMutation] = []
  var tray: [TrayEntry] = []
  var nextPage: UInt32 = 1
  var lastSynced: Instant = 0
  /// The last log row that is folded into pages.
  var generation: UInt64 = 0
  /// The last log row applied, and its checksum, which the next row repeats.
  var head: (sequence: UInt64, checksum: UInt32) = (0, 0)
  /// The declaration's numbering when the pages were written.
  var layout: UInt64 = 0
  /// Records that left a held scope while their row says that another one holds them: until all scopes are at their heads nobody knows
  /// whether it still does.
  var departing: [RecordKey] = []
  /// The incarnation of the server's store that the confirmed rows are from; 0 when there are none.
  var store: UInt64 = 0

  /// The highest number given to a committed mutation.
  var issued: UInt64 { settled.n + UInt64(queue.count) }

  func cursor(_ scope: Text) -> Int? { cursors.firstIndex { $0.scope == scope } }
}

extension ClientState {
  func encode() -> [UInt8] {
    var out = CBORWriter(capacity: 1024)
    out.array(16)
    out.uint(Self.formatVersion)
    out.device(device)
    out.text(user)
    out.uint(settled.n)
    out.word(settled.hash)
    out.uint(clock.last.milliseconds)
    out.uint(UInt64(clock.last.counter))
    out.array(cursors.count * 5)
    for (scope, cursor) in cursors {
      out.text(scope)
      out.uint(cursor.epoch)
      out.uint(cursor.sequence)
      out.uint(cursor.base)
      out.word(cursor.checksum)
    }
    out.array(queue.count)
    for pending in queue { pending.mutation.encode(to: &out, device: device) }
    out.array(tray.count * 2)
    for entry in tray {
      entry.mutation.encode(to: &out, device: device)
      entry.outcome.encode(n: entry.mutation.n, to: &out)
    }
    out.uint(UInt64(nextPage))
    out.uint(lastSynced)
    out.array(3)
    out.uint(generation)
    out.uint(head.sequence)
    out.uint(UInt64(head.checksum))
    out.word(layout)
    out.array(departing.count * 2)
    for key in departing {
      out.uint(UInt64(key.collection))
      out.text(key.id)
    }
    out.uint(store)
    return out.finish()
  }

  /// Reads the state; the writes of queued mutations are worked out again by the engine.
  init(bytes: [UInt8]) throws(DecodeError) {
    try CBORReader.checkWellFormed(bytes)
    var reader = CBORReader(bytes)
    guard try reader.array() == 16, try reader.uint() == Self.formatVersion else { throw reader.failure(.malformed) }
    device = try DeviceID(wire: &reader)
    user = try reader.text()
    let n = try reader.uint()
    settled = (n, try reader.word())
    let milliseconds = try reader.uint()
    clock = HybridClock(last: HybridTime(milliseconds: milliseconds, counter: UInt32(truncatingIfNeeded: try reader.uint())))
    for _ in 0..<(try reader.array() / 5) {
      let scope = try reader.text()
      let cursor = Cursor(epoch: try reader.uint(), sequence: try reader.uint(), base: try reader.uint(), checksum: try reader.word())
      cursors.append((scope, cursor))
    }
    for _ in 0..<(try reader.array()) { queue.append(PendingMutation(mutation: try Mutation(from: &reader, device: device), writes: [])) }
    for _ in 0..<(try reader.array() / 2) {
      let mutation = try Mutation(from: &reader, device: device)
      tray.append(TrayEntry(mutation: mutation, outcome: try Outcome.decode(from: &reader).outcome, keys: []))
    }
    nextPage = UInt32(truncatingIfNeeded: try reader.uint())
    lastSynced = try reader.uint()
    guard try reader.array() == 3 else { throw reader.failure(.malformed) }
    generation = try reader.uint()
    let sequence = try reader.uint()
    head = (sequence, UInt32(truncatingIfNeeded: try reader.uint()))
    layout = try reader.word()
    for _ in 0..<(try reader.array() / 2) {
      guard let collection = Int(exactly: try reader.uint()) else { throw reader.failure(.outOfRange) }
      departing.append(RecordKey(collection: collection, id: try reader.text()))
    }
    store = try reader.uint()
  }
}

/// The rows of the local log.
///
///   bytes 0..<4  Hash64 of the rest       bytes 4..<8  the hash of the row before       then CBOR [kind, …]
enum LogEntry {
  case mutations([Mutation])
  /// A whole answer. It was checked before it was stored; decoding it again is left out where it is at hand.
  case response(now: Instant, body: [UInt8], decoded: SyncResponse?)
  case dismissed([UInt64])
  case compaction
  /// The device takes a new identity: its storage, or the server's, went back in time.
  case renewed(DeviceID)
  case signedIn(Text)
  /// A page was damaged: every context drops its pages and fetches all scopes again.
  case restart

  /// What it says of the tray's numbers, after the tray moved them out of the way of a new count.
  mutating func moveAside(times: Int) {
    guard times > 0, case .dismissed(let numbers) = self else { return }
    self = .dismissed(numbers.map { $0 + UInt64(times) << 40 })
  }

  private var kind: UInt64 {
    switch self {
    case .mutations: 1
    case .response: 2
    case .dismissed: 3
    case .compaction: 4
    case .renewed: 5
    case .signedIn: 6
    case .restart: 7
    }
  }

  func encode(after checksum: UInt32, device: DeviceID) -> [UInt8] {
    var size = 128
    if case .mutations(let mutations) = self { for mutation in mutations { size += mutation.args.count + 64 } }
    var out = CBORWriter(capacity: size)
    out.raw([UInt8](repeating: 0, count: 8))
    out.array(2)
    out.uint(kind)
    switch self {
    case .mutations(let mutations):
      out.array(mutations.count)
      for mutation in mutations { mutation.encode(to: &out, device: device) }
    case .response(let now, let body, _):
      out.array(2)
      out.uint(now)
      out.bytes(body)
    case .dismissed(let numbers):
      out.array(numbers.count)
      for n in numbers { out.uint(n) }
    case .compaction, .restart: out.null()
    case .renewed(let device): out.device(device)
    case .signedIn(let user): out.text(user)
    }
    var bytes = out.finish()
    Page.setWord(checksum, at: 4, in: &bytes)
    Page.setWord(UInt32(truncatingIfNeeded: Hash64.of(bytes, from: 4)), at: 0, in: &bytes)
    return bytes
  }

  /// The row's own checksum.
  static func checksum(of bytes: [UInt8]) -> UInt32 { bytes.count >= 8 ? Page.word(bytes, 0) : 0 }

  /// Reads a row; nil when its checksum, its place in the chain or its content is wrong.
  init?(bytes: [UInt8], after checksum: UInt32, device: DeviceID) {
    guard bytes.count > 8, Page.word(bytes, 4) == checksum, Page.word(bytes, 0) == UInt32(truncatingIfNeeded: Hash64.of(bytes, from: 4)) else { return nil }
    var reader = CBORReader(bytes, from: 8, to: bytes.count)
    do {
      guard try reader.array() == 2 else { return nil }
      switch try reader.uint() {
      case 1:
        var mutations: [Mutation] = []
        for _ in 0..<(try reader.array()) { mutations.append(try Mutation(from: &reader, device: device)) }
        self = .mutations(mutations)
      case 2:
        guard try reader.array() == 2 else { return nil }
        let now = try reader.uint()
        let body = try reader.bytes()
        self = .response(now: now, body: body, decoded: try? SyncResponse(body: body, isChecked: true))
      case 3:
        var numbers: [UInt64] = []
        for _ in 0..<(try reader.array()) { numbers.append(try reader.uint()) }
        self = .dismissed(numbers)
      case 4: self = .compaction
      case 5: self = .renewed(try DeviceID(wire: &reader))
      case 6: self = .signedIn(try reader.text())
      case 7: self = .restart
      default: return nil
      }
    } catch { return nil }
  }
}
