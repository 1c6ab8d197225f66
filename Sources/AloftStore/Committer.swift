// SPDX-License-Identifier: Apache-2.0
// Group commit: pushes that wait together are judged in one transaction and reach the disk with one flush.
//
// Why no timer: while one batch is flushed, the next one gathers by itself. An idle server answers after one flush, a busy one
// shares a flush among all who wait. And while only one pushes, and the disk is quick, no thread is woken for it: two wakings cost
// more than a flush.

import AloftCore
import Foundation

/// Judges and commits the pushes of many requests, in the order they came: on one thread of its own, or where a push comes from.
///
/// A push returns when its batch is durable. When the store fails, every push of the batch fails with the store's error, nothing of
/// the batch is kept, and the next batch is tried anew. A batch that meets a damaged record is repeated push by push, so that
/// one damaged record stops only those who touch it.
// @unchecked: every stored `var` is touched only while `condition` is locked.
public final class Committer<S: Store>: @unchecked Sendable {
  /// How much one batch takes and how much may wait.
  public struct Limits: Sendable {
    public var batchCountMax = 256
    public var batchBytesMax = 8 << 20
    public var waitingCountMax = 4_096
    public var waitingBytesMax = 256 << 20

    public init() {}
  }

  private struct Waiting {
    var request: SyncRequest
    var principal: Principal
    var byteCount: Int
    var done: CheckedContinuation<Result<PushResult, StoreError>, Never>
  }

  // What is committed where a push comes from holds up whoever else that event loop serves: a person's edit, while the disk is quick.
  private static var quickMax: Duration { .milliseconds(1) }
  private static var smallBytesMax: Int { 4_096 }

  private let store: S
  private let judge: Judge
  private let limits: Limits
  private let now: @Sendable () -> UInt64
  private let committed: @Sendable ([Placement]) -> Void

  private let condition = NSCondition()
  private var waiting: [Waiting] = []
  private var waitingBytes = 0
  private var isStopping = false
  private var hasStopped = false
  /// Whether a batch is being committed.
  private var isBusy = false
  /// Whether the last batch was a single push, and quick.
  private var isCalm = false

  /// Starts the thread. `now` gives milliseconds since 1970; `committed` hears the new heads of changed scopes after each durable
  /// batch, and must return at once.
  public init(
    store: S, judge: Judge, limits: Limits = Limits(), now: @escaping @Sendable () -> UInt64,
    committed: @escaping @Sendable ([Placement]) -> Void = { _ in }
  ) {
    self.store = store
    self.judge = judge
    self.limits = limits
    self.now = now
    self.committed = committed
    let thread = Thread { self.loop() }
    thread.name = "aloft-commit"
    thread.stackSize = 8 << 20
    thread.start()
  }

  /// Judges the mutations of one request; returns when they are durable. `byteCount` is the size of its body.
  public func push(
    _ request: SyncRequest, by principal: Principal, byteCount: Int
  ) async throws(StoreError) -> PushResult {
    if byteCount <= Self.smallBytesMax, takesTurn() {
      let results = commit([(request, principal)])
      publish(results)
      return try results[0].get()
    }
    let result = await withCheckedContinuation { done in
      enqueue(Waiting(request: request, principal: principal, byteCount: byteCount, done: done))
    }
    return try result.get()
  }

  /// How many pushes wait for the batch after the running one.
  public var waitingCount: Int {
    condition.lock()
    defer { condition.unlock() }
    return waiting.count
  }

  /// Commits what waits, then ends the thread. Later pushes are refused.
  public func stop() {
    condition.lock()
    isStopping = true
    condition.broadcast()
    while !hasStopped { condition.wait() }
    condition.unlock()
  }
}

extension Committer {
  /// Whether a push is committed where it comes from. If so, nobody else commits until it has been.
  private func takesTurn() -> Bool {
    condition.lock()
    defer { condition.unlock() }
    if isBusy || isStopping || !waiting.isEmpty || !isCalm { return false }
    isBusy = true
    return true
  }

  private func enqueue(_ push: Waiting) {
    condition.lock()
    let refusal: StoreError? =
      isStopping
      ? .unavailable("The server is stopping.")
      : waiting.count >= limits.waitingCountMax || waitingBytes + push.byteCount > limits.waitingBytesMax
        ? .unavailable("Too many changes are waiting to be stored.") : nil
    var isFirst = false
    if refusal == nil {
      waiting.append(push)
      waitingBytes += push.byteCount
      isFirst = waiting.count == 1
    }
    condition.unlock()
    // Behind the lock, so that the thread does not wake only to wait for it.
    if isFirst { condition.broadcast() }
    if let refusal { push.done.resume(returning: .failure(refusal)) }
  }

  private func loop() {
    while let batch = nextBatch() {
      let results = commit(batch.map { ($0.request, $0.principal) })
      // Those who wait go first: a hint may come a little later.
      for (push, result) in zip(batch, results) { push.done.resume(returning: result) }
      publish(results)
    }
    condition.lock()
    hasStopped = true
    condition.broadcast()
    condition.unlock()
  }

  /// What waits, up to the limits of a batch; nil when the committer stops and nothing waits.
  private func nextBatch() -> ArraySlice<Waiting>? {
    condition.lock()
    defer { condition.unlock() }
    while isBusy || waiting.isEmpty && !isStopping { condition.wait() }
    if waiting.isEmpty { return nil }
    isBusy = true
    var count = 0
    var bytes = 0
    while count < min(waiting.count, limits.batchCountMax), count == 0 || bytes + waiting[count].byteCount <= limits.batchBytesMax {
      bytes += waiting[count].byteCount
      count += 1
    }
    let batch = waiting[..<count]
    waiting = Array(waiting[count...])
    waitingBytes -= bytes
    return batch
  }

  /// Judges and stores a batch; its caller has made the committer busy, and it ends that.
  private func commit(_ batch: [(SyncRequest, Principal)]) -> [Result<PushResult, StoreError>] {
    let started = ContinuousClock.now
    let results = attempt(batch)
    let isQuick = ContinuousClock.now - started < Self.quickMax
    condition.lock()
    isBusy = false
    isCalm = batch.count == 1 && isQuick
    let isAwaited = !waiting.isEmpty || isStopping
    condition.unlock()
    if isAwaited { condition.broadcast() }
    return results
  }

  private func attempt(_ batch: [(SyncRequest, Principal)]) -> [Result<PushResult, StoreError>] {
    do throws(StoreError) {
      return try judged(batch).map { .success($0) }
    } catch {
      if case .damaged = error, batch.count > 1 { return batch.flatMap { attempt([$0]) } }
      return batch.map { _ in .failure(error) }
    }
  }

  private func judged(_ pushes: [(SyncRequest, Principal)]) throws(StoreError) -> [PushResult] {
    let time = now()
    return try store.write { (transaction) throws(StoreError) in
      try judge.push(pushes, now: time, in: &transaction)
    }
  }

  /// Tells of the highest new sequence of each changed scope.
  private func publish(_ results: [Result<PushResult, StoreError>]) {
    var heads: [Text: AloftCore.Sequence] = [:]
    for case .success(let result) in results {
      for placement in result.changed { heads[placement.scope] = max(heads[placement.scope] ?? 0, placement.sequence) }
    }
    if !heads.isEmpty { committed(heads.map { Placement(scope: $0.key, sequence: $0.value) }) }
  }
}
