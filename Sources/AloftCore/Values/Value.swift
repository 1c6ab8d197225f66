// SPDX-License-Identifier: Apache-2.0
// The values that fields and arguments hold.

/// A value of a field or an argument. Two values are equal when their bytes are: 1 and 1.0 differ, and so do "é" and "e\u{301}".
public enum Value: Equatable, Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case text(Text)
  case bytes([UInt8])
  case array([Value])

  /// The largest magnitude of an integer: what a JavaScript number holds exactly.
  public static let intMax: Int64 = 9_007_199_254_740_991

  public static func == (a: Value, b: Value) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let x), .bool(let y)): x == y
    case (.int(let x), .int(let y)): x == y
    case (.double(let x), .double(let y)): x.bitPattern == y.bitPattern
    case (.text(let x), .text(let y)): x == y
    case (.bytes(let x), .bytes(let y)): x == y
    case (.array(let x), .array(let y)): x == y
    default: false
    }
  }

  /// Orders any two values: null, false, true, numbers, text, bytes, arrays; numbers by size, the rest byte by byte.
  public static func precedes(_ a: Value, _ b: Value) -> Bool {
    switch (a, b) {
    case (.int(let x), .int(let y)): return x < y
    case (.double(let x), .double(let y)): return x < y
    case (.int(let x), .double(let y)): return Double(x) < y
    case (.double(let x), .int(let y)): return x < Double(y)
    case (.text(let x), .text(let y)): return x < y
    case (.bytes(let x), .bytes(let y)): return Text.precedes(x, y)
    case (.array(let x), .array(let y)):
      for index in 0..<min(x.count, y.count) {
        if precedes(x[index], y[index]) { return true }
        if precedes(y[index], x[index]) { return false }
      }
      return x.count < y.count
    default: return a.rank < b.rank
    }
  }

  private var rank: Int {
    switch self {
    case .null: 0
    case .bool(let value): value ? 2 : 1
    case .int, .double: 3
    case .text: 4
    case .bytes: 5
    case .array: 6
    }
  }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral,
  ExpressibleByFloatLiteral, ExpressibleByArrayLiteral
{
  public init(stringLiteral value: String) { self = .text(Text(value)) }
  public init(integerLiteral value: Int64) { self = .int(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(nilLiteral: ()) { self = .null }
  public init(arrayLiteral elements: Value...) { self = .array(elements) }

  /// The text, or nil for any other kind.
  public var text: Text? { if case .text(let value) = self { value } else { nil } }
  /// The integer, or nil for any other kind.
  public var int: Int64? { if case .int(let value) = self { value } else { nil } }
  /// The truth value, or nil for any other kind.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
}

extension Value {
  package func encode(to out: inout CBORWriter) {
    switch self {
    case .null: out.null()
    case .bool(let value): out.bool(value)
    case .int(let value): out.int(value)
    case .double(let value): out.double(value)
    case .text(let value): out.text(value)
    case .bytes(let value): out.bytes(value)
    case .array(let values):
      out.array(values.count)
      for value in values { value.encode(to: &out) }
    }
  }

  /// Reads a value of at most `depth` levels of arrays.
  package init(from reader: inout CBORReader, depth: Int = 4) throws(DecodeError) {
    switch try reader.peek() {
    case .uint, .negative: self = .int(try reader.int())
    case .bytes: self = .bytes(try reader.bytes())
    case .text: self = .text(try reader.text())
    case .bool: self = .bool(try reader.bool())
    case .null, .undefined:
      reader.pass()
      self = .null
    case .double: self = .double(try reader.double())
    case .array:
      guard depth > 0 else { throw reader.failure(.tooDeep) }
      let count = try reader.array()
      var values: [Value] = []
      for _ in 0..<count { values.append(try Value(from: &reader, depth: depth - 1)) }
      self = .array(values)
    case .map, .tag: throw reader.failure(.unexpectedKind)
    }
  }
}
