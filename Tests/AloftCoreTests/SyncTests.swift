// SPDX-License-Identifier: Apache-2.0
// Devices and server together: what every pair of devices must agree on after a sync.
import AloftCore
import Testing

@Suite("Sync of devices through the server")
struct SyncTests {
  let world = World()

  @Test("a record made offline reaches the server and the other device")
  func offlineCreate() throws {
    try world.begin()
    #expect(world.b.show("items", "i1").contains(#""title":"first""#))
    #expect(world.b.show("items", "i1") == world.a.show("items", "i1"))
    #expect(world.a.engine.status.state == .synced)
    #expect(world.a.engine.status.queued == 0)
  }

  @Test("edits of different fields of one record both survive")
  func differentFields() throws {
    try world.begin()
    try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"title":"by a"}}}"#)
    try world.b.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"best":7}}}"#)
    try world.settle()
    for device in [world.a, world.b] {
      #expect(device.show("items", "i1").contains(#""title":"by a""#))
      #expect(device.show("items", "i1").contains(#""best":7"#))
    }
  }

  @Test("of two latest writes the later one stands on every device")
  func latest() throws {
    try world.begin()
    world.b.now += 500
    try world.b.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"title":"later"}}}"#)
    try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"title":"earlier"}}}"#)
    try world.b.sync(world.server)
    try world.settle()
    for device in [world.a, world.b] { #expect(device.show("items", "i1").contains(#""title":"later""#)) }
    #expect(world.a.outcomes.last?.outcome == .merged(fields: [Text("title")]))
  }

  @Test("a guarded field written by two is a conflict for the second, and keeping mine resolves it")
  func guarded() throws {
    try world.begin()
    try world.boss.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"state":"closed"}}}"#)
    try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"state":"closed"}}}"#)
    try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"state":"open"}}}"#)
    try world.boss.sync(world.server)
    try world.a.sync(world.server)
    // The same value twice is agreement; the reopening had not seen the boss's closing.
    #expect(world.a.engine.status.conflicts == 1)
    #expect(world.a.show("items", "i1").contains(#""state":"closed""#))
    #expect(world.a.show("items", "i1").contains(#""$state":"attention""#))
    let n = try #require(world.a.firstPending)
    let (_, effects) = try world.a.engine.retry(n, now: world.a.now)
    world.a.run(effects)
    try world.settle()
    #expect(world.b.show("items", "i1").contains(#""state":"open""#))
    #expect(world.a.engine.status.state == .synced)
  }

  @Test("a chain of offline edits of a guarded field applies in order without a conflict")
  func guardedChain() throws {
    try world.begin()
    for state in ["closed", "open", "closed"] {
      try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"state":"\#(state)"}}}"#)
    }
    try world.settle()
    #expect(world.b.show("items", "i1").contains(#""state":"closed""#))
    #expect(world.a.engine.status.conflicts == 0)
  }

  @Test("increments of two devices add up")
  func counters() throws {
    try world.begin()
    for _ in 0..<3 { try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"likes":{"$increment":2}}}}"#) }
    try world.b.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"likes":{"$increment":-1}}}}"#)
    try world.settle()
    for device in [world.a, world.b] { #expect(device.show("items", "i1").contains(#""likes":6"#)) }
  }

  @Test("an increment that would break a bound is refused and does not count")
  func counterBound() throws {
    try world.begin()
    try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"likes":{"$increment":-5}}}}"#)
    try world.settle()
    #expect(world.a.show("items", "i1").contains(#""likes":1"#))
    #expect(world.a.pending.contains(#""code":"bound""#))
  }

  @Test("a remove takes away only what its author had seen")
  func observedRemove() throws {
    try world.begin()
    try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"tags":{"$remove":["x","y"]}}}}"#)
    try world.b.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"tags":{"$add":["x","z"]}}}}"#)
    try world.settle()
    // b's add of x is not the one that a removed, so x stays; y goes; z stays.
    for device in [world.a, world.b] { #expect(device.show("items", "i1").contains(#""tags":["x","z"]"#)) }
  }

  @Test("concurrent values of a manual field are kept until somebody resolves")
  func manual() throws {
    try world.begin()
    try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"note":"from a"}}}"#)
    try world.b.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"note":"from b"}}}"#)
    try world.settle()
    for device in [world.a, world.b] {
      #expect(device.show("items", "i1").contains(#""$candidates":{"note":["#))
      #expect(device.show("items", "i1").contains("from a") && device.show("items", "i1").contains("from b"))
    }
    try world.a.mutate(#"{"action":"resolve","args":{"collection":"items","id":"i1","fields":{"note":"both"}}}"#)
    try world.settle()
    #expect(world.b.show("items", "i1").contains(#""note":"both""#))
    #expect(!world.b.show("items", "i1").contains("$candidates"))
  }

  @Test("a rejected mutation parks its own record only, and says why")
  func rejectionParksAlone() throws {
    try world.begin()
    try world.a.mutate(#"{"action":"delete","args":{"collection":"items","id":"i1"}}"#)
    try world.a.mutate(#"{"action":"create","args":{"collection":"items","id":"i2","fields":{"list":"l1","title":"second"}}}"#)
    try world.settle()
    #expect(world.b.show("items", "i2").contains("second"))
    #expect(world.a.show("items", "i1").contains("first"))
    #expect(world.a.engine.status.parked == 1)
    #expect(world.a.pending.contains(#""code":"forbidden""#))
    let n = try #require(world.a.firstPending)
    world.a.run(try world.a.engine.discard(n, now: world.a.now))
    #expect(world.a.engine.status.parked == 0)
    #expect(!world.a.show("items", "i1").contains("$state"))
  }

  @Test("what depends on a refused mutation is parked behind it and goes with its retry")
  func dependants() throws {
    try world.begin()
    // A price may be set by the boss only, so the create is refused; the edit of the same record waits behind it.
    try world.a.mutate(#"{"action":"create","args":{"collection":"items","id":"i3","fields":{"list":"l1","title":"dear","price":5}}}"#)
    try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i3","changes":{"title":"dearer"}}}"#)
    try world.settle()
    #expect(world.a.engine.status.parked == 2)
    let n = try #require(world.a.firstPending)
    let args = json(#"{"collection":"items","id":"i3","fields":{"list":"l1","title":"dear"}}"#)
    world.a.run(try world.a.engine.retry(n, args: args, now: world.a.now).1)
    try world.settle()
    #expect(world.a.engine.status.parked == 0)
    #expect(world.b.show("items", "i3").contains("dearer"))
  }

  @Test("an update made without knowing of a delete is told to its author, who can restore")
  func lateUpdate() throws {
    try world.begin()
    try world.boss.mutate(#"{"action":"delete","args":{"collection":"items","id":"i1"}}"#)
    try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"title":"late"}}}"#)
    try world.boss.sync(world.server)
    try world.settle()
    #expect(world.a.show("items", "i1") == "null")
    #expect(world.a.pending.contains(#""code":"deleted""#))
    try world.a.mutate(#"{"action":"restore","args":{"collection":"items","id":"i1"}}"#)
    let n = try #require(world.a.firstPending)
    world.a.run(try world.a.engine.retry(n, now: world.a.now).1)
    try world.settle()
    #expect(world.b.show("items", "i1").contains("late"))
  }

  @Test("an action's body runs on both sides and may write what devices may not")
  func customAction() throws {
    try world.begin()
    #expect(throws: Rejection.self) {
      try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"approved":true}}}"#)
    }
    try world.a.mutate(#"{"action":"approve","args":{"item":"i1"}}"#)
    #expect(world.a.show("items", "i1").contains(#""approved":true"#))
    try world.settle()
    #expect(world.b.show("items", "i1").contains(#""approved":true"#))
  }

  @Test("an answer that is lost changes nothing: the retry gets the original outcome")
  func lostAnswer() throws {
    try world.begin()
    try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"likes":{"$increment":10}}}}"#)
    try world.a.mutate(#"{"action":"delete","args":{"collection":"items","id":"i1"}}"#)
    let body = world.a.outgoing.removeFirst()
    _ = try world.server.answer(body, world.a.principal)
    world.a.run(world.a.engine.handle(.transportFailed(.unreachable), now: world.a.now))
    #expect(world.a.engine.status.state == .unreachable)
    try world.settle()
    #expect(world.b.show("items", "i1").contains(#""likes":11"#))
    #expect(world.a.pending.contains(#""code":"forbidden""#))
  }

  @Test("a page of HTML with status 200 acknowledges nothing")
  func captivePortal() throws {
    try world.begin()
    try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"title":"kept"}}}"#)
    world.a.outgoing = []
    world.a.run(world.a.engine.handle(.response(status: 200, retryAfterSeconds: 0, body: Array("<html>login</html>".utf8)), now: world.a.now))
    #expect(world.a.engine.status.state == .portal)
    #expect(world.a.engine.status.queued == 1)
    try world.settle()
    #expect(world.b.show("items", "i1").contains("kept"))
  }

  @Test("a device whose right to a scope ends forgets its records")
  func membershipEnds() throws {
    try world.begin()
    let c = TestDevice("eve", roles: [("member", "list:l1"), ("member", "list:l2")], seed: 9)
    try c.sync(world.server)
    #expect(c.show("items", "i1") != "null")
    let storage = c.storage
    let later = TestDevice("eve", roles: [("member", "list:l2")], seed: 10, storage: storage, now: c.now)
    #expect(later.show("items", "i1") != "null")
    try later.sync(world.server)
    #expect(later.show("items", "i1") == "null")
  }

  @Test("small answers are continued until the head is reached")
  func paging() throws {
    for k in 0..<40 {
      try world.a.mutate(#"{"action":"create","args":{"collection":"items","id":"k\#(k)","fields":{"list":"l1","title":"number \#(k)"}}}"#)
    }
    try world.a.sync(world.server)
    world.server.limitBytes = 300
    try world.b.sync(world.server)
    #expect(try world.b.query(#"{"from":"items"}"#) .split(separator: "{").count == 41)
    #expect(world.b.engine.status.state == .synced)
  }

  @Test("a device whose storage went back in time takes a new identity and loses nothing")
  func rollback() throws {
    try world.begin()
    let copy = world.a.storage.copy()
    try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"likes":{"$increment":1}}}}"#)
    try world.a.sync(world.server)
    let old = TestDevice("mia", roles: [("member", "list:l1")], seed: 77, storage: copy, now: world.a.now)
    try old.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"likes":{"$increment":100}}}}"#)
    try old.sync(world.server)
    try world.settle()
    #expect(world.b.show("items", "i1").contains(#""likes":102"#))
    #expect(old.show("items", "i1").contains(#""likes":102"#))
  }
}

