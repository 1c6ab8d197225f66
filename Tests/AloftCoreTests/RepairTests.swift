// SPDX-License-Identifier: Apache-2.0
// Damage that no checksum of a page catches is found by the scope's sum and repaired from the server.
import Testing

@testable import AloftCore

@Suite("Repair")
struct RepairTests {
  @Test("a device whose records do not add up to the server's sum fetches the scope again, in pages of any size", arguments: [300, 1 << 20])
  func sumDiffers(limitBytes: Int) throws {
    let world = World()
    try world.begin()
    for k in 0..<10 { try world.a.mutate(#"{"action":"create","args":{"collection":"items","id":"k\#(k)","fields":{"list":"l1","title":"t\#(k)"}}}"#) }
    try world.settle()
    world.server.limitBytes = limitBytes
    let slot = try #require(world.b.engine.tables[1].slot(of: "k3"))
    world.b.engine.setBase(1, slot, nil)
    let place = try #require(world.b.engine.state.cursor("list:l1"))
    world.b.engine.state.cursors[place].cursor.checksum &-= 12345
    try world.b.sync(world.server)
    try world.b.sync(world.server)
    #expect(world.b.show("items", "k3") == world.a.show("items", "k3"))
    #expect(world.b.engine.status.state == .synced)
    let before = world.b.notices.count
    try world.b.sync(world.server)
    #expect(world.b.notices.dropFirst(before).allSatisfy { !$0.contains("queries") })
  }
}
