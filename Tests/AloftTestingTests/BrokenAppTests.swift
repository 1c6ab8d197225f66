// SPDX-License-Identifier: Apache-2.0
// Each scenario must be able to fail: here are apps, servers and disks with a defect, and the scenario that finds it.
import AloftCore
import AloftTesting
import Synchronization
import Testing

private let finish = AloftCore.Action("finish", [Parameter("note", .reference("notes"))]) { arguments, context throws(Rejection) in
  _ = try context.read("notes", arguments.text("note"))
  try context.update("notes", arguments.text("note"), ("title", "done"))
}

/// A small app; each defect below is one line of it that differs.
private func notes(
  version: Int = 2, _ alter: (inout AloftCore.Collection) -> Void = { _ in }, finish action: AloftCore.Action = finish
) -> App {
  var app = App("notes", version: version) {
    Collection("notes") {
      Field("team", .string, .immutable, required: true)
      Field("title", .string, required: true)
      Field("status", .choice("open", "closed"), .guarded)
      Field("likes", .counter(min: 0))
      Field("tags", .set(.string))
      Scopes("team:{team}")
      Allow(.read, .create, .update, to: "member")
      Allow(.read, .delete, to: "boss")
    }
    action
  }
  alter(&app.collections[0])
  return app
}

@Suite("The scenarios find defects")
struct BrokenAppTests {
  /// The failure of a scenario that must fail.
  private func fail(_ scenario: Scenario, _ scenarios: Scenarios) throws -> LabFailure {
    try #require(throws: LabFailure.self) { try scenarios.run(scenario) }
  }

  @Test("the sound app passes all of them")
  func sound() throws { try Scenarios.all(for: notes()) }

  @Test("offline: an action that depends on more than its arguments shows one thing and does another")
  func impureAction() throws {
    let calls = CallCount()
    let counting = AloftCore.Action("finish", finish.parameters) { arguments, context throws(Rejection) in
      _ = try context.read("notes", arguments.text("note"))
      try context.update("notes", arguments.text("note"), ("title", .text(Text("done \(calls.next())"))))
    }
    let app = notes(finish: counting)
    let failure = try fail(.offline, Scenarios(for: app))
    #expect(failure.place == "offline, then reconnect: finish")
    #expect(failure.expected.contains("the server has what its author saw offline") || failure.expected.contains("after closing"))
  }

  @Test("two devices: a server that does not let a role read leaves that person's device empty")
  func hidden() throws {
    var scenarios = Scenarios(
      for: notes { $0.permissions.append(Permission([.read], to: "guest")) },
      people: [Person("ann", ["member": "team:1"]), Person("ben", ["guest": "team:1"])])
    try scenarios.run(.twoDevices)
    scenarios.server = notes()
    #expect(try fail(.twoDevices, scenarios).expected == "ben sees the record that ann made")
  }

  @Test("crash: a disk that says saved and forgets loses records")
  func lyingDisk() throws {
    var scenarios = Scenarios(for: notes())
    scenarios.prepare = { lab in lab.diskForgets = 5 }
    let failure = try fail(.crash, scenarios)
    #expect(failure.expected.contains("each saved record arrives exactly once"))
    #expect(failure.lines.contains { $0.contains("crashes") })
  }

  @Test("conflict: a server that lets the last one win where the app says guarded")
  func otherRule() throws {
    var scenarios = Scenarios(for: notes())
    scenarios.server = notes { $0.fields[2].rule = .latest }
    let failure = try fail(.conflict, scenarios)
    #expect(failure.place == "conflict: notes.status (guarded)")
    #expect(failure.expected.hasPrefix("a conflict that tells what stands"))
  }

  @Test("permissions: a server whose policy is wider than the app's")
  func widerServer() throws {
    var scenarios = Scenarios(for: notes())
    scenarios.server = notes { $0.permissions[0].operations.append(.delete) }
    let failure = try fail(.permissions, scenarios)
    #expect(failure.expected == "only-member may not delete notes, not even with a forged request")
    #expect(failure.got == "applied")
  }

  @Test("permissions: a declaration that allows what its author says must never be")
  func denial() throws {
    var scenarios = Scenarios(for: notes { $0.permissions[0].operations.append(.delete) })
    #expect(throws: Never.self) { try scenarios.run(.permissions) }
    scenarios.denials = [Denial("member", .delete, "notes")]
    #expect(try fail(.permissions, scenarios).expected.contains("may not delete notes"))
  }

  @Test("permissions: a collection that everybody's devices hold, by a role that strangers have too")
  func leak() throws {
    var scenarios = Scenarios(for: notes())
    scenarios.people = [Person("ann", ["member": "*"]), Person("ben", ["member": "*"])]
    scenarios.strangers = [Person("zoe", ["member": "*"])]
    #expect(try fail(.permissions, scenarios).expected.hasPrefix("zoe, who holds nothing here"))
  }

  @Test("rate limit: a limit that lets nothing through never settles, and the failure says who waits for what")
  func shutDoor() throws {
    var scenarios = Scenarios(for: notes())
    scenarios.rateLimit = RateLimit(0, per: .seconds(10))
    let failure = try fail(.rateLimit, scenarios)
    #expect(failure.expected.hasPrefix("everything settles within"))
    #expect(failure.got.contains("queued") || failure.got.contains("unreachable"))
  }

  @Test("schema: a version that changes a rule or drops a field is found before any device meets it")
  func brokenUpgrade() throws {
    var scenarios = Scenarios(for: notes { $0.fields[2].rule = .latest })
    scenarios.older = notes(version: 1)
    #expect(try fail(.schema, scenarios).got == "collections[0].fields[2].rule has changed: status")
    scenarios = Scenarios(for: notes { $0.fields.append(Field("due", .timestamp, since: 2)) })
    scenarios.older = notes(version: 1)
    try scenarios.run(.schema)
  }

  @Test("schema: a new field that is required shuts old devices out")
  func requiredLater() throws {
    var scenarios = Scenarios(for: notes { $0.fields.append(Field("due", .timestamp, since: 2, required: true)) })
    scenarios.older = notes(version: 1)
    let failure = try fail(.schema, scenarios)
    #expect(failure.got.contains("rejected(required"))
  }

  @Test("an unsound declaration is a failure, not a pass")
  func unsound() throws {
    let app = App("x") { Collection("a") { Field("b", .reference("nowhere")) } }
    #expect(try fail(.offline, Scenarios(for: app)).expected == "a sound declaration")
  }

  @Test("an app in which nobody may create anything gives nothing to check, which is a failure")
  func nothing() throws {
    let app = App("x") { Collection("a") { Field("b", .string); Allow(.read, to: "anyone") } }
    #expect(try fail(.offline, Scenarios(for: app)).expected == "something to check")
  }
}

/// Counts calls: what an action's body must not do.
private final class CallCount: Sendable {
  private let count = Mutex(0)

  func next() -> Int { count.withLock { $0 += 1; return $0 } }
}
