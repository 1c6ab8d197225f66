// SPDX-License-Identifier: Apache-2.0
// POST /live/presence: tells others who may read the same field where this person's cursor is.
//
//   {"collection":"visits","id":"…","field":"notes","session":"…","cursor":12,"anchor":12}

import AloftCore
import AloftStore
import Foundation
import Hummingbird
import NIOCore
import NIOPosix

struct PresenceRoute<S: Store>: Sendable {
  private struct Told: Decodable {
    var collection: String
    var id: String
    var field: String
    var session: String
    var cursor: Int?
    var anchor: Int?
  }

  let hub: LiveHub
  let store: S
  let judge: Judge
  /// Threads on which reads may wait for the disk.
  let readers: NIOThreadPool
  let now: @Sendable () -> Instant
  private let table = PresenceTable()
  private let throttle = PresenceThrottle()
  private static var bodyBytesMax: Int { 1_024 }

  init(hub: LiveHub, store: S, judge: Judge, readers: NIOThreadPool, now: @escaping @Sendable () -> Instant) {
    (self.hub, self.store, self.judge, self.readers, self.now) = (hub, store, judge, readers, now)
  }

  private var seconds: Double { Double(now()) / 1_000 }

  func answer(_ request: Request, _ context: ServerContext, _ person: SignedIn, token: String?) async throws -> Response {
    guard throttle.allows(token ?? context.address, now: seconds) else { throw Refusal.tooOften }
    let body: ByteBuffer
    do { body = try await request.body.collect(upTo: Self.bodyBytesMax) } catch is NIOTooManyBytesError {
      throw Refusal.tooLarge(maximum: Self.bodyBytesMax)
    }
    let presence = try read(body, person, owner: token.map(SessionToken.digest))
    guard let place = try await place(of: presence), place.isReadable(by: person.principal) else { throw Refusal.noText }
    guard table.put(presence, at: place, now: seconds) else { throw Refusal.busy(seconds: Int(Presence.seconds)) }
    hub.tell(presence, at: place)
    return Response(status: .noContent, headers: [.cacheControl: "no-store"])
  }

  /// Tells a new subscriber who is where. Asks for each field again whether it may: the record may have moved since.
  func greet(_ subscriber: LiveSubscriber, _ principal: Principal) async {
    for presence in table.current(for: principal, except: subscriber.owner, now: seconds) {
      // A store that does not answer now costs a courtesy, not the stream.
      if let place = try? await place(of: presence), place.isReadable(by: principal) { subscriber.note(presence) }
    }
  }

  private func place(of presence: Presence) async throws -> FieldPlace? {
    try await readers.runIfActive {
      try store.read { (reader) throws(StoreError) in
        try judge.place(of: presence.field, in: presence.collection, id: presence.id, from: &reader)
      }
    }
  }

  private func read(_ body: ByteBuffer, _ person: SignedIn, owner: [UInt8]?) throws -> Presence {
    let told: Told
    do { told = try JSONDecoder().decode(Told.self, from: Data(body.readableBytesView)) } catch {
      throw Refusal(.invalid, #"Send {"collection":"…","id":"…","field":"…","session":"…","cursor":0,"anchor":0}."#)
    }
    let isName = (8...64).contains(told.session.utf8.count) && told.session.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    guard isName else { throw Refusal(.invalid, "A session is 8 to 64 visible ASCII characters.", path: "session") }
    let places = 0...(1 << 30)
    guard told.cursor.map(places.contains) ?? true else { throw Refusal(.invalid, "A cursor is a place in the text.", path: "cursor") }
    guard told.anchor.map(places.contains) ?? true else { throw Refusal(.invalid, "An anchor is a place in the text.", path: "anchor") }
    return Presence(
      owner: owner, collection: Text(told.collection), id: Text(told.id), field: Text(told.field), session: told.session,
      user: person.principal.user.string, name: person.name, cursor: told.cursor, anchor: told.anchor ?? told.cursor ?? 0)
  }
}
