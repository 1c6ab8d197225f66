// SPDX-License-Identifier: Apache-2.0
// Merging: events of others are appended to the log, their places transformed, and the result applied to the text.
//
// The tracker is kept between merges. Without that every message on a long-lived branch would replay the whole zone again.

extension TextDocument {
  /// Merges the events of a message. Those that are known already change nothing. Gives what an editor must change.
  ///
  /// When it throws, the document is as before. `session`: agents that the message names by number (see `encode`). Costs the events,
  /// times the logarithm of the concurrent history where they are concurrent; a message on top of everything costs nothing more than
  /// typing it.
  public mutating func merge(_ bytes: [UInt8], session: [Text] = []) throws(TextError) -> TextDelta {
    try absorb(bytes, session, isRecording: true)
  }

  /// The same without saying what changed: for servers, and for texts that nobody looks at.
  public mutating func absorb(_ bytes: [UInt8], session: [Text] = []) throws(TextError) {
    _ = try absorb(bytes, session, isRecording: false)
  }

  private mutating func absorb(_ bytes: [UInt8], _ session: [Text], isRecording: Bool) throws(TextError) -> TextDelta {
    defer { output.free() }
    var delta = TextDelta()
    try absorb(TextEvents(bytes, session: session), &delta, isRecording: isRecording)
    return delta
  }

  mutating func absorb(_ events: TextEvents, _ delta: inout TextDelta, isRecording: Bool) throws(TextError) {
    settle()
    try load()
    let first = graph.count
    let oldVersion = graph.version
    let oldAgents = agents.ids.count
    let mark = operations.mark
    do throws(TextError) {
      if first + events.operations.count > TextDocument.eventsMax { throw .tooLarge }
      output.removeAll()
      startCounting()
      var arrival = Arrival(first)
      try append(events, &arrival)
      if first == 0 { operations = events.operations } else { operations.indexText() }
      // What is deleted was inserted, and seldom twice; more would cost a lot for few bytes.
      if operations.count - operations.insertedCount > 4 * operations.insertedCount { throw .tooLarge }
      var length = buffer.count
      try apply(first, arrival.concurrentStart, &length)
      if arrival.concurrentStart < graph.count { try replay(arrival, &length) }
    } catch {
      tracker.removeAll()
      agents.truncate(to: first, agents: oldAgents, of: graph.count)
      graph.truncate(to: first, version: oldVersion)
      operations.truncate(to: mark)
      throw error
    }
    commit(&delta, isRecording)
  }

  /// From here on steps count for `checkSteps`.
  mutating func startCounting() {
    graph.frontier.steps = 0
    tracker.passed = 0
  }

  /// Throws when a merge has taken more steps than an honest history can. Long-lived branches that real people wrote take 0.8 for each
  /// event; branches made for it take as many as the square of the events, which is the price of replaying them.
  private func checkSteps() throws(TextError) {
    if graph.frontier.steps + tracker.passed > 1 << 22 + 16 * graph.count { throw .tooLarge }
  }

  // MARK: The log

  /// What was learned while events were appended: from which event on they are not simply on top of everything, the version before
  /// that one, and whether the tracker's base still is before all of them.
  struct Arrival {
    var concurrentStart: Int
    var versionBefore = TextColumn()
    var isBaseGood = true
    var hasConcurrent = false
    /// Whether some of the message's events were known, so that events do not have their places in it.
    var hasKnown = false
    let first: Int

    init(_ first: Int) {
      concurrentStart = first
      self.first = first
    }
  }