@Suite("What the server refuses")
struct RefusalTests {
  let world = World()

  @Test("a dependant pushed long after its parent was refused is parked, not applied")
  func lateDependant() throws {
    try world.begin()
    // 1,001 mutations do not fit one request, so the dependant travels after its parent's refusal is known.
    try world.a.mutate(#"{"action":"create","args":{"collection":"items","id":"p","fields":{"list":"l1","price":1}}}"#)
    let filler = (0..<1000).map { #"{"action":"create","args":{"collection":"items","id":"f\#($0)","fields":{"list":"l1"}}}"# }
    try world.a.mutate(filler.joined(separator: ","))
    try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"p","changes":{"title":"x"}}}"#)
    try world.settle()
    #expect(world.a.engine.status.parked == 2)
    #expect(world.a.pending.contains(#""state":"parked""#))
  }

  @Test("a user of another list can neither read, write nor learn of a record")
  func foreignList() throws {
    try world.begin()
    let eve = TestDevice("eve", roles: [("member", "list:l2")], seed: 9)
    try eve.sync(world.server)
    #expect(eve.show("items", "i1") == "null")
    for call in ["update", "delete"] {
      let body = """
        {"protocol":1,"device":"\(Base64URL.encode([UInt8](repeating: call == "update" ? 5 : 6, count: 16)).string)","mutations":[\
        {"n":1,"time":[1800000000000,0],"action":"\(call)","args":{"collection":"items","id":"i1"\(call == "update" ? #","changes":{"title":"stolen"}"# : "")}},\
        {"n":2,"time":[1800000000000,0],"action":"\(call)","args":{"collection":"items","id":"absent"\(call == "update" ? #","changes":{"title":"stolen"}"# : "")}}]}
        """
      let answer = String(decoding: try world.server.answer(Array(body.utf8), eve.principal, .json), as: UTF8.self)
      // Forbidden and absent answer alike.
      #expect(answer.components(of: #""code":"notFound""#) == 2, "\(answer)")
      #expect(!answer.contains("first"))
    }
    try world.settle()
    #expect(world.b.show("items", "i1").contains("first"))
  }

