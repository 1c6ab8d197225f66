// SPDX-License-Identifier: Apache-2.0
// The fields that simulated collections are made of: one for each rule, and some that permissions, scopes and versions turn on.

import AloftCore

/// A field of the simulated app. Plans name it by `rawValue`.
public enum SimField: UInt8, CaseIterable, Sendable {
  case space, also, latest, guarded, manual, addWins, counter, maximum, minimum, immutable, server, hidden, price, link, later, text

  /// The field that exercises a rule. A new rule does not compile until it has one, and with it a generator of changes.
  public static func standing(for rule: Rule) -> SimField {
    switch rule {
    case .latest: .latest
    case .guarded: .guarded
    case .manual: .manual
    case .addWins: .addWins
    case .counter: .counter
    case .maximum: .maximum
    case .minimum: .minimum
    case .immutable: .immutable
    case .server: .server
    case .text: .text
    }
  }

  public var name: StaticString {
    switch self {
    case .space: "space"
    case .also: "also"
    case .latest: "latest"
    case .guarded: "guarded"
    case .manual: "manual"
    case .addWins: "addWins"
    case .counter: "counter"
    case .maximum: "maximum"
    case .minimum: "minimum"
    case .immutable: "immutable"
    case .server: "server"
    case .hidden: "hidden"
    case .price: "price"
    case .link: "link"
    case .later: "later"
    case .text: "text"
    }
  }

  /// How a plan writes its values.
  enum Kind { case space, word, number, set, counter, reference, text }

  var kind: Kind {
    switch self {
    case .space, .also: .space
    case .latest, .guarded, .manual, .immutable, .server, .hidden, .later: .word
    case .maximum, .minimum, .price: .number
    case .addWins: .set
    case .counter: .counter
    case .link: .reference
    case .text: .text
    }
  }
}
