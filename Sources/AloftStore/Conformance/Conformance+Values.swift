// SPDX-License-Identifier: Apache-2.0
// Checks of the rules about values: bytes and words come back as written; outcomes end with their acknowledgement.

import AloftCore

extension StoreConformance {
  static func valueChecks<S: Store>(of kind: S.Type) -> [StoreCheck<S>] {
    [
      StoreCheck(name: "rows are any bytes of any size") { fixture in
        let store = try fixture.make()
        let rows: [[UInt8]] = [
          [], [0], Array(0...255), [UInt8](repeating: 0xFF, count: 70_000), (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) },
        ]
        for (index, row) in rows.enumerated() { try store.put(Text("r\(index)"), row, in: "x") }
        for (index, row) in rows.enumerated() {
          let found = try store.read { (r) throws(StoreError) in
            (try r.record(RecordKey(Text("r\(index)")))?.row, try r.seenEntries(of: "x", after: UInt64(index), limit: 1))
          }
          guard found.0 == row, found.1 == [.present(UInt64(index) + 1, row)] else {
            throw ConformanceFailure("a row of \(row.count) bytes came back changed")
          }
        }
      },
      StoreCheck(name: "ids are any UTF-8 bytes, compared as bytes") { fixture in
        let store = try fixture.make()
        let ids: [Text] = [
          "a", "A", "é", "e\u{301}", "日本語", "👩‍👩‍👧‍👦", "'\";--", "a\u{0}b", "a", "\u{FEFF}a", "../x", Text(String(repeating: "z", count: 64)),
        ]
        let distinct = ids.enumerated().filter { index, id in !ids[..<index].contains(id) }.map(\.element)
        try store.put(distinct.enumerated().map { (RecordKey($1), [UInt8($0)], ["x"]) })
        for (index, id) in distinct.enumerated() {
          try expect(try store.read { (r) throws(StoreError) in try r.record(RecordKey(id))?.row }, [UInt8(index)], "id \(index)")
        }
        try store.put(distinct.map { (RecordKey($0), [0], ["y"]) })
        let departed = try store.read { (r) throws(StoreError) in try r.seenEntries(of: "x") }.map(\.body)
        try expect(departed, distinct.map(\.utf8), "ids in departures")
      },
      StoreCheck(name: "numbers are full words") { fixture in
        let store = try fixture.make()
        let state = ScopeState(sequence: 1 << 53 - 1, checksum: .max, floor: 1 << 53 - 1)
        let device = DeviceID(high: .max, low: 0x8000_0000_0000_0000)
        let deviceState = DeviceState(
          user: "", head: 1 << 53, hash: 0x8000_0000_0000_0001, acknowledged: 1 << 52, seen: 1 << 53, report: [])
        try store.write { (transaction) throws(StoreError) in
          var batch = ChangeBatch()
          batch.scopes = [("x", state)]
          batch.devices = [(device, deviceState)]
          batch.records = [
            .init(
              key: RecordKey("a"),
              record: StoredRecord(row: [1], placements: [Placement(scope: "x", sequence: state.sequence)]), previous: [])
          ]
          try transaction.commit(batch)
        }
        let found = try store.read { (r) throws(StoreError) in
          (try r.scope("x"), try r.device(device), try r.seenEntries(of: "x", after: state.sequence - 1))
        }
        try expect(found.0, state, "scope")
        try expect(found.1, deviceState, "device")
        try expect(found.2, [.present(state.sequence, [1])], "entry")
      },
      StoreCheck(name: "an acknowledgement deletes outcomes up to n of that device only") { fixture in
        let store = try fixture.make()
        let (one, two) = (DeviceID(high: 0, low: 1), DeviceID(high: 0, low: 2))
        try store.write { (transaction) throws(StoreError) in
          var batch = ChangeBatch()
          for n in 1...5 as ClosedRange<UInt64> {
            batch.outcomes.append(.init(mutation: MutationID(device: one, n: n), body: [UInt8(n)]))
            batch.outcomes.append(.init(mutation: MutationID(device: two, n: n), body: [UInt8(n)]))
          }
          try transaction.commit(batch)
        }
        try store.write { (transaction) throws(StoreError) in
          var batch = ChangeBatch()
          batch.acknowledged = [MutationID(device: one, n: 3)]
          try transaction.commit(batch)
        }
        for (device, kept) in [(one, [4, 5]), (two, [1, 2, 3, 4, 5])] as [(DeviceID, [UInt8])] {
          let found = try store.read { (reader) throws(StoreError) in
            var bodies: [[UInt8]] = []
            for n in 1...5 as ClosedRange<UInt64> {
              if let body = try reader.outcome(MutationID(device: device, n: n)) { bodies.append(body) }
            }
            return bodies
          }
          try expect(found, kept.map { [$0] }, "outcomes of device \(device.low)")
        }
      },
      StoreCheck(name: "a device's state is replaced as a whole") { fixture in
        let store = try fixture.make()
        let device = DeviceID(high: 1, low: 1)
        for state in [DeviceState(user: "mia", head: 9, hash: 1, report: [1, 2, 3]), DeviceState(user: "noah", head: 10)] {
          try store.write { (transaction) throws(StoreError) in
            var batch = ChangeBatch()
            batch.devices = [(device, state)]
            try transaction.commit(batch)
          }
          try expect(try store.read { (r) throws(StoreError) in try r.device(device) }, .some(state), "device")
        }
      },
      StoreCheck(name: "each store has an epoch of its own") { fixture in
        let (one, two) = (try fixture.make(), try fixture.make())
        let first = try one.read { (r) throws(StoreError) in try r.epoch() }
        try expect(try one.write { (t) throws(StoreError) in try t.epoch() }, first, "epoch seen by the writer")
        let second = try two.read { (r) throws(StoreError) in try r.epoch() }
        guard first != second, (1..<(1 << 53)).contains(first) else { throw ConformanceFailure("the epochs of two stores are \(first) and \(second)") }
      },
    ]
  }
}
