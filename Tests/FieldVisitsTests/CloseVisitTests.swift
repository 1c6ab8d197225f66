// SPDX-License-Identifier: Apache-2.0
// The app's own action: on the device at once, on the server later, against what stands there then.
import AloftCore
import AloftTesting
import FieldVisits
import Testing

@Suite("Closing a visit")
struct CloseVisitTests {
  let lab = Lab(fieldVisits)
  let ann: Device
  let ben: Device
  let visit: String

  init() throws {
    ann = lab.device(user: "ann", roles: ["member": "team:north"])
    ben = lab.device(user: "ben", roles: ["member": "team:north"])
    visit = try ann.create("visits", ["team": "north", "store": "s1", "title": "Monday", "status": "open"])
    try lab.settle()
  }

  @Test("offline it shows closed at once, and the server closes it when the network returns")
  func offline() throws {
    ann.goOffline()
    try ann.run("closeVisit", ["visit": visit, "summary": "All shelves full."])
    #expect(ann.record("visits", visit)?["status"] == "closed")
    #expect(lab.server.record("visits", visit)?["status"] == "open")
    ann.goOnline()
    try lab.settle()
    #expect(ben.record("visits", visit)?["status"] == "closed")
    #expect(ben.record("visits", visit)?["summary"] == "All shelves full.")
  }

  @Test("closing it twice is refused on the device, before anything is sent", arguments: ["Once more.", ""])
  func twice(summary: String) throws {
    try ann.run("closeVisit", ["visit": visit, "summary": "Done."])
    let refusal = #expect(throws: Rejection.self) { try ann.run("closeVisit", ["visit": visit, "summary": summary]) }
    #expect(refusal?.code == "closed")
  }

  @Test("a summary of spaces is refused")
  func emptySummary() throws {
    let refusal = #expect(throws: Rejection.self) { try ann.run("closeVisit", ["visit": visit, "summary": "  "]) }
    #expect(refusal?.code == "invalid")
    #expect(ann.record("visits", visit)?["status"] == "open")
  }

  @Test("of two who close it offline the second is told, and the first one's summary stands")
  func twoClose() throws {
    for device in [ann, ben] { device.goOffline() }
    try ann.run("closeVisit", ["visit": visit, "summary": "Ann was here."])
    let late = try ben.run("closeVisit", ["visit": visit, "summary": "Ben was here."])
    for device in [ann, ben] {
      device.goOnline()
      try lab.settle()
    }
    guard case .rejected(let rejection) = late.outcome else {
      Issue.record("expected a refusal, got \(late)")
      return
    }
    #expect(rejection.code == "closed")
    #expect(ben.tray.count == 1)
    #expect(ben.record("visits", visit)?["summary"] == "Ann was here.")
  }

  @Test("who is not in the team cannot close it, not even with a forged request")
  func stranger() throws {
    let outcome = try lab.server.outcome(
      of: "closeVisit", ["visit": visit, "summary": "Mine."], sentBy: Person("zoe", ["member": "team:south"]))
    #expect(!outcome.isApplied)
    #expect(lab.server.record("visits", visit)?["status"] == "open")
  }
}
