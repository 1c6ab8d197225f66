// SPDX-License-Identifier: Apache-2.0
// S25: whoever follows a query has, after each turn, what they would get by asking now.

import AloftCore

/// Somebody who follows a query in a tab.
struct SimObserver {
  var id: Int
  /// The number that the query was drawn from.
  var code: UInt64
  var query: Query
  var told: ToldAnswer
}

extension World {
  /// Lets some tabs follow two queries each.
  mutating func observe(_ id: ContextID) {
    let (device, tab) = (id.device, id.tab)
    guard isStrict || draw(.check, device, 400 + UInt64(id.life)) % 8 == 0 else { return }
    for number in 0..<2 as Range<UInt64> {
      let code = draw(.check, device, (401 + number) << 20 | UInt64(tab) << 16 | UInt64(id.life))
      let query = drawQuery(code)
      let subscription = devices[device].tabs[tab].engine!.subscribe(query)
      let told = devices[device].tabs[tab].engine!.told(subscription: subscription)
      devices[device].tabs[tab].observers.append(SimObserver(id: subscription, code: code, query: query, told: told))
    }
  }

  /// A query over the fields that every first collection has.
  private func drawQuery(_ bits: UInt64) -> Query {
    var query = Query(collection: 0)
    func number(_ field: SimField) -> Int { fields[0].firstIndex(of: field)! }
    func value(_ field: SimField) -> Value { SimWords.value(Int64(bits >> 8 & 7), of: field) }
    switch bits & 7 {
    case 0: query.filter = .compare(field: number(.latest), .notEqual, value(.latest))
    case 1: query.filter = .compare(field: number(.counter), .greater, .int(2))
    case 2: query.filter = .has(field: number(.addWins), value(.addWins))
    case 3:
      query.filter = .any([
        .compare(field: number(.guarded), .less, value(.guarded)), .not(.compare(field: number(.maximum), .greater, .int(5))),
      ])
    default: break
    }
    switch bits >> 16 & 3 {
    case 0: query.orderBy = [Ordering(field: number(.latest), isDescending: true)]
    case 1: query.orderBy = [Ordering(field: number(.counter), isDescending: false), Ordering(field: number(.manual), isDescending: true)]
    default: query.orderBy = [Ordering(field: -1, isDescending: bits >> 18 & 1 == 1)]
    }
    switch bits >> 20 & 3 {
    case 0: (query.offset, query.limit) = (1, 3)
    case 1: query.limit = 2
    default: break
    }
    switch bits >> 24 & 7 {
    case 0: query.aggregate = .count
    case 1: query.aggregate = .sum(field: number(.counter))
    default: break
    }
    return query
  }

  /// Hands a notification to those who follow.
  mutating func tellObservers(_ notification: Notification, _ id: ContextID) {
    let (device, tab) = (id.device, id.tab)
    for index in devices[device].tabs[tab].observers.indices {
      let subscription = devices[device].tabs[tab].observers[index].id
      let isPossible = devices[device].tabs[tab].engine!.follow(
        notification, subscription: subscription, &devices[device].tabs[tab].observers[index].told)
      if !isPossible { fail("S25", "device \(device) is told of a place that the answer has not got") }
    }
  }

  /// After a turn, of some: what was told is what is. What was left out once stays wrong, so a later turn finds it too.
  mutating func checkObservers(_ id: ContextID) {
    let (device, tab) = (id.device, id.tab)
    guard violation == nil, !devices[device].tabs[tab].observers.isEmpty,
      isStrict || draw(.check, device, 500 + UInt64(effectCount)) % 64 == 0, var engine = devices[device].tabs[tab].engine else { return }
    for observer in devices[device].tabs[tab].observers {
      tally.checks += 1
      let answer = engine.answer(of: observer.query)
      if answer != observer.told {
        return fail(
          "S25",
          "device \(device).\(tab) follows query \(observer.code) and was told of \(observer.told.rows.count) rows, value \(observer.told.value.words); there are \(answer.rows.count), value \(answer.value.words)"
        )
      }
    }
  }
}
