// SPDX-License-Identifier: Apache-2.0
// A tab's host: it opens engines from storage and does what their effects ask, as Web/host.js and Web/effects.js do.

import AloftCore

extension World {
  /// How long a browser waits for an answer.
  private static let patience: UInt64 = 30_000

  // MARK: opening

  mutating func openTab(_ device: Int, _ tab: Int) {
    guard !devices[device].isDown, devices[device].tabs[tab].engine == nil else { return }
    let user = devices[device].user
    let life = devices[device].tabs[tab].life + 1
    devices[device].tabs[tab] = SimTab()
    devices[device].tabs[tab].life = life
    let salt = UInt64(tab) << 32 | UInt64(life)
    var engine = ClientEngine(
      app: apps[devices[device].appVersion - 1],
      entropy: (draw(.entropy, device, salt), draw(.entropy, device, salt ^ 1 << 50), draw(.entropy, device, salt ^ 1 << 51), draw(.entropy, device, salt ^ 1 << 52)))
    engine.requestMutationsMax = plan.settings.requestMutations
    let image = devices[device].disks[user].image
    guard Self.load(image, into: &engine) else { return fail("S01", "device \(device): its storage cannot be read") }
    engine.indexIDs()
    devices[device].tabs[tab].known = image.lastSequence
    devices[device].tabs[tab].engine = engine
    let id = ContextID(device: device, tab: tab, life: life)
    checkReopened(id)
    observe(id)
    note(device, tab, 1, image.lastSequence, "opens for user \(user)")
    run(devices[device].tabs[tab].engine!.handle(.opened(user: SimWords.user(user)), now: clock(device)), id)
  }

  /// Reads a whole image. False when a part other than a page, which the server can replace, is refused.
  private static func load(_ image: DiskImage, into engine: inout ClientEngine) -> Bool {
    if !image.state.isEmpty && !engine.load(state: image.state) { return false }
    for page in image.pages { _ = engine.load(page: page.bytes) }
    var sequence = max(image.generation + 1, image.firstSequence)
    while let row = image.row(sequence) {
      guard engine.load(log: LogRow(sequence: sequence, bytes: row)) else { return false }
      sequence += 1
    }
    return true
  }

  /// An engine that was built from an image and not opened.
  static func load(_ image: DiskImage, _ app: App) -> ClientEngine? {
    var engine = ClientEngine(app: app, entropy: (1, 2, 3, 4))
    return load(image, into: &engine) ? engine : nil
  }

  mutating func closeTab(_ device: Int, _ tab: Int) {
    devices[device].tabs[tab].engine = nil
    devices[device].tabs[tab].life += 1
    devices[device].tabs[tab].pending = nil
    if devices[device].lease?.tab == tab { devices[device].lease = nil }
  }

  /// Builds the engine again from storage: what it held was overtaken by another tab's compaction.
  private mutating func rebuild(_ id: ContextID) {
    closeTab(id.device, id.tab)
    openTab(id.device, id.tab)
  }

  // MARK: effects

  /// Hands an event to a tab's engine and does what it asks.
  mutating func feed(_ id: ContextID, _ event: ClientEvent) {
    run(devices[id.device].tabs[id.tab].engine!.handle(event, now: clock(id.device)), id)
  }

  mutating func run(_ effects: [ClientEffect], _ id: ContextID) {
    let (device, tab) = (id.device, id.tab)
    for effect in effects {
      effectCount += 1
      if let doom, doom.effect == effectCount { return die(device, isPowerCut: doom.isPowerCut) }
      switch effect {
      case .persist(let first, let isStrict, let rows):
        devices[device].tabs[tab].pending = (first, rows, isStrict)
        devices[device].tabs[tab].write += 1
        heap.add(.written(id, devices[device].tabs[tab].write), at: now + writeDelay(id))
      case .send(let body): send(body, id)
      case .timer(let milliseconds):
        devices[device].tabs[tab].timer += 1
        devices[device].tabs[tab].timerIsSet = milliseconds != nil
        if let milliseconds { heap.add(.timer(id, devices[device].tabs[tab].timer), at: now + UInt64(milliseconds)) }
      case .notify(let notification): hear(notification, id)
      case .wantCompact: heap.add(.compactionDue(id), at: now + writeDelay(id))
      case .compact(let compaction): compact(compaction, id)
      }
      if !isAlive(id) { return }
    }
    checkIdle(id)
    checkTrouble(id)
    checkObservers(id)
  }

  private func writeDelay(_ id: ContextID) -> UInt64 {
    let slow = devices[id.device].isIn(.slowDisk) ? UInt64(devices[id.device].value(.slowDisk)) : plan.settings.writeDelay
    return slow == 0 ? 0 : draw(.writeDelay, id.device, UInt64(id.tab)) % (slow + 1)
  }

