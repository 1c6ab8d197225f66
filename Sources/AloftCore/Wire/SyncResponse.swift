// SPDX-License-Identifier: Apache-2.0
// What the server answers, as the client reads it.

/// How a row travels in a delta.
enum RowKind: UInt64 {
  /// Replaces what the device has.
  case whole = 0
  /// Lays changed cells over what the device has.
  case partial
  /// The record left the scope.
  case gone
}

/// The changes of one scope after the device's cursor.
struct ScopePart: Sendable {
  var scope: Text
  var epoch: UInt64 = 0
  /// The epoch of the cursor that the part continues, where that is another one.
  var continues: UInt64?
  var from: Sequence = 0
  var to: Sequence = 0
  /// Whether the part reaches the head of the log; else more pages follow.
  var isComplete = false
  /// The device's cursor was of no use to the server: what it holds of the scope is to be replaced.
  var isRepair = false
  var checksum: UInt64?
  /// A reader at the array of rows, each `[collection, kind, row or id]`.
  var rows: CBORReader
}

/// A decoded answer.
struct SyncResponse: Sendable {
  var time: Instant = 0
  /// The incarnation of the server's store; 0 when the answer did not say.
  var store: UInt64 = 0
  var standing = DeviceStanding.ok
  var hasMore = false
  var outcomes: [(n: UInt64, outcome: Outcome)] = []
  var membership: [(enters: Bool, scope: Text)] = []
  var parts: [ScopePart] = []

  /// The self-describe tag that every CBOR answer of ours begins with. A captive portal's page does not.
  static let magic: [UInt8] = [0xD9, 0xD9, 0xF7]

  /// - Parameter isChecked: the body passed these checks before it was stored under a checksum; its rows are not decoded again.
  /// - Throws: when the bytes are not an answer of ours; then nothing may be taken from them.
  init(body: [UInt8], isChecked: Bool = false) throws(DecodeError) {
    if !isChecked { try CBORReader.checkWellFormed(body) }
    var reader = CBORReader(body)
    guard body.starts(with: Self.magic) else { throw reader.failure(.malformed) }
    _ = try reader.tag()
    var isOurs = false
    for _ in 0..<(try reader.map()) {
      let key = try reader.text()
      if key == "aloft" {
        isOurs = try reader.uint() >= 1
      } else if key == "time" {
        time = try reader.uint()
        guard time < 1 << 53 else { throw reader.failure(.outOfRange) }
      } else if key == "store" {
        store = try reader.uint()
      } else if key == "more" {
        hasMore = try reader.bool()
      } else if key == "device" {
        standing = try Self.standing(&reader)
      } else if key == "outcomes" {
        for _ in 0..<(try reader.array()) { outcomes.append(try Outcome.decode(from: &reader)) }
      } else if key == "membership" {
        for _ in 0..<(try reader.array()) {
          guard try reader.array() == 2 else { throw reader.failure(.malformed) }
          let enters = try reader.text() == "enter"
          membership.append((enters, try reader.text()))
        }
      } else if key == "scopes" {
        for _ in 0..<(try reader.map()) { parts.append(try Self.part(&reader, isChecked)) }
      } else {
        try reader.skip()
      }
    }
    guard isOurs else { throw reader.failure(.malformed) }
  }

  private static func standing(_ reader: inout CBORReader) throws(DecodeError) -> DeviceStanding {
    let word = try reader.text()
    for standing in [DeviceStanding.ok, .rolledBack, .unknownHistory, .foreign] where Text(standing.name) == word { return standing }
    throw reader.failure(.malformed)
  }

  private static func part(_ reader: inout CBORReader, _ isChecked: Bool) throws(DecodeError) -> ScopePart {
    let scope = try reader.text()
    var part = ScopePart(scope: scope, rows: reader)
    for _ in 0..<(try reader.map()) {
      let key = try reader.text()
      if key == "epoch" {
        part.epoch = try reader.uint()
      } else if key == "from" {
        part.from = try reader.uint()
      } else if key == "to" {
        part.to = try reader.uint()
      } else if key == "complete" {
        part.isComplete = try reader.bool()
      } else if key == "continues" {
        part.continues = try reader.uint()
      } else if key == "repair" {
        part.isRepair = try reader.bool()
      } else if key == "checksum" {
        part.checksum = try reader.word()
      } else if key == "rows" {
        part.rows = reader
        if isChecked { try reader.skip() } else { try checkRows(&reader) }
      } else {
        try reader.skip()
      }
    }
    return part
  }

  /// Every row is checked once before anything is stored, so that applying it later cannot fail.
  private static func checkRows(_ reader: inout CBORReader) throws(DecodeError) {
    for _ in 0..<(try reader.array()) {
      guard try reader.array() == 3 else { throw reader.failure(.malformed) }
      _ = try reader.uint()
      if try reader.uint() == RowKind.gone.rawValue { _ = try reader.textRange() } else { try Row.check(&reader) }
    }
  }
}