  mutating func append(_ events: TextEvents, _ arrival: inout Arrival) throws(TextError) {
    var local = TextColumn()
    for id in events.agents { local.append(try agents.add(id)) }
    let total = events.operations.count
    var position = 0
    var agentRun = 0
    var graphRun = 0
    var operationRun = 0
    var parents = TextColumn()
    while position < total {
      let agentEnd = agentRun + 1 < events.runs.count ? events.runs[agentRun + 1] : total
      let graphEnd = graphRun + 1 < events.starts.count ? events.starts[graphRun + 1] : total
      let end = min(agentEnd, graphEnd)
      let agent = local[events.runAgents[agentRun]]
      let number = events.runNumbers[agentRun] + position - events.runs[agentRun]
      let known = agents.next[agent] - number
      if known < 0 { throw .missingEvents }
      if known > 0 { arrival.hasKnown = true }
      if known < end - position {
        parents.removeAll()
        if known == 0, position == events.starts[graphRun] {
          try resolve(events, graphRun, local, arrival, &parents)
        } else {
          parents.append(event(of: position + known - 1, events, local, arrival))
        }
        append(events, position + known, end, agent, parents, &operationRun, &arrival)
      }
      position = end
      if end == agentEnd { agentRun += 1 }
      if end == graphEnd { graphRun += 1 }
    }
    if !arrival.hasConcurrent { arrival.concurrentStart = graph.count }
  }

  /// The event that a message's event, known by now, has here.
  private func event(of position: Int, _ events: TextEvents, _ local: TextColumn, _ arrival: Arrival) -> Int {
    if !arrival.hasKnown { return arrival.first + position }
    let run = events.runs.lastIndex(atMost: position)
    return agents.event(local[events.runAgents[run]], events.runNumbers[run] + position - events.runs[run])
  }

  private mutating func resolve(
    _ events: TextEvents, _ run: Int, _ local: TextColumn, _ arrival: Arrival, _ parents: inout TextColumn
  ) throws(TextError) {
    var index = events.parentStarts[run]
    let end = run + 1 < events.starts.count ? events.parentStarts[run + 1] : events.parentNumbers.count
    while index < end {
      let number = events.parentNumbers[index]
      if events.parentAgents[index] == TextTracker.none {
        parents.append(event(of: number, events, local, arrival))
      } else {
        let agent = local[events.parentAgents[index]]
        if number >= agents.next[agent] { throw .missingParents }
        parents.append(agents.event(agent, number))
      }
      index += 1
    }
    graph.keepDominators(of: &parents)
    try checkSteps()
  }

  private mutating func append(
    _ events: TextEvents, _ start: Int, _ end: Int, _ agent: Int, _ parents: TextColumn, _ operationRun: inout Int,
    _ arrival: inout Arrival
  ) {
    let event = graph.count
    let isOnTop = parents == graph.version
    if !isOnTop {
      if !arrival.hasConcurrent {
        arrival.hasConcurrent = true
        arrival.concurrentStart = event
        arrival.versionBefore = graph.version
      }
      if tracker.isLive, (parents.isEmpty || parents.last < tracker.origin), parents != tracker.base { arrival.isBaseGood = false }
    }
    agents.append(agent, end - start, at: event)
    if isOnTop { graph.append(end - start) } else { graph.append(end - start, on: parents) }
    // An empty document takes the whole log as it is.
    var at = arrival.first == 0 ? end : start
    while at < end {
      while events.operations.end(of: operationRun) <= at { operationRun += 1 }
      let stop = min(end, events.operations.end(of: operationRun))
      let piece = events.operations.piece(operationRun, at, stop)
      if piece.kind == TextKind.insert {
        let byteStart = operations.byteCount
        operations.text.append(contentsOf: events.operations.text[piece.byteStart..<piece.byteStart + piece.byteCount])
        operations.appendInsert(piece.place, piece.length, byteStart: byteStart)
      } else {
        operations.appendDelete(piece.kind, lowest: piece.place, piece.length, byteStart: operations.byteCount)
      }
      at = stop
    }
  }

  // MARK: Replay

