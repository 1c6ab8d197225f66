// SPDX-License-Identifier: Apache-2.0
// text-bench fuzz: many short sessions of replicas that type, send, lose, repeat, restart, compared with the oracle all along.
//
// Each session has its own seed, so that a failure is repeated with: fuzz --operations 1 --seed <its seed>.
@_spi(Checks) import AloftCore

/// What the sessions of a fuzz count, and how they say what went wrong.
struct FuzzTally {
  var operations = 0
  var events = 0
  var merges = 0
  var comparisons = 0
  var refusals = 0
  var sessions = 0
}

/// What went wrong in a session.
struct FuzzFailure: Error { var what: String }

/// One session of the plain text.
struct FuzzSession {
  struct Replica {
    var document: TextDocument
    var agent: Int
    var number = 0
    var known = EventSet()
    /// What an editor shows, as scalars.
    var shadow: [UInt32] = []
  }
  struct Message {
    var bytes: [UInt8]
    var session: [Text]
    var events: EventSet
    var to: Int
  }

  static let alphabets: [[Unicode.Scalar]] = [Array("abcdefgh".unicodeScalars), Array("abé€😀🎉".unicodeScalars)]
  static let agents: [Text] = (0..<5).map { Text("agent-\($0)") }

  var replicas: [Replica] = []
  var oracle = FuzzOracle()
  var messages: [Message] = []
  var random: Random
  var alphabet: [Unicode.Scalar]

  init(seed: UInt64) {
    random = Random(seed: seed)
    alphabet = FuzzSession.alphabets[0]
    alphabet = FuzzSession.alphabets[below(2)]
    let isTiny = below(4) > 0
    let first = below(5)
    for index in 0..<2 + below(3) {
      replicas.append(Replica(document: isTiny ? TextDocument(nodeSize: 4) : TextDocument(), agent: (first + 2 * index) % 5))
    }
  }

  @inline(__always) mutating func below(_ bound: Int) -> Int { Int(random.below(UInt64(bound))) }

  mutating func run(_ tally: inout FuzzTally) throws {
    let eventsMax = 40 + below(200)
    while oracle.events.count < eventsMax {
      let who = below(replicas.count)
      switch below(16) {
      case 0..<8: try type(who, &tally)
      case 8..<14: try exchange(who, &tally)
      case 14: try disturb(who, &tally)
      default:
        if below(3) == 0 { replicas[who].document = try TextDocument(saved: replicas[who].document.save()) }
        if below(3) == 0 { replicas[who].document.forgetTracker() }
        try compare(who, &tally)
      }
      tally.operations += 1
    }
    for _ in 0..<2 {
      for from in replicas.indices {
        for to in replicas.indices where from != to {
          try send(from, to)
          try merge(messages.removeLast(), into: to)
        }
      }
    }
    for who in replicas.indices { try compare(who, &tally) }
    let last = replicas.count - 1
    if replicas[0].known != replicas[last].known { throw FuzzFailure(what: "replicas know different events") }
    tally.events += oracle.events.count
    tally.sessions += 1
  }

  private mutating func type(_ who: Int, _ tally: inout FuzzTally) throws {
    let count = replicas[who].shadow.count
    let agent = FuzzSession.agents[replicas[who].agent]
    if count > 0, below(5) < 2 {
      let place = below(count)
      let length = min(count - place, 1 + below(3) * below(2), FuzzOracle.eventsMax - oracle.events.count)
      if length == 0 { return }
      try replicas[who].document.delete(length, at: place, by: agent)
      replicas[who].shadow.removeSubrange(place..<place + length)
      for _ in 0..<length { note(who, FuzzOracle.deletion, place) }
    } else {
      let place = below(3) == 0 ? 0 : below(count + 1)
      let length = min(1 + below(3) * below(2), FuzzOracle.eventsMax - oracle.events.count)
      var text: [UInt8] = []
      for index in 0..<length {
        let scalar = alphabet[below(alphabet.count)]
        text.append(contentsOf: UTF8.encode(scalar)!)
        replicas[who].shadow.insert(scalar.value, at: place + index)
        note(who, scalar.value, place + index)
      }
      try replicas[who].document.insert(text, at: place, by: agent)
    }
  }

  private mutating func note(_ who: Int, _ scalar: UInt32, _ place: Int) {
    let event = oracle.events.count
    oracle.events.append(
      .init(agent: replicas[who].agent, number: replicas[who].number, known: replicas[who].known, scalar: scalar, place: place))
    replicas[who].known.insert(event)
    replicas[who].number += 1
  }

  /// Sends something, and delivers something sent now or earlier, perhaps once more later.
  private mutating func exchange(_ who: Int, _ tally: inout FuzzTally) throws {
    let other = below(replicas.count)
    if other != who { try send(who, other) }
    if below(4) > 0 { try deliver(&tally) }
  }

