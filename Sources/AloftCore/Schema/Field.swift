// SPDX-License-Identifier: Apache-2.0
// One field of a collection: its name, type, conflict rule, and who may see or write it.

/// How concurrent writes of one field become one value. Each case has a file in Rules/.
public enum Rule: UInt8, CaseIterable, Sendable {
  case latest, guarded, manual, addWins, counter, maximum, minimum, immutable, server, text

  /// The name in JSON declarations and in documentation.
  public var name: StaticString {
    switch self {
    case .latest: "latest"
    case .guarded: "guarded"
    case .manual: "manual"
    case .addWins: "addWins"
    case .counter: "counter"
    case .maximum: "maximum"
    case .minimum: "minimum"
    case .immutable: "immutable"
    case .server: "server"
    case .text: "text"
    }
  }

  /// The rule that a type has when none is declared.
  static func standard(for type: FieldType) -> Rule {
    switch type {
    case .set: .addWins
    case .counter: .counter
    case .text, .richText: .text
    default: .latest
    }
  }

  /// Whether the rule can merge values of this type.
  func fits(_ type: FieldType) -> Bool {
    switch self {
    case .addWins: if case .set = type { true } else { false }
    case .counter: if case .counter = type { true } else { false }
    case .text: type.isText
    case .maximum, .minimum: type == .int || type == .double || type == .timestamp
    case .latest, .guarded, .manual, .immutable, .server:
      switch type {
      case .set, .counter, .text, .richText: false
      default: true
      }
    }
  }
}

/// A declared field.
public struct Field: Equatable, Sendable {
  public var name: Text
  public var type: FieldType
  public var rule: Rule
  /// The version of the app in which the field appeared; older clients lack it.
  public var since: Int
  /// Whether a record must have a value when it is created.
  public var isRequired: Bool
  /// The roles that may write the field; empty means every role that may update the record.
  public var writers: [Text]
  /// The roles that may read the field; empty means every role that may read the record.
  public var readers: [Text]

  public init(
    _ name: String, _ type: FieldType, _ rule: Rule? = nil, since: Int = 1, required: Bool = false, write: [String] = [],
    read: [String] = []
  ) {
    self.name = Text(name)
    self.type = type
    self.rule = rule ?? Rule.standard(for: type)
    self.since = since
    isRequired = required
    writers = write.map { Text($0) }
    readers = read.map { Text($0) }
  }
}