  private mutating func replay(_ arrival: Arrival, _ length: inout Int) throws(TextError) {
    let start = arrival.concurrentStart
    if !(tracker.isLive && arrival.isBaseGood && !isTrackerTooLarge(start)) {
      // Few runs to replay from the start on are less work than looking for a base among many chains.
      let isShort = operations.starts.lastIndex(atMost: start) < (graph.starts.count - graph.entry(of: start)) / 4
      let base = isShort ? TextColumn() : graph.zone(arrival.versionBefore, graph.version).base
      let origin = base.isEmpty ? 0 : base.last + 1
      if !tracker.isLive || !arrival.isBaseGood || origin > tracker.origin {
        tracker.reset(at: base, origin: origin, length: TextTracker.placeholderLength)
      }
      tracker.noteSize()
    }
    // First what the text shows already, then what is new.
    if tracker.seen < start {
      var ignored = 0
      try walk(tracker.seen, start, &ignored, isOutput: false)
    }
    tracker.excess = tracker.endTotal - length
    try walk(start, graph.count, &length, isOutput: true)
  }

  /// Whether it may be better to start anew from a later base than to bring the tracker up to date.
  private func isTrackerTooLarge(_ start: Int) -> Bool {
    start - tracker.seen > 4_096 || tracker.byteCount > tracker.sizeMax
  }

  @inline(never) private mutating func walk(_ from: Int, _ to: Int, _ length: inout Int, isOutput: Bool) throws(TextError) {
    tracker.own()
    tracker.extendIndex(to: from)
    let rest = try walkInOrder(from, to, &length, isOutput)
    if rest < to { try walkPlanned(rest, to, &length, isOutput) }
    tracker.seen = to
  }

  /// Replays events in the order of the log while that moves the tracker little: short chains, which people who type at the same time
  /// make, cost less to replay than to plan. Gives the first event that is left.
  private mutating func walkInOrder(_ from: Int, _ to: Int, _ length: inout Int, _ isOutput: Bool) throws(TextError) -> Int {
    var entry = graph.entry(of: from)
    walker.findCritical(graph, from: entry)
    let chains = graph.entry(of: to - 1) - entry
    if chains > 0, operations.starts.count - operations.starts.lastIndex(atMost: from) > 4 * (chains + 1) { return from }
    var event = from
    tracker.moved = 0
    while event < to, tracker.moved <= 2 * (event - from) + 1_024 {
      let end = min(to, graph.end(of: entry))
      let criticalEnd = min(end, walker.criticalEnd(graph, entry))
      if isOutput, criticalEnd > event {
        try replayCritical(event, criticalEnd, &length)
        event = criticalEnd
      }
      if event < end { try visit(event, end, entry, &length, isOutput) }
      event = end
      entry += 1
    }
    return event
  }

  private mutating func walkPlanned(_ from: Int, _ to: Int, _ length: inout Int, _ isOutput: Bool) throws(TextError) {
    walker.plan(graph, from, to)
    var index = 0
    while index < walker.order.count {
      let node = walker.order[index]
      let start = walker.starts[node]
      let end = node + 1 < walker.starts.count ? walker.starts[node + 1] : to
      let entry = walker.entries[node]
      if isOutput, walker.criticalEnd(graph, entry) >= end {
        try replayCritical(start, end, &length)
      } else {
        try visit(start, end, entry, &length, isOutput)
      }
      index += 1
    }
  }

  private mutating func replayCritical(_ start: Int, _ end: Int, _ length: inout Int) throws(TextError) {
    if tracker.isLive { tracker.removeAll() }
    try apply(start, end, &length)
  }

  /// Replays a chain of events, of an entry of the graph, through the tracker.
  @inline(never) private mutating func visit(
    _ start: Int, _ end: Int, _ entry: Int, _ length: inout Int, _ isOutput: Bool
  ) throws(TextError) {
    try enter(start, end, entry, length)
    // Not through TextPieces, which costs a fifth of a replay here: chains are short.
    var run = operations.starts.lastIndex(atMost: start, near: walker.nearRun)
    var event = start
    while event < end {
      let stop = min(end, operations.end(of: run))
      let piece = operations.piece(run, event, stop)
      if piece.kind == TextKind.insert {
        if piece.place > tracker.length { throw .outOfBounds }
        let place = tracker.insert(event, piece.length, at: piece.place, &agents)
        if isOutput { output.insert(piece, at: place) }
        length += piece.length
      } else {
        try delete(event, piece, &length, isOutput)
      }
      event = stop
      run += 1
    }
    walker.nearRun = run
  }

