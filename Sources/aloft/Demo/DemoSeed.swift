// SPDX-License-Identifier: Apache-2.0
// Makes the demo data through the Judge, as mutations of a manager's device: nothing bypasses the rules.

import AloftCore
import AloftServer
import AloftSQLite
import AloftStore
import ArgumentParser
import FieldVisits

enum DemoSeed {
  /// The device that the demo data comes from.
  private static let device = DeviceID(high: 0x616C_6F66_742D_6465, low: 0x6D6F_2D73_6565_6431)

  /// Fills a store that has no scope yet. Returns the number of records made, or nil when there was data already.
  static func plantIfEmpty(_ store: SQLiteStore, now: Instant) throws -> Int? {
    guard try store.read({ (reader) throws(StoreError) in try reader.scopeNames() }).isEmpty else { return nil }
    let records = DemoData.records(now: now)
    let request = try SyncRequest(body: Array(body(records, now: now).utf8), format: .json)
    let manager = DemoUsers.manager
    let grants = manager.grants.map { Grant(role: Text($0.role), scope: Text($0.scope)) }
    let principal = Principal(user: Text(manager.user), grants: grants)
    let results = try store.write { (transaction) throws(StoreError) in
      try Judge(app: fieldVisits).push([(request, principal)], now: now, in: &transaction)
    }
    // The demo must not start with holes: a refused seed is a fault of the declaration or of the data above.
    for outcome in results.flatMap(\.outcomes) where !outcome.outcome.isApplied {
      throw ValidationError("The demo's record \(records[Int(outcome.n) - 1].id) was refused: \(outcome.outcome)")
    }
    return records.count
  }

  /// One push, as a client would send it.
  private static func body(_ records: [DemoRecord], now: Instant) -> String {
    let mutations = records.enumerated().map { index, record in
      let fields = record.fields.map { "\"\($0.name)\":\($0.json)" }.joined(separator: ",")
      return """
        {"n":\(index + 1),"time":[\(now),\(index)],"action":"create",\
        "args":{"collection":"\(record.collection)","id":"\(record.id)","fields":{\(fields)}}}
        """
    }
    return """
      {"protocol":1,"schema":1,"device":"\(Base64URL.encode(device.bytes).string)","mutations":[\(mutations.joined(separator: ","))]}
      """
  }
}
