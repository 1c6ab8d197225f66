// SPDX-License-Identifier: Apache-2.0
// The server process: it gathers pushes, lets the shipped Judge decide, commits once, and answers. The network lies between.

import AloftCore

struct SimServer {
  var app: App
  var version: Int
  var judge: Judge
  var image = StoreImage(epoch: 1)
  var isUp = true
  var life = 1
  /// Requests that wait for the next commit.
  var group: [(message: Int, request: SyncRequest, user: Int)] = []
  var clockOffset: Int64 = 0
  /// By how much its clock may have mistaken the time between two moments.
  var clockDoubt: UInt64 = 0
  var backup: (image: StoreImage, oracle: Oracle)?
  var epochCount: UInt64 = 1

  init(app: App, version: Int) {
    self.app = app
    self.version = version
    judge = Judge(app: app)
  }
}

extension World {
  private static let portalPage = Array("<!doctype html><title>Sign in to Hotel WiFi</title>".utf8)

  private func rate(_ kind: FaultKind, _ purpose: Purpose, _ device: Int, _ salt: UInt64) -> Bool {
    devices[device].isIn(kind) && Int64(draw(purpose, device, salt) % 1000) < devices[device].value(kind)
  }

  private func latency(_ device: Int, _ salt: UInt64) -> UInt64 {
    let base = plan.settings.latency
    let slow = devices[device].isIn(.slow) ? UInt64(devices[device].value(.slow)) : 0
    return base / 2 + draw(.latency, device, salt) % (base + slow + 1)
  }

  // MARK: the way there

  mutating func post(_ message: SimMessage) {
    let device = message.from.device
    let salt = message.salt
    messages.append(message)
    let index = messages.count - 1
    if rate(.portal, .portal, device, salt) {
      messages[index].status = 200
      messages[index].body = Self.portalPage
      return heap.add(.answerArrives(index), at: now + latency(device, salt))
    }
    if rate(.duplicate, .duplicate, device, salt) {
      var echo = message
      echo.isEcho = true
      messages.append(echo)
      // At once, or an hour later.
      heap.add(.requestArrives(messages.count - 1), at: now + latency(device, salt ^ 5) + (draw(.duplicate, device, salt ^ 9) % 4 == 0 ? 3_600_000 : 0))
    }
    if rate(.dropRequest, .drop, device, salt) { return }
    heap.add(.requestArrives(index), at: now + latency(device, salt))
  }

  mutating func arrive(_ index: Int) {
    let message = messages[index]
    let device = message.from.device
    guard server.isUp else {
      if !message.isEcho { heap.add(.sendFails(message.from, message.send, TransportFailure.unreachable.rawValue), at: now + latency(device, 1)) }
      return
    }
    if rate(.tooMany, .failure, device, message.salt) { return answer(index, status: 429, retryAfter: UInt32(draw(.failure, device, 7) % 3) * 10, []) }
    if rate(.serverError, .failure, device, message.salt ^ 1 << 40) && draw(.failure, device, 3) % 2 == 0 { return answer(index, status: 503, []) }
    guard let user = session(of: message) else { return answer(index, status: 401, []) }
    let request: SyncRequest
    do { request = try SyncRequest(body: message.body, format: .cbor) } catch {
      return fail("S27", "the server cannot read a request of ours: \(error.message.string) at \(error.path.string)")
    }
    // An older release knows neither all fields nor all actions of a newer one: what it cannot judge waits.
    if request.hasMutations && request.schema > UInt64(server.version) { return answer(index, status: 503, retryAfter: 60, []) }
    if request.hasMutations {
      server.group.append((index, request, user))
      if server.group.count == 1 { heap.add(.commit(serverLife: server.life), at: now + plan.settings.groupDelay) }
    } else {
      reply(index, request, nil, user)
    }
  }

  /// Whose session carries a message: while the device's session is lost, nobody's or whoever signed in elsewhere in the browser.
  private func session(of message: SimMessage) -> Int? {
    guard devices[message.from.device].isIn(.signedOut), !message.isEcho else { return message.user }
    let value = devices[message.from.device].value(.signedOut)
    return value > 0 ? Int(value) - 1 : nil
  }

  func principal(_ user: Int) -> Principal {
    var grants: [Grant] = []
    for (space, role) in oracle.grants[user].enumerated() where role > 0 {
      grants.append(Grant(role: role == 2 ? SimSchema.boss : SimSchema.member, scope: SimWords.scope(space)))
    }
    return Principal(user: SimWords.user(user), grants: grants)
  }

  // MARK: judging

