// SPDX-License-Identifier: Apache-2.0
// Events as bytes: writes what somebody does not know yet, or the whole document. The format is described in TextEvents.swift.

extension TextDocument {
  /// How a saved document begins: version 1, bit 2.
  static let savedFormat: UInt8 = 0x14

  /// Opens a saved document: the text is there at once, the events are read when somebody edits, merges or asks for them. Only for bytes
  /// of this replica's own storage, since the text in them is believed.
  public init(saved bytes: [UInt8]) throws(TextError) {
    self.init()
    if bytes.first == RichTextDocument.savedFormat { throw .hasMarks }
    var reader = TextReader(bytes, 0, 0)
    let words = try TextDocument.words(of: bytes, TextDocument.savedFormat, &reader)
    try open(bytes, Array(bytes[words]), reader)
  }

  /// Where the words of a saved document stand in it. The reader is given what follows them.
  static func words(of bytes: [UInt8], _ format: UInt8, _ reader: inout TextReader) throws(TextError) -> Range<Int> {
    let end = bytes.count - 8
    if end < 4 { throw .malformed }
    if !isSealed(bytes, end) { throw .damaged }
    reader = TextReader(bytes, 0, end)
    if try reader.number() != Int(format) { throw .unknownFormat }
    let length = try reader.count()
    let start = reader.offset
    if !Text.isValidUTF8(bytes, from: start, to: start + length) { throw .notUTF8 }
    reader.offset += length
    return start..<reader.offset
  }

  /// Shows the text of a saved document, whose events are read later, from where the reader is.
  mutating func open(_ bytes: [UInt8], _ text: [UInt8], _ reader: TextReader) throws(TextError) {
    var reader = reader
    buffer = TextBuffer(text)
    // Not the whole bytes: the text would be there twice.
    sealed = Array(bytes[reader.offset..<reader.end])
    sealedCount = try reader.head().count
  }

  /// The whole document: every event and the text. Equal for equal logs. Costs the runs of the log, and packing what was typed since the
  /// last time, up to a block more.
  public mutating func save() -> [UInt8] { save(isQuick: false) }

  /// - Parameter isQuick: the last block is not packed, for documents that change all the time.
  mutating func save(isQuick: Bool) -> [UInt8] { save(TextDocument.savedFormat, words: utf8, [], isQuick: isQuick) }

  /// The same with other words at its head, and some bytes behind them.
  mutating func save(_ format: UInt8, words: [UInt8], _ part: [UInt8], isQuick: Bool) -> [UInt8] {
    var writer = TextWriter()
    writer.bytes.append(format)
    writer.number(words.count)
    writer.bytes.append(contentsOf: words)
    writer.bytes.append(contentsOf: part)
    writer.bytes.append(contentsOf: sealed.isEmpty ? packEvents(isQuick) : sealed)
    TextDocument.seal(&writer.bytes)
    return writer.bytes
  }

  private mutating func packEvents(_ isQuick: Bool) -> [UInt8] {
    settle()
    reveal()
    let text = operations.text
    let whole = text.count - text.count % TextPacker.blockSize
    TextPacker.pack(text, from: packedCount, to: whole, &packed)
    packedCount = whole
    var packed = packed
    TextPacker.pack(text, from: whole, to: text.count, &packed, isQuick: isQuick)
    var all = TextColumn()
    if graph.count > 0 {
      all.append(0)
      all.append(graph.count)
    }
    return encode(ranges: all, session: [], isPacked: true, packed)
  }

