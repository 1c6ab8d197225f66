// SPDX-License-Identifier: Apache-2.0
// Checks of the rules about reads and about what survives reopening.

import AloftCore
import Foundation
import Synchronization

extension StoreConformance {
  static func readChecks<S: Store>(of kind: S.Type) -> [StoreCheck<S>] {
    [
      StoreCheck(name: "a reader sees one snapshot while others commit") { fixture in
        let store = try fixture.make()
        try store.put("a", [1], in: "x")
        let found = try store.read { (reader) throws(StoreError) in
          let before = try reader.record(RecordKey("a"))?.row
          try store.put("a", [2], in: "x")
          try store.put("b", [3], in: "x")
          return (before, try reader.record(RecordKey("a"))?.row, try reader.seenEntries(of: "x"), try reader.scope("x"))
        }
        try expect(found.0, [1], "before the commit")
        try expect(found.1, [1], "after the commit")
        try expect(found.2, [.present(1, [1])], "entries")
        try expect(found.3, ScopeState(sequence: 1), "head")
        let after = try store.read { (r) throws(StoreError) in try r.seenEntries(of: "x") }
        try expect(after, [.present(2, [2]), .present(3, [3])], "entries for the next reader")
      },
      StoreCheck(name: "a transaction sees the newest commit, a reader beside it the last one") { fixture in
        let store = try fixture.make()
        try store.put("a", [1], in: "x")
        let found = try store.write { (transaction) throws(StoreError) in
          let mine = try transaction.record(RecordKey("a"))?.row
          let entries = try transaction.seenEntries(of: "x")
          let theirs = try store.read { (r) throws(StoreError) in try r.record(RecordKey("a"))?.row }
          let batch = try ChangeBatch(placing: [(RecordKey("a"), [2], ["x"])], in: &transaction)
          try transaction.commit(batch)
          return (mine, entries, theirs)
        }
        try expect(found.0, [1], "the transaction's record")
        try expect(found.1, [.present(1, [1])], "the transaction's entries")
        try expect(found.2, [1], "a reader beside the transaction")
      },
      StoreCheck(name: "readers find whole batches only, while a writer works") { fixture in
        let store = try fixture.make()
        try store.put([(RecordKey("a"), [0], ["x"]), (RecordKey("b"), [0], ["x"])])
        let failures = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 4) { worker in
          do {
            for round in 1...50 as ClosedRange<UInt8> {
              if worker == 0 {
                try store.put([(RecordKey("a"), [round], ["x"]), (RecordKey("b"), [round], ["x"])])
              } else {
                let (entries, state) = try store.read { (r) throws(StoreError) in (try r.seenEntries(of: "x"), try r.scope("x")) }
                try expect(entries.count, 2, "entries")
                try expect(entries[0].body, entries[1].body, "the two rows of one batch")
                try expect(entries[1].sequence, state?.sequence ?? 0, "the head")
              }
            }
          } catch {
            failures.withLock { $0.append("\(error)") }
          }
        }
        try expect(failures.withLock { $0 }, [], "failures")
      },
    ]
  }

  static func durabilityChecks<S: Store>(of kind: S.Type) -> [StoreCheck<S>] {
    [
      StoreCheck(name: "all of a store is there after reopening, and goes on") { fixture in
        guard let reopen = fixture.reopen else { throw ConformanceFailure("the fixture cannot reopen") }
        var store = try fixture.make()
        let epoch = try store.read { (r) throws(StoreError) in try r.epoch() }
        let device = DeviceID(high: 7, low: 7)
        try store.put([(RecordKey("a"), [1], ["x", "y"]), (RecordKey("b"), [2], ["x"])])
        try store.put("a", [3], in: "y")
        try store.write { (transaction) throws(StoreError) in
          var batch = ChangeBatch()
          batch.devices = [(device, DeviceState(user: "mia", head: 4, hash: 5))]
          batch.outcomes = [.init(mutation: MutationID(device: device, n: 4), body: [6])]
          try transaction.commit(batch)
        }
        for _ in 0..<2 {
          store = try reopen(store)
          let found = try store.read { (r) throws(StoreError) in
            (
              try r.epoch(), try r.seenEntries(of: "x"), try r.seenEntries(of: "y"), try r.device(device),
              try r.outcome(MutationID(device: device, n: 4)), try r.scopeNames()
            )
          }
          try expect(found.0, epoch, "epoch")
          try expect(found.1, [.present(2, [2]), .departed(3, "a")], "entries of x")
          try expect(found.2, [.present(2, [3])], "entries of y")
          try expect(found.3, DeviceState(user: "mia", head: 4, hash: 5), "device")
          try expect(found.4, [6], "outcome")
          try expect(found.5, ["x", "y"], "scope names")
        }
        try store.put("c", [9], in: "x")
        try expect(try store.read { (r) throws(StoreError) in try r.scope("x")?.sequence }, 4, "the head goes on")
      }
    ]
  }
}
