// SPDX-License-Identifier: Apache-2.0
// Events as bytes: writes what somebody does not know yet, or the whole document. The format is described in TextEvents.swift.

extension TextDocument {
  /// Opens a saved document: nothing is replayed. Only for bytes of this replica's own storage, since the text in them is believed.
  public init(saved bytes: [UInt8]) throws(TextError) {
    self.init()
    let end = bytes.count - 4
    if end < 2 { throw .malformed }
    let sum = CRC32C.of(bytes, from: 0, to: end)
    for index in 0..<4 where bytes[end + index] != UInt8(truncatingIfNeeded: sum >> UInt32(8 * index)) { throw .damaged }
    let events = try TextEvents(Array(bytes[0..<end]), session: [])
    guard let text = events.text else { throw .malformed }
    var arrival = Arrival(0)
    try append(events, &arrival)
    operations = events.operations
    buffer = TextBuffer(text)
  }

  /// The whole document: every event and the text. Equal for equal logs.
  public func save() -> [UInt8] {
    var bytes = encode(ranges: TextColumn(graph.count == 0 ? [] : [0, graph.count]), session: [], isSaved: true)
    let sum = CRC32C.of(bytes, from: 0, to: bytes.count)
    for index in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: sum >> UInt32(8 * index))) }
    return bytes
  }

  /// The events that a version does not know, for `merge`. `session`: agents whose numbers both sides know, in this order, so that a
  /// message need not spell their ids; a keystroke then takes about 12 bytes. Costs the events plus the runs of the log.
  public func encode(since version: TextVersion = TextVersion(), session: [Text] = []) -> [UInt8] {
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
    return encode(ranges: ranges, session: session, isSaved: false)
  }

  /// Whether a version has events that are not known here.
  public func lacks(_ version: TextVersion) -> Bool {
    for index in 0..<version.agents.count {
      let agent = agents.find(version.agents[index])
      if version.next[index] > (agent < 0 ? 0 : next(agent)) { return true }
    }
    return false
  }

  private func encode(ranges: TextColumn, session: [Text], isSaved: Bool) -> [UInt8] {
    var writer = TextWriter(ranges, agents.ids.count)
    var numbers = TextWriter(TextColumn(), 0)
    var graphBytes = TextWriter(TextColumn(), 0)
    var changes = TextWriter(TextColumn(), 0)
    var text: [UInt8] = []
    let runs = writeNumbers(&writer, &numbers)
    writeGraph(&writer, &graphBytes)
    writeChanges(writer, &changes, &text)
    let isSingle = runs == 1 && writer.used.count == 1
    writer.number(0x10 | (isSingle ? 1 : 0) | (isSaved ? 2 : 0))
    writer.number(writer.total)
    if writer.total > 0 {
      if !isSingle { writer.number(writer.used.count) }
      for index in 0..<writer.used.count { writer.agent(agents.ids[writer.used[index]], session) }
      writer.bytes.append(contentsOf: numbers.bytes)
      writer.bytes.append(contentsOf: graphBytes.bytes)
      writer.bytes.append(contentsOf: changes.bytes)
      writer.bytes.append(contentsOf: text)
    }
    if isSaved {
      writer.number(byteCount)
      writer.bytes.append(contentsOf: utf8)
    }
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
      var event = writer.ranges[range]
      let end = writer.ranges[range + 1]
      var run = operations.starts.lastIndex(atMost: event)
      while event < end {
        let stop = min(end, operations.end(of: run))
        let piece = operations.piece(run, event, stop)
        let isDeletion = piece.kind != TextKind.insert
        let hasLength = piece.length != 1
        let isBackward = piece.kind == TextKind.deleteBackward && hasLength
        let move = piece.place - (isBackward ? cursor - piece.length : cursor)
        var head = (hasLength ? 1 : 0) | (move != 0 ? 2 : 0) | (isDeletion ? 4 : 0)
        if isDeletion, hasLength { head |= isBackward ? 8 : 0 }
        let payload = hasLength ? piece.length : TextWriter.zigzag(move)
        bytes.wide(UInt64(payload) << (isDeletion && hasLength ? 4 : 3) | UInt64(head))
        if hasLength, move != 0 { bytes.signed(move) }
        if !isDeletion { text.append(contentsOf: operations.text[piece.byteStart..<piece.byteStart + piece.byteCount]) }
        cursor = isDeletion ? piece.place : piece.place + piece.length
        event = stop
        run += 1
      }
    }
  }
}

/// Writes numbers, and knows which events and agents a message holds.
struct TextWriter {
  var bytes: [UInt8] = []
  /// Pairs (start, end) of events, ascending, and the place in the message of each pair's first event.
  let ranges: TextColumn
  private var positions = TextColumn()
  private(set) var total = 0
  /// The agents that the message names, and for each agent its place among them plus 1.
  private(set) var used = TextColumn()
  private var places = TextColumn()

  init(_ ranges: TextColumn, _ agentCount: Int) {
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
