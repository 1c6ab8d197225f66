// SPDX-License-Identifier: Apache-2.0
// Many short sessions of replicas that type, mark, send, lose, repeat, restart, compared with the oracle all along: `text-bench fuzz`.
//
// Each session has its own seed, so that a failure is repeated with: text-bench fuzz --kind <its kind> --operations 1 --seed <its seed>.
@_spi(Checks) import AloftCore

/// What a session needs of a document.
protocol FuzzDocument {
  static var isRich: Bool { get }
  init()
  init(nodeSize: Int)
  init(saved: [UInt8]) throws(TextError)
  mutating func save() -> [UInt8]
  /// The same document, read at its places where it has such.
  func read() throws(TextError) -> Self
  var utf8: [UInt8] { get }
  var count: Int { get }
  var utf16Count: Int { get }
  var version: TextVersion { get }
  mutating func insert(_ text: [UInt8], at place: Int, by agent: Text) throws(TextError)
  mutating func delete(_ length: Int, at place: Int, by agent: Text) throws(TextError)
  mutating func mark(_ key: Text, _ value: Text?, _ range: Range<Int>, grows: Bool, by agent: Text) throws(TextError)
  func encode(since version: TextVersion, session: [Text], isPacked: Bool) -> [UInt8]
  mutating func absorb(_ bytes: [UInt8], session: [Text]) throws(TextError)
  mutating func mergeAll(_ bytes: [UInt8], session: [Text]) throws(TextError) -> RichTextDelta
  mutating func forgetTracker()
  func spans() -> [TextSpan]
}

extension TextDocument: FuzzDocument {
  static var isRich: Bool { false }
  mutating func mark(_ key: Text, _ value: Text?, _ range: Range<Int>, grows: Bool, by agent: Text) throws(TextError) {}
  mutating func mergeAll(_ bytes: [UInt8], session: [Text]) throws(TextError) -> RichTextDelta {
    RichTextDelta(text: try merge(bytes, session: session))
  }
  func spans() -> [TextSpan] { [] }
  func read() throws(TextError) -> TextDocument {
    var document = TextDocument()
    try document.absorb(trusted: encodePlaced())
    return document
  }
}

extension RichTextDocument: FuzzDocument {
  static var isRich: Bool { true }
  func read() -> RichTextDocument { self }
  mutating func mergeAll(_ bytes: [UInt8], session: [Text]) throws(TextError) -> RichTextDelta { try merge(bytes, session: session) }
}

/// What the sessions of a fuzz count.
struct FuzzTally {
  var operations = 0
  var events = 0
  var merges = 0
  var comparisons = 0
  var refusals = 0
  var sessions = 0
}

private let alphabets: [[Unicode.Scalar]] = [Array("abcdefgh".unicodeScalars), Array("abé€😀🎉".unicodeScalars)]
private let agents: [Text] = (0..<5).map { Text("agent-\($0)") }

/// What went wrong in a session.
struct FuzzFailure: Error { var what: String }

/// One session.
struct FuzzSession<Document: FuzzDocument> {
  struct Replica {
    var document: Document
    var agent: Int
    var number = 0
    var known = EventSet()
    /// What an editor shows, as scalars, and the styles of each.
    var shadow: [UInt32] = []
    var styles: [[TextStyle]] = []
  }
  struct Message {
    var bytes: [UInt8]
    var session: [Text]
    var events: EventSet
    var to: Int
  }

  var replicas: [Replica] = []
  var oracle = FuzzOracle()
  var messages: [Message] = []
  var random: Random
  var alphabet: [Unicode.Scalar]