  /// Moves the tracker to where a chain of events, of an entry of the graph, was typed.
  mutating func enter(_ start: Int, _ end: Int, _ entry: Int, _ length: Int) throws(TextError) {
    try checkSteps()
    if !tracker.isLive {
      let parents = graph.starts[entry] == start ? graph.parents(of: entry) : TextColumn(one: start - 1)
      tracker.reset(at: parents, origin: parents.isEmpty ? 0 : parents.last + 1, length: length)
    } else if !graph.stands(start, of: entry, on: tracker.prepare) {
      graph.diff(tracker.prepare, before: start, of: entry)
      tracker.move(graph.onlyA, -2)
      tracker.move(graph.onlyB, 2)
    }
    tracker.prepare.removeAll()
    tracker.prepare.append(end - 1)
    tracker.extendIndex(to: end)
  }

  private mutating func delete(_ first: Int, _ piece: TextPiece, _ length: inout Int, _ isOutput: Bool) throws(TextError) {
    if piece.place > tracker.length - piece.length { throw .outOfBounds }
    let isBackward = piece.kind == TextKind.deleteBackward
    var event = first
    var left = piece.length
    while left > 0 {
      let target = isBackward ? piece.place + left - 1 : piece.place
      let (taken, place) = tracker.delete(event, left, at: target, isBackward: isBackward)
      if place >= 0 {
        if isOutput { output.delete(taken, at: place) }
        length -= taken
      }
      event += taken
      left -= taken
    }
  }

  /// Takes events as they are: they were typed on exactly the text that their places will be applied to.
  @inline(never) private mutating func apply(_ start: Int, _ end: Int, _ length: inout Int) throws(TextError) {
    var pieces = TextPieces(operations, from: start, to: end)
    while let piece = pieces.next(operations) {
      if piece.kind == TextKind.insert {
        if piece.place > length { throw .outOfBounds }
        output.insert(piece, at: piece.place)
        length += piece.length
      } else {
        if piece.place > length - piece.length { throw .outOfBounds }
        output.delete(piece.length, at: piece.place)
        length -= piece.length
      }
    }
  }

  // MARK: The text

  /// Applies the output to the text. Nothing can fail from here on.
  mutating func commit(_ delta: inout TextDelta, _ isRecording: Bool) {
    var index = 0
    let count = output.places.count
    while index < count {
      let place = output.places[index]
      let length = output.lengths[index]
      let byteStart = output.byteStarts[index]
      let at = isRecording ? buffer.utf16Offset(of: place) : 0
      if byteStart == TextTracker.none {
        let units = buffer.delete(length, at: place)
        if isRecording {
          let end = delta.inserted.count
          delta.add(
            TextChange(place: place, deleted: length, placeUTF16: at, deletedUTF16: units, bytes: end..<end, inserted: 0, insertedUTF16: 0))
        }
      } else {
        let start = byteStart - operations.hidden
        let bytes = start..<start + output.byteCounts[index]
        let before = buffer.utf16Count
        operations.text.withUnsafeBufferPointer { buffer.insert(UnsafeBufferPointer(rebasing: $0[bytes]), length, at: place) }
        if isRecording {
          let start = delta.inserted.count
          delta.inserted.append(contentsOf: operations.text[bytes])
          delta.add(
            TextChange(
              place: place, deleted: 0, placeUTF16: at, deletedUTF16: 0, bytes: start..<delta.inserted.count, inserted: length,
              insertedUTF16: buffer.utf16Count - before))
        }
      }
      index += 1
    }
  }
}
