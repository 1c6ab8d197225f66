// SPDX-License-Identifier: Apache-2.0
// Scope templates such as "team:{team}": from a record's fields to the names of the slices that hold it.

/// A scope's name with places for field values. `{id}` stands for the record's own id.
public struct ScopeTemplate: Equatable, Sendable {
  enum Part: Equatable, Sendable {
    case literal(Text)
    case field(Text)
  }

  /// The longest scope name, in bytes.
  public static let bytesMax = 200

  public let source: Text
  let parts: [Part]

  /// Parses a template; nil when braces do not pair or a name is empty.
  init?(_ source: Text) {
    var parts: [Part] = []
    var current: [UInt8] = []
    var inside = false
    for byte in source.utf8 {
      switch (byte, inside) {
      case (0x7B, false):
        if !current.isEmpty { parts.append(.literal(Text(utf8: current))) }
        (current, inside) = ([], true)
      case (0x7D, true):
        if current.isEmpty { return nil }
        parts.append(.field(Text(utf8: current)))
        (current, inside) = ([], false)
      case (0x7B, true), (0x7D, false): return nil
      default: current.append(byte)
      }
    }
    if inside { return nil }
    if !current.isEmpty { parts.append(.literal(Text(utf8: current))) }
    if parts.isEmpty { return nil }
    self.source = source
    self.parts = parts
  }

  /// The field names that the template mentions, `id` included.
  var names: [Text] {
    var names: [Text] = []
    for part in parts { if case .field(let name) = part { names.append(name) } }
    return names
  }

  /// The scope's name for a record, or nil when a field it needs is empty: then this template yields no scope.
  /// - Parameter append: appends what stands for a name in braces, false where that is empty.
  func name(_ append: (Text, inout [UInt8]) -> Bool) -> Text? {
    var out: [UInt8] = []
    out.reserveCapacity(32)
    for part in parts {
      switch part {
      case .literal(let text): out.put(text.utf8)
      case .field(let name): if !append(name, &out) { return nil }
      }
    }
    return out.count <= Self.bytesMax ? Text(utf8: out) : nil
  }

  /// Appends a field's value as it stands in a scope's name; false where it is empty or of a kind that names no scope.
  static func append(_ value: Value, to out: inout [UInt8]) -> Bool {
    switch value {
    case .text(let text) where !text.utf8.isEmpty: out.put(text.utf8)
    case .int(let number): appendDecimal(number, to: &out)
    default: return false
    }
    return true
  }
}
