// SPDX-License-Identifier: Apache-2.0
// The server: one table of routes over a store, an identity and the Judge.

import AloftCore
import AloftStore
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix

/// An HTTP server for one app.
///
///     let server = AloftServer(app: app, store: try SQLiteStore(path: "data/store.sqlite"), identity: OpenIdentity())
///     try await server.run { port in print("http://127.0.0.1:\(port)") }
///
/// One server owns its store's writing; make one for each store. After `run` returns, every accepted push is durable and the
/// store may be closed.
public final class AloftServer<S: Store>: Sendable {
  private let configuration: ServerConfiguration
  private let identity: any Identity
  private let committer: Committer<S>
  private let hub: LiveHub
  private let readers: NIOThreadPool
  private let sync: SyncRoute<S>
  private let session: SessionRoute
  private let files: StaticFiles
  private let appJSON: ByteBuffer
  private let store: S
  private let judge: Judge
  private let now: @Sendable () -> Instant

  /// `now` gives milliseconds since 1970; tests may pass a clock of their own.
  public init(
    app: App, store: S, identity: any Identity, configuration: ServerConfiguration = ServerConfiguration(),
    now: @escaping @Sendable () -> Instant = { Instant(Date().timeIntervalSince1970 * 1_000) }
  ) {
    let hub = LiveHub(countMax: ServerLimits.liveCountMax)
    let judge = Judge(app: app)
    self.configuration = configuration
    self.identity = identity
    self.store = store
    self.judge = judge
    self.now = now
    self.hub = hub
    committer = Committer(store: store, judge: judge, now: now, committed: { hub.publish($0) })
    readers = NIOThreadPool(numberOfThreads: ServerLimits.readerThreadCount)
    readers.start()
    sync = SyncRoute(
      store: store, judge: judge, committer: committer, readers: readers, server: Text("aloft/\(aloftVersion)"), now: now)
    session = SessionRoute(identity: identity, isSecure: configuration.isBehindTLS)
    files = StaticFiles(
      configuration.folders, optional: configuration.optionalFiles, unwanted: Self.unwanted(app),
      threads: readers)
    appJSON = ByteBuffer(bytes: app.json())
  }

  /// What a page of the app never loads.
  private static func unwanted(_ app: App) -> Set<String> {
    func has(_ isOne: (FieldType) -> Bool) -> Bool { app.collections.contains { $0.fields.contains { isOne($0.type) } } }
    let rich: Set = has { $0 == .richText } ? [] : ["/aloft/rich-text.js"]
    return has { $0.isText } ? rich : rich.union(["/aloft/text.js", "/aloft/text.wasm"])
  }

  /// Serves until SIGTERM or SIGINT; then finishes the requests in flight, ends live streams, and returns. `running` hears the port.
  public func run(running: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
    defer { stop() }
    try await application(running: running).runService(gracefulShutdownSignals: [.sigterm, .sigint])
  }

  /// The application, for hosts that run it themselves. Call `stop` when it has ended.
  public func application(running: @escaping @Sendable (Int) async -> Void = { _ in }) -> some ApplicationProtocol {
    var logger = Logger(label: "aloft")
    logger.logLevel = configuration.logLevel
    let limits = HTTP1Channel.Configuration.DecoderConfiguration(
      maxHeaderFieldSize: ServerLimits.headerBytesMax, maxHeaderListSize: ServerLimits.headerBytesMax, maxHeaderFieldCount: 100)
    var application = Application(
      router: router(),
      server: HTTPServerBuilder { responder in
        LoopChannel(
          http: HTTP1Channel(
            responder: responder,
            configuration: .init(idleTimeout: .seconds(ServerLimits.idleSeconds), httpDecoderConfiguration: limits)))
      },
      configuration: .init(address: .hostname(configuration.host, port: configuration.port), backlog: 1_024),
      onServerRunning: { channel in await running(channel.localAddress?.port ?? 0) },
      logger: logger)
    application.addServices(
      LiveHeartbeat(hub: hub, interval: configuration.heartbeat),
      Forgetter(store: store, judge: judge, retention: configuration.retention, threads: readers, now: now, logger: logger))
    return application
  }

