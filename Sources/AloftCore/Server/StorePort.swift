// SPDX-License-Identifier: Apache-2.0
// The Store port: what the Judge asks of storage. SQLite, PostgreSQL and the in-memory store implement it.
//
// Why the shape "load what is needed, then commit one batch": one transaction serves many mutations, SQLite writes each record
// once, and PostgreSQL can do the whole batch in two round trips. All calls of one transaction happen on one thread.

/// Where a record stands in one scope's log.
public struct Placement: Equatable, Sendable {
  public var scope: Text
  public var sequence: Sequence

  public init(scope: Text, sequence: Sequence) {
    self.scope = scope
    self.sequence = sequence
  }
}

/// A record as the store keeps it: its row, opaque to the store, and its place in each scope that holds it.
public struct StoredRecord: Equatable, Sendable {
  public var row: [UInt8]
  /// In the order of the collection's scope templates; the first is the home scope. Empty only for a record no scope holds.
  public var placements: [Placement]

  public init(row: [UInt8], placements: [Placement]) {
    self.row = row
    self.placements = placements
  }
}

/// The head of one scope's log.
public struct ScopeState: Equatable, Sendable {
  /// The last sequence given out; dense.
  public var sequence: Sequence
  /// The sum of `Hash64.share` over the records the scope holds now, tombstones left out: some are forgotten earlier than others.
  public var checksum: UInt64
  /// Cursors below this must take a snapshot, since tombstones below it have expired.
  public var floor: Sequence
  /// How far the log reached at earlier times, as `Retention.swift` lays it out; opaque to stores.
  public var marks: [UInt8]

  public init(sequence: Sequence = 0, checksum: UInt64 = 0, floor: Sequence = 0, marks: [UInt8] = []) {
    self.sequence = sequence
    self.checksum = checksum
    self.floor = floor
    self.marks = marks
  }
}

/// What the server remembers of a device for ever: who it belongs to and how far its mutations were judged.
public struct DeviceState: Equatable, Sendable {
  /// The user that the device is bound to.
  public var user: Text
  /// The number of the last mutation judged; each number up to it is a duplicate.
  public var head: UInt64
  /// The hash chain over all mutations up to `head`.
  public var hash: UInt64
  /// The device needs the outcomes up to this number no more.
  public var acknowledged: UInt64
  /// Hashes of the chain after earlier numbers, as `ChainMemory.swift` lays them out; opaque to stores.
  public var recent: [UInt8]
  /// Milliseconds since 1970 of the last request.
  public var seen: UInt64
  /// The device's last report (queue depth and so on), as CBOR; empty when none came.
  public var report: [UInt8]

  public init(
    user: Text, head: UInt64 = 0, hash: UInt64 = 0, acknowledged: UInt64 = 0, recent: [UInt8] = [], seen: UInt64 = 0, report: [UInt8] = []
  ) {
    self.user = user
    self.head = head
    self.hash = hash
    self.acknowledged = acknowledged
    self.recent = recent
    self.seen = seen
    self.report = report
  }
}

/// One line of a record's history: a value that lost or was replaced, kept so that a person can restore it.
public struct HistoryEntry: Equatable, Sendable {
  public var key: RecordKey
  public var mutation: MutationID
  /// Milliseconds since 1970, server time.
  public var time: UInt64
  public var user: Text
  /// CBOR: a list of [field number, whether this value lost to the standing one, value].
  public var body: [UInt8]

  public init(key: RecordKey, mutation: MutationID, time: UInt64, user: Text, body: [UInt8]) {
    self.key = key
    self.mutation = mutation
    self.time = time
    self.user = user
    self.body = body
  }
}

/// Everything one transaction writes. Applied whole or not at all; each key occurs once in each list.
public struct ChangeBatch: Equatable, Sendable {
  /// The new state of a record. `left` names placements it had before and has no more.
  public struct RecordChange: Equatable, Sendable {
    public var key: RecordKey
    public var record: StoredRecord
    /// Placements in the store before this batch: their log entries are removed.
    public var previous: [Placement]

    public init(key: RecordKey, record: StoredRecord, previous: [Placement]) {
      self.key = key
      self.record = record
      self.previous = previous
    }
  }

  /// An entry that tells holders of a scope that a record left it.
  public struct Departure: Equatable, Sendable {
    public var scope: Text
    public var sequence: Sequence
    public var key: RecordKey