  mutating func timer(_ id: ContextID, _ number: Int) {
    guard isAlive(id), devices[id.device].tabs[id.tab].timer == number else { return }
    if isFrozen(id, .timer(id, number)) { return }
    devices[id.device].tabs[id.tab].timerIsSet = false
    note(id.device, id.tab, 2, 0, "timer")
    feed(id, .timer)
  }

  // MARK: storage

  mutating func written(_ id: ContextID, _ number: Int) {
    guard isAlive(id), devices[id.device].tabs[id.tab].write == number, let pending = devices[id.device].tabs[id.tab].pending else { return }
    if isFrozen(id, .written(id, number)) { return }
    let (device, tab) = (id.device, id.tab)
    let user = devices[device].user
    devices[device].tabs[tab].pending = nil
    if devices[device].isIn(.diskFull) {
      note(device, tab, 3, 0, "cannot save")
      feed(id, .persistFailed(reason: Text("quota")))
      planRetrySave(id)
      return
    }
    guard devices[device].disks[user].isFree(pending.first) else {
      note(device, tab, 4, pending.first, "finds row \(pending.first) taken")
      guard let tail = devices[device].disks[user].image.tail(after: pending.first - 1), devices[device].tabs[tab].conflictAt != pending.first else {
        return rebuild(id)
      }
      devices[device].tabs[tab].conflictAt = pending.first
      if let last = tail.last { devices[device].tabs[tab].known = last.sequence }
      return feed(id, .persistConflict(tail: tail))
    }
    devices[device].disks[user].write(.append(first: pending.first, rows: pending.rows), isStrict: pending.isStrict)
    let through = pending.first + UInt64(pending.rows.count) - 1
    devices[device].tabs[tab].known = through
    devices[device].tabs[tab].conflictAt = 0
    devices[device].tabs[tab].saveFailures = 0
    note(device, tab, 5, through, "stores rows to \(through)")
    announce(id)
    feed(id, .persisted(through: through))
    if isAlive(id) {
      checkView(id)
      checkColdStart(id)
      checkShownAfterColdStart(id)
    }
    releaseLease(id)
  }

  private mutating func planRetrySave(_ id: ContextID) {
    let failures = devices[id.device].tabs[id.tab].saveFailures
    devices[id.device].tabs[id.tab].saveFailures += 1
    devices[id.device].tabs[id.tab].retrySaveIsSet = true
    heap.add(.retrySave(id), at: now + min(60_000, 2_000 << min(failures, 5)))
  }

  mutating func retrySave(_ id: ContextID) {
    guard isAlive(id) else { return }
    devices[id.device].tabs[id.tab].retrySaveIsSet = false
    catchUp(id)
    if isAlive(id) { feed(id, .wake(.retrySave)) }
  }

  /// Tells the device's other tabs that the log has grown.
  private mutating func announce(_ id: ContextID) {
    for tab in devices[id.device].tabs.indices where tab != id.tab && devices[id.device].tabs[tab].isOpen {
      let other = ContextID(device: id.device, tab: tab, life: devices[id.device].tabs[tab].life)
      // A hint may be lost; the next one, or the next wake, makes up for it.
      if isHealed || draw(.hint, id.device, UInt64(tab)) % 8 > 0 { heap.add(.follow(other), at: now + 1 + draw(.latency, id.device) % 5) }
    }
  }

  mutating func follow(_ id: ContextID) {
    guard isAlive(id) else { return }
    if isFrozen(id, .follow(id)) { return }
    catchUp(id)
  }

  /// Reads what other tabs wrote, unless a write of ours is on its way and will meet it.
  private mutating func catchUp(_ id: ContextID) {
    let (device, tab) = (id.device, id.tab)
    guard devices[device].tabs[tab].pending == nil else { return }
    guard let tail = devices[device].disks[devices[device].user].image.tail(after: devices[device].tabs[tab].known) else { return rebuild(id) }
    guard let last = tail.last else { return }
    devices[device].tabs[tab].known = last.sequence
    note(device, tab, 6, last.sequence, "follows to row \(last.sequence)")
    feed(id, .foreignRows(tail))
  }

  /// Wakes a tab after catching up with the log, as hosts do.
  mutating func wake(_ id: ContextID, _ reason: WakeReason) {
    catchUp(id)
    devices[id.device].tabs[id.tab].quietUntil = 0
    if isAlive(id) { feed(id, .wake(reason)) }
  }

  mutating func compactionDue(_ id: ContextID) {
    guard isAlive(id) else { return }
    if isFrozen(id, .compactionDue(id)) { return }
    let generation = devices[id.device].disks[devices[id.device].user].image.generation
    if generation > devices[id.device].tabs[id.tab].known { return rebuild(id) }
    feed(id, .compact(generation: generation))
  }

