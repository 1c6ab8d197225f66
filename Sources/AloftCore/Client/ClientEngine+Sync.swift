// SPDX-License-Identifier: Apache-2.0
// Rounds: when to ask the server, what to send, how long to wait after a failure.

/// Where the engine stands with the server.
struct SyncState: Sendable {
  /// The furthest a retry is put off, in milliseconds.
  static let delayMillisecondsMax: UInt64 = 300_000

  /// Half of the numbers that the server can compare one by one (`ChainMemory`).
  static let unsyncedOutcomesMax = 16

  var isSending = false
  /// Outcomes stored since the last write that was flushed to the disk.
  var unsyncedOutcomes = 0
  /// There is something to say or to hear.
  var isDue = false
  /// The last round reached the head of every scope.
  var isAtHead = false
  /// The newest stored answer said that more follows: somebody has to ask on, and sums are compared once everything has come.
  var isAmidPages = false
  var failure: TransportFailure?
  var needsSignIn = false
  /// The session is another person's: only a new sign-in lets anything be sent again.
  var isForeign = false
  /// Somebody signed in while the round under way was out: its answer speaks of the session before.
  var isSessionNew = false
  var failureCount = 0
  /// When the next try is allowed; 0 for now.
  var notBefore: Instant = 0
  /// What the live channel announced and no answer has brought yet.
  var hints: [(scope: Text, sequence: Sequence)] = []
  /// Mutations up to this number went out in the round under way.
  var sentThrough: UInt64 = 0
  /// The newest log row when the round under way was asked, and as whom.
  var sentHead: Sequence = 0
  var sentDevice = DeviceID(high: 0, low: 0)
}

extension ClientEngine {
  /// The most bytes of arguments in one request.
  private static let requestBytesMax = 512 * 1024

  /// Starts a round when one is due and allowed.
  mutating func startRound(now: Instant) {
    guard isOpen, !sync.isSending, !sync.needsSignIn, inFlight == nil, outbox.isEmpty,
      state.device != DeviceID(high: 0, low: 0), now >= sync.notBefore
    else { return }
    // A hint that an answer has overtaken, such as the echo of our own push, is worth no round.
    sync.hints.removeAll { hint in
      guard let place = state.cursor(hint.scope) else { return false }
      return state.cursors[place].cursor.sequence >= hint.sequence
    }
    guard sync.isDue || sync.isAmidPages || !sync.hints.isEmpty || !state.queue.isEmpty else { return }
    sync.hints = []
    sync.isSending = true
    sync.isDue = false
    effects.append(.send(request().encode()))
  }

  private mutating func request() -> SyncRequest {
    var request = SyncRequest(device: state.device)
    request.schema = UInt64(app.version)
    request.user = state.user
    request.head = state.settled
    request.issued = state.issued
    request.acknowledged = acknowledged
    request.cursors = state.cursors
    var size = 0
    for pending in state.queue.prefix(requestMutationsMax) {
      request.mutations.append(pending.mutation)
      size += pending.mutation.args.count + 64
      if size >= Self.requestBytesMax { break }
    }
    sync.sentHead = state.head.sequence
    sync.sentDevice = state.device
    sync.sentThrough = state.settled.n + UInt64(request.mutations.count)
    request.report = report()
    return request
  }

  /// Outcomes up to here may be forgotten by the server. It still needs those that waiting mutations depend on; and what is in
  /// the tray may have such mutations in another context, where nobody but that context knows of them yet.
  private var acknowledged: UInt64 {
    var n = state.settled.n
    for pending in state.queue { for dependency in pending.mutation.after { n = min(n, dependency - 1) } }
    for pending in drafts { for dependency in pending.mutation.after { n = min(n, dependency - 1) } }
    for entry in state.tray { n = min(n, entry.mutation.n - 1) }
    return n
  }

  private func report() -> [UInt8] {
    var out = CBORWriter()
    out.map(3)
    out.text("oldest")
    out.uint(state.queue.first?.mutation.time.milliseconds ?? 0)
    out.text("parked")
    out.uint(UInt64(state.tray.count))
    out.text("queued")
    out.uint(UInt64(state.queue.count))
    return out.finish()
  }

  // MARK: answers

