// SPDX-License-Identifier: Apache-2.0
import AloftCore

extension ScenarioRun {
  /// Two people write one field without knowing of each other, for each field that both may write.
  func conflict() throws {
    for collection in plan.app.collections where !plan.leaveOut.contains(collection.name.string) {
      guard let stage = plan.stage(collection) else {
        skip("\(collection.name.string): nobody here may create records with all their required fields")
        continue
      }
      for field in collection.fields where stage.mayWrite(stage.author, field) && stage.mayWrite(stage.partner, field) {
        guard stage.may(stage.author, .update), stage.may(stage.partner, .update) else { continue }
        let isEditable = stage.editable(by: stage.author).contains(field)
        guard isEditable || field.rule == .immutable else { continue }
        try play("\(stage.name).\(field.name.string) (\(field.rule.name))") { try Dispute(self, stage, field).play() }
      }
      if stage.may(stage.author, .delete), !stage.editable(by: stage.partner).isEmpty {
        try play("\(stage.name), a delete against an edit") { try deleteAgainstEdit(stage) }
      }
    }
  }

  private func deleteAgainstEdit(_ stage: Stage) throws {
    let deleter = lab.device(of: stage.author)
    let editor = lab.device(of: stage.partner)
    let id = try sampler.create(stage, 1, on: deleter)
    try lab.settle()
    for device in [deleter, editor] { device.goOffline() }
    try deleter.delete(stage.name, id)
    guard let edit = try sampler.edits(stage, by: stage.partner, 20, on: editor).first else { return }
    let change = try editor.update(stage.name, id, [edit.name: edit.input])
    for device in [deleter, editor] {
      device.goOnline()
      try lab.settle()
    }
    switch stage.collection.onConcurrentUpdate {
    case .deleteWins:
      try expect(lab.server.record(stage.name, id) == nil, "the delete wins, as declared", got: "the record stands")
      try expect(
        editor.tray.count == 1, "the editor hears that the record was deleted", got: "\(change); tray \(editor.tray.map(\.description))")
    case .updateWins:
      try expect(lab.server.record(stage.name, id) != nil, "the edit wins, as declared", got: "the record is gone")
    }
    try expectAgreementBut(editor)
  }

  /// Agreement of all devices but one that still shows a change in its tray.
  private func expectAgreementBut(_ device: Device) throws {
    for item in device.tray { try device.discard(item) }
    try lab.settle()
    try expectAgreement()
  }
}

/// Two devices that write one field: the first is first at the server, the second writes later.
private struct Dispute {
  let run: ScenarioRun
  let stage: Stage
  let field: Field
  let first: Device
  let second: Device

  private var name: String { field.name.string }

  init(_ run: ScenarioRun, _ stage: Stage, _ field: Field) {
    (self.run, self.stage, self.field) = (run, stage, field)
    first = run.lab.device(of: stage.author)
    second = run.lab.device(of: stage.partner)
  }

  func play() throws {
    let id = try run.sampler.create(stage, 0, on: first)
    try run.lab.settle()
    switch field.rule {
    case .latest: try latest(id)
    case .guarded: try guarded(id)
    case .manual: try manual(id)
    case .addWins: try addWins(id)
    case .counter: try counter(id)
    case .maximum, .minimum: try extreme(id)
    case .immutable: try immutable(id)
    case .server: return
    case .text: try text(id)
    }
    try run.expectAgreement()
  }

  private func value(_ number: Int, on device: Device) throws -> any FieldInput {
    guard let value = try run.sampler.value(field, number, stage, on: device) else {
      throw LeftOut(reason: "\(stage.name).\(name): refers to a collection in which nobody here may create records")
    }
    return value
  }

  /// Both write without a network and come back in the given order. Returns the changes and what each author saw.
  private func write(
    _ id: String, _ mine: any FieldInput, _ theirs: any FieldInput, secondArrivesFirst: Bool = false
  ) throws -> (Change, Change, Value, Value) {
    for device in [first, second] { device.goOffline() }
    let a = try first.update(stage.name, id, [name: mine])
    run.lab.advance(by: .seconds(60))
    let b = try second.update(stage.name, id, [name: theirs])
    let seen = (first.record(stage.name, id)![name], second.record(stage.name, id)![name])
    for device in secondArrivesFirst ? [second, first] : [first, second] {
      device.goOnline()
      try run.lab.settle()
    }
    return (a, b, seen.0, seen.1)
  }

  private func stands(_ id: String) -> Value { run.lab.server.record(stage.name, id)?[name] ?? .null }

  private func expect(_ id: String, _ value: Value, _ words: String) throws {
    try run.expect(stands(id) == value, "\(words): \(value.words) stands", got: stands(id).words)
  }

