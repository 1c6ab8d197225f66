// SPDX-License-Identifier: Apache-2.0
// One run of one scenario: labs, checks in words, and the report.
import AloftCore

/// Thrown by a part that finds nothing to check.
struct LeftOut: Error {
  let reason: String
}

final class ScenarioRun {
  let plan: Scenarios
  private var report: ScenarioReport
  /// The part under way, such as a collection.
  private var part = ""
  private(set) var lab: Lab
  private(set) var sampler: Sampler

  init(_ plan: Scenarios, _ scenario: Scenario) {
    self.plan = plan
    report = ScenarioReport(scenario: scenario)
    lab = Lab(plan.app, server: plan.server)
    sampler = Sampler(plan, lab)
  }

  /// Plays one part in a lab of its own.
  func play(_ part: String, server: App? = nil, _ body: () throws -> Void) throws {
    self.part = part
    lab = Lab(plan.app, server: server ?? plan.server)
    sampler = Sampler(plan, lab)
    do {
      try plan.prepare(lab)
      try body()
    } catch let left as LeftOut {
      return skip(left.reason)
    } catch var failure as LabFailure {
      failure.place = "\(report.scenario): \(part)"
      throw failure
    } catch let rejection as Rejection {
      var failure = lab.failure(expected: "the device accepts what the declaration allows", got: rejection.words)
      failure.place = "\(report.scenario): \(part)"
      throw failure
    }
    if !report.covered.contains(part) { report.covered.append(part) }
  }

  func skip(_ words: String) { if !report.skipped.contains(words) { report.skipped.append(words) } }

  /// Plays a part for each collection in which somebody may create records.
  func forEachStage(where isWanted: (Stage) -> Bool = { _ in true }, _ body: (Stage) throws -> Void) throws {
    for collection in plan.app.collections where !plan.leaveOut.contains(collection.name.string) {
      guard let stage = plan.stage(collection) else {
        skip("\(collection.name.string): nobody here may create records with all their required fields")
        continue
      }
      if isWanted(stage) { try play(stage.name) { try body(stage) } }
    }
  }

  /// - Throws: when there was nothing to check at all, which is no success.
  func finish() throws -> ScenarioReport {
    guard !report.covered.isEmpty else {
      throw LabFailure(
        expected: "something to check", got: "nothing: " + report.skipped.joined(separator: "; "), place: "\(report.scenario)", lines: [])
    }
    return report
  }

  // MARK: checks

  func expect(_ condition: Bool, _ expected: @autoclosure () -> String, got: @autoclosure () -> String) throws {
    if !condition { throw lab.failure(expected: expected(), got: got()) }
  }

  func expectEqual(_ found: Record?, _ wanted: Record?, _ whose: @autoclosure () -> String) throws {
    try expect(
      found?.values == wanted?.values && found?.candidates == wanted?.candidates, "\(whose()): \(wanted?.description ?? "no record")",
      got: found?.description ?? "no record")
  }

  /// Everything is settled: the device says so, and nothing waits for a person.
  func expectSynced(_ device: Device) throws {
    try expect(
      device.status.state == .synced && device.pending.isEmpty, "\(device.name) is synced and its tray is empty",
      got: device.stateWords + ", " + device.pending.map(\.description).joined(separator: "; "))
  }

  /// Every change made on the device took effect.
  func expectApplied(_ device: Device) throws {
    for change in device.changes {
      try expect(change.outcome?.isApplied == true, "\(device.name)'s \(change.action) of \(change.record) takes effect", got: "\(change)")
    }
  }

  /// Every device that is open shows exactly what the server holds for its person.
  func expectAgreement() throws {
    for device in lab.devices where device.engine != nil {
      for collection in device.app.collections.map(\.name.string) {
        let wanted = lab.server.records(collection, visibleTo: lab.server.person(device.user))
        let found = try device.records(collection, orderBy: ["id"])
        try expect(
          found.map(\.id).sorted() == wanted.map(\.id), "\(device.name) has these \(collection): \(wanted.map(\.id))", got: "\(found.map(\.id))")
        for record in wanted {
          guard var mine = found.first(where: { $0.id == record.id }) else { continue }
          var theirs = record
          // A device of another version shows the fields that it knows.
          let known = Set(device.app.collections[device.app.number(of: Text(collection))!].fields.map(\.name.string))
          theirs.values = theirs.values.filter { known.contains($0.key) }
          mine.state = nil
          try expectEqual(mine, theirs, "\(device.name) shows \(collection) \(record.id)")
        }
      }
    }
  }
}
