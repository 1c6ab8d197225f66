// SPDX-License-Identifier: Apache-2.0
import AloftCore

extension ScenarioRun {
  /// Creates, edits and deletes for a working day without a network, closes the app, and comes back.
  func offline() throws {
    try forEachStage { stage in
      let device = lab.device(of: stage.author)
      try lab.settle()
      device.goOffline()
      var ids: [String] = []
      for number in 1...(stage.hasRoom ? 3 : 1) {
        let id = try sampler.create(stage, number, on: device)
        ids.append(id)
        for (name, input) in try sampler.edits(stage, by: stage.author, number + 10, on: device) {
          try device.update(stage.name, id, [name: input])
          lab.advance(by: .seconds(60))
        }
      }
      if stage.hasRoom && stage.may(stage.author, .delete) { try device.delete(stage.name, ids.removeLast()) }
      try comeBack(device, stage.name, ids)
    }
    for action in plan.app.actions where action.body != nil && !plan.leaveOut.contains(action.name.string) { try offline(action) }
  }

  /// What the person saw offline stands, for them and for everybody.
  private func comeBack(_ device: Device, _ collection: String, _ ids: [String]) throws {
    let count = device.changes.count
    try lab.settle()
    try expect(
      device.status.state == .offline && device.status.queued == count, "offline, \(count) queued", got: device.stateWords)
    let seen = try ids.map { id in
      guard let record = device.record(collection, id) else {
        throw lab.failure(expected: "\(collection) \(id) shows at once, without a network", got: "no record")
      }
      return record
    }
    lab.advance(by: .seconds(8 * 3600))
    device.reopen()
    try lab.settle()
    for record in seen { try expectEqual(device.record(collection, record.id), record, "after closing and opening the app offline") }
    try expect(device.status.queued == count, "\(count) still queued after closing and opening the app", got: device.stateWords)
    device.goOnline()
    try lab.settle()
    try expectApplied(device)
    try expectSynced(device)
    for record in seen {
      var wanted = record
      wanted.state = nil
      try expectEqual(lab.server.record(collection, record.id), wanted, "the server has what its author saw offline")
    }
    for person in plan.cast { lab.device(of: person) }
    try lab.settle()
    try expectAgreement()
  }

  /// Calls one of the app's own actions offline: what it did on the device is what it does on the server.
  private func offline(_ action: Action) throws {
    let name = action.name.string
    let target = action.parameters.lazy.compactMap { parameter -> Text? in
      if case .reference(let target) = parameter.type { target } else { nil }
    }.first
    let number = target.flatMap { plan.app.number(of: $0) }
    if target != nil && number.flatMap({ plan.stage(plan.app.collections[$0]) }) == nil {
      return skip("\(name): nobody here may create a record for it to work on")
    }
    let person = number.flatMap { plan.stage(plan.app.collections[$0])?.author } ?? plan.cast[0]
    try play(name) {
      let device = lab.device(of: person)
      try lab.settle()
      device.goOffline()
      let id = try target.flatMap { try sampler.parent($0.string, on: device) } ?? ""
      do {
        try device.run(name, plan.arguments[name].map { $0(id) } ?? arguments(of: action, id, on: device))
      } catch let rejection as Rejection {
        throw LeftOut(reason: "\(name): refuses its generated arguments (\(rejection.words)); give it some in `arguments`")
      }
      try comeBack(device, target?.string ?? "", target == nil ? [] : [id])
    }
  }

  private func arguments(of action: Action, _ id: String, on device: Device) throws -> [String: any FieldInput] {
    var out: [String: any FieldInput] = [:]
    for parameter in action.parameters {
      if case .reference(let target) = parameter.type {
        out[parameter.name.string] = try sampler.parent(target.string, on: device) ?? id
      } else {
        out[parameter.name.string] = Sampler.value(parameter.type, parameter.name.string, 1)
      }
    }
    return out
  }
}