  /// Appends a checksum of 8 bytes.
  static func seal(_ bytes: inout [UInt8]) {
    let sum = checksum(bytes, bytes.count)
    for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: sum >> UInt64(8 * index))) }
  }

  /// Whether the checksum behind the first `end` bytes is theirs.
  static func isSealed(_ bytes: [UInt8], _ end: Int) -> Bool {
    let sum = checksum(bytes, end)
    for index in 0..<8 where bytes[end + index] != UInt8(truncatingIfNeeded: sum >> UInt64(8 * index)) { return false }
    return true
  }

  private static func checksum(_ bytes: [UInt8], _ end: Int) -> UInt64 {
    bytes.withUnsafeBytes { Hash64.of(UnsafeRawBufferPointer(rebasing: $0[0..<end])) }
  }

  /// Reads the events of a document that was opened.
  mutating func load() throws(TextError) {
    if sealed.isEmpty { return }
    let events = try TextEvents(TextReader(sealed, 0, sealed.count), session: [], hides: true)
    var log = TextDocument()
    var arrival = Arrival(0)
    try log.append(events, &arrival)
    graph = log.graph
    agents = log.agents
    operations = events.operations
    packed.bytes = Array(sealed[events.packed])
    packedCount = operations.byteCount - operations.byteCount % TextPacker.blockSize
    if operations.hidden > 0 { sealedText = TextReader(sealed, events.packed.lowerBound, sealed.count) }
    sealed = []
  }

  /// Reads the text of a log that was read.
  private mutating func reveal() {
    if operations.hidden == 0 { return }
    var full = 0
    var text: [UInt8]
    do throws(TextError) { text = try TextPacker.unpack(&sealedText, operations.hidden, &full) } catch { text = [] }
    // The checksum was right, so only another program's mistake can lead here: the text of the document is there all the same.
    text.append(contentsOf: repeatElement(63, count: operations.hidden - text.count))
    for index in 0..<text.count where text[index] >= 0x80 { text[index] = 63 }
    operations.text = text + operations.text
    operations.hidden = 0
    operations.scalarCounts.removeAll()
    sealedText = TextReader([], 0, 0)
  }

  /// The document with its events read; without events when they cannot be.
  var loaded: TextDocument {
    var copy = self
    do throws(TextError) { try copy.load() } catch { copy.sealed = [] }
    return copy
  }

  /// The events that a version does not know, for `merge`. `session`: agents whose numbers both sides know, in this order, so that a
  /// message need not spell their ids; a keystroke then takes about 12 bytes. Costs the events plus the runs of the log. `isPacked`:
  /// the text compressed, for archives and slow links; costs about 80 ns for each byte of it.
  public func encode(since version: TextVersion = TextVersion(), session: [Text] = [], isPacked: Bool = false) -> [UInt8] {
    if !sealed.isEmpty { return loaded.encode(since: version, session: session, isPacked: isPacked) }
    var known = TextColumn()
    known.append(0, times: agents.ids.count)
    var listed = 0
    while listed < version.agents.count {
      let agent = agents.find(version.agents[listed])
      if agent >= 0 { known[agent] = min(max(version.next[listed], 0), next(agent)) }
      listed += 1
    }
    var ranges = TextColumn()
    // Nothing before the first event that somebody lacks need be looked at.
    var first = graph.count
    for agent in 0..<agents.ids.count where known[agent] < next(agent) { first = min(first, agents.event(agent, known[agent])) }
    var run = first < graph.count ? agents.runs.lastIndex(atMost: first) : agents.runs.count
    while run < agents.runs.count {
      let start = agents.runs[run]
      let end = run + 1 < agents.runs.count ? agents.runs[run + 1] : graph.count
      let from = start + max(0, known[agents.runAgents[run]] - agents.runNumbers[run])
      if from < end {
        if !ranges.isEmpty, ranges.last == from {
          ranges[ranges.count - 1] = end
        } else {
          ranges.append(from)
          ranges.append(end)
        }
      }
      run += 1
    }
    if !ranges.isEmpty, operations.hidden > 0, operations.byteStart(of: ranges[0]) < operations.hidden {
      var copy = self
      copy.reveal()
      return copy.encode(ranges: ranges, session: session, isPacked: isPacked, TextWriter())
    }
    return encode(ranges: ranges, session: session, isPacked: isPacked, TextWriter())
  }

  /// Whether a version has events that are not known here.
  public func lacks(_ version: TextVersion) -> Bool {
    if !sealed.isEmpty { return loaded.lacks(version) }
    for index in 0..<version.agents.count {
      let agent = agents.find(version.agents[index])
      if version.next[index] > (agent < 0 ? 0 : next(agent)) { return true }
    }
    return false
  }

  /// `packed`: the text's packed bytes where they are known.
  private func encode(ranges: TextColumn, session: [Text], isPacked: Bool, _ packed: TextWriter) -> [UInt8] {
    var writer = TextWriter(ranges, agents.ids.count)
    var numbers = TextWriter()
    var graphBytes = TextWriter()
    var changes = TextWriter()
    var text: [UInt8] = []
    let runs = writeNumbers(&writer, &numbers)
    writeGraph(&writer, &graphBytes)
    writeChanges(writer, &changes, &text)
    let isSingle = runs == 1 && writer.used.count == 1
    writer.number(0x10 | (isSingle ? 1 : 0) | (isPacked ? 2 : 0))
    writer.number(writer.total)
    if writer.total == 0 { return writer.bytes }
    if !isSingle { writer.number(writer.used.count) }
    for index in 0..<writer.used.count { writer.agent(agents.ids[writer.used[index]], session) }
    writer.bytes.append(contentsOf: numbers.bytes)
    writer.bytes.append(contentsOf: graphBytes.bytes)
    writer.bytes.append(contentsOf: changes.bytes)
    if isPacked {
      writer.number(text.count)
      if packed.bytes.isEmpty { TextPacker.pack(text, from: 0, to: text.count, &writer) }
      text = packed.bytes
    }
    writer.bytes.append(contentsOf: text)
    return writer.bytes
  }

  private func writeNumbers(_ writer: inout TextWriter, _ numbers: inout TextWriter) -> Int {
    var next = TextColumn()
    next.append(0, times: agents.ids.count)
    var count = 0
    var position = 0
    for range in stride(from: 0, to: writer.ranges.count, by: 2) {
      var event = writer.ranges[range]
      let end = writer.ranges[range + 1]
      var run = agents.runs.lastIndex(atMost: event)
      while event < end {
        let runEnd = run + 1 < agents.runs.count ? agents.runs[run + 1] : graph.count
        let stop = min(end, runEnd)
        let agent = agents.runAgents[run]
        let number = agents.runNumbers[run] + event - agents.runs[run]
        position += stop - event
        let goesOn = position < writer.total
        numbers.number(writer.place(of: agent) << 1 | (goesOn ? 1 : 0))
        if goesOn { numbers.number(stop - event) }
        numbers.signed(number - next[agent])
        next[agent] = number + stop - event
        count += 1
        event = stop
        run += 1
      }
    }
    return count
  }

  private func writeGraph(_ writer: inout TextWriter, _ bytes: inout TextWriter) {
    var position = 0
    for range in stride(from: 0, to: writer.ranges.count, by: 2) {
      var event = writer.ranges[range]
      let end = writer.ranges[range + 1]
      var entry = graph.entry(of: event)
      while event < end {
        let stop = min(end, graph.end(of: entry))
        bytes.number(position + stop - event == writer.total ? 0 : stop - event)
        if event > graph.starts[entry] {
          write(parent: event - 1, of: event, position, hasMore: false, &writer, &bytes)
        } else {
          var parent = graph.parentStarts[entry]
          let last = graph.parentEnd(of: entry)
          if parent == last { bytes.number(0) }
          while parent < last {
            write(parent: graph.parents[parent], of: event, position, hasMore: parent + 1 < last, &writer, &bytes)
            parent += 1
          }
        }
        position += stop - event
        event = stop
        entry += 1
      }
    }
  }

  private func write(
    parent: Int, of event: Int, _ position: Int, hasMore: Bool, _ writer: inout TextWriter, _ bytes: inout TextWriter
  ) {
    let flag = hasMore ? 1 : 0
    let local = writer.position(of: parent)
    if local >= 0 {
      bytes.number((position - local) << 2 | flag)
      return
    }
    let run = agents.runs.lastIndex(atMost: parent)
    let number = agents.runNumbers[run] + parent - agents.runs[run]
    let own = agents.runs.lastIndex(atMost: event)
    if agents.runAgents[own] == agents.runAgents[run], agents.runNumbers[own] + event - agents.runs[own] == number + 1 {
      bytes.number((position + 1) << 2 | flag)
    } else {
      bytes.number(writer.place(of: agents.runAgents[run]) << 2 | 2 | flag)
      bytes.number(number)
    }
  }

  private func writeChanges(_ writer: TextWriter, _ bytes: inout TextWriter, _ text: inout [UInt8]) {
    var cursor = 0
    for range in stride(from: 0, to: writer.ranges.count, by: 2) {
      var pieces = TextPieces(operations, from: writer.ranges[range], to: writer.ranges[range + 1])
      while let piece = pieces.next(operations) {
        let isDeletion = piece.kind != TextKind.insert
        let hasLength = piece.length != 1
        let isBackward = piece.kind == TextKind.deleteBackward && hasLength
        let move = piece.place - (isBackward ? cursor - piece.length : cursor)
        var head = (hasLength ? 1 : 0) | (move != 0 ? 2 : 0) | (isDeletion ? 4 : 0)
        if isDeletion, hasLength { head |= isBackward ? 8 : 0 }
        let payload = hasLength ? piece.length : TextWriter.zigzag(move)
        bytes.wide(UInt64(payload) << (isDeletion && hasLength ? 4 : 3) | UInt64(head))
        if hasLength, move != 0 { bytes.signed(move) }
        if !isDeletion {
          let start = piece.byteStart - operations.hidden
          text.append(contentsOf: operations.text[start..<start + piece.byteCount])
        }
        cursor = isDeletion ? piece.place : piece.place + piece.length
      }
    }
  }
}

