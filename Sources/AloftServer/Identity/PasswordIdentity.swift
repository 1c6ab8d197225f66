// SPDX-License-Identifier: Apache-2.0
// Sign-in with a password, for the users that an operator listed.

import AloftCore
import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// Users with passwords and sessions in cookies. Sessions last 90 days and survive a restart; being offline never ends one early.
///
/// Passwords are checked on two threads of their own with a short queue, so that a storm of sign-ins never slows down sync.
public final class PasswordIdentity: Identity {
  static let sessionSeconds: Int64 = 90 * 86_400
  private static let waitingMax = 32

  private struct Memory: Sendable {
    var people: [String: SignedIn] = [:]
    var digests: [String: PasswordDigest] = [:]
    var sessions: [[UInt8]: StoredSession] = [:]
    var waiting = 0
  }

  private let memory: Mutex<Memory>
  private let database: DatabaseBox
  private let threads: NIOThreadPool
  private let throttle = SignInThrottle()
  /// What an unknown user's password is checked against, so that the time does not tell who exists.
  private let decoy: PasswordDigest
  private let now: @Sendable () -> Double

  /// Opens the session database at `path` and makes the list of users exactly `users`: sessions of people who left the list, or
  /// whose password changed, end. Blocks for about 60 ms for each user. `now` gives seconds since 1970.
  public init(
    users: [User], path: String, rounds: Int = 600_000,
    now: @escaping @Sendable () -> Double = { Date().timeIntervalSince1970 }
  ) throws {
    let database = try SessionDatabase(path: path)
    var memory = Memory()
    let stored = try database.digests()
    var changed: Set<String> = []
    for user in users {
      memory.people[user.user] = user.signedIn
      if let digest = stored[user.user], digest.rounds >= rounds, try digest.matches(user.password) {
        memory.digests[user.user] = digest
      } else {
        let digest = try PasswordDigest(password: user.password, rounds: rounds)
        try database.put(user.user, digest)
        memory.digests[user.user] = digest
        changed.insert(user.user)
      }
    }
    for name in stored.keys where memory.people[name] == nil { try database.remove(user: name) }
    for session in try database.sessions() {
      if memory.people[session.user] != nil, !changed.contains(session.user), Double(session.expires) > now() {
        memory.sessions[session.digest] = session
      } else {
        try database.remove(session: session.digest)
      }
    }
    decoy = try PasswordDigest(password: SessionToken.make(), rounds: rounds)
    self.memory = Mutex(memory)
    self.database = DatabaseBox(database)
    self.now = now
    threads = NIOThreadPool(numberOfThreads: 2)
    threads.start()
  }

  deinit { threads.shutdownGracefully { _ in } }

  public var isOpen: Bool { false }

  public func person(token: String?) -> SignedIn? {
    guard let token, !token.isEmpty, token.utf8.count <= 128 else { return nil }
    let digest = SessionToken.digest(token)
    let time = now()
    return memory.withLock { memory in
      guard let session = memory.sessions[digest], Double(session.expires) > time else { return nil }
      return memory.people[session.user]
    }
  }

  public func signIn(user: String, password: String, address: String) async throws -> (token: String, person: SignedIn) {
    if let seconds = throttle.waitSeconds(user: user, address: address, now: now()) { throw Refusal.throttled(seconds: seconds) }
    let mayWait = memory.withLock { memory in
      guard memory.waiting < Self.waitingMax else { return false }
      memory.waiting += 1
      return true
    }
    guard mayWait else { throw Refusal.busy(seconds: 5) }
    defer { memory.withLock { $0.waiting -= 1 } }
    throttle.begin(user: user, address: address, now: now())
    let (person, digest) = memory.withLock { ($0.people[user], $0.digests[user] ?? decoy) }
    let token = SessionToken.make()
    let session = StoredSession(digest: SessionToken.digest(token), user: user, expires: Int64(now()) + Self.sessionSeconds)
    let matches = try await threads.runIfActive { [database] in
      guard try digest.matches(password), person != nil else { return false }
      try database.use { (database) throws(StoreError) in try database.add(session) }
      return true
    }
    guard matches, let person else { throw Refusal.wrongPassword }
    throttle.succeeded(user: user, address: address, now: now())
    memory.withLock { $0.sessions[session.digest] = session }
    return (token, person)
  }

  public func signOut(token: String) async throws {
    let digest = SessionToken.digest(token)
    guard memory.withLock({ $0.sessions.removeValue(forKey: digest) }) != nil else { return }
    try await threads.runIfActive { [database] in
      try database.use { (database) throws(StoreError) in try database.remove(session: digest) }
    }
  }
}

/// Lets one thread at a time use the database.
// @unchecked: `database` is touched only while `lock` is held.
private final class DatabaseBox: @unchecked Sendable {
  private let database: SessionDatabase
  private let lock = NSLock()

  init(_ database: SessionDatabase) { self.database = database }

  func use<Value>(_ body: (SessionDatabase) throws(StoreError) -> Value) throws(StoreError) -> Value {
    lock.lock()
    defer { lock.unlock() }
    return try body(database)
  }
}
