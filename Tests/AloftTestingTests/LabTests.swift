// SPDX-License-Identifier: Apache-2.0
import AloftTesting
import FieldVisits
import Testing

@Suite("The lab")
struct LabTests {
  @Test("a change made offline reaches the server when the network returns")
  func offline() throws {
    let lab = Lab(fieldVisits)
    let ann = lab.device(user: "ann", roles: ["member": "team:1"])
    ann.goOffline()
    let visit = try ann.create("visits", ["team": "1", "store": "s1", "title": "First", "status": "open", "footfall": 2, "tags": ["a"]])
    #expect(ann.record("visits", visit)?.state == "saving")
    try lab.settle()
    #expect(ann.record("visits", visit)?.state == "queued")
    #expect(lab.server.record("visits", visit) == nil)
    ann.goOnline()
    try lab.settle()
    #expect(lab.server.record("visits", visit)?["title"] == "First")
    #expect(ann.status.state == .synced)
    #expect(ann.change(of: visit)?.outcome == .applied)
  }
}