  @Test("a create with a scope of others is refused")
  func createElsewhere() throws {
    try world.begin()
    try world.a.mutate(#"{"action":"create","args":{"collection":"items","id":"z","fields":{"list":"l2","title":"intruder"}}}"#)
    try world.settle()
    #expect(world.a.pending.contains(#""code":"forbidden""#))
    #expect(world.server.record("items", "z") == nil)
  }

  @Test("a number that skips one is not judged, and a device of another user is refused")
  func gapsAndThieves() throws {
    try world.begin()
    let device = Base64URL.encode([UInt8](repeating: 8, count: 16)).string
    let push = { (n: Int) in
      Array(#"{"protocol":1,"device":"\#(device)","mutations":[{"n":\#(n),"time":[1,0],"action":"create","args":{"collection":"items","id":"g\#(n)","fields":{"list":"l1"}}}]}"#.utf8)
    }
    let first = String(decoding: try world.server.answer(push(1), world.a.principal, .json), as: UTF8.self)
    #expect(first.contains(#""outcome":"applied""#))
    let gap = String(decoding: try world.server.answer(push(3), world.a.principal, .json), as: UTF8.self)
    #expect(gap.contains(#""device":"unknownHistory""#) && gap.contains(#""judged":1"#))
    let stolen = String(decoding: try world.server.answer(push(2), world.b.principal, .json), as: UTF8.self)
    #expect(stolen.contains(#""device":"foreign""#) && stolen.contains(#""outcomes":[]"#))
  }

  @Test("a simple client that keeps no stamps can take an element out of a set")
  func simpleRemove() throws {
    try world.begin()
    let device = Base64URL.encode([UInt8](repeating: 9, count: 16)).string
    let push = #"{"protocol":1,"device":"\#(device)","mutations":[{"n":1,"time":[1,0],"action":"update","args":{"collection":"items","id":"i1","changes":{"tags":{"$remove":["x"]}}}}]}"#
    let answer = String(decoding: try world.server.answer(Array(push.utf8), world.a.principal, .json), as: UTF8.self)
    #expect(answer.contains(#""outcome":"applied""#))
    try world.settle()
    #expect(world.b.show("items", "i1").contains(#""tags":["y"]"#))
  }

  @Test("under another person's session nothing is sent until its owner signs in again")
  func foreignSession() throws {
    try world.begin()
    try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"title":"mine"}}}"#)
    let body = world.a.outgoing.removeFirst()
    let answer = try world.server.answer(body, world.b.principal)
    world.a.run(world.a.engine.handle(.response(status: 200, retryAfterSeconds: 0, body: answer), now: world.a.now))
    #expect(world.a.engine.status.state == .signedOut)
    world.a.run(world.a.engine.handle(.wake(.tap), now: world.a.now))
    #expect(world.a.outgoing.isEmpty)
    world.a.run(world.a.engine.handle(.wake(.signedIn), now: world.a.now))
    try world.settle()
    #expect(world.b.show("items", "i1").contains("mine"))
  }

  @Test("a clock ten years ahead does not win for ever")
  func skewedClock() throws {
    try world.begin()
    world.b.now += 315_360_000_000
    try world.b.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"title":"from the future"}}}"#)
    let body = world.b.outgoing.removeFirst()
    _ = try world.server.answer(body, world.b.principal)
    world.server.now += 120_000
    world.a.now = world.server.now
    try world.a.sync(world.server)
    try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"title":"now"}}}"#)
    try world.a.sync(world.server)
    #expect(world.a.show("items", "i1").contains(#""title":"now""#))
    #expect(world.a.outcomes.last?.outcome == .applied)
  }
}

