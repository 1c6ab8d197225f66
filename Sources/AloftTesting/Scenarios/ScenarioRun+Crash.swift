// SPDX-License-Identifier: Apache-2.0
import AloftCore

extension ScenarioRun {
  private static let count = 50

  /// When the device dies.
  private enum Moment: String, CaseIterable {
    case requestOnItsWay = "while a request is on its way"
    case requestLost = "after a request was lost"
    case answerLost = "after an answer was lost"
    case answerUnsaved = "with an answer that is not on its disk yet"
  }

  /// The device dies in the middle of sending 50 records, comes back, and goes on.
  func crash() throws {
    for collection in plan.app.collections where !plan.leaveOut.contains(collection.name.string) {
      guard let stage = plan.stage(collection), stage.hasRoom else { continue }
      for moment in Moment.allCases { try play("\(stage.name) \(moment.rawValue)") { try crash(stage, moment) } }
    }
  }

  private func crash(_ stage: Stage, _ moment: Moment) throws {
    let device = lab.device(of: stage.author)
    device.requestMutations = 10
    try lab.settle()
    device.goOffline()
    var ids: [String] = []
    let counter = stage.editable(by: stage.author).first { $0.rule == .counter }
    for number in 1...Self.count {
      let id = try sampler.create(stage, number, on: device)
      ids.append(id)
      if let counter, let input = try sampler.edit(counter, 1, stage, on: device) {
        try device.update(stage.name, id, [counter.name.string: input])
      }
    }
    try lab.settle()
    let wanted = ids.map { device.record(stage.name, $0) }
    let before = device.requestCount
    device.goOnline()
    if moment == .requestLost || moment == .answerLost {
      // Two requests get through, the third does not.
      try lab.run(until: "two answers arrive") { device.requestCount == before + 2 }
      device.fail(moment == .requestLost ? .dropRequest : .dropResponse)
    }
    let answers = device.answerCount
    try lab.run(until: "the device is in the middle of sending") {
      moment == .answerUnsaved ? device.answerCount == answers + 3 : device.requestCount == before + 3
    }
    if moment == .answerLost { lab.advance(by: .seconds(1)) }
    device.crash()
    lab.advance(by: .seconds(600))
    device.reopen()
    try lab.settle()
    try expectSynced(device)
    for (id, record) in zip(ids, wanted) {
      var record = record
      record?.state = nil
      try expectEqual(lab.server.record(stage.name, id), record, "each saved record arrives exactly once")
    }
    let made = lab.server.records(stage.name).filter { ids.contains($0.id) }.count
    try expect(made == Self.count, "\(Self.count) records", got: "\(made)")
    try expectAgreement()
  }
}