  private mutating func compact(_ compaction: Compaction, _ id: ContextID) {
    let user = devices[id.device].user
    guard compaction.expectedGeneration == devices[id.device].disks[user].image.generation else {
      return heap.add(.compactionDue(id), at: now + 1)
    }
    note(id.device, id.tab, 7, compaction.generation, "writes \(compaction.pages.count) pages at \(compaction.generation)")
    devices[id.device].disks[user].write(.compact(compaction), isStrict: false)
    feed(id, .compacted(generation: compaction.generation))
  }

  // MARK: network

  private mutating func send(_ body: [UInt8], _ id: ContextID) {
    let (device, tab) = (id.device, id.tab)
    devices[device].tabs[tab].send += 1
    devices[device].tabs[tab].isSending = true
    let number = devices[device].tabs[tab].send
    // The lease of a frozen page is taken from it.
    if let lease = devices[device].lease, lease != id, isAlive(lease), !(lease.tab == 0 && devices[device].isIn(.freeze)) {
      return heap.add(.sendFails(id, number, TransportFailure.busy.rawValue), at: now + 1)
    }
    if devices[device].isIn(.offline) { return heap.add(.sendFails(id, number, TransportFailure.offline.rawValue), at: now + 1) }
    devices[device].lease = id
    tally.requests += 1
    tally.bytes += body.count
    note(device, tab, 8, Hash64.of(body), "sends \(body.count) bytes")
    checkRequest(body, id)
    checkQuiet(id)
    post(SimMessage(from: id, send: number, user: devices[device].session, body: body))
    heap.add(.requestGivenUp(id, number), at: now + Self.patience)
  }

  /// The round is over without an answer.
  mutating func fail(_ id: ContextID, _ number: Int, _ failure: TransportFailure) {
    guard isAlive(id), devices[id.device].tabs[id.tab].isSending, devices[id.device].tabs[id.tab].send == number else { return }
    if isFrozen(id, .sendFails(id, number, failure.rawValue)) { return }
    note(id.device, id.tab, 9, UInt64(failure.rawValue), "fails to send (\(failure.rawValue))")
    devices[id.device].tabs[id.tab].isSending = false
    if failure != .busy { noteFailure(id.device) }
    feed(id, .transportFailed(failure))
    releaseLease(id)
  }

  mutating func answerArrived(_ index: Int) {
    let message = messages[index]
    messages[index].body = []
    let id = message.from
    guard isAlive(id), devices[id.device].tabs[id.tab].isSending, devices[id.device].tabs[id.tab].send == message.send else { return }
    if devices[id.device].isIn(.freeze) && id.tab == 0 {
      messages[index].body = message.body
      return heap.add(.answerArrives(index), at: now + 250)
    }
    note(id.device, id.tab, 10, Hash64.of(message.body), "gets \(message.status) with \(message.body.count) bytes")
    devices[id.device].tabs[id.tab].isSending = false
    tally.bytes += message.body.count
    devices[id.device].tabs[id.tab].quietUntil = message.status == 200 ? 0 : now + UInt64(message.retryAfter) * 1000
    if message.status == 200 { devices[id.device].failures = [] } else { noteFailure(id.device) }
    feed(id, .response(status: message.status, retryAfterSeconds: message.retryAfter, body: message.body))
    releaseLease(id)
  }

  /// The lease is kept while an answer is being stored and while further rounds follow.
  private mutating func releaseLease(_ id: ContextID) {
    guard devices[id.device].lease == id, !devices[id.device].tabs[id.tab].isSending, devices[id.device].tabs[id.tab].pending == nil else { return }
    devices[id.device].lease = nil
  }

  mutating func hint(_ id: ContextID, _ space: Int, _ sequence: UInt64) {
    if isAlive(id), isFrozen(id, .hint(id, space: space, sequence: sequence)) { return }
    hintsUnderWay -= 1
    guard isAlive(id), !devices[id.device].isIn(.offline) else { return }
    note(id.device, id.tab, 11, sequence, "hears that space \(space) is at \(sequence)")
    feed(id, .hint(scope: SimWords.scope(space), sequence: sequence))
  }

  // MARK: the app's ear

  private mutating func hear(_ notification: Notification, _ id: ContextID) {
    let (device, tab) = (id.device, id.tab)
    for run in notification.saved {
      for token in run.token..<run.token + UInt64(run.count) {
        if let issue = devices[device].tabs[tab].issues[token] { issues[issue].isSaved = true }
      }
    }
    for (token, n, outcome) in notification.outcomes where token > 0 {
      guard let issue = devices[device].tabs[tab].issues[token] else { continue }
      checkOutcome(issue, n, outcome, id)
      for write in issues[issue].verb.writes where devices[device].tabs[tab].lanes[write.key] == issue {
        devices[device].tabs[tab].lanes[write.key] = nil
      }
    }
    if let status = notification.status { checkStatus(status, id) }
    tellObservers(notification, id)
  }
}
