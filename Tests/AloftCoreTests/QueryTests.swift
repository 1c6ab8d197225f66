// SPDX-License-Identifier: Apache-2.0
// Queries and live queries against the plainest possible oracle: filter and sort decoded records.
import Testing

@testable import AloftCore

@Suite("Queries")
struct QueryTests {
  /// A device with random items, some of them deleted; the same items as plain values.
  static func filled(_ count: Int, seed: UInt64) throws -> TestDevice {
    var random = Random(seed: seed)
    let device = TestDevice("mia", roles: [("member", "list:l1")], seed: seed)
    var calls: [String] = []
    for k in 0..<count {
      let title = random.below(4) == 0 ? "null" : "\"title \(random.below(20)) with a long tail \(random.below(3))\""
      calls.append(
        #"{"action":"create","args":{"collection":"items","id":"r\#(k)","fields":{"list":"l1","title":\#(title),"best":\#(random.below(30)),"likes":\#(random.below(9)),"tags":["t\#(random.below(4))","u\#(random.below(3))"],"state":"\#(random.below(2) == 0 ? "open" : "closed")"}}}"#
      )
    }
    try device.mutate(calls.joined(separator: ","))
    for k in stride(from: 0, to: count, by: 7) { try device.mutate(#"{"action":"delete","args":{"collection":"items","id":"r\#(k)"}}"#) }
    return device
  }

  /// Every record, decoded.
  static func records(_ device: TestDevice) -> [Row] {
    let table = device.engine.tables[1]
    return (0..<UInt32(table.slotCount)).compactMap { table.visible($0)?.row }
  }

  static func expected(_ query: Query, _ device: TestDevice) -> [String] {
    let fields = todoApp.collections[1].fields
    func value(_ row: Row, _ field: Int) -> Value { field < 0 ? .text(row.id) : row.value(field, rule: fields[field].rule) }
    func holds(_ filter: Filter, _ row: Row) -> Bool {
      switch filter {
      case .all(let parts): parts.allSatisfy { holds($0, row) }
      case .any(let parts): parts.contains { holds($0, row) }
      case .not(let part): !holds(part, row)
      case .oneOf(let field, let values): values.contains(value(row, field))
      case .prefix(let field, let text): value(row, field).text?.string.hasPrefix(text.string) ?? false
      case .has(let field, let wanted): if case .array(let values) = value(row, field) { values.contains(wanted) } else { false }
      case .compare(let field, let comparison, let wanted):
        switch comparison {
        case .equal: value(row, field) == wanted
        case .notEqual: value(row, field) != wanted
        case .less: value(row, field) != .null && Value.precedes(value(row, field), wanted)
        case .greater: Value.precedes(wanted, value(row, field))
        case .lessOrEqual: value(row, field) != .null && !Value.precedes(wanted, value(row, field))
        case .greaterOrEqual: value(row, field) != .null && !Value.precedes(value(row, field), wanted)
        }
      }
    }
    let found = records(device).filter { holds(query.filter, $0) }.sorted { a, b in
      for order in query.orderBy {
        let (x, y) = (value(a, order.field), value(b, order.field))
        if Value.precedes(x, y) { return !order.isDescending }
        if Value.precedes(y, x) { return order.isDescending }
      }
      return a.id < b.id
    }
    return found.dropFirst(query.offset).prefix(query.limit ?? .max).map { $0.id.string }
  }

  static let filters = [
    #"{}"#, #"{"state":"open"}"#, #"{"best":7}"#, #"{"best":{">":5,"<=":20}}"#, #"{"best":{"in":[1,2,3,3]}}"#, #"{"title":{"prefix":"title 1"}}"#,
    #"{"title":null}"#, #"{"title":{"!=":null}}"#, #"{"tags":{"has":"t1"}}"#, #"{"or":[{"best":3},{"state":"closed","likes":{"<":3}}]}"#,
    #"{"not":{"state":"open"}}"#, #"{"and":[{"best":{">=":10}},{"best":{"<":12}}]}"#, #"{"id":"r5"}"#, #"{"title":"title 3 with a long tail 1"}"#,
  ]
  static let orders = [#"[["best","asc"]]"#, #"[["best","desc"],["title","asc"]]"#, #"[["title","desc"]]"#, #"["state",["likes","desc"],["id","desc"]]"#]

  @Test("every filter, order and window answers as the plain oracle does, scanned and by index", arguments: [1, 2, 3] as [UInt64])
  func againstOracle(seed: UInt64) throws {
    let device = try Self.filled(230, seed: seed)
    for round in 0..<3 {
      for filter in Self.filters {
        for order in Self.orders {
          for window in ["", #","limit":5"#, #","limit":3,"offset":4"#] {
            let query = try Query(cbor: json(#"{"from":"items","where":\#(filter),"orderBy":\#(order)\#(window)}"#), app: todoApp)
            let ids = device.engine.rows(of: query).map { device.engine.tables[1].view($0)!.id.string }
            #expect(ids == Self.expected(query, device), "seed \(seed) round \(round): \(filter) \(order) \(window)")
          }
        }
      }
    }
  }

  @Test("a scan of packed pages finds what a look at every row finds, deleted and changed rows among them", arguments: [1, 2] as [UInt64])
  func packedScan(seed: UInt64) throws {
    let device = try Self.filled(400, seed: seed)
    let from = device.engine.tables[1]
    var table = Table(number: 1, collection: todoApp.collections[1])
    for slot in 0..<UInt32(from.slotCount) {
      guard let row = from.view(slot)?.row else { continue }
      table.setBase(table.makeSlot(for: row.id), row.encode())
    }
    var nextPage: UInt32 = 1
    #expect(!table.compact(nextPage: &nextPage).isEmpty)
    // Some rows are loose again, and some are covered by what waits for the server.
    for slot in stride(from: UInt32(0), to: UInt32(table.slotCount), by: 9) {
      let row = table.view(slot)!.row!.encode()
      if slot % 2 == 0 { table.setBase(slot, row) } else { table.setOverlay(slot, row) }
    }
    for filter in [#"{"state":"open"}"#, #"{"title":"title 3 with a long tail 1"}"#, #"{"state":"closed","best":{"<":20}}"#, #"{"title":"absent"}"#] {
      let query = try Query(cbor: json(#"{"from":"items","where":\#(filter)}"#), app: todoApp)
      let expected = (0..<UInt32(table.slotCount)).filter { table.matches($0, query) }
      #expect(table.run(query, all: true).slots == expected, "\(filter)")
    }
  }

  @Test("live queries follow random changes exactly", arguments: [5, 6] as [UInt64])
  func live(seed: UInt64) throws {
    let device = try Self.filled(80, seed: seed)
    var random = Random(seed: seed)
    var copies: [(id: Int, query: Query, rows: [String])] = []
    for filter in Self.filters {
      for window in ["", #","limit":4,"offset":2"#] {
        let query = try Query(cbor: json(#"{"from":"items","where":\#(filter),"orderBy":[["best","desc"]]\#(window)}"#), app: todoApp)
        copies.append((device.engine.subscribe(query), query, Self.expected(query, device)))
      }
    }
    let sumQuery = try Query(cbor: json(#"{"from":"items","where":{"state":"open"},"sum":"likes"}"#), app: todoApp)
    let sum = device.engine.subscribe(sumQuery)
    for step in 0..<120 {
      let id = "r\(random.below(90))"
      let call =
        switch random.below(5) {
        case 0: #"{"action":"delete","args":{"collection":"items","id":"\#(id)"}}"#
        case 1: #"{"action":"create","args":{"collection":"items","id":"n\#(step)","fields":{"list":"l1","best":\#(random.below(30)),"state":"open","tags":["t1"]}}}"#
        case 2: #"{"action":"update","args":{"collection":"items","id":"\#(id)","changes":{"state":"\#(random.below(2) == 0 ? "open" : "closed")","likes":{"$increment":1}}}}"#
        default: #"{"action":"update","args":{"collection":"items","id":"\#(id)","changes":{"best":{"$increment":0}}}}"#
        }
      let best = call.replacing(#"{"best":{"$increment":0}}"#, with: #"{"best":\#(30 + step)}"#)
      // Deleted and unknown records refuse; that is part of the walk.
      guard let (_, effects) = try? device.engine.mutate(json("[" + best + "]"), now: device.now) else { continue }
      for effect in effects {
        guard case .notify(let notification) = effect else { continue }
        for entry in notification.live {
          guard let place = copies.firstIndex(where: { $0.id == entry.id }) else { continue }
          apply(entry.notice, to: &copies[place].rows, device)
        }
      }
      device.run(effects.filter { if case .notify = $0 { false } else { true } })
      for copy in copies { #expect(copy.rows == Self.expected(copy.query, device), "seed \(seed) step \(step)") }
    }
    let total = Self.records(device).reduce(Int64(0)) { sum, row in
      row.value(2, rule: .guarded) == "open" ? sum + (row.value(4, rule: .counter).int ?? 0) : sum
    }
    #expect(String(decoding: device.engine.json(subscription: sum), as: UTF8.self).contains(#""value":\#(total)"#))
  }

  private func apply(_ notice: LiveQuery.Notice, to rows: inout [String], _ device: TestDevice) {
    let name = { (slot: UInt32) in device.engine.tables[1].view(slot)?.id.string ?? "?" }
    switch notice {
    case .rows(let slots): rows = slots.map(name)
    case .value: break
    case .steps(let steps):
      for step in steps {
        switch step {
        case .remove(let index): rows.remove(at: index)
        case .insert(let index, let slot): rows.insert(name(slot), at: index)
        case .replace(let index, let slot): rows[index] = name(slot)
        }
      }
    }
  }

  @Test("a query with a mistake names the path", arguments: [
    (#"{"where":{}}"#, "from"), (#"{"from":"nope"}"#, "from"), (#"{"from":"items","where":{"nope":1}}"#, "where.nope"),
    (#"{"from":"items","where":{"best":{"~":1}}}"#, "where.best.~"), (#"{"from":"items","limit":-1}"#, "limit"),
    (#"{"from":"items","orderBy":[["best","up"]]}"#, "orderBy[0]"), (#"{"from":"items","where":{"best":"x"}}"#, "where.best"),
    (#"{"from":"items","what":1}"#, "what"), (#"{"from":"items","where":{"or":{}}}"#, "where.or"),
  ])
  func mistakes(text: String, path: String) {
    do {
      _ = try Query(cbor: json(text), app: todoApp)
      Issue.record("accepted: \(text)")
    } catch { #expect(error.path == Text(path)) }
  }
}
