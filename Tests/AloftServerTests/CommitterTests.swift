// SPDX-License-Identifier: Apache-2.0
// Group commit: waiting pushes share a transaction, a failure is told to all, and work goes on.

import AloftCore
import AloftStore
import Foundation
import Synchronization
import Testing

/// A memory store whose next writes can be held back or made to fail.
private final class StubbornStore: Store {
  let inner = MemoryStore()
  /// What each of the next writes meets; nil for nothing.
  let failures = Mutex<[StoreError?]>([])
  let entered = Mutex(0)
  let writes = Mutex(0)
  let gate = DispatchSemaphore(value: 0)

  func read<Value>(_ body: (inout StoreImage) throws(StoreError) -> Value) throws(StoreError) -> Value { try inner.read(body) }

  func write<Value>(_ body: (inout MemoryTransaction) throws(StoreError) -> Value) throws(StoreError) -> Value {
    entered.withLock { $0 += 1 }
    gate.wait()
    writes.withLock { $0 += 1 }
    if let failure = failures.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) ?? nil { throw failure }
    return try inner.write(body)
  }
}

@Suite struct CommitterTests {
  private static let app = App("t", version: 1) {
    Collection("items") {
      Field("n", .int)
      Allow(.read, .create, to: "anyone")
    }
  }
  private static let anyone = Principal(user: "anyone", grants: [Grant(role: "anyone", scope: "*")])

  private static func push(_ device: UInt64) throws -> SyncRequest {
    let id = Base64URL.encode(DeviceID(high: 1, low: device).bytes).string
    return try SyncRequest(body: Array(Visitor.body(device: id, [Make.create("items", "i\(device)", "\"n\":1")]).utf8), format: .json)
  }

  /// Sends pushes at once; the first write is held until all of them wait.
  private static func run(
    count: Int, failures: [StoreError?] = [], _ check: ([Result<PushResult, StoreError>], StubbornStore) throws -> Void
  ) async throws {
    let store = StubbornStore()
    store.failures.withLock { $0 = failures }
    let committer = Committer(store: store, judge: Judge(app: app), now: { 1_700_000_000_000 })
    let first = Task { try await committer.push(push(0), by: anyone, byteCount: 100) }
    while store.entered.withLock({ $0 }) == 0 { await Task.yield() }
    let results = await withTaskGroup(of: Result<PushResult, StoreError>.self) { group in
      for device in 1...UInt64(count) {
        group.addTask {
          do throws(StoreError) {
            guard let request = try? push(device) else { throw .full }
            return .success(try await committer.push(request, by: anyone, byteCount: 100))
          } catch { return .failure(error) }
        }
      }
      while committer.waitingCount < count { await Task.yield() }
      for _ in 0..<200 { store.gate.signal() }
      var results: [Result<PushResult, StoreError>] = []
      for await result in group { results.append(result) }
      return results
    }
    _ = await first.result
    await onThread { committer.stop() }
    try check(results, store)
  }

  @Test func `pushes that wait together share one transaction`() async throws {
    try await Self.run(count: 40) { results, store in
      #expect(results.allSatisfy { (try? $0.get()) != nil })
      #expect(store.writes.withLock { $0 } == 2)
      let head = try store.read { (r) throws(StoreError) in r.scope("app")?.sequence }
      #expect(head == 41)
    }
  }

  @Test func `a full disk fails the whole batch and the next one is tried`() async throws {
    try await Self.run(count: 10, failures: [.full]) { results, store in
      #expect(results.allSatisfy { (try? $0.get()) != nil })
      let head = try store.read { (r) throws(StoreError) in r.scope("app")?.sequence }
      #expect(head == 10)
    }
  }

  @Test func `a damaged record stops only those who touch it`() async throws {
    // The batch of five meets damage; repeated one by one, only the first of them meets it again.
    try await Self.run(count: 5, failures: [nil, .damaged("x"), .damaged("x")]) { results, store in
      #expect(results.filter { (try? $0.get()) == nil }.count == 1)
      let head = try store.read { (r) throws(StoreError) in r.scope("app")?.sequence }
      #expect(head == 5)
    }
  }

  @Test func `after a failure the same push succeeds, after a stop none does`() async throws {
    let store = StubbornStore()
    for _ in 0..<9 { store.gate.signal() }
    store.failures.withLock { $0 = [.damaged("x")] }
    let committer = Committer(store: store, judge: Judge(app: Self.app), now: { 1_700_000_000_000 })
    await #expect(throws: StoreError.damaged("x")) { try await committer.push(Self.push(1), by: Self.anyone, byteCount: 1) }
    _ = try await committer.push(Self.push(1), by: Self.anyone, byteCount: 1)
    await onThread { committer.stop() }
    await #expect(throws: StoreError.self) { try await committer.push(Self.push(3), by: Self.anyone, byteCount: 1) }
  }

  @Test func `a small push that is alone is committed where it comes from, a large one on the thread`() async throws {
    let store = MemoryStore()
    // The thread runs no task.
    let isHere = Mutex<[Bool]>([])
    let committer = Committer(
      store: store, judge: Judge(app: Self.app),
      now: {
        isHere.withLock { $0.append(withUnsafeCurrentTask { $0 != nil }) }
        return 1_700_000_000_000
      })
    // One that the machine was slow with sends the next to the thread, so not every one counts.
    for device in 1...100 { _ = try await committer.push(Self.push(UInt64(device)), by: Self.anyone, byteCount: 100) }
    #expect(isHere.withLock { $0.first == false && $0.contains(true) })
    isHere.withLock { $0 = [] }
    for device in 101...110 { _ = try await committer.push(Self.push(UInt64(device)), by: Self.anyone, byteCount: 5_000) }
    #expect(isHere.withLock { $0.count == 10 && !$0.contains(true) })
    await onThread { committer.stop() }
    #expect(try store.read { (r) throws(StoreError) in r.scope("app")?.sequence } == 110)
  }
}
