// SPDX-License-Identifier: Apache-2.0
// What is measured: tasks of about 200 bytes in several scopes, updated in random order and read from the start.

import AloftCore
import AloftSQLite
import AloftStore
import Foundation

enum Workload {
  static let scopeCount = 20
  static let recordsPerScope = 1_000

  static let app = App("bench", version: 1) {
    Collection("tasks") {
      Field("team", .string, .immutable)
      Field("title", .string)
      Field("note", .string)
      Field("done", .bool)
      Field("priority", .int)
      Scopes("team:{team}")
      Allow(.read, .create, .update, .delete, to: "anyone")
    }
  }

  static let principal = Principal(user: "anyone", grants: [Grant(role: "anyone", scope: "*")])

  static func key(_ scope: Int, _ index: Int) -> String { "task-\(scope)-\(index)" }

  /// Fills a store with all records, through the Judge.
  static func seed(_ store: SQLiteStore) throws {
    for scope in 0..<scopeCount {
      let mutations = (0..<recordsPerScope).map { index in
        """
        {"n":\(index + 1),"time":[1700000000000,\(index)],"action":"create","args":{"collection":"tasks","id":"\(key(scope, index))",\
        "fields":{"team":"t\(scope)","title":"Task number \(index) of team \(scope)","note":"\(note)","done":false,"priority":3}}}
        """
      }
      let request = try request(device: UInt64(scope + 1), mutations)
      _ = try store.write { (transaction) throws(StoreError) in
        try Judge(app: app).push([(request, principal)], now: 1_700_000_000_000, in: &transaction)
      }
    }
  }

  /// A push of updates of random records, as the bytes that cross the wire, and the keys it touches.
  static func push(device: UInt64, from n: Int, count: Int, _ random: inout Random) throws -> (body: [UInt8], keys: [(key: [UInt8], scope: Int)]) {
    let scope = Int(random.below(UInt64(scopeCount)))
    var keys: [(key: [UInt8], scope: Int)] = []
    var mutations: [String] = []
    for index in 0..<count {
      let id = key(scope, Int(random.below(UInt64(recordsPerScope))))
      keys.append((Array(id.utf8), scope))
      mutations.append(
        """
        {"n":\(n + index),"time":[1700000100000,\(n + index)],"action":"update",\
        "args":{"collection":"tasks","id":"\(id)","changes":{"priority":\(random.below(9)),"done":\(random.below(2) == 0)}}}
        """)
    }
    return (try request(device: device, mutations).encode(), keys)
  }

  private static func request(device: UInt64, _ mutations: [String]) throws -> SyncRequest {
    let id = Base64URL.encode(DeviceID(high: 0xBE, low: device).bytes).string
    let body = "{\"protocol\":1,\"schema\":1,\"device\":\"\(id)\",\"mutations\":[\(mutations.joined(separator: ","))]}"
    return try SyncRequest(body: Array(body.utf8), format: .json)
  }

  private static let note = "Bring the price labels, count the chilled shelf first, and ask for the owner before noon; parking is behind the chemist."
}
