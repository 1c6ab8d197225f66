// SPDX-License-Identifier: Apache-2.0
// The store in memory: the plainest reading of the rules, for tests, simulations and servers that may forget.

import AloftCore
import Foundation
import Synchronization

/// Keeps everything in the process. Nothing survives it; every other rule of `Store` holds.
///
/// A snapshot is a copy of one value, shared until somebody commits; the first commit beside a running reader copies the tables
/// (about 1 ms for 10,000 records). Commits without a reader change in place.
public final class MemoryStore: Store {
  private let state: Mutex<MemoryState>
  private let writer = NSLock()

  /// An empty store. `epoch` is random unless a test names it.
  public init(epoch: UInt64 = Epoch.random()) {
    state = Mutex(MemoryState(epoch: epoch))
  }

  public func read<Value>(_ body: (inout MemoryReader) throws(StoreError) -> Value) throws(StoreError) -> Value {
    var reader = MemoryReader(state: snapshot)
    return try body(&reader)
  }

  public func write<Value>(_ body: (inout MemoryTransaction) throws(StoreError) -> Value) throws(StoreError) -> Value {
    writer.lock()
    defer { writer.unlock() }
    var transaction = MemoryTransaction(store: self)
    return try body(&transaction)
  }

  /// Every history entry, oldest first.
  public var history: [HistoryEntry] { snapshot.history }

  fileprivate var snapshot: MemoryState { state.withLock { $0 } }

  fileprivate func apply(_ batch: ChangeBatch) throws(StoreError) {
    try state.withLock { (state) throws(StoreError) in
      try state.check(batch)
      state.apply(batch)
    }
  }
}

/// Reads of one snapshot of a `MemoryStore`.
public struct MemoryReader: StoreReader {
  fileprivate var state: MemoryState

  public func epoch() -> UInt64 { state.epoch }
  public func record(_ key: RecordKey) -> StoredRecord? { state.records[key] }
  public func scope(_ name: Text) -> ScopeState? { state.scopes[name]?.state }
  public func scopeNames() -> [Text] { state.scopes.keys.sorted() }
  public func device(_ id: DeviceID) -> DeviceState? { state.devices[id] }
  public func outcome(_ mutation: MutationID) -> [UInt8]? { state.outcomes[mutation.device]?[mutation.n] }

  public func entries(of scope: Text, after: AloftCore.Sequence, _ body: (ScopeEntry) -> Bool) {
    guard let log = state.scopes[scope]?.log else { return }
    for entry in log[MemoryState.firstIndex(above: after, in: log)...] {
      let bytes = entry.kind == .present ? state.records[entry.key]?.row ?? [] : entry.key.id.utf8
      let wantsMore = bytes.withUnsafeBytes { buffer in
        body(ScopeEntry(sequence: entry.sequence, collection: entry.key.collection, kind: entry.kind, body: buffer))
      }
      guard wantsMore else { return }
    }
  }
}

/// The one writer of a `MemoryStore`.
public struct MemoryTransaction: StoreTransaction {
  private let store: MemoryStore

  fileprivate init(store: MemoryStore) { self.store = store }

  // The writer is alone, so the newest state is the transaction's state; not keeping a copy lets the commit change it in place.
  private var reader: MemoryReader { MemoryReader(state: store.snapshot) }

  public func epoch() -> UInt64 { reader.epoch() }
  public func record(_ key: RecordKey) -> StoredRecord? { reader.record(key) }
  public func scope(_ name: Text) -> ScopeState? { reader.scope(name) }
  public func scopeNames() -> [Text] { reader.scopeNames() }
  public func device(_ id: DeviceID) -> DeviceState? { reader.device(id) }
  public func outcome(_ mutation: MutationID) -> [UInt8]? { reader.outcome(mutation) }
  public func entries(of scope: Text, after: AloftCore.Sequence, _ body: (ScopeEntry) -> Bool) {
    reader.entries(of: scope, after: after, body)
  }

  public func commit(_ batch: ChangeBatch) throws(StoreError) { try store.apply(batch) }
}

/// All that a memory store holds, as one value.
private struct MemoryState: Sendable {
  struct Entry {
    var sequence: AloftCore.Sequence
    var key: RecordKey
    var kind: ScopeEntry.Kind
  }

  struct Scope {
    var state = ScopeState()
    /// Rising by sequence, no sequence twice.
    var log: [Entry] = []
  }

  var epoch: UInt64
  var records: [RecordKey: StoredRecord] = [:]
  var scopes: [Text: Scope] = [:]
  var devices: [DeviceID: DeviceState] = [:]
  var outcomes: [DeviceID: [UInt64: [UInt8]]] = [:]
  var history: [HistoryEntry] = []

  init(epoch: UInt64) { self.epoch = epoch }

  static func firstIndex(above sequence: AloftCore.Sequence, in log: [Entry]) -> Int {
    var low = 0
    var high = log.count
    while low < high {
      let middle = (low + high) / 2
      if log[middle].sequence > sequence { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Refuses a batch that breaks rule 5; changes nothing.
  func check(_ batch: ChangeBatch) throws(StoreError) {
    var heads: [Text: AloftCore.Sequence] = [:]
    for scope in batch.scopes { heads[scope.name] = scope.state.sequence }
    var added: [Text: Set<AloftCore.Sequence>] = [:]
    var removed: [Text: Set<AloftCore.Sequence>] = [:]
    for change in batch.records {
      for placement in change.previous { removed[placement.scope, default: []].insert(placement.sequence) }
    }
    func add(_ scope: Text, _ sequence: AloftCore.Sequence) throws(StoreError) {
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
    let changed = Set(batch.records.map(\.key))
    for departure in batch.departures {
      try add(departure.scope, departure.sequence)
      guard changed.contains(departure.key) || records[departure.key] != nil else {
        throw .damaged("A record departs that does not exist.")
      }
    }
  }

  /// Makes the changes of a checked batch.
  mutating func apply(_ batch: ChangeBatch) {
    for scope in batch.scopes { scopes[scope.name, default: Scope()].state = scope.state }
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
