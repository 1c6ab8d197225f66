// SPDX-License-Identifier: Apache-2.0
// What somebody who follows a query has been told, put together as a page does it: for the simulator, which compares it with the truth.

/// The answer as its follower has it: a number for the JSON of each row, in order, or a count or sum.
package struct ToldAnswer: Equatable, Sendable {
  package var rows: [UInt64] = []
  package var value = Value.null
}

extension ClientEngine {
  /// What a new subscription is told first.
  package func told(subscription id: Int) -> ToldAnswer {
    guard let query = live.first(where: { $0.id == id }) else { return ToldAnswer() }
    return query.query.aggregate == .rows
      ? ToldAnswer(rows: numbers(query.query.collection, query.shown)) : ToldAnswer(value: query.sum.value)
  }

  /// What a subscription made now would be told.
  package mutating func answer(of query: Query) -> ToldAnswer {
    query.aggregate == .rows ? ToldAnswer(rows: numbers(query.collection, rows(of: query))) : ToldAnswer(value: value(of: query))
  }

  /// Does with an answer what a notification says. Rows are read as they are now, so it has to be done at once.
  /// - Returns: false when it names a place that the answer has not got.
  package func follow(_ notification: Notification, subscription id: Int, _ told: inout ToldAnswer) -> Bool {
    for entry in notification.live where entry.id == id {
      switch entry.notice {
      case .value(let value): told.value = value
      case .rows(let slots): told.rows = numbers(entry.collection, slots)
      case .steps(let steps):
        for step in steps {
          switch step {
          case .remove(let place):
            guard told.rows.indices.contains(place) else { return false }
            told.rows.remove(at: place)
          case .insert(let place, let slot):
            guard place <= told.rows.count else { return false }
            told.rows.insert(number(entry.collection, slot), at: place)
          case .replace(let place, let slot):
            guard told.rows.indices.contains(place) else { return false }
            told.rows[place] = number(entry.collection, slot)
          }
        }
      }
    }
    return true
  }

  private func numbers(_ collection: Int, _ slots: [UInt32]) -> [UInt64] { slots.map { number(collection, $0) } }

  private func number(_ collection: Int, _ slot: UInt32) -> UInt64 {
    var json: [UInt8] = []
    tables[collection].appendJSON(slot, state: stateWord(collection, slot), to: &json)
    return Hash64.of(json)
  }
}
