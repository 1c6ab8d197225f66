// SPDX-License-Identifier: Apache-2.0
// What an answer holds, for those who watch the wire: the simulator checks that nobody is sent what they may not read.

/// Reads the rows of an answer without a device.
package enum AnswerRows {
  /// A row of an answer: whose it is, not what is in it.
  package struct Name {
    package var collection: Int
    package var id: Text
    /// The record left the scope.
    package var isGone: Bool
  }

  /// Names every row of an answer.
  /// - Throws: when the bytes are not an answer of ours.
  package static func names(in body: [UInt8]) throws(DecodeError) -> [Name] {
    var names: [Name] = []
    for part in try SyncResponse(body: body).parts {
      var rows = part.rows
      for _ in 0..<(try rows.array()) {
        _ = try rows.array()
        let collection = Int(truncatingIfNeeded: try rows.uint())
        let isGone = try rows.uint() == RowKind.gone.rawValue
        if isGone {
          names.append(Name(collection: collection, id: try rows.text(), isGone: true))
        } else {
          names.append(Name(collection: collection, id: try Row(from: &rows).id, isGone: false))
        }
      }
    }
    return names
  }
}

extension Judge {
  /// The epoch that a principal's cursors have in a scope, for those who compare cursors.
  package func epoch(of scope: Text, for principal: Principal, store: UInt64) -> UInt64 {
    DeltaBuilder.epoch(store, DeltaBuilder.view(of: app, for: principal, in: scope) ^ DeltaBuilder.sharedView(of: app, for: principal))
  }
}