  /// Commits what waits and ends the threads.
  public func stop() {
    committer.stop()
    readers.shutdownGracefully { _ in }
  }
}

extension AloftServer {
  /// A handler of a route that needs somebody signed in. Every route is registered as `signedIn` or `everybody`; there is no default.
  private typealias PersonHandler = @Sendable (Request, ServerContext, SignedIn) async throws -> Response

  /// Every address of the server. What is not here is a static file or nothing.
  private func router() -> Router<ServerContext> {
    let router = Router(context: ServerContext.self)
    router.add(middleware: AnswerMiddleware())
    router.add(middleware: SameSiteMiddleware(loopbackHostsOnly: identity.isOpen))
    let (sync, session, identity) = (sync, session, identity)
    let presence = PresenceRoute(hub: hub, store: store, judge: judge, readers: readers, now: now)
    let live = LiveRoute(hub: hub, identity: identity, greet: presence.greet)

    signedIn(router, "sync", .post) { request, _, person in try await sync.sync(request, person.principal, wantsDelta: true) }
    signedIn(router, "sync", .get) { request, _, person in try await sync.pull(request, person.principal) }
    signedIn(router, "sync/mutations", .post) { request, _, person in
      try await sync.sync(request, person.principal, wantsDelta: false)
    }
    signedIn(router, "live", .get) { request, _, person in try live.answer(request, person, token: session.token(of: request)) }
    signedIn(router, "live/presence", .post) { request, context, person in
      try await presence.answer(request, context, person, token: session.token(of: request))
    }
    signedIn(router, "session", .get) { _, _, person in session.describe(person) }
    everybody(router, "session", .post) { request, context in try await session.signIn(request, context) }
    everybody(router, "session", .delete) { request, context in try await session.signOut(request, context) }
    everybody(router, "app.json", .get) { [appJSON] _, _ in
      Response(
        status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"], body: .init(byteBuffer: appJSON))
    }
    everybody(router, "health", .get) { [readers, store] _, _ in
      _ = try await readers.runIfActive { try store.read { (reader) throws(StoreError) in try reader.epoch() } }
      return Response(json: .object([("status", .text("ok"))]))
    }
    for method in [HTTPRequest.Method.get, .head] {
      everybody(router, "", method) { [files] request, _ in try await files.answer(request) }
      everybody(router, "**", method) { [files] request, _ in try await files.answer(request) }
    }
    refuseOtherMethods(router)
    return router
  }

  private func signedIn(
    _ router: Router<ServerContext>, _ path: RouterPath, _ method: HTTPRequest.Method, _ handler: @escaping PersonHandler
  ) {
    let (session, identity) = (session, identity)
    router.on(path, method: method) { request, context in
      guard let person = identity.person(token: session.token(of: request)) else { throw Refusal.signedOut }
      return try await handler(request, context, person)
    }
  }

  private func everybody(
    _ router: Router<ServerContext>, _ path: RouterPath, _ method: HTTPRequest.Method,
    _ handler: @escaping @Sendable (Request, ServerContext) async throws -> Response
  ) {
    router.on(path, method: method) { request, context in try await handler(request, context) }
  }

  /// Says which methods an address takes, where the router alone would say that nothing is there.
  private func refuseOtherMethods(_ router: Router<ServerContext>) {
    let taken: [(RouterPath, String, [HTTPRequest.Method])] = [
      ("sync", "GET and POST", [.put, .patch, .delete]), ("sync/mutations", "POST", [.get, .put, .patch, .delete]),
      ("live", "GET", [.post, .put, .patch, .delete]), ("live/presence", "POST", [.get, .put, .patch, .delete]), ("session", "GET, POST and DELETE", [.put, .patch]),
      ("app.json", "GET", [.post, .put, .patch, .delete]), ("health", "GET", [.post, .put, .patch, .delete]),
    ]
    for (path, allowed, methods) in taken {
      for method in methods { everybody(router, path, method) { _, _ in throw Refusal.method(allowed: allowed) } }
    }
  }
}

/// The version of this program.
public let aloftVersion = "0.1.0"
