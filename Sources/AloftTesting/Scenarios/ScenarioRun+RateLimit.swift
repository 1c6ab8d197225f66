// SPDX-License-Identifier: Apache-2.0
import AloftCore

extension ScenarioRun {
  private static let count = 1_000

  /// A script, an import or a very busy person: far more than the server lets through, and nothing may be lost or doubled.
  func rateLimit() throws {
    guard let stage = plan.app.collections.lazy.filter({ !self.plan.leaveOut.contains($0.name.string) }).compactMap(plan.stage).first(where: { $0.hasRoom })
    else { return skip("nobody here may create more than one record") }
    try play(stage.name) {
      lab.server.rateLimit = plan.rateLimit
      let device = lab.device(of: stage.author)
      try lab.settle()
      var ids: [String] = []
      var wanted: [String: Record] = [:]
      let edits = try sampler.edits(stage, by: stage.author, 70, on: device)
      let first = device.changes.count
      while device.changes.count < first + Self.count {
        let number = device.changes.count - first
        if number % 2 == 0 || edits.isEmpty {
          ids.append(try sampler.create(stage, number, on: device))
        } else {
          let edit = edits[number / 2 % edits.count]
          try device.update(stage.name, ids[ids.count - 1], [edit.name: edit.input])
        }
        wanted[ids[ids.count - 1]] = device.record(stage.name, ids[ids.count - 1])
        lab.advance(by: .milliseconds(10))
      }
      try lab.settle(within: .seconds(1800))
      try expect(lab.server.refusedCount > 0, "the limit is met", got: "no request was refused")
      try expect(lab.server.impatientCount == 0, "no request before the time that Retry-After named", got: "\(lab.server.impatientCount) requests")
      try expect(device.requestCount < 100, "changes travel together", got: "\(device.requestCount) requests")
      try expectApplied(device)
      try expectSynced(device)
      for id in ids {
        wanted[id]?.state = nil
        try expectEqual(lab.server.record(stage.name, id), wanted[id], "every change applies exactly once and in order")
      }
      try expectAgreement()
    }
  }
}
