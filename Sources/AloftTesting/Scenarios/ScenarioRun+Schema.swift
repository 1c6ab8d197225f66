// SPDX-License-Identifier: Apache-2.0
import AloftCore

extension ScenarioRun {
  /// Devices that were away run an older version; devices that were quick run a newer one than the server.
  func schema() throws {
    let (older, newer) = plan.versions
    let problems = newer.incompatibilities(with: older)
    try expect(
      problems.isEmpty, "version \(newer.version) still serves the devices of version \(older.version)",
      got: problems.map { "\($0.path.string) \($0.message.string)" }.joined(separator: "; "))
    try forEachPair(older, newer) { old, new in
      try play("\(old.name): version \(older.version) on the device, \(newer.version) on the server", server: newer) {
        try oldDevice(old, new, older, newer)
      }
      try play("\(old.name): version \(newer.version) on the device, \(older.version) on the server", server: older) {
        try newDevice(old, new, older, newer)
      }
    }
  }

  private func forEachPair(_ older: App, _ newer: App, _ body: (Stage, Stage) throws -> Void) throws {
    var (before, after) = (plan, plan)
    before = before.running(older)
    after = after.running(newer)
    for collection in older.collections where !plan.leaveOut.contains(collection.name.string) {
      guard let old = before.stage(collection), let number = newer.number(of: collection.name), let new = after.stage(newer.collections[number])
      else {
        skip("\(collection.name.string): nobody here may create records in both versions")
        continue
      }
      try body(old, new)
    }
  }

  /// The queue of an old device is delivered, and it does not harm what it does not know.
  private func oldDevice(_ old: Stage, _ new: Stage, _ older: App, _ newer: App) throws {
    let device = lab.device(of: old.author, app: older)
    try lab.settle()
    device.goOffline()
    let id = try sampler.create(old, 1, on: device)
    for (name, input) in try sampler.edits(old, by: old.author, 20, on: device) { try device.update(old.name, id, [name: input]) }
    try lab.settle()
    // A month in a drawer.
    device.crash()
    lab.advance(by: .seconds(30 * 24 * 3600))
    device.goOnline()
    device.reopen()
    try lab.settle()
    try expectApplied(device)
    try expectSynced(device)
    let modern = lab.device(of: new.author, app: newer)
    try lab.settle()
    guard let (name, input) = try addedEdit(old, new, on: modern) else { return try expectAgreement() }
    try modern.update(new.name, id, [name: input])
    try lab.settle()
    let wanted = modern.record(new.name, id)?[name] ?? .null
    for (name, input) in try sampler.edits(old, by: old.author, 21, on: device).prefix(1) { try device.update(old.name, id, [name: input]) }
    try lab.settle()
    let stands = lab.server.record(new.name, id)?[name] ?? .null
    try expect(stands == wanted, "\(name), which the old device does not know, stays \(wanted.words) when it edits the record", got: stands.words)
    try expectAgreement()
  }

  /// A server that does not know a field says so to the person, keeps nothing half, and takes it once it is upgraded.
  private func newDevice(_ old: Stage, _ new: Stage, _ older: App, _ newer: App) throws {
    let device = lab.device(of: new.author, app: newer)
    try lab.settle()
    sampler.version = older.version
    let id = try sampler.create(new, 1, on: device)
    try lab.settle()
    try expectApplied(device)
    guard let (name, input) = try addedEdit(old, new, on: device) else { return try expectAgreement() }
    let before = lab.server.record(old.name, id)
    let change = try device.update(new.name, id, [name: input])
    let mine = device.record(new.name, id)
    try lab.settle()
    guard case .rejected(let rejection) = change.outcome, rejection.path.string.contains(name) else {
      throw lab.failure(expected: "a refusal that names \(name)", got: "\(change)")
    }
    try expectEqual(lab.server.record(old.name, id), before, "nothing of the refused change applies")
    try expect(device.tray.count == 1, "the change waits in its author's tray", got: device.stateWords)
    lab.server.upgrade(to: newer)
    try device.retry(device.tray[0])
    try lab.settle()
    try expectSynced(device)
    let stands = lab.server.record(new.name, id)?[name]
    try expect(stands == mine?[name], "after the server's upgrade the change applies", got: stands?.words ?? "no record")
    try expectAgreement()
  }

  /// An edit of a field that only the newer version has.
  private func addedEdit(_ old: Stage, _ new: Stage, on device: Device) throws -> (String, any FieldInput)? {
    let known = Set(old.collection.fields.map(\.name))
    for field in new.editable(by: new.author) where !known.contains(field.name) {
      if let input = try sampler.edit(field, 30, new, on: device) { return (field.name.string, input) }
    }
    return nil
  }
}

extension Scenarios {
  fileprivate func running(_ app: App) -> Scenarios {
    var copy = Scenarios(for: app, people: people)
    copy.values = values
    return copy
  }

  /// Two versions: the one in the field and this one; or this one and one with a field more.
  var versions: (older: App, newer: App) {
    if let older { return (older, app) }
    let newest = app.collections.flatMap { $0.fields.map(\.since) }.max() ?? 1
    if newest > 1 { return (app.version(newest - 1), app) }
    return (app, app.withOneFieldMore)
  }
}

extension App {
  /// The app without the fields that came after a version.
  fileprivate func version(_ version: Int) -> App {
    var app = App(name: name, version: version)
    app.collections = collections.map { collection in
      var collection = collection
      collection.fields.removeAll { $0.since > version }
      return collection
    }
    app.actions = actions
    return app
  }

  fileprivate var withOneFieldMore: App {
    var app = App(name: name, version: version + 1)
    app.collections = collections.map { collection in
      var collection = collection
      collection.fields.append(Field("fieldOfTheNextVersion", .string, since: version + 1))
      return collection
    }
    app.actions = actions
    return app
  }
}
