// SPDX-License-Identifier: Apache-2.0
// Operations of the wasm border, one line each, over the client engine.
import AloftCore

/// A refusal as the page sees it.
struct Refusal: Error {
  var code: Text
  var path: Text
  var message: Text

  init(_ code: StaticString, _ message: StaticString, path: StaticString = "") {
    self.code = Text(code)
    self.path = Text(path)
    self.message = Text(message)
  }

  init(_ rejection: Rejection) { (code, path, message) = (rejection.code, rejection.path, rejection.message) }
  init(_ error: QueryError) { (code, path, message) = (Text("invalid"), error.path, error.message) }
  init(_ error: SchemaError) { (code, path, message) = (Text("schema"), error.path, error.message) }
  init(_ error: DecodeError) { (code, path, message) = (Text("malformed"), Text(""), error.message) }

  var json: [UInt8] { JSONText.object([("code", code), ("path", path), ("message", message)]) }
}

/// The engine behind the exports.
struct WebEngine {
  private var engine: ClientEngine?

  mutating func call(_ operation: UInt32, _ bytes: [UInt8], now: UInt64) throws(Refusal) -> [UInt8] {
    if operation == 1 { return try configure(bytes) }
    guard var engine else { throw Refusal("notConfigured", "call configure first") }
    // The engine is moved out and back, so that it is never copied on a change.
    self.engine = nil
    defer { self.engine = engine }
    return try engine.call(operation, ByteReader(bytes), now: now)
  }

  private mutating func configure(_ bytes: [UInt8]) throws(Refusal) -> [UInt8] {
    let arguments = try Arguments(json: bytes)
    guard let declaration = arguments.item("app") else { throw Refusal("invalid", "is missing", path: "app") }
    guard let words = arguments.text("entropy").flatMap(Self.words), words.count == 4 else {
      throw Refusal("invalid", "must be 64 hex digits", path: "entropy")
    }
    let app: App
    do { app = try App(checked: declaration) } catch { throw Refusal(error) }
    engine = ClientEngine(app: app.withActions(compiledActions), entropy: (words[0], words[1], words[2], words[3]))
    return []
  }

  private static func words(_ hex: Text) -> [UInt64]? {
    guard hex.utf8.count == 64 else { return nil }
    var words: [UInt64] = [0, 0, 0, 0]
    for (index, byte) in hex.utf8.enumerated() {
      let digit: UInt64
      switch byte {
      case 0x30...0x39: digit = UInt64(byte - 0x30)
      case 0x61...0x66: digit = UInt64(byte - 0x61 + 10)
      case 0x41...0x46: digit = UInt64(byte - 0x41 + 10)
      default: return nil
      }
      words[index / 16] = words[index / 16] << 4 | digit
    }
    return words
  }
}

extension ClientEngine {
  fileprivate mutating func call(_ operation: UInt32, _ input: ByteReader, now: UInt64) throws(Refusal) -> [UInt8] {
    var input = input
    switch operation {
    case 2:
      guard load(state: input.rest()) else { throw Refusal("damaged", "the stored state cannot be read") }
      return []
    case 6:
      guard load(page: input.rest()) else { throw Refusal("damaged", "the page fails its checksum") }
      return []
    case 4:
      let sequence = try input.word64()
      guard load(log: LogRow(sequence: sequence, bytes: input.rest())) else { throw Refusal("damaged", "the log row fails its checksum") }
      return []
    case 5: return run(.opened(user: try Arguments(json: input.rest()).required("user")), now: now)
    case 10: return try answer(try query(input.rest()))
    case 11:
      let id = subscribe(try query(input.rest()))
      return json(subscription: id)
    case 12:
      unsubscribe(Int(try Arguments(json: input.rest()).number("id")))
      return []
    case 13: return try get(try Arguments(json: input.rest()))
    case 14: return json(status: status)
    case 15: return jsonPending()
    case 16: return try text(try Arguments(json: input.rest()))
    case 20: return try mutate(input.rest(), now: now)
    case 21: return run(.persisted(through: try input.word64()), now: now)
    case 22: return run(.persistConflict(tail: try input.logRows()), now: now)
    case 23: return run(.foreignRows(try input.logRows()), now: now)
    case 24: return run(.persistFailed(reason: try Arguments(json: input.rest()).text("reason") ?? Text("")), now: now)
    case 26:
      let status = Int(try input.word16())
      let retryAfter = try input.word32()
      return run(.response(status: status, retryAfterSeconds: retryAfter, body: input.rest()), now: now)
    case 27: return run(.transportFailed(try failure(try Arguments(json: input.rest()))), now: now)
    case 28: return run(.timer, now: now)
    case 29: return run(try wake(try Arguments(json: input.rest())), now: now)
    case 31: return try tray(try Arguments(json: input.rest()), now: now)
    case 32: return run(.compact(generation: try input.word64()), now: now)
    case 33: return run(.compacted(generation: try input.word64()), now: now)
    default: throw Refusal("unknown", "no such operation")
    }
  }

