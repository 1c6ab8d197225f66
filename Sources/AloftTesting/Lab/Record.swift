// SPDX-License-Identifier: Apache-2.0
// A record as a test looks at it.
import AloftCore

/// A record's values: on a device what its person sees, on the server what stands.
public struct Record: Equatable, Sendable, CustomStringConvertible {
  public var id: String
  /// The fields that have a value.
  public var values: [String: Value]
  /// The values of `manual` fields that wait for somebody to choose, where there are several.
  public var candidates: [String: [Value]]
  /// `saving`, `queued`, `attention`, or nil when the server has all of it. Always nil on the server.
  public var state: String?

  /// The field's value; `.null` where there is none.
  public subscript(_ field: String) -> Value { values[field] ?? .null }

  init(_ row: Row, of collection: Collection, state: String? = nil, isVisible: (Field) -> Bool = { _ in true }) {
    id = row.id.string
    values = [:]
    candidates = [:]
    self.state = state
    for (number, field) in collection.fields.enumerated() where isVisible(field) {
      let value = row.value(number, rule: field.rule)
      if value != .null { values[field.name.string] = value }
      if field.rule == .manual, case .supported(let all) = row.cell(number), all.count > 1 {
        candidates[field.name.string] = all.map { $0.value }
      }
    }
  }

  public var description: String {
    let fields = values.keys.sorted().map { "\($0): \(values[$0]!.words)" }
    return "\(id) {\(fields.joined(separator: ", "))}" + (state.map { " (\($0))" } ?? "")
  }
}

extension Value {
  /// The value as it is written in JSON, for messages.
  var words: String {
    var out = CBORWriter()
    encode(to: &out)
    return (try? JSONCodec.json(fromCBOR: out.finish())).map { String(decoding: $0, as: UTF8.self) } ?? "?"
  }
}

extension Outcome {
  /// The outcome in one line, for messages.
  var words: String {
    switch self {
    case .applied: "applied"
    case .merged(let fields): "merged(\(fields.map(\.string).joined(separator: ", ")))"
    case .conflict(let fields, let current):
      "conflict(\(zip(fields, current).map { "\($0.string): \($1.words) stands" }.joined(separator: ", ")))"
    case .rejected(let rejection): "rejected(\(rejection.words))"
    case .parked(let n): "parked behind \(n)"
    }
  }
}

extension Rejection {
  var words: String { code.string + (path.utf8.isEmpty ? "" : " at " + path.string) + ": " + message.string }
}
