// SPDX-License-Identifier: Apache-2.0
// What the server forgets, and what devices that were away for longer make of it.

@testable import AloftCore
import AloftTesting
import Testing

@Suite("Retention")
struct RetentionTests {
  private let day: UInt64 = 86_400_000

  @Test("a head counts as old only by a mark that is old enough")
  func marks() {
    var marks = ScopeMarks([])
    marks.add(10 * day, 5, every: day)
    marks.add(10 * day + 1, 6, every: day)
    marks.add(11 * day, 9, every: day)
    #expect(marks.head(atLeast: 30 * day, before: 39 * day) == 0)
    #expect(marks.head(atLeast: 30 * day, before: 40 * day) == 5, "the young second mark was not made")
    #expect(marks.head(atLeast: 30 * day, before: 41 * day) == 9)
    #expect(marks.head(atLeast: 30 * day, before: 5 * day) == 0, "a clock that was set back makes nothing old")
    #expect(ScopeMarks(marks.bytes).bytes == marks.bytes)
    #expect(ScopeMarks([1, 2, 3]).bytes.isEmpty, "bytes that are no marks are none")
  }

  /// A world in which noah was away while an item was deleted, and the server has forgotten it.
  private func forgotten() throws -> World {
    let world = World()
    try world.begin()
    try world.a.mutate(#"{"action":"create","args":{"collection":"items","id":"i2","fields":{"list":"l1","title":"second"}}}"#)
    try world.settle()
    try world.boss.mutate(#"{"action":"delete","args":{"collection":"items","id":"i1"}}"#)
    try world.boss.sync(world.server)
    for days: UInt64 in [29, 2] { try world.server.letPass(days: days) }
    for device in [world.a, world.b, world.boss] { device.now = world.server.now }
    return world
  }

  @Test("a deleted record can be restored for thirty days and no longer", arguments: [29, 31])
  func restore(days: UInt64) throws {
    let world = World()
    try world.begin()
    try world.boss.mutate(#"{"action":"delete","args":{"collection":"items","id":"i1"}}"#)
    try world.boss.sync(world.server)
    try world.server.letPass(days: days)
    world.boss.now = world.server.now
    try world.boss.mutate(#"{"action":"restore","args":{"collection":"items","id":"i1"}}"#)
    try world.settle()
    #expect(world.a.show("items", "i1").contains("first") == (days < 30))
    #expect(world.boss.pending.contains("notFound") == (days > 30))
  }

  @Test("a device that was away for longer drops what was deleted and keeps its queue")
  func away() throws {
    let world = try forgotten()
    try world.b.mutate(#"{"action":"update","args":{"collection":"items","id":"i2","changes":{"title":"renamed on the way"}}}"#)
    try world.b.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"title":"too late"}}}"#)
    try world.settle()
    #expect(world.b.show("items", "i1") == "null")
    #expect(world.a.show("items", "i2").contains("renamed on the way"))
    #expect(world.b.pending.contains("notFound"), "the change that came too late is in its author's tray")
  }

  @Test("a snapshot of several pages ends though its first pages lie below the floor")
  func pages() throws {
    let world = try forgotten()
    for number in 3..<40 {
      try world.a.mutate(#"{"action":"create","args":{"collection":"items","id":"i\#(number)","fields":{"list":"l1","title":"more"}}}"#)
    }
    try world.settle()
    try world.boss.mutate(#"{"action":"delete","args":{"collection":"items","id":"i39"}}"#)
    try world.boss.sync(world.server)
    try world.server.letPass(days: 31)
    world.server.limitBytes = 200
    let fresh = TestDevice("mia", roles: [("member", "list:l1")], seed: 9, now: world.server.now)
    try fresh.sync(world.server, roundsMax: 200)
    #expect(fresh.show("items", "i38").contains("more") && fresh.show("items", "i39") == "null")
    #expect(fresh.engine.status.state == .synced)
  }

  @Test("devices that still hold a tombstone stay in step, and its id can be used again")
  func again() throws {
    let world = try forgotten()
    try world.settle()
    let fresh = TestDevice("ada", roles: [("member", "list:l1"), ("boss", "list:l1")], seed: 10, now: world.server.now)
    try fresh.sync(world.server)
    try fresh.mutate(#"{"action":"create","args":{"collection":"items","id":"i1","fields":{"list":"l1","title":"anew"}}}"#)
    try fresh.sync(world.server)
    try world.settle()
    for device in [world.a, world.b, world.boss] { #expect(device.show("items", "i1").contains("anew")) }
  }
}
