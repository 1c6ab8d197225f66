// SPDX-License-Identifier: Apache-2.0
// Runs the task of each connection on the event loop that owns its socket.
//
// Why: on Swift's shared pool every request changes threads twice more, to be read and to be answered, and on a machine with few
// cores waking a thread costs as much as judging a change. What takes long, or waits for the disk with others, goes to threads of its own.

import HummingbirdCore
import Logging
import NIOCore

/// HTTP/1.1 as Hummingbird speaks it, each connection on its own loop.
struct LoopChannel: ServerChildChannel {
  let http: HTTP1Channel

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> { http.setup(channel: channel, logger: logger) }

  func handle(value: HTTP1Channel.Value, logger: Logger) async {
    await withTaskExecutorPreference(LoopExecutor(value.channel.eventLoop)) { await http.handle(value: value, logger: logger) }
  }
}

/// An event loop as the executor of tasks.
private final class LoopExecutor: TaskExecutor {
  private let loop: any EventLoop

  init(_ loop: any EventLoop) { self.loop = loop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
