// SPDX-License-Identifier: Apache-2.0
// A whole store as one value: the plainest reading of the Store port's rules. The in-memory store wraps one, the simulator forks it.

/// Everything that a store holds. A copy is a snapshot: it shares its parts until one of the two changes.
public struct StoreImage: Sendable {
  struct Entry: Sendable {
    var sequence: Sequence
    var key: RecordKey
    var kind: ScopeEntry.Kind
  }

  struct Scope: Sendable {
    var state = ScopeState()
    /// Rising by sequence, no sequence twice.
    var log: [Entry] = []
  }

  /// The incarnation of the logs. Changed when an older image is put back in place.
  public var incarnation: UInt64
  private var records: [RecordKey: StoredRecord] = [:]
  private var scopes: [Text: Scope] = [:]
  private var devices: [DeviceID: DeviceState] = [:]
  private var outcomes: [DeviceID: [UInt64: [UInt8]]] = [:]
  /// Every history entry, oldest first.
  public private(set) var history: [HistoryEntry] = []

  public init(epoch: UInt64) { incarnation = epoch }

  private static func firstIndex(above sequence: Sequence, in log: [Entry]) -> Int {
    var low = 0
    var high = log.count
    while low < high {
      let middle = (low + high) / 2
      if log[middle].sequence > sequence { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Refuses a batch that breaks the log; changes nothing.
  private func check(_ batch: ChangeBatch) throws(StoreError) {
    var heads: [Text: Sequence] = [:]
    for scope in batch.scopes { heads[scope.name] = scope.state.sequence }
    var added: [Text: Set<Sequence>] = [:]
    var removed: [Text: Set<Sequence>] = [:]
    for change in batch.records {
      for placement in change.previous { removed[placement.scope, default: []].insert(placement.sequence) }
    }
    func add(_ scope: Text, _ sequence: Sequence) throws(StoreError) {
      guard let head = heads[scope] ?? scopes[scope]?.state.sequence else {
        throw .damaged("An entry names a scope that does not exist.")
      }
      guard sequence <= head else { throw .damaged("An entry lies above the head of its scope.") }
      guard added[scope, default: []].insert(sequence).inserted else { throw .damaged("A sequence was given out twice.") }
      if removed[scope]?.contains(sequence) == true { return }
      guard let log = scopes[scope]?.log, sequence > 0 else { return }
      let index = Self.firstIndex(above: sequence - 1, in: log)
      if index < log.count, log[index].sequence == sequence { throw .damaged("A sequence was given out twice.") }
    }
    for change in batch.records {
      for placement in change.record.placements { try add(placement.scope, placement.sequence) }
    }
    let changed = Set(batch.records.map { $0.key })
    for departure in batch.departures {
      try add(departure.scope, departure.sequence)
      guard changed.contains(departure.key) || records[departure.key] != nil else {
        throw .damaged("A record departs that does not exist.")
      }
    }
  }

  /// Makes the changes of a checked batch.
  private mutating func apply(_ batch: ChangeBatch) {
    for scope in batch.scopes {
      let before = scopes[scope.name]?.state.floor ?? 0
      scopes[scope.name, default: Scope()].state = scope.state
      if scope.state.floor > before { scopes[scope.name]?.log.removeAll { $0.kind == .departed && $0.sequence <= scope.state.floor } }
    }
    for removal in batch.removed {
      for placement in removal.previous { removeEntry(placement) }
      records[removal.key] = nil
    }
    if !batch.removed.isEmpty {
      let gone = Set(batch.removed.map { $0.key })
      history.removeAll { gone.contains($0.key) }
    }
    for change in batch.records {
      for placement in change.previous { removeEntry(placement) }
    }
    for change in batch.records {
      records[change.key] = change.record
      for placement in change.record.placements {
        insert(Entry(sequence: placement.sequence, key: change.key, kind: .present), in: placement.scope)
      }
    }
    for departure in batch.departures {
      insert(Entry(sequence: departure.sequence, key: departure.key, kind: .departed), in: departure.scope)
    }
    for device in batch.devices { devices[device.id] = device.state }
    for outcome in batch.outcomes { outcomes[outcome.mutation.device, default: [:]][outcome.mutation.n] = outcome.body }
    for acknowledged in batch.acknowledged {
      outcomes[acknowledged.device] = outcomes[acknowledged.device]?.filter { $0.key > acknowledged.n }
    }
    history.append(contentsOf: batch.history)
  }

  private mutating func insert(_ entry: Entry, in scope: Text) {
    let index = Self.firstIndex(above: entry.sequence, in: scopes[scope]?.log ?? [])
    scopes[scope]?.log.insert(entry, at: index)
  }

  private mutating func removeEntry(_ placement: Placement) {
    guard let log = scopes[placement.scope]?.log, placement.sequence > 0 else { return }
    let index = Self.firstIndex(above: placement.sequence - 1, in: log)
    guard index < log.count, log[index].sequence == placement.sequence else { return }
    scopes[placement.scope]?.log.remove(at: index)
  }
}

extension StoreImage: StoreTransaction {
  public func epoch() -> UInt64 { incarnation }
  public func record(_ key: RecordKey) -> StoredRecord? { records[key] }
  public func scope(_ name: Text) -> ScopeState? { scopes[name]?.state }
  public func scopeNames() -> [Text] { scopes.keys.sorted() }
  public func device(_ id: DeviceID) -> DeviceState? { devices[id] }
  public func outcome(_ mutation: MutationID) -> [UInt8]? { outcomes[mutation.device]?[mutation.n] }

  public func entries(of scope: Text, after: Sequence, _ body: (ScopeEntry) -> Bool) {
    guard let log = scopes[scope]?.log else { return }
    for entry in log[Self.firstIndex(above: after, in: log)...] {
      let bytes = entry.kind == .present ? records[entry.key]?.row ?? [] : entry.key.id.utf8
      let wantsMore = bytes.withUnsafeBytes { buffer in
        body(ScopeEntry(sequence: entry.sequence, collection: entry.key.collection, kind: entry.kind, body: buffer))
      }
      guard wantsMore else { return }
    }
  }

  public mutating func commit(_ batch: ChangeBatch) throws(StoreError) {
    try check(batch)
    apply(batch)
  }
}

// The simulator judges millions of mutations; generic code would go through a witness table for each read.
extension Judge {
  package func push(
    _ pushes: [(request: SyncRequest, principal: Principal)], now: Instant, into image: inout StoreImage
  ) throws(StoreError) -> [PushResult] { try push(pushes, now: now, in: &image) }

  package func answer(
    _ request: SyncRequest, _ pushed: PushResult?, for principal: Principal, now: Instant, limitBytes: Int, from image: inout StoreImage
  ) throws(StoreError) -> [UInt8] {
    try answer(
      request, pushed, for: principal, server: Text("image" as StaticString), now: now, limitBytes: limitBytes, format: .cbor, from: &image)
  }
}
