// SPDX-License-Identifier: Apache-2.0
// Forgets deleted records whose time is over, once when the server starts and then every hour.

import AloftCore
import AloftStore
import Logging
import NIOPosix
import ServiceLifecycle

struct Forgetter<S: Store>: Service {
  let store: S
  let judge: Judge
  let retention: Retention
  let threads: NIOThreadPool
  let now: @Sendable () -> Instant
  let logger: Logger

  private static var interval: Duration { .seconds(3_600) }

  func run() async throws {
    await forget()
    let ticks = AsyncStream<Void> {
      do { try await Task.sleep(for: Self.interval) } catch { return nil }
      return ()
    }
    for await _ in ticks.cancelOnGracefulShutdown() { await forget() }
  }

  private func forget() async {
    do {
      let count = try await threads.runIfActive { [store, judge, retention, now] in
        try store.write { (transaction) throws(StoreError) in try judge.forget(retention, now: now(), in: &transaction) }
      }
      if count > 0 { logger.info("Forgot what was deleted long ago.", metadata: ["entries": "\(count)"]) }
    } catch {
      // Nothing is lost by remembering longer; the next hour tries again.
      logger.warning("Could not forget what was deleted long ago.", metadata: ["reason": "\(error)"])
    }
  }
}