  /// Handles an event, then renders. In two statements: as an argument of a method on `self` the event would run while a copy of
  /// the engine is held, and every change would copy what it touches.
  private mutating func run(_ event: ClientEvent, now: UInt64) -> [UInt8] {
    let effects = handle(event, now: now)
    return frames(effects)
  }

  private func query(_ json: [UInt8]) throws(Refusal) -> Query {
    let cbor: [UInt8]
    do { cbor = try JSONCodec.cbor(fromJSON: json) } catch { throw Refusal(error) }
    do { return try Query(cbor: cbor, app: app) } catch { throw Refusal(error) }
  }

  private mutating func answer(_ query: Query) throws(Refusal) -> [UInt8] {
    guard query.aggregate == .rows else { return JSONText.value(value(of: query)) }
    let slots = rows(of: query)
    return json(rows: slots, of: query)
  }

  private mutating func get(_ arguments: Arguments) throws(Refusal) -> [UInt8] {
    let id = try arguments.required("id")
    guard let collection = app.number(of: try arguments.required("collection")) else {
      throw Refusal("unknown", "no such collection", path: "collection")
    }
    return json(record: collection, id)
  }

  private func text(_ arguments: Arguments) throws(Refusal) -> [UInt8] {
    guard let collection = app.number(of: try arguments.required("collection")) else {
      throw Refusal("unknown", "no such collection", path: "collection")
    }
    let fields = app.collections[collection].fields
    guard let field = app.collections[collection].number(of: try arguments.required("field")), fields[field].rule == .text else {
      throw Refusal("unknown", "no such collaborative text", path: "field")
    }
    return text(collection, try arguments.required("id"), field)
  }

  private mutating func mutate(_ json: [UInt8], now: UInt64) throws(Refusal) -> [UInt8] {
    let arguments = try Arguments(json: json)
    guard let calls = arguments.reader("mutations") else { throw Refusal("invalid", "is missing", path: "mutations") }
    do {
      let (handles, effects) = try mutate(calls, now: now)
      return frames(effects, result: self.json(handles: handles))
    } catch { throw Refusal(error) }
  }

  private mutating func tray(_ arguments: Arguments, now: UInt64) throws(Refusal) -> [UInt8] {
    let n = UInt64(max(try arguments.number("n"), 0))
    let word = try arguments.required("do")
    do throws(Rejection) {
      if word == "discard" || word == "keepTheirs" {
        let effects = try discard(n, now: now)
        return frames(effects, result: json(handles: []))
      }
      if word == "retry" || word == "keepMine" || word == "edit" {
        let (handles, effects) = try retry(n, args: word == "edit" ? arguments.item("args") : nil, now: now)
        return frames(effects, result: self.json(handles: handles))
      }
    } catch { throw Refusal(error) }
    throw Refusal("unknown", "must be retry, discard, edit, keepMine or keepTheirs", path: "do")
  }

  private func failure(_ arguments: Arguments) throws(Refusal) -> TransportFailure {
    let kind = try arguments.required("kind")
    if kind == "offline" { return .offline }
    if kind == "timeout" { return .timeout }
    if kind == "busy" { return .busy }
    if kind == "portal" { return .portal }
    return .unreachable
  }

  private func wake(_ arguments: Arguments) throws(Refusal) -> ClientEvent {
    let reason = try arguments.required("reason")
    if reason == "hint", let scope = arguments.text("scope"), let sequence = try? arguments.number("sequence"), sequence > 0 {
      return .hint(scope: scope, sequence: UInt64(sequence))
    }
    return .wake(self.reason(reason))
  }

  private func reason(_ reason: Text) -> WakeReason {
    if reason == "online" { return .online }
    if reason == "offline" { return .offline }
    if reason == "visible" { return .visible }
    if reason == "hint" { return .hint }
    if reason == "signedIn" { return .signedIn }
    if reason == "retrySave" { return .retrySave }
    return .tap
  }

  /// Effects as frames; a result for the caller goes first.
  private func frames(_ effects: [ClientEffect], result: [UInt8]? = nil) -> [UInt8] {
    var out = FrameWriter()
    out.reserve(for: effects)
    if let result { out.result(result) }
    for effect in effects {
      if case .notify(let notification) = effect { out.notify(json(notification)) } else { out.write(effect) }
    }
    return out.bytes
  }
}