  init(seed: UInt64) {
    random = Random(seed: seed)
    alphabet = alphabets[0]
    alphabet = alphabets[below(2)]
    let isTiny = below(4) > 0
    let first = below(5)
    for index in 0..<2 + below(3) {
      replicas.append(Replica(document: isTiny ? Document(nodeSize: 4) : Document(), agent: (first + 2 * index) % 5))
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
        if below(3) == 0 { replicas[who].document = try Document(saved: replicas[who].document.save()) }
        if below(3) == 0 { replicas[who].document.forgetTracker() }
        if below(3) == 0 { replicas[who].document = try replicas[who].document.read() }
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
    let agent = agents[replicas[who].agent]
    let room = FuzzOracle.eventsMax - oracle.events.count
    if Document.isRich, count > 0, below(3) == 0 { return try mark(who, agent, room) }
    if count > 0, below(5) < 2 {
      let place = below(count)
      let length = min(count - place, 1 + below(3) * below(2), room)
      if length == 0 || (Document.isRich && room < 60) { return }
      try replicas[who].document.delete(length, at: place, by: agent)
      replicas[who].shadow.removeSubrange(place..<place + length)
      if Document.isRich {
        let deletions = oracle.deletions(length, at: place, in: replicas[who].known)
        for place in deletions { note(who, FuzzOracle.deletion, place) }
      } else {
        for _ in 0..<length { note(who, FuzzOracle.deletion, place) }
      }
    } else {
      let place = below(3) == 0 ? 0 : below(count + 1)
      let length = min(1 + below(3) * below(2), room)
      if length == 0 { return }
      var text: [UInt8] = []
      let entity = Document.isRich ? oracle.typingPlace(place, in: replicas[who].known) : place
      for index in 0..<length {
        let scalar = alphabet[below(alphabet.count)]
        text.append(contentsOf: UTF8.encode(scalar)!)
        replicas[who].shadow.insert(scalar.value, at: place + index)
        note(who, scalar.value, entity + index)
      }
      try replicas[who].document.insert(text, at: place, by: agent)
    }
    if Document.isRich { replicas[who].styles = styles(replicas[who].document.spans()) }
  }

  private mutating func mark(_ who: Int, _ agent: Text, _ room: Int) throws {
    if room < 60 { return }
    let count = replicas[who].shadow.count
    let start = below(count)
    let end = min(count, start + 1 + below(5))
    let kind = below(5)
    // Bold with two values, italic, a link that does not grow, comments that overlap.
    let key = kind < 2 ? "bold" : kind == 2 ? "italic" : kind == 3 ? "link" : "comment:\(below(3))"
    let value: Text? = below(4) == 0 ? nil : kind == 0 ? "very" : "yes"
    let grows = kind < 3 || value == nil
    try replicas[who].document.mark(Text(key), value, start..<end, grows: grows, by: agent)
    let mark = FuzzOracle.Mark(
      key: key, value: value?.string, grows: grows, lamport: oracle.lamport(in: replicas[who].known) + 1, agent: replicas[who].agent)
    let places = oracle.anchorPlaces(start, end, grows, in: replicas[who].known)
    oracle.marks.append(mark)
    note(who, FuzzOracle.start, places.start, oracle.marks.count - 1)
    note(who, FuzzOracle.end, places.end + 1, oracle.marks.count - 1)
    for place in oracle.covered(by: oracle.marks.count - 1, in: replicas[who].known) { note(who, FuzzOracle.deletion, place) }
    replicas[who].styles = styles(replicas[who].document.spans())
  }

  private func styles(_ spans: [TextSpan]) -> [[TextStyle]] {
    spans.flatMap { Array(repeating: $0.styles, count: $0.length) }
  }

  private mutating func note(_ who: Int, _ scalar: UInt32, _ place: Int, _ mark: Int = -1) {
    let event = oracle.events.count
    oracle.events.append(
      .init(
        agent: replicas[who].agent, number: replicas[who].number, known: replicas[who].known, scalar: scalar, place: place, mark: mark))
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
    let session = below(2) == 0 ? agents : []
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
      if Document.isRich { replicas[who].styles = styles(replicas[who].document.spans()) }
    } else {
      let delta = try replicas[who].document.mergeAll(message.bytes, session: message.session)
      for change in delta.text.changes {
        let text = scalars(Array(delta.text.inserted[change.bytes]))
        if text.count != change.inserted { throw FuzzFailure(what: "a change with a wrong length") }
        let range = change.place..<change.place + change.deleted
        let before = replicas[who].shadow[..<range.lowerBound].reduce(0) { $0 + ($1 > 0xFFFF ? 2 : 1) }
        if before != change.placeUTF16 { throw FuzzFailure(what: "a change with a wrong place in UTF-16") }
        replicas[who].shadow.replaceSubrange(range, with: text)
        if Document.isRich { replicas[who].styles.replaceSubrange(range, with: Array(repeating: [], count: text.count)) }
      }
      if !delta.restyled.isEmpty {
        let new = styles(replicas[who].document.spans())
        for range in delta.restyled { replicas[who].styles.replaceSubrange(range, with: new[range]) }
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
        if Document.isRich, styles(replicas[who].document.spans()) != replicas[who].styles {
          throw FuzzFailure(what: "a refusal changed the styles")
        }
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
      try copy.absorb(message.bytes, session: message.session)
      _ = copy.spans()
      var again = Document()
      try again.absorb(copy.encode(since: TextVersion(), session: [], isPacked: false), session: [])
      if again.utf8 != copy.utf8 || again.spans() != copy.spans() { throw FuzzFailure(what: "what was merged is not what is sent on") }
    } catch is TextError {
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
    if Document.isRich {
      let spans = styles(replicas[who].document.spans())
      if spans != replicas[who].styles { throw FuzzFailure(what: "an editor that followed the changes shows other styles") }
      if spans != oracle.styles(replicas[who].known) { throw FuzzFailure(what: "the oracle says other styles") }
    }
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

/// Runs sessions.
public enum TextFuzz {
  /// Runs sessions until so many operations were made, rich or plain. Gives what went wrong, nil when nothing did. `report` gets the
  /// counts every so many operations.
  public static func run(
    isRich: Bool, operations: Int, seed: UInt64, reportEvery: Int = .max, _ report: (String, Int) -> Void = { _, _ in }
  ) -> String? {
    isRich
      ? run(RichTextDocument.self, operations, seed, reportEvery, report) : run(TextDocument.self, operations, seed, reportEvery, report)
  }

  private static func run<Document: FuzzDocument>(
    _ kind: Document.Type, _ operations: Int, _ seed: UInt64, _ reportEvery: Int, _ report: (String, Int) -> Void
  ) -> String? {
    var tally = FuzzTally()
    var seed = seed
    var next = reportEvery
    func tell() {
      report(
        "\(tally.operations) operations, \(tally.sessions) sessions, \(tally.events) events, \(tally.merges) merges, "
          + "\(tally.refusals) refusals, \(tally.comparisons) comparisons, next seed \(seed)", tally.operations)
    }
    while tally.operations < operations {
      do {
        var session = FuzzSession<Document>(seed: seed)
        try session.run(&tally)
      } catch {
        return "seed \(seed): \(error)"
      }
      seed += 1
      if tally.operations >= next {
        tell()
        next += reportEvery
      }
    }
    tell()
    return nil
  }
}
