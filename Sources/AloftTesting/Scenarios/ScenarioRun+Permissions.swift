// SPDX-License-Identifier: Apache-2.0
import AloftCore

extension ScenarioRun {
  /// What the declaration does not allow does not happen, and what nobody may read does not arrive.
  func permissions() throws {
    try forEachStage { stage in
      let author = lab.device(of: stage.author)
      let id = try sampler.create(stage, 1, on: author)
      try lab.settle()
      try expectApplied(author)
      try strangersStayOutside(stage, id)
      for role in plan.roles { try forge(stage, id, as: Person("only-" + role, [role: stage.scope])) }
    }
    try forEachStage(where: { $0.partner.user != $0.author.user }) { stage in try revoke(stage) }
  }

  private func strangersStayOutside(_ stage: Stage, _ id: String) throws {
    for person in plan.outsiders {
      let device = lab.device(of: person)
      try lab.settle()
      try expect(
        device.record(stage.name, id) == nil, "\(person.user), who holds nothing here, has no copy of \(stage.name) \(id)", got: "it is on the device")
      try forge(stage, id, as: person)
    }
  }

  /// Sends every kind of write under a person's session and compares the answers with the declaration.
  private func forge(_ stage: Stage, _ id: String, as person: Person) throws {
    let device = lab.device(of: person)
    try lab.settle()
    let mayRead = allows(.read, stage, person)
    try expect(
      (device.record(stage.name, id) != nil) == mayRead, "\(person.user) \(mayRead ? "sees" : "does not see") \(stage.name)",
      got: mayRead ? "it is missing" : "it is on the device")
    for field in stage.collection.fields where !field.readers.isEmpty && !holds(field.readers, stage, person) {
      let value = device.record(stage.name, id)?[field.name.string] ?? .null
      try expect(value == .null, "\(person.user) does not see \(field.name.string)", got: value.words)
    }
    let author = lab.devices[0]
    for field in stage.editable(by: stage.author) {
      guard let input = try sampler.edit(field, 40, stage, on: author) else { continue }
      let allowed = mayRead && allows(.update, stage, person) && (field.writers.isEmpty || holds(field.writers, stage, person))
      try judge("update", ["collection": stage.name, "id": id, "changes": FieldObject(members: [field.name.string: input])], person, allowed, stage)
    }
    if stage.hasRoom {
      let fields = try sampler.fields(stage, 50, on: author)
      let writable = stage.collection.fields.allSatisfy { $0.writers.isEmpty || fields[$0.name.string] == nil || holds($0.writers, stage, person) }
      try judge(
        "create", ["collection": stage.name, "id": "forged-\(person.user)-\(lab.devices.count)", "fields": FieldObject(members: fields)], person,
        allows(.create, stage, person) && writable, stage)
    }
    let mayDelete = mayRead && allows(.delete, stage, person)
    try judge("delete", ["collection": stage.name, "id": id], person, mayDelete, stage)
    if lab.server.record(stage.name, id) == nil {
      try author.restore(stage.name, id)
      try lab.settle()
    }
  }

  private func judge(_ action: String, _ arguments: [String: any FieldInput], _ person: Person, _ isAllowed: Bool, _ stage: Stage) throws {
    let outcome = try lab.server.outcome(of: action, arguments, sentBy: person)
    var isAllowed = isAllowed
    for denial in plan.denials
    where denial.collection == stage.name && "\(denial.operation)" == action && person.grants.contains(where: { $0.role == Text(denial.role) }) {
      isAllowed = false
    }
    // Who may do it may still meet a rule; who may not must not succeed.
    if !isAllowed {
      try expect(!outcome.isApplied, "\(person.user) may not \(action) \(stage.name), not even with a forged request", got: outcome.words)
    } else if case .rejected(let rejection) = outcome, rejection.code == "forbidden" || rejection.code == "notFound" {
      throw lab.failure(expected: "\(person.user) may \(action) \(stage.name)", got: outcome.words)
    }
  }

  /// The declaration, read line by line: not the function that the server asks.
  private func allows(_ operation: AloftCore.Operation, _ stage: Stage, _ person: Person) -> Bool {
    stage.collection.permissions.contains { line in line.operations.contains(operation) && holds([line.role], stage, person) }
  }

  private func holds(_ roles: [Text], _ stage: Stage, _ person: Person) -> Bool {
    person.grants.contains { grant in
      (grant.scope == Text(stage.scope) || grant.scope == "*") && (roles.contains(grant.role) || roles.contains(Permission.anyone))
    }
  }

  /// A person loses their roles with an edit still on the device.
  private func revoke(_ stage: Stage) throws {
    let author = lab.device(of: stage.author)
    let partner = lab.device(of: stage.partner)
    let id = try sampler.create(stage, 1, on: author)
    try lab.settle()
    let before = lab.server.record(stage.name, id)
    partner.goOffline()
    let edit = try sampler.edits(stage, by: stage.partner, 60, on: partner).first
    let change = try edit.map { try partner.update(stage.name, id, [$0.name: $0.input]) }
    lab.server.setRoles(of: stage.partner.user, [:])
    partner.goOnline()
    try lab.settle()
    let left = try partner.records(stage.name).count
    try expect(left == 0, "without a role nothing of \(stage.name) stays on the device", got: "\(left) records")
    try expectEqual(lab.server.record(stage.name, id), before, "an edit made before the role was taken away does not apply")
    if let change {
      try expect(change.outcome?.isApplied == false && partner.tray.count == 1, "the author of the edit is told", got: "\(change), \(partner.stateWords)")
    }
  }
}
