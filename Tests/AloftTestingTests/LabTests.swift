// SPDX-License-Identifier: Apache-2.0
// What the lab lets happen, and what a correct device does then.
import AloftCore
import AloftTesting
import FieldVisits
import Testing

@Suite("The lab")
struct LabTests {
  let lab = Lab(fieldVisits)
  let ann: Device

  init() throws {
    ann = lab.device(user: "ann", roles: ["member": "team:1"])
    try lab.settle()
  }

  /// A visit of the team.
  @discardableResult
  private func create(_ title: String = "First", on device: Device? = nil) throws -> String {
    try (device ?? ann).create("visits", ["team": "1", "store": "s1", "title": title, "status": "open", "footfall": 2, "tags": ["a"]])
  }

  @Test("a change made offline is saving, then queued, then settled")
  func offline() throws {
    ann.goOffline()
    let visit = try create()
    #expect(ann.record("visits", visit)?.state == "saving")
    try lab.settle()
    #expect(ann.record("visits", visit)?.state == "queued")
    #expect(ann.status.state == .offline)
    #expect(lab.server.record("visits", visit) == nil)
    ann.goOnline()
    try lab.settle()
    #expect(ann.record("visits", visit)?.state == nil)
    #expect(ann.status.state == .synced)
    #expect(ann.change(of: visit)?.outcome == .applied)
    #expect(lab.server.record("visits", visit)?["tags"] == ["a"])
  }

  @Test("a crash loses what was not on the disk, and nothing else")
  func crash() throws {
    ann.goOffline()
    let saved = try create("saved")
    lab.advance(by: .milliseconds(10))
    let unsaved = try create("unsaved")
    ann.reopen()
    #expect(ann.record("visits", saved)?["title"] == "saved")
    #expect(ann.record("visits", unsaved) == nil)
  }

  @Test("a fault of the network delays a change and never doubles it", arguments: [
    Fault.dropRequest, .dropResponse, .duplicateRequest, .cutResponse, .captivePortal, .status(503), .status(429, retryAfter: 60),
  ])
  func faults(fault: Fault) throws {
    let visit = try create()
    try lab.settle()
    ann.fail(fault)
    try ann.update("visits", visit, ["footfall": ["$increment": 1]])
    try lab.settle()
    #expect(lab.server.record("visits", visit)?["footfall"] == 3)
    #expect(ann.status.state == .synced)
  }

  @Test("behind a login page nothing is acknowledged, and the status says portal")
  func portal() throws {
    ann.connect(.captivePortal)
    let visit = try create()
    lab.advance(by: .seconds(5))
    #expect(ann.status.state == .portal)
    #expect(ann.status.queued == 1)
    ann.connect(.online)
    try lab.settle()
    #expect(lab.server.record("visits", visit) != nil)
  }

  @Test("Retry-After is honoured to the second")
  func retryAfter() throws {
    ann.fail(.status(429, retryAfter: 60))
    let count = ann.requestCount
    try create()
    lab.advance(by: .seconds(59))
    #expect(ann.requestCount == count + 1)
    lab.advance(by: .seconds(2))
    #expect(ann.requestCount == count + 2)
  }

  @Test("a clock that runs a year ahead does not win for ever")
  func skew() throws {
    let ben = lab.device(user: "ben", roles: ["member": "team:1"])
    let visit = try create()
    try lab.settle()
    ben.clockSkew = .seconds(365 * 24 * 3600)
    try ben.update("visits", visit, ["title": "from the future"])
    try lab.settle()
    lab.advance(by: .seconds(120))
    try ann.update("visits", visit, ["title": "now"])
    try lab.settle()
    #expect(ben.record("visits", visit)?["title"] == "now")
  }

  @Test("a full disk is said aloud, and what was not saved is saved when there is space")
  func fullDisk() throws {
    ann.fillDisk()
    let visit = try create()
    try lab.settle()
    #expect(ann.status.state == .notSaved)
    ann.freeDisk()
    try lab.settle()
    #expect(lab.server.record("visits", visit) != nil)
  }

  @Test("who is signed out keeps working, and the queue goes out after signing in")
  func signedOut() throws {
    ann.signOut()
    let visit = try create()
    try lab.settle()
    #expect(ann.status.state == .signedOut)
    #expect(ann.record("visits", visit) != nil)
    ann.signIn()
    try lab.settle()
    #expect(lab.server.record("visits", visit) != nil)
  }

  @Test("a server that comes back from a backup gets what it forgot from the devices that still hold it")
  func backup() throws {
    let backup = lab.server.backup()
    lab.server.isUp = false
    let visit = try create()
    lab.advance(by: .seconds(60))
    #expect(ann.status.state == .unreachable)
    lab.server.restore(backup)
    lab.server.isUp = true
    try lab.settle()
    #expect(lab.server.record("visits", visit) != nil)
    #expect(ann.status.state == .synced)
  }

  @Test("queries are written as in an app")
  func queries() throws {
    for (title, footfall) in [("b", 1), ("a", 5), ("c", 9)] {
      try ann.create("visits", ["team": "1", "store": "s1", "title": title, "status": "open", "footfall": footfall])
    }
    let found = try ann.records("visits", where: ["footfall": [">": 2], "status": "open"], orderBy: [["title", "desc"]], limit: 1)
    #expect(found.map { $0["title"] } == ["c"])
    #expect(throws: QueryError.self) { try ann.records("visits", where: ["colour": "red"]) }
  }

  @Test("a refused change waits in the tray until its author gives it up")
  func tray() throws {
    let visit = try create()
    try lab.settle()
    let change = try ann.delete("visits", visit)
    try lab.settle()
    #expect(ann.status.state == .attention)
    let item = try #require(ann.tray.first)
    guard case .rejected(let rejection) = item.outcome else {
      Issue.record("expected a refusal, got \(change)")
      return
    }
    #expect(rejection.code == "forbidden")
    try ann.discard(item)
    try lab.settle()
    #expect(ann.status.state == .synced)
  }

  @Test("what never settles is a failure that names the device and shows its last lines")
  func unsettled() throws {
    ann.fail(.dropRequest, times: 100)
    try create()
    let failure = try #require(throws: LabFailure.self) { try lab.settle(within: .seconds(300)) }
    #expect(failure.expected == "everything settles within 300.0 seconds")
    #expect(failure.got == "ann: slow, 1 queued, 0 parked, 0 conflicts" || failure.got == "ann: syncing, 1 queued, 0 parked, 0 conflicts")
    #expect(failure.lines.contains { $0.hasSuffix("ann: loses the request") })
  }

  @Test("the same test does the same twice, to the byte")
  func determinism() throws {
    func run() throws -> [String] {
      let lab = Lab(fieldVisits, seed: 7)
      let ann = lab.device(user: "ann", roles: ["member": "team:1"])
      ann.fail(.dropResponse, times: 3)
      for title in ["a", "b"] { _ = try create(title, on: ann) }
      try lab.settle()
      return lab.journal
    }
    #expect(try run() == run())
  }
}