    public init(scope: Text, sequence: Sequence, key: RecordKey) {
      self.scope = scope
      self.sequence = sequence
      self.key = key
    }
  }

  /// A record that goes for ever, with its entries and its history.
  public struct Removal: Equatable, Sendable {
    public var key: RecordKey
    /// Placements in the store before this batch.
    public var previous: [Placement]

    public init(key: RecordKey, previous: [Placement]) {
      self.key = key
      self.previous = previous
    }
  }

  public struct OutcomeRecord: Equatable, Sendable {
    public var mutation: MutationID
    public var body: [UInt8]

    public init(mutation: MutationID, body: [UInt8]) {
      self.mutation = mutation
      self.body = body
    }
  }

  public var records: [RecordChange] = []
  public var departures: [Departure] = []
  public var removed: [Removal] = []
  /// Departures up to a floor that rose go with it.
  public var scopes: [(name: Text, state: ScopeState)] = []
  public var devices: [(id: DeviceID, state: DeviceState)] = []
  /// Outcomes other than plain *applied*.
  public var outcomes: [OutcomeRecord] = []
  /// Outcomes of a device up to and including n may be deleted.
  public var acknowledged: [MutationID] = []
  public var history: [HistoryEntry] = []

  public init() {}

  public var isEmpty: Bool {
    records.isEmpty && departures.isEmpty && removed.isEmpty && scopes.isEmpty && devices.isEmpty && outcomes.isEmpty && acknowledged.isEmpty
      && history.isEmpty
  }

  public static func == (a: ChangeBatch, b: ChangeBatch) -> Bool {
    a.records == b.records && a.departures == b.departures && a.removed == b.removed && a.outcomes == b.outcomes && a.acknowledged == b.acknowledged
      && a.history == b.history && a.scopes.count == b.scopes.count && a.devices.count == b.devices.count
      && zip(a.scopes, b.scopes).allSatisfy { $0.name == $1.name && $0.state == $1.state }
      && zip(a.devices, b.devices).allSatisfy { $0.id == $1.id && $0.state == $1.state }
  }
}

/// One entry of a scope's log as a reader sees it.
public struct ScopeEntry {
  public enum Kind: Sendable { case present, departed }
  public var sequence: Sequence
  public var collection: Int
  public var kind: Kind
  /// For `present` the record's row; for `departed` the UTF-8 bytes of the record's id. Valid only during the callback.
  public var body: UnsafeRawBufferPointer

  public init(sequence: Sequence, collection: Int, kind: Kind, body: UnsafeRawBufferPointer) {
    self.sequence = sequence
    self.collection = collection
    self.kind = kind
    self.body = body
  }
}

/// Why storage could not do what was asked.
public enum StoreError: Error, Equatable, Sendable {
  /// Nothing was committed and the same call may succeed later (busy, lost connection).
  case unavailable(Text)
  /// No space is left; nothing was committed.
  case full
  /// What was read fails its own checks; an operator must act.
  case damaged(Text)
}

/// Reads of a committed state. A reader sees one snapshot for as long as its call lasts.
public protocol StoreReader {
  /// The incarnation of the logs: random, made when the store is created, replaced when a backup is restored.
  mutating func epoch() throws(StoreError) -> UInt64
  mutating func record(_ key: RecordKey) throws(StoreError) -> StoredRecord?
  mutating func scope(_ name: Text) throws(StoreError) -> ScopeState?
  /// All scopes that exist, in byte order.
  mutating func scopeNames() throws(StoreError) -> [Text]
  mutating func device(_ id: DeviceID) throws(StoreError) -> DeviceState?
  mutating func outcome(_ mutation: MutationID) throws(StoreError) -> [UInt8]?
  /// Walks the entries of a scope with sequence > after, in order, until the callback answers false.
  mutating func entries(of scope: Text, after: Sequence, _ body: (ScopeEntry) -> Bool) throws(StoreError)
}

/// One writing transaction: sees the newest committed state, blocks other writers of what it touches, commits one batch.
public protocol StoreTransaction: StoreReader {
  /// Makes the batch durable as a whole. After an error nothing of it is visible.
  mutating func commit(_ batch: ChangeBatch) throws(StoreError)
}