/// Writes numbers, and knows which events and agents a message holds.
struct TextWriter: Sendable {
  var bytes: [UInt8] = []
  /// Pairs (start, end) of events, ascending, and the place in the message of each pair's first event.
  let ranges: TextColumn
  private var positions = TextColumn()
  private(set) var total = 0
  /// The agents that the message names, and for each agent its place among them plus 1.
  private(set) var used = TextColumn()
  private var places = TextColumn()

  init(_ ranges: TextColumn = TextColumn(), _ agentCount: Int = 0) {
    self.ranges = ranges
    places.append(0, times: agentCount)
    for range in stride(from: 0, to: ranges.count, by: 2) {
      positions.append(total)
      total += ranges[range + 1] - ranges[range]
    }
  }

  mutating func place(of agent: Int) -> Int {
    if places[agent] == 0 {
      used.append(agent)
      places[agent] = used.count
    }
    return places[agent] - 1
  }

  /// The place of an event in the message; -1 when it is not there.
  func position(of event: Int) -> Int {
    var low = 0
    var high = positions.count
    while low < high {
      let middle = (low + high) >> 1
      if ranges[2 * middle] <= event { low = middle + 1 } else { high = middle }
    }
    if low == 0 || ranges[2 * low - 1] <= event { return -1 }
    return positions[low - 1] + event - ranges[2 * low - 2]
  }

  mutating func agent(_ id: Text, _ session: [Text]) {
    for number in 0..<session.count where session[number].utf8 == id.utf8 {
      self.number(number << 1 | 1)
      return
    }
    number(id.utf8.count << 1)
    bytes.append(contentsOf: id.utf8)
  }

  mutating func number(_ value: Int) { wide(UInt64(value)) }
  mutating func signed(_ value: Int) { number(TextWriter.zigzag(value)) }

  static func zigzag(_ value: Int) -> Int { value >= 0 ? value << 1 : (-1 - value) << 1 | 1 }

  @inline(never) mutating func wide(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: value))
  }
}