  mutating func receive(_ status: Int, _ retryAfterSeconds: UInt32, _ body: [UInt8], now: Instant) {
    guard sync.isSending else { return }
    sync.isSending = false
    let isSessionNew = sync.isSessionNew
    sync.isSessionNew = false
    if status == 401 {
      if isSessionNew {
        sync.isDue = true
        return startRound(now: now)
      }
      sync.needsSignIn = true
      return
    }
    guard status == 200 else { return retryLater(.unreachable, retryAfterSeconds, now: now) }
    let response: SyncResponse
    // Whatever else a 200 holds, it is not from our server: nothing is acknowledged by it.
    do { response = try SyncResponse(body: body) } catch { return retryLater(.portal, 0, now: now) }
    sync.failure = nil
    sync.failureCount = 0
    sync.notBefore = 0
    effects.append(.timer(milliseconds: nil))
    state.clock.observe(HybridTime(milliseconds: response.time), now: max(now, response.time))
    if response.standing == .foreign {
      if isSessionNew {
        sync.isDue = true
        return startRound(now: now)
      }
      // The session is another person's: what waits here is not theirs to send.
      sync.needsSignIn = true
      sync.isForeign = true
      return
    }
    if state.device != sync.sentDevice || response.standing != .ok && state.head.sequence != sync.sentHead {
      // What the server was asked about is not what the device is now: another context may have spoken, even renewed, meanwhile. Under
      // another identity the numbers that the answer judges are those of other mutations.
      sync.isDue = true
      return startRound(now: now)
    }
    if response.standing != .ok {
      // Our storage, or the server's, went back in time: offer what waits again under a new identity.
      outbox.append(.renewed(DeviceID(high: random.next(), low: random.next())))
      sync.isDue = true
      return
    }
    if isDamaged {
      // The server can be reached: now the damaged copy may go.
      if !outbox.contains(where: { if case .restart = $0 { true } else { false } }) { outbox.append(.restart) }
      return
    }
    sync.isAtHead = !response.hasMore
    // Whoever woke the engine while the round was out wants to know what came after its answer was made.
    sync.isDue = sync.isDue || response.hasMore
    // Pages come without sums that could be compared: ask once more when the last one is here. Other contexts learn of the end from
    // the log alone, so an answer that brings nothing else is stored for that.
    let endsPages = sync.isAmidPages && !response.hasMore
    if endsPages { sync.isDue = true }
    if endsPages || !response.outcomes.isEmpty || !response.membership.isEmpty || !response.parts.isEmpty {
      sync.unsyncedOutcomes += response.outcomes.count
      outbox.append(.response(now: response.time, body: body, decoded: response))
    } else {
      state.lastSynced = now
      startRound(now: now)
    }
  }

  mutating func transportFailed(_ failure: TransportFailure, now: Instant) {
    guard sync.isSending else { return }
    sync.isSending = false
    sync.isSessionNew = false
    if failure == .busy {
      // Another context syncs for us; its rows will arrive. Look again in a while, in case it froze.
      sync.isDue = true
      return delay(2000 + random.below(1000), now: now)
    }
    retryLater(failure, 0, now: now)
  }

  /// Full-jitter exponential backoff from 1 s to 5 min (Brooker, 2015); the server's own wish is honoured.
  private mutating func retryLater(_ failure: TransportFailure, _ retryAfterSeconds: UInt32, now: Instant) {
    sync.failure = failure
    sync.isAtHead = false
    sync.isDue = true
    sync.failureCount += 1
    let ceiling = min(1000 << UInt64(min(sync.failureCount, 9)), SyncState.delayMillisecondsMax)
    let asked = min(UInt64(retryAfterSeconds) * 1000, 24 * 3_600_000)
    delay(max(500 + random.below(ceiling), asked), now: now)
  }

  /// Another context fetches pages, and its rows will arrive. Look again in a while, in case it froze.
  mutating func watchPages(now: Instant) {
    if sync.isAmidPages && !sync.isSending && !sync.isDue { delay(2000 + random.below(1000), now: now) }
  }

  private mutating func delay(_ milliseconds: UInt64, now: Instant) {
    sync.notBefore = now + milliseconds
    effects.append(.timer(milliseconds: UInt32(min(milliseconds, UInt64(UInt32.max) - 1))))
  }

  mutating func timerFired(now: Instant) {
    sync.notBefore = 0
    startRound(now: now)
  }

  mutating func wake(_ reason: WakeReason, now: Instant) {
    switch reason {
    case .offline:
      sync.failure = .offline
      sync.isAtHead = false
      return
    case .retrySave:
      saveFailure = false
      return
    case .hint: sync.isDue = true
    case .signedIn:
      (sync.needsSignIn, sync.isForeign) = (false, false)
      sync.isSessionNew = sync.isSending
    case .online, .visible, .tap: break
    }
    if reason != .hint {
      sync.failureCount = 0
      sync.notBefore = 0
      sync.isDue = true
      if (reason == .tap || reason == .visible) && !sync.isForeign { sync.needsSignIn = false }
    }
    startRound(now: now)
  }

  mutating func hint(_ scope: Text, _ sequence: Sequence, now: Instant) {
    if let place = sync.hints.firstIndex(where: { $0.scope == scope }) {
      sync.hints[place].sequence = max(sync.hints[place].sequence, sequence)
    } else if sync.hints.count < 1000 {
      sync.hints.append((scope, sequence))
    }
    startRound(now: now)
  }

  // MARK: status

  /// What the badge says. The worst true thing wins; *synced* needs an empty queue and the head reached.
  public var status: ClientStatus {
    let conflicts = state.tray.reduce(0) { if case .conflict = $1.outcome { $0 + 1 } else { $0 } }
    let queued = state.queue.count + drafts.count
    return ClientStatus(
      state: statusState(queued), queued: queued, parked: state.tray.count - conflicts, conflicts: conflicts,
      lastSynced: state.lastSynced, user: state.user)
  }

  func statusState(_ queued: Int) -> ClientStatus.State {
    if saveFailure { return .notSaved }
    if !isOpen { return .starting }
    if sync.needsSignIn { return .signedOut }
    switch sync.failure {
    case .offline: return .offline
    case .unreachable: return .unreachable
    case .timeout: return .slow
    case .portal: return .portal
    case .busy, nil: break
    }
    if queued > 0 { return sync.isSending ? .syncing : .queued }
    if !sync.isAtHead || !outbox.isEmpty { return .syncing }
    return state.tray.isEmpty ? .synced : .attention
  }
}
