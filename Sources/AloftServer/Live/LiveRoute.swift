// SPDX-License-Identifier: Apache-2.0
// GET /live: server-sent events that say which scopes changed, and where others have their cursors.
//
//   event: hint
//   data: {"scope":"team:north","sequence":42}
//
//   event: presence
//   data: {"collection":"visits","id":"…","field":"notes","session":"…","user":"ana","name":"Ana Roe","cursor":12,"anchor":12}

import AloftCore
import Hummingbird
import NIOCore
import ServiceLifecycle

struct LiveRoute: Sendable {
  let hub: LiveHub
  let identity: any Identity
  /// Tells a new subscriber what was told before.
  let greet: @Sendable (LiveSubscriber, Principal) async -> Void

  func answer(_ request: Request, _ person: SignedIn, token: String?) throws -> Response {
    guard let subscriber = hub.subscribe(person.principal, owner: token.map(SessionToken.digest)) else { throw Refusal.busy(seconds: 30) }
    let (hub, identity, greet) = (hub, identity, greet)
    let body = ResponseBody { writer in
      defer { hub.remove(subscriber) }
      var output = writer
      // A client that goes away is noticed at once, not at the next write.
      try await request.body.consumeWithInboundCloseHandler { _ in
        try await output.write(ByteBuffer(string: "retry: 3000\n: connected\n\n"))
        await greet(subscriber, person.principal)
        for await _ in subscriber.wakes.cancelOnGracefulShutdown() {
          // Somebody who signed out, or whose session ended, hears nothing more.
          guard identity.person(token: token)?.principal == person.principal else { break }
          try await output.write(Self.text(of: subscriber.take()))
        }
      } onInboundClosed: {
        hub.remove(subscriber)
      }
      try await output.finish(nil)
    }
    return Response(status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body)
  }

  private static func text(of news: LiveSubscriber.News) -> ByteBuffer {
    var buffer = ByteBuffer()
    if news.isBeat { buffer.writeString(": beat\n\n") }
    for (scope, sequence) in news.heads.sorted(by: { $0.key < $1.key }) {
      let hint = JSONText.object([("scope", .text(scope.string)), ("sequence", .number(Int(clamping: sequence)))])
      buffer.writeString("event: hint\ndata: \(hint.string)\n\n")
    }
    for (_, presence) in news.presences.sorted(by: { $0.key < $1.key }) { buffer.writeString("event: presence\ndata: \(presence)\n\n") }
    return buffer
  }
}

/// Beats once in each interval, and ends the streams when the server is told to stop.
struct LiveHeartbeat: Service {
  let hub: LiveHub
  let interval: Duration

  func run() async throws {
    let ticks = AsyncStream<Void> { [interval] in
      do { try await Task.sleep(for: interval) } catch { return nil }
      return ()
    }
    for await _ in ticks.cancelOnGracefulShutdown() { hub.beat() }
    hub.end()
  }
}
