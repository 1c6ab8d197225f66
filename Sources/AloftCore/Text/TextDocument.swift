// SPDX-License-Identifier: Apache-2.0
// A text that several people edit at once, each on their own replica: typing, places, version. Merging is in TextDocument+Merge.swift.
//
// The document is a function of the set of its events: replicas that know the same events show the same text, whatever the order in
// which they came. While nobody types concurrently an event is an edit of a plain buffer and an append to a log.

/// How much somebody knows of a text: for each agent the number of its next event. What is not listed is not known.
public struct TextVersion: Equatable, Sendable {
  public var agents: [Text] = []
  public var next: [Int] = []

  public init() {}
}

/// A collaborative text: a value. Copies are independent replicas that share memory until one of them changes.
public struct TextDocument: Sendable {
  var graph = TextGraph()
  var agents = TextAgents()
  var operations = TextOperations()
  var buffer = TextBuffer()
  // A cache and scratch memory: nothing that can be seen depends on them.
  var tracker = TextTracker()
  var output = TextOutput()
  var walker = TextWalk()
  // While one agent types on top of everything, its next number and the version follow from the count of events and are written down
  // by `settle` only.
  private var isTyping = false
  private var typist = 0
  private var typistID = Text(utf8: [])
  private var settled = 0
  /// The events of an opened document that nobody asked for yet, as they were saved, and how many they are. The log is empty.
  var sealed: [UInt8] = []
  var sealedCount = 0
  /// The same bytes, of which the log was read and its text was not: `operations.hidden` is above 0.
  var sealedText = TextReader([], 0, 0)
  /// The log's text from the start on as whole packed blocks, and how many bytes they stand for.
  var packed = TextWriter()
  var packedCount = 0

  /// A document has at most this many events: what the 31-bit numbers of the format allow for the longest run.
  static let eventsMax = 1 << 26

  public init() {}

  /// For checks: a document whose tracker has tiny nodes, which split often.
  @_spi(Checks) public init(nodeSize: Int) {
    tracker.leafMax = nodeSize
    tracker.innerMax = nodeSize
  }
  /// For checks: a cold tracker must give the same as a warm one.
  @_spi(Checks) public mutating func forgetTracker() { tracker.removeAll() }

  /// The text, UTF-8. Costs a copy.
  public var utf8: [UInt8] { buffer.utf8 }
  /// Its length in Unicode scalars, in UTF-16 units, in bytes.
  public var count: Int { buffer.count }
  public var utf16Count: Int { buffer.utf16Count }
  public var byteCount: Int { buffer.byteCount }
  /// How many characters were ever inserted or deleted.
  public var eventCount: Int { sealed.isEmpty ? graph.count : sealedCount }

  /// About how many bytes of memory the document holds, its log included.
  public var memoryBytes: Int {
    let runs = 3 * agents.runs.count + 3 * graph.starts.count + 2 * graph.parents.count + 3 * operations.starts.count
    return 4 * runs + operations.kinds.count + operations.text.count + buffer.capacity + tracker.byteCount
      + sealed.count + sealedText.bytes.count + packed.bytes.count
  }

  /// The place of a scalar in UTF-16 units, and the other way round. A place outside is moved to the nearest inside. A unit in the
  /// middle of a surrogate pair counts as its beginning.
  public func utf16Offset(of scalar: Int) -> Int { buffer.utf16Offset(of: min(max(scalar, 0), count)) }
  public func scalarOffset(ofUTF16 unit: Int) -> Int { buffer.scalarOffset(ofUTF16: min(max(unit, 0), utf16Count)) }

  /// What this replica knows.
  public var version: TextVersion {
    if !sealed.isEmpty { return loaded.version }
    var version = TextVersion()
    version.agents = agents.ids
    for agent in 0..<agents.ids.count { version.next.append(next(agent)) }
    return version
  }

  /// Inserts UTF-8 before the scalar `place`, typed by an agent of this replica: a random id for each editing session, never used by
  /// two replicas. Costs the text's length and the distance from the edit before.
  public mutating func insert(_ text: [UInt8], at place: Int, by agent: Text) throws(TextError) {
    try text.withUnsafeBufferPointer { bytes throws(TextError) in try insert(bytes, at: place, by: agent) }
  }

  public mutating func insert(_ text: UnsafeBufferPointer<UInt8>, at place: Int, by agent: Text) throws(TextError) {
    if place < 0 || place > count { throw .outOfBounds }
    if text.count == 0 { return }
    var length = 1
    if text.count > 1 || text[0] >= 0x80 {
      if !Text.isValidUTF8(text, from: 0, to: text.count) { throw .notUTF8 }
      length = TextBuffer.measure(text, 0, text.count).scalars
    }
    try author(agent, length)
    operations.appendInsert(place, length, byteStart: operations.byteCount)
    if text.count == 1 { operations.text.append(text[0]) } else { operations.text.append(contentsOf: text) }
    buffer.insert(text, length, at: place)
  }

  /// Deletes scalars from `place` on.
  public mutating func delete(_ length: Int, at place: Int, by agent: Text) throws(TextError) {
    if place < 0 || length < 0 || place > count || length > count - place { throw .outOfBounds }
    if length == 0 { return }
    try author(agent, length)
    operations.appendDelete(TextKind.deleteForward, lowest: place, length, byteStart: operations.byteCount)
    buffer.delete(length, at: place)
  }

  /// Writes the next events down as an agent's, on top of everything.
  @inline(__always) private mutating func author(_ id: Text, _ length: Int) throws(TextError) {
    if graph.count > TextDocument.eventsMax &- length { throw .tooLarge }
    if isTyping, typistID.utf8 == id.utf8 { graph.count = graph.count &+ length } else { try begin(id, length) }
  }

  @inline(never) private mutating func begin(_ id: Text, _ length: Int) throws(TextError) {
    settle()
    try load()
    if graph.count > TextDocument.eventsMax - length { throw .tooLarge }
    typist = try agents.add(id)
    typistID = agents.ids[typist]
    agents.append(typist, length, at: graph.count)
    graph.append(length)
    settled = graph.count
    isTyping = true
  }

  /// Writes down what typing left out.
  mutating func settle() {
    if !isTyping { return }
    agents.next[typist] = next(typist)
    graph.version[0] = graph.count - 1
    isTyping = false
  }

  /// The number that an agent's next event gets.
  func next(_ agent: Int) -> Int { agents.next[agent] + (isTyping && agent == typist ? graph.count - settled : 0) }
}
