// SPDX-License-Identifier: Apache-2.0
// A store hands out readers and transactions; this file states the rules that every store keeps.

import AloftCore

/// Storage for one server: records, scope logs, devices, outcomes and history.
///
/// `AloftCore` defines what the Judge may ask (`StoreReader`, `StoreTransaction`); a store decides where the bytes live.
/// `StoreConformance` checks each rule below against any store, under the name in brackets.
///
/// **Commits**
/// 1. A transaction commits one batch, whole or not at all; after an error nothing of it is visible [atomic].
/// 2. When `commit` returns, the batch survives the death of the process, and for a store on disk the loss of power [durable].
/// 3. A transaction sees the newest committed state; a second writer waits until the first has ended [writers queue].
/// 4. A body that returns or throws without a commit changes nothing [no commit, no change].
/// 5. A batch that breaks the log is refused as `damaged` and changes nothing: a sequence given out twice, a sequence above the
///    head of its scope, an entry in a scope that does not exist, a departure of a record that does not exist [refused].
///
/// **Logs**
/// 6. Entries of a scope come in rising order of sequence, those above `after` only, until the callback answers false [order].
/// 7. A record has one `present` entry in each scope of its placements, at that placement's sequence. `previous` names the
///    placements it had: their entries disappear, unless a placement is in both lists; then its entry stays [one entry].
/// 8. A departure is an entry of its own, with the record's id for a body. It stays until its scope's floor passes it [departures].
/// 9. What `removed` names is gone with its entries and its history; departures up to a floor that rose are gone too [forgotten].
/// 10. Scopes share nothing: names are bytes, compared byte by byte, and no name is a prefix, pattern or path [isolated].
///
/// **Values**
/// 11. Rows, ids, names, outcomes and reports are bytes and come back as they were written: empty, large, or any UTF-8 [bytes].
/// 12. Numbers are full 64-bit words: checksums and hashes use every bit, sequences count up to 2^53 - 1 [words].
/// 13. An acknowledgement deletes the outcomes of that device up to and including n, and no other's [outcomes].
/// 14. The epoch is random, in 1 ... 2^53 - 1 (JSON carries it), made with the store, and the same after reopening [epoch].
///
/// **Reads**
/// 15. A reader sees one committed snapshot for the length of its call, whatever commits meanwhile [snapshot].
/// 16. Reads do not wait for the writer and the writer does not wait for reads [reads run beside a write].
///
/// All calls are synchronous and may block on the disk: make them on threads of your own, never on the concurrency pool.
public protocol Store: Sendable {
  associatedtype Reader: StoreReader
  associatedtype Transaction: StoreTransaction

  /// Runs `body` on one snapshot of the committed state. Blocks while all readers are in use.
  func read<Value>(_ body: (inout Reader) throws(StoreError) -> Value) throws(StoreError) -> Value

  /// Runs `body` as the only writer. What it does not commit is undone. Nothing may be called on the transaction after its commit.
  func write<Value>(_ body: (inout Transaction) throws(StoreError) -> Value) throws(StoreError) -> Value
}

/// The incarnation of a store's logs.
public enum Epoch {
  /// A new epoch. Two stores share one with a chance of 1 in 9 * 10^15.
  public static func random() -> UInt64 { .random(in: 1...(1 << 53 - 1)) }
}
