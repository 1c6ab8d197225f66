// SPDX-License-Identifier: Apache-2.0
// Checks of the rules about commits: atomic, refused when wrong, nothing without a commit, one writer at a time.

import AloftCore
import Foundation
import Synchronization

extension StoreConformance {
  static func commitChecks<S: Store>(of kind: S.Type) -> [StoreCheck<S>] {
    [
      StoreCheck(name: "a new store is empty") { fixture in
        let found = try fixture.make().read { (reader) throws(StoreError) in
          (
            try reader.scopeNames(), try reader.record(RecordKey("a")), try reader.device(DeviceID(high: 1, low: 1)),
            try reader.seenEntries(of: "none"), try reader.scope("none")
          )
        }
        try expect(found.0, [], "scope names")
        try expect(found.1, nil, "record")
        try expect(found.2, nil, "device")
        try expect(found.3, [], "entries of a scope that does not exist")
        try expect(found.4, nil, "state of a scope that does not exist")
      },
      StoreCheck(name: "a commit makes all of its batch visible") { fixture in
        let store = try fixture.make()
        let device = DeviceID(high: 1, low: 2)
        let state = DeviceState(user: "mia", head: 3, hash: .max, acknowledged: 1, recent: [9, 8], seen: 1_700_000_000_000, report: [1, 2])
        try store.write { (transaction) throws(StoreError) in
          var batch = try ChangeBatch(placing: [(RecordKey("a"), [7], ["x", "y"])], in: &transaction)
          batch.devices = [(device, state)]
          batch.outcomes = [.init(mutation: MutationID(device: device, n: 3), body: [9])]
          batch.history = [
            HistoryEntry(key: RecordKey("a"), mutation: MutationID(device: device, n: 3), time: 5, user: "mia", body: [4])
          ]
          try transaction.commit(batch)
        }
        let found = try store.read { (reader) throws(StoreError) in
          (
            try reader.record(RecordKey("a")), try reader.seenEntries(of: "x"), try reader.seenEntries(of: "y"),
            try reader.device(device), try reader.outcome(MutationID(device: device, n: 3)), try reader.scope("x")
          )
        }
        let placements = [Placement(scope: "x", sequence: 1), Placement(scope: "y", sequence: 1)]
        try expect(found.0, StoredRecord(row: [7], placements: placements), "record")
        try expect(found.1, [.present(1, [7])], "entries of x")
        try expect(found.2, [.present(1, [7])], "entries of y")
        try expect(found.3, state, "device")
        try expect(found.4, [9], "outcome")
        try expect(found.5, ScopeState(sequence: 1), "scope")
      },
      StoreCheck(name: "a refused batch leaves nothing behind") { fixture in
        let store = try fixture.make()
        try store.put("a", [1], in: "x")
        let device = DeviceID(high: 0, low: 9)
        try refuses(store, "a sequence that is taken") { (transaction) throws(StoreError) in
          var batch = try ChangeBatch(placing: [(RecordKey("b"), [2], ["x"]), (RecordKey("c"), [3], ["x"])], in: &transaction)
          batch.devices = [(device, DeviceState(user: "mia", head: 1))]
          batch.scopes.append(("new", ScopeState(sequence: 1)))
          batch.records[1].record.placements[0].sequence = 1
          return batch
        }
        let found = try store.read { (reader) throws(StoreError) in
          (
            try reader.seenEntries(of: "x"), try reader.record(RecordKey("b")), try reader.device(device),
            try reader.scopeNames(), try reader.scope("x")
          )
        }
        try expect(found.0, [.present(1, [1])], "entries")
        try expect(found.1, nil, "record of the refused batch")
        try expect(found.2, nil, "device of the refused batch")
        try expect(found.3, ["x"], "scope names")
        try expect(found.4, ScopeState(sequence: 1), "head")
        try store.put("b", [2], in: "x", "new")
        try expect(try store.read { (r) throws(StoreError) in try r.seenEntries(of: "new") }, [.present(1, [2])], "the next commit")
      },
      StoreCheck(name: "a batch that breaks the log is refused") { fixture in
        let store = try fixture.make()
        try store.put("a", [1], in: "x")
        try refuses(store, "the same sequence twice in one batch") { (transaction) throws(StoreError) in
          var batch = try ChangeBatch(placing: [(RecordKey("b"), [2], ["x"]), (RecordKey("c"), [3], ["x"])], in: &transaction)
          batch.records[1].record.placements[0].sequence = batch.records[0].record.placements[0].sequence
          return batch
        }
        try refuses(store, "a sequence above the stated head") { (transaction) throws(StoreError) in
          var batch = try ChangeBatch(placing: [(RecordKey("b"), [2], ["x"])], in: &transaction)
          batch.records[0].record.placements[0].sequence = 3
          return batch
        }
        try refuses(store, "a scope that does not exist") { (transaction) throws(StoreError) in
          var batch = try ChangeBatch(placing: [(RecordKey("b"), [2], ["y"])], in: &transaction)
          batch.scopes = []
          return batch
        }
        try refuses(store, "a departure of a record that does not exist") { (transaction) throws(StoreError) in
          var batch = ChangeBatch()
          batch.scopes = [("x", ScopeState(sequence: 2))]
          batch.departures = [.init(scope: "x", sequence: 2, key: RecordKey("never"))]
          return batch
        }
      },
      StoreCheck(name: "without a commit nothing changes") { fixture in
        let store = try fixture.make()
        try store.write { (transaction) throws(StoreError) in
          _ = try ChangeBatch(placing: [(RecordKey("a"), [1], ["x"])], in: &transaction)
        }
        try? store.write { (transaction) throws(StoreError) in
          _ = try ChangeBatch(placing: [(RecordKey("a"), [1], ["x"])], in: &transaction)
          throw .full
        }
        try expect(try store.read { (r) throws(StoreError) in try r.scopeNames() }, [], "scope names")
        try store.put("a", [1], in: "x")
        try expect(try store.read { (r) throws(StoreError) in try r.seenEntries(of: "x") }, [.present(1, [1])], "the next commit")
      },
      StoreCheck(name: "writers queue: no update is lost") { fixture in
        let store = try fixture.make()
        let failures = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 8) { writer in
          for round in 0..<10 {
            do { try store.put(Text("r\(writer)-\(round)"), [UInt8(writer)], in: "x") } catch {
              failures.withLock { $0.append("\(error)") }
            }
          }
        }
        try expect(failures.withLock { $0 }, [], "errors")
        let sequences = try store.read { (r) throws(StoreError) in try r.seenEntries(of: "x") }.map(\.sequence)
        try expect(sequences, Array(1...80), "sequences")
      },
    ]
  }

  /// Runs a commit that must be refused as damaged.
  static func refuses<S: Store>(
    _ store: S, _ what: String, _ make: (inout S.Transaction) throws(StoreError) -> ChangeBatch
  ) throws {
    do {
      try store.write { (transaction) throws(StoreError) in
        let batch = try make(&transaction)
        try transaction.commit(batch)
      }
    } catch .damaged {
      return
    }
    throw ConformanceFailure("\(what) was committed")
  }
}