  mutating func commit(_ life: Int) {
    guard server.isUp, server.life == life, !server.group.isEmpty else { return }
    let group = server.group
    server.group = []
    let results = judge(group)
    guard violation == nil else { return }
    publish(results[0].changed)
    for (entry, result) in zip(group, results) { reply(entry.message, entry.request, result, entry.user) }
  }

  /// Lets the Judge decide on a group, commits it, and compares with the oracle. Permission is what it is at this moment.
  private mutating func judge(_ group: [(message: Int, request: SyncRequest, user: Int)]) -> [PushResult] {
    let now = serverClock
    do throws(StoreError) {
      let pushes = group.map { (request: $0.request, principal: principal($0.user)) }
      let results = try server.judge.push(pushes, now: now, into: &server.image)
      var touched: [RecordKey] = []
      for (entry, result) in zip(group, results) { compare(entry.request, result, entry.user, now, &touched) }
      checkStored(touched)
      return results
    } catch {
      fail("S05", "the store refuses a batch")
      return []
    }
  }

  /// Tells open tabs that scopes have grown.
  private mutating func publish(_ changed: [Placement]) {
    for placement in changed {
      guard let space = (0..<plan.spaceCount).first(where: { SimWords.scope($0) == placement.scope }) else { continue }
      for device in devices.indices {
        guard let user = devices[device].session, oracle.grants[user][space] > 0, !devices[device].isDown else { continue }
        for tab in devices[device].tabs.indices where devices[device].tabs[tab].isOpen {
          // A broken live channel says nothing; when it is whole again its host wakes the engine, as healing does.
          if !isHealed && draw(.hint, device, UInt64(space)) % 10 == 0 { continue }
          let id = ContextID(device: device, tab: tab, life: devices[device].tabs[tab].life)
          hintsUnderWay += 1
          heap.add(.hint(id, space: space, sequence: placement.sequence), at: now + latency(device, UInt64(space) << 8))
        }
      }
    }
  }

  // MARK: the way back

  private mutating func reply(_ index: Int, _ request: SyncRequest, _ pushed: PushResult?, _ user: Int) {
    let body: [UInt8]
    do throws(StoreError) {
      body = try server.judge.answer(
        request, pushed, for: principal(user), now: serverClock, limitBytes: plan.settings.answerBytes, from: &server.image)
    } catch { return fail("S05", "the store cannot be read") }
    trace.line("\(now) server answers d\(messages[index].from.device).\(messages[index].from.tab): \(pushed.map { Text($0.standing.name).string } ?? "read only"), judged to \(pushed?.judged ?? 0)")
    rememberView(user)
    checkAnswer(body, user)
    answer(index, status: 200, body)
  }

  private mutating func answer(_ index: Int, status: Int, retryAfter: UInt32 = 0, _ body: [UInt8]) {
    let message = messages[index]
    if message.isEcho { return }
    let device = message.from.device
    let salt = message.salt
    messages[index].status = status
    messages[index].retryAfter = retryAfter
    messages[index].body = body
    // The server had done its work when these happen.
    if rate(.serverError, .failure, device, salt ^ 1 << 41) {
      messages[index].status = [500, 502, 504][Int(draw(.failure, device, salt) % 3)]
      messages[index].body = []
    }
    if rate(.truncate, .truncate, device, salt), !body.isEmpty {
      messages[index].body = Array(body.prefix(Int(draw(.truncate, device, salt ^ 77) % UInt64(body.count))))
    }
    if rate(.dropResponse, .dropAnswer, device, salt) { return }
    heap.add(.answerArrives(index), at: now + latency(device, salt ^ 1 << 42))
  }

  // MARK: life and death

  mutating func crashServer() {
    // The group that was being committed is either on the disk or not; nobody hears of it.
    if !server.group.isEmpty && draw(.serverCrash, 0) % 2 == 0 { _ = judge(server.group) }
    for entry in server.group where !messages[entry.message].isEcho {
      heap.add(.sendFails(messages[entry.message].from, messages[entry.message].send, TransportFailure.unreachable.rawValue), at: now + 5)
    }
    server.group = []
    server.isUp = false
    server.life += 1
    heap.add(.serverStarts, at: now + 200 + draw(.serverCrash, 1) % 5_000)
  }

  mutating func startServer() { server.isUp = true }

  /// Puts the backup in place of the store. Its logs are a new incarnation.
  mutating func restoreBackup() {
    guard let backup = server.backup else { return }
    server.image = backup.image
    server.epochCount += 1
    server.image.incarnation = server.epochCount
    var oracle = backup.oracle
    for user in oracle.grants.indices { for space in 0..<plan.spaceCount { oracle.setGrant(user, space, self.oracle.grants[user][space]) } }
    self.oracle = oracle
    for index in issues.indices where oracle.judgedCount(index) == 0 && issues[index].isSaved { issues[index].isExempt = true }
  }
}
