// SPDX-License-Identifier: Apache-2.0
// Storage that goes back in time: what was judged before counts once, what is new is kept, and the author hears every outcome.
import Testing

@testable import AloftCore

@Suite("After a device's storage went back in time")
struct RollbackTests {
  let world = World()

  /// The device as it is now, to be woken later from this copy of its storage.
  private func copy(of device: TestDevice) -> TestDevice.Storage { device.storage.copy() }

  private func wake(_ storage: TestDevice.Storage) -> TestDevice {
    TestDevice("mia", roles: [("member", "list:l1")], seed: 77, storage: storage, now: world.a.now)
  }

  private func like(_ device: TestDevice, _ count: Int) throws {
    try device.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"likes":{"$increment":\#(count)}}}}"#)
  }

  @Test("what had been sent and was forgotten counts once")
  func countsOnce() throws {
    try world.begin()
    try like(world.a, 1)
    let storage = copy(of: world.a)
    try world.a.sync(world.server)
    try like(world.a, 10)
    try world.a.sync(world.server)
    let old = wake(storage)
    try old.sync(world.server)
    try world.settle()
    #expect(world.b.show("items", "i1").contains(#""likes":12"#))
    #expect(old.show("items", "i1").contains(#""likes":12"#))
    #expect(old.engine.status.queued == 0)
  }

  @Test("what is new beside it is judged under a new identity")
  func keepsNewWork() throws {
    try world.begin()
    try like(world.a, 1)
    try like(world.a, 2)
    let storage = copy(of: world.a)
    try world.a.sync(world.server)
    try like(world.a, 10)
    try like(world.a, 20)
    try world.a.sync(world.server)
    let old = wake(storage)
    try like(old, 100)
    try like(old, 200)
    try like(old, 400)
    try old.sync(world.server)
    try like(old, 1000)
    try old.sync(world.server)
    try world.settle()
    #expect(world.b.show("items", "i1").contains(#""likes":1734"#))
    #expect(old.show("items", "i1").contains(#""likes":1734"#))
  }

  @Test("a refusal that was heard, acknowledged and forgotten is heard again")
  func hearsRefusalAgain() throws {
    try world.begin()
    try world.a.mutate(#"{"action":"delete","args":{"collection":"items","id":"i1"}}"#)
    let storage = copy(of: world.a)
    try world.a.sync(world.server)
    try like(world.a, 1)
    try world.a.sync(world.server)
    let old = wake(storage)
    try old.sync(world.server)
    #expect(old.pending.contains(#""code":"forbidden""#))
  }

  @Test("a device with nothing waiting takes a new identity before its numbers could clash")
  func renewsEarly() throws {
    try world.begin()
    let storage = copy(of: world.a)
    try like(world.a, 1)
    try world.a.sync(world.server)
    let old = wake(storage)
    try old.sync(world.server)
    #expect(old.engine.status.state == .synced)
    try like(old, 100)
    try old.sync(world.server)
    #expect(old.show("items", "i1").contains(#""likes":102"#))
  }

  @Test("an answer about the old identity is no reason to leave the new one, under which another context writes")
  func keepsAnotherContextsIdentity() throws {
    try world.begin()
    let storage = copy(of: world.b)
    try like(world.b, 10)
    try world.settle()
    func tab(_ seed: UInt64) -> TestDevice {
      TestDevice("noah", roles: [("member", "list:l1")], seed: seed, storage: storage, now: world.b.now)
    }
    try like(tab(70), 100)
    let first = tab(71)
    let second = tab(72)
    // Both ask under the old identity; the first hears first, and offers the change under a new one.
    let late = try world.server.answer(second.outgoing.removeFirst(), second.principal)
    let early = try world.server.answer(first.outgoing.removeFirst(), first.principal)
    first.run(first.engine.handle(.response(status: 200, retryAfterSeconds: 0, body: early), now: first.now))
    _ = try world.server.answer(first.outgoing.removeFirst(), first.principal)
    second.follow()
    second.run(second.engine.handle(.response(status: 200, retryAfterSeconds: 0, body: late), now: second.now))
    try second.sync(world.server)
    try world.settle()
    #expect(world.a.show("items", "i1").contains(#""likes":111"#))
  }

  /// Two tabs of one device, the first of which has asked the server and not heard yet; a server that lost everything meanwhile; and
  /// a change that waits under the device's new identity and number 1, which the first answer speaks of too.
  private func renewedWhileAnAnswerWasOut() throws -> (first: TestDevice, late: [UInt8], lost: TestServer) {
    try world.begin()
    func tab(_ seed: UInt64) -> TestDevice {
      TestDevice("noah", roles: [("member", "list:l1")], seed: seed, storage: world.b.storage, now: world.b.now)
    }
    let first = tab(70)
    first.outgoing = []
    first.run(first.engine.handle(.transportFailed(.unreachable), now: first.now))
    try like(first, 10)
    first.run(first.engine.handle(.wake(.tap), now: first.now))
    let late = try world.server.answer(first.outgoing.removeFirst(), first.principal)
    let second = tab(71)
    try second.sync(world.server)
    let lost = TestServer()
    try second.mutate(#"{"action":"create","args":{"collection":"items","id":"i2","fields":{"list":"l1","title":"second"}}}"#)
    // The second tab learns that the server knows nothing of it, and closes before it has offered the change again.
    second.run(second.engine.handle(.response(status: 200, retryAfterSeconds: 0, body: try lost.answer(second.outgoing.removeFirst(), second.principal)), now: second.now))
    return (first, late, lost)
  }

  @Test("an answer to what was sent under the old identity judges nothing of the new one")
  func answerComesAfterTheRenewal() throws {
    let (first, late, lost) = try renewedWhileAnAnswerWasOut()
    first.follow()
    first.run(first.engine.handle(.response(status: 200, retryAfterSeconds: 0, body: late), now: first.now))
    try first.sync(lost)
    #expect(lost.record("items", "i2") != nil)
  }

  @Test("nor does one that another context's renewal came before in the log")
  func answerIsWrittenAfterTheRenewal() throws {
    let (first, late, lost) = try renewedWhileAnAnswerWasOut()
    first.run(first.engine.handle(.response(status: 200, retryAfterSeconds: 0, body: late), now: first.now))
    try first.sync(lost)
    #expect(lost.record("items", "i2") != nil)
  }
}

@Suite("The memory of a hash chain")
struct ChainMemoryTests {
  /// A device after so many mutations, taken in by requests of `step`, and the chain after each of them.
  private func device(count: Int, step: Int) -> (DeviceState, [UInt64]) {
    var device = DeviceState(user: "mia")
    var chains: [UInt64] = []
    while chains.count < count {
      let before = device
      var newer: [UInt64] = []
      for _ in 0..<min(step, count - chains.count) {
        device.head += 1
        device.hash = Hash64.mix(device.hash &+ 1)
        newer.append(device.hash)
      }
      device.remember(newer, after: before)
      chains += newer
    }
    return (device, chains)
  }

  @Test("stays small and does not depend on how the numbers came", arguments: [1, 33, 1_000, 4_095, 5_000, 20_000])
  func bounded(count: Int) {
    let all = device(count: count, step: count).0
    #expect(device(count: count, step: 1).0 == all)
    #expect(device(count: count, step: 37).0 == all)
    #expect(all.recent.count <= 576)
  }

  @Test("never recognises what differs, and the last 32 to the number", arguments: [40, 1_000, 6_000])
  func recognises(count: Int) {
    let (device, chains) = device(count: count, step: 100)
    for shared in stride(from: 0, through: count, by: count / 40) {
      // A device that had `shared` in common, forgot the rest and made others under the same numbers.
      var offered = Array(chains[max(0, shared - 20)..<shared])
      for _ in 0..<5 { offered.append(Hash64.mix((offered.last ?? 3) &+ 2)) }
      let first = UInt64(max(0, shared - 20) + 1)
      let recognised = device.recognised(offered, from: first)
      #expect(recognised <= min(shared, 20))
      if count - shared < 32 { #expect(recognised == min(shared, 20)) }
    }
    #expect(device.agrees(device.head, device.hash) == true)
    #expect(device.agrees(device.head - 1, device.hash) == false)
    #expect(device.agrees(1, 1) == (count <= 32 ? false : nil))
  }

  @Test("one hash in common vouches for a whole queue before it")
  func vouches() {
    let (device, chains) = device(count: 3_000, step: 100)
    #expect(device.recognised(Array(chains[..<1_000]), from: 1) >= 1_000 - 128)
    #expect(device.recognised(Array(chains[1_990..<2_990]), from: 1_991) == 1_000)
  }
}