extension String {
  func components(of part: String) -> Int { ranges(of: part).count }
}

@Suite("Offering again")
struct RetryTests {
  @Test("words of others are kept as candidates when a parked edit of a manual field is offered again")
  func retryKeepsCandidates() throws {
    let world = World()
    try world.begin()
    try world.b.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"state":"closed","note":"from b"}}}"#)
    try world.b.sync(world.server)
    // The first edit conflicts; the notes wait behind it in the same lane.
    try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"state":"closed"}}}"#)
    try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"state":"open"}}}"#)
    try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"note":"draft of a"}}}"#)
    try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"note":"from a"}}}"#)
    try world.a.sync(world.server)
    #expect(world.a.engine.status.conflicts == 1)
    let n = try #require(world.a.firstPending)
    world.a.run(try world.a.engine.retry(n, now: world.a.now).1)
    try world.settle()
    for device in [world.a, world.b] {
      let shown = device.show("items", "i1")
      #expect(shown.contains("from a") && shown.contains("from b") && !shown.contains("draft of a"), "\(shown)")
      #expect(shown.contains(#""state":"open""#))
    }
  }
}

@Suite("Reading in pages")
struct PagingTests {
  @Test("a record that changes between two pages arrives whole, whatever the size of a page", arguments: [200, 400, 900])
  func changesBetweenPages(limitBytes: Int) throws {
    let world = World()
    for k in 0..<12 {
      try world.a.mutate(#"{"action":"create","args":{"collection":"items","id":"k\#(k)","fields":{"list":"l1","title":"t\#(k)","best":1}}}"#)
    }
    try world.a.sync(world.server)
    try world.boss.sync(world.server)
    // One field of an early record, then another of the same: its row moves behind every page read so far.
    for (field, value) in [("best", "50"), ("likes", #"{"$increment":4}"#), ("note", #""n""#)] {
      for id in ["k0", "k7"] {
        try world.a.mutate(#"{"action":"update","args":{"collection":"items","id":"\#(id)","changes":{"\#(field)":\#(value)}}}"#)
      }
    }
    try world.a.sync(world.server)
    world.server.limitBytes = limitBytes
    try world.b.sync(world.server)
    try world.boss.sync(world.server)
    for device in [world.b, world.boss] {
      for k in 0..<12 { #expect(device.show("items", "k\(k)") == world.a.show("items", "k\(k)")) }
      #expect(device.engine.status.state == .synced)
    }
  }
}