  private func latest(_ id: String) throws {
    // A truth value or a choice of two has no third value to tell a late arrival by: the writes differ from each other instead.
    let (late, _, _, wanted) = try write(id, value(1, on: first), value(2, on: second), secondArrivesFirst: true)
    try expect(id, wanted, "the later write wins, though it arrived first")
    try run.expect(
      late.outcome == .merged(fields: [field.name]) || first.record(stage.name, id)?[name] == wanted,
      "the loser is told: merged(\(name))", got: late.description)
  }

  private func guarded(_ id: String) throws {
    let before = stands(id)
    var mine = try value(1, on: first)
    let theirs = try value(2, on: second)
    // Of two choices one is what stands: then the second puts back what the first took away, after a step in between.
    if case .choice(let choices) = field.type, choices.count == 2 { mine = choices.first { .text($0) != before }!.string }
    for device in [first, second] { device.goOffline() }
    try first.update(stage.name, id, [name: mine])
    if case .choice(let choices) = field.type, choices.count == 2 {
      try second.update(stage.name, id, [name: choices.first { .text($0) != before }!.string])
    }
    let change = try second.update(stage.name, id, [name: theirs])
    let (hers, his) = (first.record(stage.name, id)![name], second.record(stage.name, id)![name])
    for device in [first, second] {
      device.goOnline()
      try run.lab.settle()
    }
    try run.expect(change.outcome == .conflict(fields: [field.name], current: [hers]), "a conflict that tells what stands: \(hers.words)", got: "\(change)")
    try expect(id, hers, "nothing of a conflict applies")
    guard let item = second.tray.first(where: \.isConflict) else {
      throw run.lab.failure(expected: "the conflict waits in the tray of its author", got: second.stateWords)
    }
    try second.retry(item)
    try run.lab.settle()
    try expect(id, his, "after keep mine")
    try run.expectSynced(second)
  }

  private func manual(_ id: String) throws {
    let (_, _, hers, his) = try write(id, value(1, on: first), value(2, on: second))
    for device in [first, second] {
      let found = device.record(stage.name, id)?.candidates[name] ?? []
      try run.expect(
        found.count == 2 && found.contains(hers) && found.contains(his), "\(device.name) is offered both: \(hers.words), \(his.words)",
        got: "\(found.map(\.words))")
    }
    try first.resolve(stage.name, id, [name: his])
    try run.lab.settle()
    try expect(id, his, "after the choice")
    try run.expect(second.record(stage.name, id)?.candidates[name] == nil, "nothing is left to choose", got: "candidates remain")
  }

  private func addWins(_ id: String) throws {
    let before = elements(stands(id))
    guard let removed = before.first else { throw LeftOut(reason: "\(stage.name).\(name): its sample is an empty set") }
    // One takes away what she has seen, the other adds: the add stays.
    _ = try write(id, FieldObject(members: ["$remove": Value.array([removed])]), FieldObject(members: ["$add": value(2, on: second)]))
    let after = elements(stands(id))
    try run.expect(
      !after.contains(removed) && !after.isEmpty, "\(removed.words) is gone and what was added meanwhile stays", got: stands(id).words)
  }

  private func elements(_ value: Value) -> [Value] { if case .array(let elements) = value { elements } else { [] } }

  private func counter(_ id: String) throws {
    var step = 1
    if case .counter(let low, let high) = field.type, let high {
      guard high >= 3 || (low ?? -3) <= -3 else { throw LeftOut(reason: "\(stage.name).\(name): its bounds leave no room for two increments") }
      if high < 3 { step = -1 }
    }
    let before = stands(id).int ?? 0
    _ = try write(id, ["$increment": step], ["$increment": 2 * step])
    try expect(id, .int(before + Int64(3 * step)), "increments add up")
  }

  private func extreme(_ id: String) throws {
    let sign = field.rule == .maximum ? 1 : -1
    let (_, _, wanted, _) = try write(id, value(sign * 9, on: first), value(sign * 5, on: second))
    try expect(id, wanted, "the \(field.rule.name) of both, though it was written earlier")
  }

  private func text(_ id: String) throws {
    let before = stands(id).text?.string ?? ""
    // One writes at the beginning, the other at the end: both find all of it in the end.
    _ = try write(id, "hers, " + before, before + ", his")
    try expect(id, .text(Text("hers, " + before + ", his")), "both find their words in the text")
  }

  private func immutable(_ id: String) throws {
    let before = stands(id)
    guard before != .null else { throw LeftOut(reason: "\(stage.name).\(name): has no value to begin with") }
    do {
      let change = try second.update(stage.name, id, [name: Sampler.value(field.type, name, 7)])
      try run.lab.settle()
      try run.expect(change.outcome?.isApplied == false, "a second write is refused", got: "\(change)")
    } catch let rejection as Rejection {
      try run.expect(rejection.code == "immutable", "refused as immutable", got: rejection.words)
    }
    try expect(id, before, "the first write stays")
    for item in second.tray { try second.discard(item) }
    try run.lab.settle()
  }
}
