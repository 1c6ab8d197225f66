// SPDX-License-Identifier: Apache-2.0
// What became of a mutation. Every mutation ends in exactly one outcome, and a duplicate gets the original one.

/// The server's judgement of one mutation.
public enum Outcome: Equatable, Sendable {
  case applied
  /// Applied, but these fields hold other values too, or a newer one.
  case merged(fields: [Text])
  /// Nothing applied: the author had not seen the values that stand now.
  case conflict(fields: [Text], current: [Value])
  case rejected(Rejection)
  /// Nothing applied, because an earlier mutation that this one depends on did not apply.
  case parked(dependsOn: UInt64)

  /// Whether the mutation took effect.
  public var isApplied: Bool {
    switch self {
    case .applied, .merged: true
    case .conflict, .rejected, .parked: false
    }
  }

  /// The word on the wire and in the interface.
  public var name: StaticString {
    switch self {
    case .applied: "applied"
    case .merged: "merged"
    case .conflict: "conflict"
    case .rejected: "rejected"
    case .parked: "parked"
    }
  }
}

extension Outcome {
  func encode(n: UInt64, to out: inout CBORWriter) {
    switch self {
    case .applied: out.map(2)
    case .merged, .parked: out.map(3)
    case .conflict: out.map(4)
    case .rejected: out.map(5)
    }
    out.text("n")
    out.uint(n)
    switch self {
    case .applied: break
    case .merged(let fields):
      out.text("fields")
      out.texts(fields)
    case .conflict(let fields, let current):
      out.text("fields")
      out.texts(fields)
      out.text("current")
      out.array(current.count)
      for value in current { value.encode(to: &out) }
    case .rejected(let rejection):
      out.text("code")
      out.text(rejection.code)
      out.text("path")
      out.text(rejection.path)
      out.text("message")
      out.text(rejection.message)
    case .parked: break
    }
    out.text("outcome")
    out.text(name)
    if case .parked(let n) = self {
      out.text("dependsOn")
      out.uint(n)
    }
  }

  static func decode(from reader: inout CBORReader) throws(DecodeError) -> (n: UInt64, outcome: Outcome) {
    var n: UInt64 = 0
    var rejection = Rejection(code: Text(utf8: []), path: Text(utf8: []), message: Text(utf8: []))
    var fields: [Text] = []
    var current: [Value] = []
    var word = Text(utf8: [])
    var dependsOn: UInt64 = 0
    for _ in 0..<(try reader.map()) {
      let key = try reader.text()
      if key == "n" {
        n = try reader.uint()
      } else if key == "code" {
        rejection.code = try reader.text()
      } else if key == "path" {
        rejection.path = try reader.text()
      } else if key == "message" {
        rejection.message = try reader.text()
      } else if key == "fields" {
        for _ in 0..<(try reader.array()) { fields.append(try reader.text()) }
      } else if key == "current" {
        for _ in 0..<(try reader.array()) { current.append(try Value(from: &reader)) }
      } else if key == "outcome" {
        word = try reader.text()
      } else if key == "dependsOn" {
        dependsOn = try reader.uint()
      } else {
        try reader.skip()
      }
    }
    if word == "applied" { return (n, .applied) }
    if word == "merged" { return (n, .merged(fields: fields)) }
    if word == "conflict" { return (n, .conflict(fields: fields, current: current)) }
    if word == "rejected" { return (n, .rejected(rejection)) }
    if word == "parked" { return (n, .parked(dependsOn: dependsOn)) }
    throw reader.failure(.malformed)
  }
}

extension CBORWriter {
  mutating func texts(_ values: [Text]) {
    array(values.count)
    for value in values { text(value) }
  }
}
