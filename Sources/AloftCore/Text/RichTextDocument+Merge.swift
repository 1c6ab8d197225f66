// SPDX-License-Identifier: Apache-2.0
// Merging of text with marks: the engine below merges entities, and what it did is told in places that people see.

/// What a merge changed in a text with marks.
public struct RichTextDelta: Equatable, Sendable {
  /// The changes of the text, to be applied in order.
  public internal(set) var text: TextDelta
  /// Ranges of the text after all changes that hold all whose styles are others than before, ascending; inserted text counts as plain
  /// before. An editor asks `spans` for the styles.
  public internal(set) var restyled: [Range<Int>] = []
  /// The same with anchors, for `TextUndo`.
  var entities = TextStep()

  public init(text: TextDelta) { self.text = text }

  public var isEmpty: Bool { text.isEmpty && restyled.isEmpty }
}

extension RichTextDocument {
  /// Merges the events of a message, also of one from a plain text. Those that are known already change nothing. When it throws, the
  /// document is as before. Costs what the plain text does, and the marks of the document where styles may change.
  public mutating func merge(_ bytes: [UInt8], session: [Text] = []) throws(TextError) -> RichTextDelta {
    let message = try RichTextMessage(bytes, session: session, isPlain: isPlain)
    let before = look()
    var entities = TextStep()
    let changes = try absorb(message, &entities)
    var delta = styled(changes, since: before)
    delta.entities = entities
    return delta
  }

  /// The same without saying what changed.
  public mutating func absorb(_ bytes: [UInt8], session: [Text] = []) throws(TextError) {
    if isPlain { return try text.absorb(bytes, session: session) }
    var entities = TextStep()
    _ = try absorb(RichTextMessage(bytes, session: session), &entities)
  }

  /// What tells which styles a change made others.
  typealias Look = (anchors: TextAnchors, count: Int)

  func look() -> Look { (anchors, count) }

  /// A change of the text with the ranges that look another way since then.
  func styled(_ text: TextDelta, since before: Look) -> RichTextDelta {
    var delta = RichTextDelta(text: text)
    if anchors.count + before.anchors.count > 0 { delta.restyled = restyled(runs(before.anchors, before.count), TextStep(text)) }
    return delta
  }

  private mutating func absorb(_ message: RichTextMessage, _ step: inout TextStep) throws(TextError) -> TextDelta {
    text.settle()
    try load()
    let new = try newMarks(of: message)
    let logged = text.operations.byteCount
    var entities = TextDelta()
    try text.absorb(message.events, &entities, isRecording: true)
    // Nothing can fail from here on.
    add(new, of: message, from: logged)
    step = TextStep(entities)
    return follow(entities, arrivingAnchors())
  }

  // MARK: New marks

  /// The marks of a message that are not known yet.
  private func newMarks(of message: RichTextMessage) throws(TextError) -> TextColumn {
    var new = TextColumn()
    for index in 0..<message.marks.count {
      let mark = message.marks[index]
      let agent = text.agents.find(message.events.agents[mark.author])
      let next = agent < 0 ? 0 : text.agents.next[agent]
      if mark.number + 1 < next { continue }
      // Nobody sends half a mark, so half of it here is another event with the same name.
      if mark.number < next { throw .malformed }
      // An author cannot have seen more marks than came before this one.
      if mark.lamport > marks.count + new.count + 1 { throw .malformed }
      new.append(index)
    }
    if marks.count + new.count > TextMarks.countMax { throw .tooLarge }
    return new
  }

  /// Adds marks whose anchors are in the log by now, from a byte on, in the same order.
  private mutating func add(_ new: TextColumn, of message: RichTextMessage, from byte: Int) {
    let bytes = text.operations.text
    var at = byte - text.operations.hidden
    for index in 0..<new.count {
      at = TextAnchor.next(in: bytes, at, bytes.count)
      var mark = message.marks[new[index]]
      mark.author = marks.authors.add(message.events.agents[mark.author])
      mark.key = marks.keys.add(message.keys[mark.key])
      marks.append(mark, at: at + text.operations.hidden)
      at += 6
    }
  }

  /// The anchors in what the merge below inserted, in its order.
  private func arrivingAnchors() -> TextColumn {
    var refs = TextColumn()
    if marks.count == 0 { return refs }
    for piece in 0..<text.output.places.count where text.output.byteStarts[piece] != TextTracker.none {
      let start = text.output.byteStarts[piece]
      let end = start + text.output.byteCounts[piece]
      // The first mark whose end anchor is not before the piece.
      var mark = marks.offsets.lastIndex(atMost: max(start - 4, 0)) + (start >= 4 ? 1 : 0)
      mark = max(mark, 0)
      while mark < marks.count, marks.offsets[mark] < end {
        let offset = marks.offsets[mark]
        if offset >= start { refs.append(mark << 1) }
        if offset + 3 >= start, offset + 3 < end { refs.append(mark << 1 | 1) }
        mark += 1
      }
    }
    return refs
  }

