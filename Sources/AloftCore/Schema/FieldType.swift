// SPDX-License-Identifier: Apache-2.0
// What a field or an argument may hold, and the check of a value against it.

/// The type of a field or an argument.
public indirect enum FieldType: Equatable, Sendable {
  case string
  /// An integer between ±(2^53 − 1), which JavaScript holds exactly.
  case int
  /// A finite number.
  case double
  case bool
  /// Milliseconds since 1970, as an integer.
  case timestamp
  case bytes
  /// One of the given texts.
  case choice([Text])
  /// The id of a record in another collection.
  case reference(Text)
  /// A set of values of one simple type, merged by observed-remove.
  case set(FieldType)
  /// A number that is only ever changed by increments.
  case counter(min: Int64?, max: Int64?)
  /// A text that several people edit at once. Its changes are edits, or a text that takes the place of what its author sees.
  case text
  /// The same with marks on it: bold, italic, links, comments. Its value is the words.
  case richText

  public static func choice(_ choices: String...) -> FieldType { .choice(choices.map { Text($0) }) }
  public static func reference(_ collection: String) -> FieldType { .reference(Text(collection)) }
  public static func counter(min: Int64? = nil) -> FieldType { .counter(min: min, max: nil) }

  /// The longest text or byte string in a field, in bytes.
  public static let bytesMax = 256 * 1024

  /// Whether it is a collaborative text.
  public var isText: Bool { self == .text || self == .richText }

  /// The name in JSON declarations.
  var name: StaticString {
    switch self {
    case .string: "string"
    case .int: "int"
    case .double: "double"
    case .bool: "bool"
    case .timestamp: "timestamp"
    case .bytes: "bytes"
    case .choice: "choice"
    case .reference: "reference"
    case .set: "set"
    case .counter: "counter"
    case .text: "text"
    case .richText: "richText"
    }
  }

  /// The value as this type stores it (an integer given for a double becomes one), or nil with the reason in `problem`.
  func accept(_ value: Value, problem: inout Text) -> Value? {
    switch (self, value) {
    case (_, .null): return .null
    case (.string, .text(let text)), (.text, .text(let text)), (.richText, .text(let text)):
      guard text.utf8.count <= Self.bytesMax else {
        problem = "is longer than 262144 bytes"
        return nil
      }
      return value
    case (.int, .int(let number)), (.timestamp, .int(let number)), (.counter, .int(let number)):
      guard number.magnitude <= UInt64(Value.intMax) else {
        problem = "is outside the range of whole numbers, 2^53 - 1 either way"
        return nil
      }
      return value
    case (.double, .double(let number)):
      guard number.isFinite else {
        problem = "is not a finite number"
        return nil
      }
      return value
    case (.double, .int(let number)): return .double(Double(number))
    case (.bool, .bool): return value
    case (.bytes, .bytes(let bytes)):
      guard bytes.count <= Self.bytesMax else {
        problem = "is longer than 262144 bytes"
        return nil
      }
      return value
    case (.bytes, .text(let text)):
      guard let bytes = Base64URL.decode(text) else {
        problem = "must be bytes: base64url text in JSON"
        return nil
      }
      return .bytes(bytes)
    case (.choice(let choices), .text(let text)):
      guard choices.contains(text) else {
        problem = Text("must be one of: " + choices.map { $0.string }.joined(separator: ", "))
        return nil
      }
      return value
    case (.reference, .text(let text)):
      guard RecordID.isValid(text) else {
        problem = "must be a record id: 1 to 64 bytes, no spaces or control characters"
        return nil
      }
      return value
    case (.set(let element), .array(let values)):
      var accepted: [Value] = []
      for value in values {
        guard let value = element.accept(value, problem: &problem), value != .null else {
          problem = Text("holds an element that " + (problem.utf8.isEmpty ? "is null" : problem.string))
          return nil
        }
        if !accepted.contains(value) { accepted.append(value) }
      }
      return .array(accepted)
    default:
      problem = Text("must be of type " + Text(name).string)
      return nil
    }
  }
}