  private mutating func send(_ from: Int, _ to: Int) throws {
    let isAll = below(8) == 0
    let session = below(2) == 0 ? FuzzSession.agents : []
    let version = isAll ? TextVersion() : replicas[to].document.version
    let bytes = replicas[from].document.encode(since: version, session: session, isPacked: below(6) == 0)
    let events = isAll ? replicas[from].known : replicas[from].known.subtracting(replicas[to].known)
    messages.append(Message(bytes: bytes, session: session, events: events, to: to))
  }

  private mutating func deliver(_ tally: inout FuzzTally) throws {
    if messages.isEmpty { return }
    let index = below(3) == 0 ? below(messages.count) : messages.count - 1
    let message = messages[index]
    if below(6) > 0 { messages.remove(at: index) }
    if messages.count > 12 { messages.removeFirst() }
    try merge(message, into: message.to)
    tally.merges += 1
  }

  private mutating func merge(_ message: Message, into who: Int) throws {
    if below(8) == 0 {
      try replicas[who].document.absorb(message.bytes, session: message.session)
      replicas[who].shadow = scalars(replicas[who].document.utf8)
    } else {
      let delta = try replicas[who].document.merge(message.bytes, session: message.session)
      for change in delta.changes {
        let text = scalars(Array(delta.inserted[change.bytes]))
        if text.count != change.inserted { throw FuzzFailure(what: "a change with a wrong length") }
        replicas[who].shadow.replaceSubrange(change.place..<change.place + change.deleted, with: text)
      }
    }
    replicas[who].known.formUnion(message.events)
  }

  /// A message that is not for this replica, or broken: refused without a trace, or merged.
  private mutating func disturb(_ who: Int, _ tally: inout FuzzTally) throws {
    if messages.isEmpty { return }
    var message = messages[below(messages.count)]
    if below(2) == 0 {
      do {
        try merge(message, into: who)
      } catch is TextError {
        tally.refusals += 1
        if scalars(replicas[who].document.utf8) != replicas[who].shadow { throw FuzzFailure(what: "a refusal changed the text") }
      }
      return
    }
    for _ in 0...below(3) where !message.bytes.isEmpty {
      let at = below(message.bytes.count)
      switch below(4) {
      case 0: message.bytes[at] = UInt8(below(256))
      case 1: message.bytes[at] ^= 1 << UInt8(below(8))
      case 2: message.bytes.removeLast(min(message.bytes.count, 1 + below(4)))
      default: message.bytes.insert(UInt8(below(256)), at: at)
      }
    }
    var copy = replicas[who].document
    do {
      _ = try copy.merge(message.bytes, session: message.session)
    } catch {
      tally.refusals += 1
      if copy.utf8 != replicas[who].document.utf8 || copy.version != replicas[who].document.version {
        throw FuzzFailure(what: "a refusal changed the document")
      }
      // It goes on as the replica, so that what a refusal may have left behind shows.
      replicas[who].document = copy
    }
  }

  private mutating func compare(_ who: Int, _ tally: inout FuzzTally) throws {
    tally.comparisons += 1
    let text = scalars(replicas[who].document.utf8)
    if text != replicas[who].shadow { throw FuzzFailure(what: "an editor that followed the changes shows something else") }
    if text != oracle.text(replicas[who].known) { throw FuzzFailure(what: "the oracle says something else") }
    if replicas[who].document.count != text.count { throw FuzzFailure(what: "a wrong count") }
    let astral = text.reduce(0) { $0 + ($1 > 0xFFFF ? 1 : 0) }
    if replicas[who].document.utf16Count != text.count + astral { throw FuzzFailure(what: "a wrong count of UTF-16 units") }
  }
}

/// Well-formed UTF-8 as scalars.
func scalars(_ text: [UInt8]) -> [UInt32] {
  var result: [UInt32] = []
  result.reserveCapacity(text.count)
  for byte in text {
    if byte < 0x80 {
      result.append(UInt32(byte))
    } else if byte & 0xC0 == 0x80 {
      result[result.count - 1] = result[result.count - 1] << 6 | UInt32(byte & 0x3F)
    } else {
      result.append(UInt32(byte & (byte < 0xE0 ? 0x1F : byte < 0xF0 ? 0x0F : 0x07)))
    }
  }
  return result
}

enum Fuzz {
  /// Runs sessions until so many operations were made. Whether all went well.
  static func run(operations: Int, seed: UInt64) -> Bool {
    var tally = FuzzTally()
    var seed = seed
    let start = cpu()
    var next = 10_000_000
    while tally.operations < operations {
      do {
        var session = FuzzSession(seed: seed)
        try session.run(&tally)
      } catch {
        print("seed \(seed): \(error)")
        return false
      }
      seed += 1
      if tally.operations >= next {
        show(tally, seed, cpu() - start)
        next += 10_000_000
      }
    }
    show(tally, seed, cpu() - start)
    return true
  }

  private static func show(_ tally: FuzzTally, _ seed: UInt64, _ milliseconds: Double) {
    print(
      "\(tally.operations) operations, \(tally.sessions) sessions, \(tally.events) events, \(tally.merges) merges, \(tally.refusals) refusals, "
        + "\(tally.comparisons) comparisons, \(Int(Double(tally.operations) / milliseconds * 1_000)) operations/s, next seed \(seed)")
    flush()
  }
}
