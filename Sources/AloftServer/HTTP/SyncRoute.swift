// SPDX-License-Identifier: Apache-2.0
// POST /sync, POST /sync/mutations and GET /sync: read the request, judge and commit what it brings, answer what it asks for.

import AloftCore
import AloftStore
import HTTPTypes
import Hummingbird
import NIOPosix

struct SyncRoute<S: Store>: Sendable {
  /// What a device's plain pulls add to its row in the store at most this often.
  private static var seenInterval: Instant { 60_000 }

  let store: S
  let judge: Judge
  let committer: Committer<S>
  /// Threads on which reads may wait for the disk.
  let readers: NIOThreadPool
  let server: Text
  let now: @Sendable () -> Instant

  /// Both directions in one round trip; `wantsDelta` false for a push alone.
  func sync(_ request: Request, _ principal: Principal, wantsDelta: Bool) async throws -> Response {
    let format = try format(of: request)
    let body = try await request.body.collect(upTo: ServerLimits.bodyBytesMax)
    let bytes = body.withUnsafeReadableBytes { Array($0) }
    var sync = try SyncRequest(body: bytes, format: format)
    // Fields and actions that this server does not know yet would be refused for good, as if their author had made a mistake.
    if sync.hasMutations && sync.schema > UInt64(judge.app.version) { throw Refusal.newerSchema(sync.schema, server: judge.app.version) }
    sync.wantsDelta = wantsDelta
    return try await answer(sync, principal, byteCount: bytes.count, format: answerFormat(of: request, format))
  }

  /// The same delta as JSON for simple clients: `since` is the `cursors` of an earlier answer, as base64url.
  func pull(_ request: Request, _ principal: Principal) async throws -> Response {
    var cursors: [UInt8] = []
    if let since = request.uri.queryParameters["since"] {
      guard let decoded = Base64URL.decode(Text(String(since))) else {
        throw WireError(.invalid, path: "since", "must be base64url of the cursors of an earlier answer")
      }
      cursors = decoded
    }
    return try await answer(try SyncRequest(sinceCursors: cursors), principal, byteCount: 0, format: .json)
  }

  private func answer(
    _ sync: SyncRequest, _ principal: Principal, byteCount: Int, format: WireFormat
  ) async throws -> Response {
    var pushed: PushResult?
    if sync.hasMutations {
      let result = try await committer.push(sync, by: principal, byteCount: byteCount)
      if !sync.wantsDelta {
        return response(judge.receipt(sync, result, for: principal, server: server, now: now(), format: format), format)
      }
      pushed = result
    }
    var bytes = try await read(sync, pushed, principal, format)
    if bytes == nil {
      pushed = try await committer.push(sync, by: principal, byteCount: byteCount)
      bytes = try await read(sync, pushed, principal, format)
    }
    guard let bytes else { throw Refusal.internal }
    return response(bytes, format)
  }

  private func response(_ bytes: [UInt8], _ format: WireFormat) -> Response {
    let type = format == .cbor ? "application/cbor" : "application/json"
    return Response(
      status: .ok, headers: [.contentType: type, .cacheControl: "no-store"], body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  /// The answer; nil when the device has something to record first.
  private func read(
    _ sync: SyncRequest, _ pushed: PushResult?, _ principal: Principal, _ format: WireFormat
  ) async throws -> [UInt8]? {
    let time = now()
    return try await readers.runIfActive {
      try store.read { (reader) throws(StoreError) -> [UInt8]? in
        if pushed == nil, try needsRecording(sync, principal, time, &reader) { return nil }
        return try judge.answer(
          sync, pushed, for: principal, server: server, now: time, limitBytes: ServerLimits.answerBytesMax, format: format,
          from: &reader)
      }
    }
  }

  /// Whether a request without mutations changes what the server knows of its device: first contact, an acknowledgement, or a
  /// report when the last one is a minute old.
  private func needsRecording(
    _ sync: SyncRequest, _ principal: Principal, _ time: Instant, _ reader: inout S.Reader
  ) throws(StoreError) -> Bool {
    if sync.device == DeviceID(high: 0, low: 0) { return false }
    guard let device = try reader.device(sync.device) else {
      // A device that numbered mutations which this server never saw must hear so, and not become known by asking.
      return (sync.issued ?? 0) == 0 && (sync.head?.n ?? 0) == 0
    }
    if device.user != principal.user { return false }
    if sync.acknowledged > device.acknowledged, sync.acknowledged <= device.head { return true }
    return time >= device.seen + Self.seenInterval
  }

  private func format(of request: Request) throws -> WireFormat {
    let type = request.headers[.contentType]?.lowercased() ?? ""
    if type.hasPrefix("application/cbor") { return .cbor }
    if type.hasPrefix("application/json") { return .json }
    throw Refusal.wrongType
  }

  /// The format that Accept asks for; otherwise the request's own.
  private func answerFormat(of request: Request, _ own: WireFormat) -> WireFormat {
    guard let accept = request.headers[.accept] else { return own }
    let (wantsCBOR, wantsJSON) = (accept.contains("application/cbor"), accept.contains("application/json"))
    return wantsCBOR == wantsJSON ? own : wantsCBOR ? .cbor : .json
  }
}
