// SPDX-License-Identifier: Apache-2.0
// The device's host: it does what the engine's effects ask, as the browser's host does, with time from the lab.
import AloftCore

extension Device {
  /// How long a request waits for its answer.
  private static let patience: Duration = .seconds(30)
  private static let loginPage = Array("<!doctype html><title>Welcome to our WiFi</title>".utf8)

  func open() {
    life += 1
    var random = Random(seed: lab.seed &* 1_000_003 &+ UInt64(number) &* 1009 &+ UInt64(life))
    var engine = ClientEngine(app: app, entropy: (random.next(), random.next(), random.next(), random.next()))
    engine.requestMutationsMax = requestMutations
    // A damaged page is refused and shows as a repair later; what is whole is used.
    let isWhole = storage.load(into: &engine)
    lab.note(name, "opens at row \(storage.last)" + (isWhole ? "" : ", with damage"))
    changesByToken = [:]
    self.engine = engine
    feed(.opened(user: Text(user)))
  }

  func feed(_ event: ClientEvent) {
    guard engine != nil else { return }
    perform(live.handle(event, now: clock))
  }

  func perform(_ effects: [ClientEffect]) {
    for effect in effects {
      switch effect {
      case .persist(let first, _, let rows): later(lab.writeDelay) { $0.persist(rows, at: first) }
      case .send(let body): send(body)
      case .timer(let milliseconds):
        timerNumber += 1
        let number = timerNumber
        guard let milliseconds else { continue }
        later(.milliseconds(Int64(milliseconds)), isTimer: true) { if $0.timerNumber == number { $0.feed(.timer) } }
      case .notify(let notification): hear(notification)
      case .wantCompact: later(lab.writeDelay) { $0.feed(.compact(generation: $0.storage.generation)) }
      case .compact(let compaction):
        if storage.write(compaction) { feed(.compacted(generation: compaction.generation)) }
      }
    }
  }

  /// Does something after a while, unless the device has crashed meanwhile.
  private func later(_ delay: Duration, isTimer: Bool = false, _ body: @escaping (Device) -> Void) {
    let life = self.life
    lab.schedule(after: delay, isTimer: isTimer) { [unowned self] in
      if self.life == life && self.engine != nil { body(self) }
    }
  }

  // MARK: storage

  private func persist(_ rows: [[UInt8]], at first: UInt64) {
    if isDiskFull {
      lab.note(name, "cannot save: the disk is full")
      return feed(.persistFailed(reason: Text("quota")))
    }
    guard storage.append(rows, at: first) else { return feed(.persistConflict(tail: storage.tail(after: first - 1))) }
    feed(.persisted(through: first + UInt64(rows.count) - 1))
  }

  // MARK: network

  private func send(_ body: [UInt8]) {
    sendNumber += 1
    let number = sendNumber
    if connection == .offline { return failSending(number, .offline) }
    requestCount += 1
    lab.note(name, "sends request \(requestCount), \(live.queued.count) queued")
    later(Self.patience, isTimer: true) { $0.failSending(number, .timeout) }
    if connection == .unreachable { return failSending(number, .unreachable) }
    let fault = connection == .captivePortal ? Fault.captivePortal : faults.isEmpty ? nil : faults.removeFirst()
    switch fault {
    case .dropRequest: return lab.note(name, "loses the request")
    case .captivePortal: return reply(LabServer.Answer(body: Self.loginPage), to: number)
    case .status(let status, let retryAfter): return reply(LabServer.Answer(status: status, retryAfterSeconds: UInt32(retryAfter)), to: number)
    case .duplicateRequest: deliver(body) { _, _ in }
    case .dropResponse, .cutResponse, nil: break
    }
    let life = self.life
    deliver(body) { device, answer in
      var answer = answer
      if case .dropResponse = fault { return device.lab.note(device.name, "loses the answer") }
      if case .cutResponse = fault { answer.body = Array(answer.body.prefix(answer.body.count / 2)) }
      if device.life == life { device.reply(answer, to: number) }
    }
  }

  /// Carries a request to the server. It is on its way even when the device dies.
  private func deliver(_ body: [UInt8], then: @escaping (Device, LabServer.Answer) -> Void) {
    lab.schedule(after: lab.latency) { [unowned self] in
      guard lab.server.isUp else {
        if engine != nil { failSending(sendNumber, .unreachable) }
        return
      }
      then(self, lab.server.receive(body, of: isSignedIn ? user : nil))
    }
  }

  private func reply(_ answer: LabServer.Answer, to number: Int) {
    later(lab.latency) { device in
      guard device.live.isSending, device.sendNumber == number else { return }
      device.answerCount += 1
      device.lab.note(
        device.name,
        "gets \(answer.status), \(answer.body.count) bytes" + (answer.retryAfterSeconds > 0 ? ", retry after \(answer.retryAfterSeconds) s" : ""))
      device.feed(.response(status: answer.status, retryAfterSeconds: answer.retryAfterSeconds, body: answer.body))
    }
  }

  /// The round ends without an answer.
  func failSending(_ number: Int, _ failure: TransportFailure) {
    later(.milliseconds(1)) { device in
      guard device.live.isSending, device.sendNumber == number else { return }
      // Without a network nothing was sent.
      if failure != .offline { device.lab.note(device.name, "fails to send: \(failure)") }
      device.feed(.transportFailed(failure))
    }
  }

  /// The live channel: a scope's log has grown.
  func hear(_ placement: Placement, after latency: Duration) {
    guard engine != nil, connection == .online else { return }
    later(latency) { device in
      if device.connection == .online { device.feed(.hint(scope: placement.scope, sequence: placement.sequence)) }
    }
  }

  /// The live channel ended because the person's roles changed, and is opened anew.
  func hearOfChange() {
    guard engine != nil, connection == .online else { return }
    later(lab.latency) { if $0.connection == .online { $0.feed(.wake(.hint)) } }
  }

  // MARK: the app's ear

  private func hear(_ notification: AloftCore.Notification) {
    for run in notification.saved {
      for place in 0..<UInt64(run.count) {
        guard let change = changesByToken[run.token + place] else { continue }
        change.isSaved = true
        changesByNumber[run.n + place] = change
      }
    }
    for (token, n, outcome) in notification.outcomes {
      guard let change = changesByToken[token] ?? changesByNumber[n] else { continue }
      change.outcome = outcome
      lab.note(name, "learns: \(change)")
    }
    if let status = notification.status { lab.note(name, "shows \(status.state.name), \(status.queued) queued") }
  }
}
