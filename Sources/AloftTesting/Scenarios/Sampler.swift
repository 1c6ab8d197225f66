// SPDX-License-Identifier: Apache-2.0
// Makes records and edits that a declaration accepts.
import AloftCore

/// Invents records for one lab. Records that others refer to are made on the way.
final class Sampler {
  private let plan: Scenarios
  private let lab: Lab
  /// Records are filled with the fields of this version and older ones; nil for the device's own version.
  var version: Int?
  /// Records made to be referred to, by collection; nil while one is being made.
  private var parents: [String: String?] = [:]

  init(_ plan: Scenarios, _ lab: Lab) {
    self.plan = plan
    self.lab = lab
  }

  /// The fields of a new record.
  func fields(_ stage: Stage, _ number: Int, on device: Device) throws -> [String: any FieldInput] {
    var fields: [String: any FieldInput] = [:]
    for field in stage.collection.fields where field.since <= version ?? device.app.version {
      let name = field.name.string
      if let value = stage.place[name] {
        try makeParent(field, value, stage, on: device)
        fields[name] = field.type == .int ? Int(value) ?? 1 : value
      } else if stage.mayWrite(stage.author, field), field.isRequired || !stage.collection.namesScope(field) {
        // Counters start at nothing, so that increments can be told apart.
        if case .counter = field.type, !field.isRequired { continue }
        fields[name] = try value(field, number, stage, on: device)
      }
    }
    return fields
  }

  /// Creates a record and returns its id.
  func create(_ stage: Stage, _ number: Int, on device: Device) throws -> String {
    try device.create(stage.name, id: stage.place["id"], fields(stage, number, on: device))
  }

  /// A value for a field; nil where it would need a record that nobody may make.
  func value(_ field: Field, _ number: Int, _ stage: Stage, on device: Device) throws -> (any FieldInput)? {
    if let given = plan.values[stage.name + "." + field.name.string] { return given(number) }
    if case .reference(let target) = field.type {
      if let parent = try parent(target.string, on: device) { return parent }
      return field.isRequired ? "missing" : nil
    }
    return Self.value(field.type, field.name.string, number)
  }

  static func value(_ type: FieldType, _ name: String, _ number: Int) -> any FieldInput {
    switch type {
    case .string, .text, .richText: "\(name) \(number)"
    case .int: number
    case .double: Double(number) + 0.5
    case .bool: number % 2 == 1
    case .timestamp: Int(Lab.start) + number * 60_000
    case .bytes: Value.bytes([UInt8(truncatingIfNeeded: number), 1, 2])
    case .choice(let choices): choices[number % choices.count].string
    case .reference: "record-\(number)"
    case .set(let element): Self.list(element, name, number)
    case .counter: 0
    }
  }

  /// A set of one element.
  private static func list(_ element: FieldType, _ name: String, _ number: Int) -> any FieldInput {
    var out = CBORWriter()
    value(element, name, number).write(to: &out)
    var reader = CBORReader(out.finish())
    // Our own encoding always decodes.
    return Value.array([(try? Value(from: &reader)) ?? .null])
  }

  // MARK: records that others refer to

  /// A record of a collection, made when there is none; nil when nobody here may make one.
  func parent(_ collection: String, on device: Device) throws -> String? {
    if let known = parents[collection] { return known }
    parents[collection] = .some(nil)
    guard let number = device.app.number(of: Text(collection)), let stage = plan.stage(device.app.collections[number]),
      stage.author.user == device.user
    else { return nil }
    let id = try create(stage, 0, on: device)
    parents[collection] = id
    return id
  }

  /// The record that a scope is named after, such as the team of `team:1`.
  private func makeParent(_ field: Field, _ id: String, _ stage: Stage, on device: Device) throws {
    guard case .reference(let target) = field.type, parents[target.string] == nil, let number = device.app.number(of: target),
      let parent = plan.stage(device.app.collections[number]), parent.author.user == device.user, parent.place["id"] ?? id == id
    else { return }
    parents[target.string] = id
    _ = try device.create(target.string, id: id, fields(parent, 0, on: device))
  }

  // MARK: edits

  /// An edit of a field that no rule disputes, for a record made with another number.
  func edit(_ field: Field, _ number: Int, _ stage: Stage, on device: Device) throws -> (any FieldInput)? {
    switch field.rule {
    case .counter:
      if case .counter(_, let high) = field.type, let high, high < 1 { return ["$increment": -1] }
      return ["$increment": 1]
    case .addWins:
      return try value(field, number, stage, on: device).map { FieldObject(members: ["$add": $0]) }
    case .minimum: return Self.value(field.type, field.name.string, -number)
    case .latest, .guarded, .manual, .maximum, .text: return try value(field, number, stage, on: device)
    case .immutable, .server: return nil
    }
  }

  /// The fields that the person may edit so, in the order of the declaration.
  func edits(_ stage: Stage, by person: Person, _ number: Int, on device: Device) throws -> [(name: String, input: any FieldInput)] {
    try stage.editable(by: person).compactMap { field in
      try edit(field, number, stage, on: device).map { (field.name.string, $0) }
    }
  }
}
