// SPDX-License-Identifier: Apache-2.0
import AloftCore

extension ScenarioRun {
  /// Two people edit different fields of one record at the same time; a third device belongs to one of them.
  func twoDevices() throws {
    try forEachStage { stage in
      let mine = lab.device(of: stage.author)
      let theirs = lab.device(of: stage.partner)
      let second = lab.device(of: stage.author)
      let id = try sampler.create(stage, 1, on: mine)
      try lab.settle()
      for device in [theirs, second] {
        try expect(device.record(stage.name, id) != nil, "\(device.name) sees the record that \(mine.name) made", got: "no record")
      }
      try expectAgreement()
      try editDifferentFields(stage, id, mine, theirs)
      try delete(stage, id)
    }
  }

  private func editDifferentFields(_ stage: Stage, _ id: String, _ mine: Device, _ theirs: Device) throws {
    let first = try sampler.edits(stage, by: stage.author, 20, on: mine).first
    let second = try sampler.edits(stage, by: stage.partner, 30, on: theirs).last
    guard let first, let second, first.name != second.name else {
      return skip("\(stage.name): no two fields that two people may edit at the same time")
    }
    for device in [mine, theirs] { device.goOffline() }
    try mine.update(stage.name, id, [first.name: first.input])
    try theirs.update(stage.name, id, [second.name: second.input])
    let wanted = [first.name: mine.record(stage.name, id)![first.name], second.name: theirs.record(stage.name, id)![second.name]]
    lab.advance(by: .seconds(600))
    for device in [theirs, mine] {
      device.goOnline()
      try lab.settle()
    }
    for (name, value) in wanted {
      let stands = lab.server.record(stage.name, id)?[name] ?? .null
      try expect(stands == value, "both edits stand; \(name) is \(value.words)", got: stands.words)
    }
    for device in [mine, theirs] { try expectSynced(device) }
    try expectAgreement()
  }

  private func delete(_ stage: Stage, _ id: String) throws {
    guard let device = lab.devices.first(where: { stage.may(lab.server.person($0.user), .delete) }) else { return }
    try device.delete(stage.name, id)
    try lab.settle()
    for other in lab.devices {
      try expect(other.record(stage.name, id) == nil, "the record is gone on \(other.name)", got: "it shows")
    }
    try expectAgreement()
  }
}
