// SPDX-License-Identifier: Apache-2.0
// Checks of the rules about scope logs: order, one entry a record, departures, isolation.

import AloftCore

extension StoreConformance {
  static func logChecks<S: Store>(of kind: S.Type) -> [StoreCheck<S>] {
    [
      StoreCheck(name: "entries come in order, above the cursor, until the callback answers false") { fixture in
        let store = try fixture.make()
        for index in 1...300 { try store.put(Text("r\(index)"), [UInt8(index % 256)], in: "x") }
        let found = try store.read { (reader) throws(StoreError) in
          (
            try reader.seenEntries(of: "x"), try reader.seenEntries(of: "x", after: 298), try reader.seenEntries(of: "x", after: 300),
            try reader.seenEntries(of: "x", after: .max), try reader.seenEntries(of: "x", after: 10, limit: 2)
          )
        }
        try expect(found.0.map(\.sequence), Array(1...300), "all")
        try expect(found.1, [.present(299, [43]), .present(300, [44])], "after 298")
        try expect(found.2, [], "after the head")
        try expect(found.3, [], "after the largest number")
        try expect(found.4.map(\.sequence), [11, 12], "stopped by the callback")
      },
      StoreCheck(name: "a change moves the record's entry to the end") { fixture in
        let store = try fixture.make()
        try store.put([(RecordKey("a"), [1], ["x"]), (RecordKey("b"), [2], ["x"]), (RecordKey("c"), [3], ["x"])])
        try store.put("a", [9], in: "x")
        let found = try store.read { (r) throws(StoreError) in (try r.seenEntries(of: "x"), try r.record(RecordKey("a"))) }
        try expect(found.0, [.present(2, [2]), .present(3, [3]), .present(4, [9])], "entries")
        try expect(found.1?.placements, [Placement(scope: "x", sequence: 4)], "placements")
      },
      StoreCheck(name: "a placement in both lists keeps its entry") { fixture in
        let store = try fixture.make()
        try store.put("a", [1], in: "x", "y")
        try store.write { (transaction) throws(StoreError) in
          var batch = ChangeBatch()
          let previous = try transaction.record(RecordKey("a"))?.placements ?? []
          let now = [Placement(scope: "x", sequence: 2), Placement(scope: "y", sequence: 1)]
          batch.records = [.init(key: RecordKey("a"), record: StoredRecord(row: [2], placements: now), previous: previous)]
          batch.scopes = [("x", ScopeState(sequence: 2))]
          try transaction.commit(batch)
        }
        let found = try store.read { (r) throws(StoreError) in (try r.seenEntries(of: "x"), try r.seenEntries(of: "y")) }
        try expect(found.0, [.present(2, [2])], "the scope with a new sequence")
        try expect(found.1, [.present(1, [2])], "the scope with the old sequence")
      },
      StoreCheck(name: "two records may change places in one batch") { fixture in
        let store = try fixture.make()
        try store.put([(RecordKey("a"), [1], ["x"]), (RecordKey("b"), [2], ["x"])])
        try store.write { (transaction) throws(StoreError) in
          var batch = ChangeBatch()
          for (id, sequence, old) in [("a", 2, 1), ("b", 1, 2)] as [(Text, UInt64, UInt64)] {
            batch.records.append(
              .init(
                key: RecordKey(id), record: StoredRecord(row: id.utf8, placements: [Placement(scope: "x", sequence: sequence)]),
                previous: [Placement(scope: "x", sequence: old)]))
          }
          try transaction.commit(batch)
        }
        let found = try store.read { (r) throws(StoreError) in try r.seenEntries(of: "x") }
        try expect(found, [.present(1, Text("b").utf8), .present(2, Text("a").utf8)], "entries")
      },
      StoreCheck(name: "a record that moves leaves a departure behind") { fixture in
        let store = try fixture.make()
        try store.put("a", [1], in: "x")
        try store.put("a", [2], in: "y")
        try store.put("a", [3], in: "x")
        let found = try store.read { (r) throws(StoreError) in (try r.seenEntries(of: "x"), try r.seenEntries(of: "y")) }
        try expect(found.0, [.departed(2, "a"), .present(3, [3])], "the scope it left and entered again")
        try expect(found.1, [.departed(2, "a")], "the scope it passed through")
      },
      StoreCheck(name: "what is forgotten goes with its entries, and nothing else does") { fixture in
        let store = try fixture.make()
        try store.put("a", [1], in: "x")
        try store.put("a", [2], in: "y")
        try store.put("b", [3], in: "x")
        try store.put("c", [4], in: "x")
        try store.put("c", [5], in: "y")
        try store.write { (transaction) throws(StoreError) in
          var batch = ChangeBatch()
          var state = try transaction.scope("x") ?? ScopeState()
          state.floor = 3
          state.marks = [1, 2, 3]
          batch.scopes = [("x", state)]
          batch.removed = [.init(key: RecordKey("b"), previous: try transaction.record(RecordKey("b"))?.placements ?? [])]
          try transaction.commit(batch)
        }
        let found = try store.read { (r) throws(StoreError) in
          (try r.record(RecordKey("b")), try r.seenEntries(of: "x"), try r.seenEntries(of: "y"), try r.scope("x"))
        }
        try expect(found.0, nil, "the record that was removed")
        try expect(found.1, [.departed(5, "c")], "departures up to the floor are gone, later ones stay")
        try expect(found.2, [.present(1, [2]), .present(2, [5])], "records that left the scope are elsewhere")
        try expect(found.3, ScopeState(sequence: 5, floor: 3, marks: [1, 2, 3]), "the scope")
        // The key may be used again.
        try store.put("b", [6], in: "x")
        try expect(try store.read { (r) throws(StoreError) in try r.seenEntries(of: "x") }, [.departed(5, "c"), .present(6, [6])], "made anew")
      },
      StoreCheck(name: "a record may be in no scope") { fixture in
        let store = try fixture.make()
        try store.put("a", [1])
        try store.put("b", [2], in: "x")
        try store.put("b", [3])
        let found = try store.read { (r) throws(StoreError) in
          (try r.record(RecordKey("a")), try r.record(RecordKey("b")), try r.seenEntries(of: "x"))
        }
        try expect(found.0, StoredRecord(row: [1], placements: []), "never in a scope")
        try expect(found.1, StoredRecord(row: [3], placements: []), "out of its last scope")
        try expect(found.2, [.departed(2, "b")], "entries")
      },
      StoreCheck(name: "collections share no keys") { fixture in
        let store = try fixture.make()
        try store.put([
          (RecordKey(collection: 0, id: "a"), [1], ["x"]), (RecordKey(collection: 1, id: "a"), [2], ["x"]),
          (RecordKey(collection: 70_000, id: "a"), [3], ["x"]),
        ])
        let found = try store.read { (r) throws(StoreError) in
          (try r.record(RecordKey(collection: 1, id: "a"))?.row, try r.seenEntries(of: "x"))
        }
        try expect(found.0, [2], "record")
        try expect(found.1, [.present(1, [1]), .present(2, [2], collection: 1), .present(3, [3], collection: 70_000)], "entries")
      },
      StoreCheck(name: "scope names are isolated bytes") { fixture in
        let store = try fixture.make()
        // The same text to people, patterns of SQL, prefixes, quotes, NUL and an empty name: all are different scopes.
        let names: [Text] = [
          "", "a", "A", "a ", "ab", "a%", "a_", "%", "*", "'; DROP TABLE record; --", "team:1", "team:10", "é", "e\u{301}",
          Text(utf8: [0]), Text(utf8: [0x61, 0]), Text(utf8: [0x61, 0, 0x62]),
        ]
        for (index, name) in names.enumerated() { try store.put(Text("r\(index)"), [UInt8(index)], in: name) }
        for (index, name) in names.enumerated() {
          let found = try store.read { (r) throws(StoreError) in try r.seenEntries(of: name) }
          try expect(found, [.present(1, [UInt8(index)])], "scope \(index)")
        }
        try expect(try store.read { (r) throws(StoreError) in try r.scopeNames() }, names.sorted(), "scope names in byte order")
      },
    ]
  }
}
