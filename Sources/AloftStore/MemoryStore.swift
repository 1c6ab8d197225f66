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
  private let state: Mutex<StoreImage>
  private let writer = NSLock()

  /// An empty store. `epoch` is random unless a test names it.
  public init(epoch: UInt64 = Epoch.random()) {
    state = Mutex(StoreImage(epoch: epoch))
  }

  public func read<Value>(_ body: (inout StoreImage) throws(StoreError) -> Value) throws(StoreError) -> Value {
    var reader = snapshot
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

  fileprivate var snapshot: StoreImage { state.withLock { $0 } }

  fileprivate func apply(_ batch: ChangeBatch) throws(StoreError) {
    try state.withLock { (state) throws(StoreError) in try state.commit(batch) }
  }
}

/// The one writer of a `MemoryStore`.
public struct MemoryTransaction: StoreTransaction {
  private let store: MemoryStore

  fileprivate init(store: MemoryStore) { self.store = store }

  // The writer is alone, so the newest state is the transaction's state; not keeping a copy lets the commit change it in place.
  public func epoch() -> UInt64 { store.snapshot.epoch() }
  public func record(_ key: RecordKey) -> StoredRecord? { store.snapshot.record(key) }
  public func scope(_ name: Text) -> ScopeState? { store.snapshot.scope(name) }
  public func scopeNames() -> [Text] { store.snapshot.scopeNames() }
  public func device(_ id: DeviceID) -> DeviceState? { store.snapshot.device(id) }
  public func outcome(_ mutation: MutationID) -> [UInt8]? { store.snapshot.outcome(mutation) }
  public func entries(of scope: Text, after: AloftCore.Sequence, _ body: (ScopeEntry) -> Bool) {
    store.snapshot.entries(of: scope, after: after, body)
  }

  public func commit(_ batch: ChangeBatch) throws(StoreError) { try store.apply(batch) }
}