  /// Makes changes of entities in the list of anchors, and gives them as people see them.
  private mutating func follow(_ entities: TextDelta, _ arriving: TextColumn) -> TextDelta {
    if anchors.count == 0, arriving.isEmpty { return entities }
    var delta = TextDelta()
    var next = 0
    for change in entities.changes {
      var slot = anchors.locate(change.place)
      let before = slot.index
      let removed = anchors.delete(change.deleted, at: slot)
      let start = delta.inserted.count
      var at = change.bytes.lowerBound
      var inserted = 0
      let first = next
      while at < change.bytes.upperBound {
        let end = TextAnchor.next(in: entities.inserted, at, change.bytes.upperBound)
        delta.inserted.append(contentsOf: entities.inserted[at..<end])
        let scalars = entities.inserted.withUnsafeBufferPointer { TextBuffer.measure($0, at, end).scalars }
        anchors.insert(scalars, at: slot)
        slot.offset += scalars
        inserted += scalars
        if end < change.bytes.upperBound {
          anchors.insert(anchor: arriving[next], at: slot)
          slot = TextAnchors.Place(index: slot.index + 1, offset: 0)
          next += 1
        }
        at = end + 3
      }
      if change.deleted == removed, inserted == 0 { continue }
      delta.add(
        TextChange(
          place: change.place - before, deleted: change.deleted - removed, placeUTF16: change.placeUTF16 - before,
          deletedUTF16: change.deletedUTF16 - removed, bytes: start..<delta.inserted.count, inserted: inserted,
          insertedUTF16: change.insertedUTF16 - (next - first)))
    }
    return delta
  }
}

/// A message for a text with marks, read: its events, and what the marks among them say.
struct RichTextMessage {
  /// A message with marks begins with version 1 and bit 3; the rest of the byte is 0.
  static let format: UInt8 = 0x18

  let events: TextEvents
  /// The author and the key of each are indexes of this message.
  private(set) var marks: [TextMark] = []
  private(set) var keys: [Text] = []

  /// - Parameter isPlain: for a text that takes no marks.
  init(_ bytes: [UInt8], session: [Text], isPlain: Bool = false) throws(TextError) {
    let isRich = !isPlain && bytes.first == RichTextMessage.format
    var reader = TextReader(bytes, isRich ? 1 : 0, bytes.count)
    let length = isRich ? try reader.count() : 0
    let (start, end) = (reader.offset, reader.offset + length)
    events = try TextEvents(TextReader(bytes, end, bytes.count), session: session)
    if isPlain { return }
    let pairs = try RichTextMessage.pairs(events)
    if !isRich, pairs.count > 0 { throw .reserved }
    if !isRich { return }
    if pairs.isEmpty { throw .malformed }
    // Named twice, an author could send a mark twice, of which the log takes one.
    var names = TextNames()
    for index in 0..<events.agents.count where names.add(events.agents[index]) < index { throw .malformed }
    reader = TextReader(bytes, start, end)
    var value: Text?
    for index in 0..<pairs.count {
      let run = events.runs.lastIndex(atMost: pairs[index])
      var mark = try reader.mark(&keys, &value)
      mark.author = events.runAgents[run]
      mark.number = events.runNumbers[run] + pairs[index] - events.runs[run]
      marks.append(mark)
    }
    if reader.offset != end { throw .malformed }
  }

  /// The events of all start anchors. Each must be followed by its end, typed by the same author right after it.
  private static func pairs(_ events: TextEvents) throws(TextError) -> TextColumn {
    var starts = TextColumn()
    let operations = events.operations
    // Text that is hidden is ASCII.
    if operations.hidden > 0 || operations.byteCount == operations.insertedCount { return starts }
    var open = -1
    for run in 0..<operations.starts.count where operations.kinds[run] == 0 {
      let end = operations.byteEnd(of: run)
      var at = operations.byteStarts[run]
      var event = operations.starts[run]
      while true {
        let anchor = TextAnchor.next(in: operations.text, at, end)
        if anchor == end { break }
        event += operations.text.withUnsafeBufferPointer { TextBuffer.measure($0, at, anchor).scalars }
        let isStart = operations.text[anchor + 2] == TextAnchor.startBytes[2]
        if isStart != (open < 0) { throw .malformed }
        if isStart {
          open = event
          starts.append(event)
        } else {
          if event != open + 1 || !events.isChain(open) { throw .malformed }
          open = -1
        }
        at = anchor + 3
        event += 1
      }
    }
    if open >= 0 { throw .malformed }
    return starts
  }
}

extension TextEvents {
  /// Whether the event after this one is by the same author, on top of it alone.
  fileprivate func isChain(_ event: Int) -> Bool {
    runs.lastIndex(atMost: event) == runs.lastIndex(atMost: event + 1) && starts.lastIndex(atMost: event) == starts.lastIndex(atMost: event + 1)
  }
}
