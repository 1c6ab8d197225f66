// SPDX-License-Identifier: Apache-2.0
// Tells subscribers which scopes changed. Hints carry no data and may be lost; a device that misses one still finds all at its next sync.
//
// Why a table for each subscriber and not a queue of hints: a slow reader then costs one number for each scope it may read,
// however much changes, and still hears of the newest sequence of every scope.

import AloftCore
import Dispatch
import Synchronization

/// All live subscribers of one server.
final class LiveHub: Sendable {
  private struct State: Sendable {
    var subscribers: [UInt64: LiveSubscriber] = [:]
    var lastID: UInt64 = 0
    var isEnding = false
  }

  private let countMax: Int
  private let state = Mutex(State())
  /// Publishing runs here, so that the committer never waits for subscribers.
  private let queue = DispatchQueue(label: "aloft-live")

  init(countMax: Int) { self.countMax = countMax }

  var count: Int { state.withLock { $0.subscribers.count } }

  /// A subscriber that hears of the scopes its principal holds; nil when too many listen or the server ends. `owner`: the digest of
  /// its session, nil on an open server.
  func subscribe(_ principal: Principal, owner: [UInt8]? = nil) -> LiveSubscriber? {
    state.withLock { state in
      guard !state.isEnding, state.subscribers.count < countMax else { return nil }
      state.lastID += 1
      let subscriber = LiveSubscriber(id: state.lastID, principal: principal, owner: owner)
      state.subscribers[state.lastID] = subscriber
      return subscriber
    }
  }

  func remove(_ subscriber: LiveSubscriber) {
    state.withLock { _ = $0.subscribers.removeValue(forKey: subscriber.id) }
    subscriber.end()
  }

  /// Returns at once; delivers on a queue of its own, whose thread is not woken while nobody listens.
  func publish(_ heads: [Placement]) {
    if count == 0 { return }
    queue.async {
      let subscribers = self.state.withLock { Array($0.subscribers.values) }
      for subscriber in subscribers { subscriber.note(heads) }
    }
  }

  /// Tells everybody who may read the field where somebody's cursor is; the sender's own session knows.
  func tell(_ presence: Presence, at place: FieldPlace) {
    if count == 0 { return }
    queue.async {
      for subscriber in self.state.withLock({ Array($0.subscribers.values) }) where presence.owner == nil || subscriber.owner != presence.owner {
        if place.isReadable(by: subscriber.principal) { subscriber.note(presence) }
      }
    }
  }

  /// Makes every subscriber write a comment, so that dead connections are found and proxies keep live ones.
  func beat() {
    for subscriber in state.withLock({ Array($0.subscribers.values) }) { subscriber.beat() }
  }

  /// Ends every stream; later subscriptions are refused.
  func end() {
    let subscribers = state.withLock { state in
      state.isEnding = true
      return Array(state.subscribers.values)
    }
    for subscriber in subscribers { subscriber.end() }
  }
}

/// One live connection: the newest sequence of each changed scope that was not sent yet.
final class LiveSubscriber: Sendable {
  struct News: Sendable {
    var heads: [Text: AloftCore.Sequence] = [:]
    /// The newest of each sender, ready to be sent.
    var presences: [String: String] = [:]
    var isBeat = false
  }

  /// More senders than these are not told to a reader who is slow; they tell again within seconds.
  static let presencesMax = 200

  let id: UInt64
  let principal: Principal
  let owner: [UInt8]?
  private let news = Mutex(News())
  private let wake: AsyncStream<Void>.Continuation
  /// Yields when there is news; several notes may share one wake.
  let wakes: AsyncStream<Void>

  fileprivate init(id: UInt64, principal: Principal, owner: [UInt8]?) {
    self.id = id
    self.principal = principal
    self.owner = owner
    (wakes, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  fileprivate func note(_ heads: [Placement]) {
    let mine = heads.filter { principal.holds($0.scope) }
    guard !mine.isEmpty else { return }
    news.withLock { news in
      for head in mine { news.heads[head.scope] = max(news.heads[head.scope] ?? 0, head.sequence) }
    }
    wake.yield()
  }

  func note(_ presence: Presence) {
    let json = presence.json
    news.withLock { news in
      if news.presences.count < Self.presencesMax || news.presences[presence.key] != nil { news.presences[presence.key] = json }
    }
    wake.yield()
  }

  fileprivate func beat() {
    news.withLock { $0.isBeat = true }
    wake.yield()
  }

  fileprivate func end() { wake.finish() }

  /// What was noted since the last call.
  func take() -> News {
    news.withLock { news in
      defer { news = News() }
      return news
    }
  }
}
