// SPDX-License-Identifier: Apache-2.0
// All events of a text with the places where they take effect, for a reader who trusts the writer: it merges nothing, however much was
// typed concurrently, and reads such a history like one that a single person typed.
//
//   placed   1 byte: version 1, bits 2 and 0; the rule that orders concurrent insertions: 1; how many bytes the places take; the places;
//            a message with all events (TextEvents.swift); a checksum of 8 bytes
//   places   runs of events until all are covered: length << 1 | isGone; how much further right than for its author each event takes
//            effect in the text with all events before it, as zigzag of the difference from the run before. A run that is gone, deletions
//            of what was deleted before, has no such number
//
// The places are a cache of what a merge finds. Wrong ones do no harm to memory, but lead to a text that nobody else has. So a peer's are
// never looked at: `merge` refuses them, and `merge(trusted:)` reads the events alone where the places are of no use.

enum TextPlaced {
  /// How a message with places begins.
  static let format: UInt8 = 0x15
  /// FugueMax, then the bytes of the agents' ids. Another order needs another number: the places of one are wrong for the other.
  static let rule = 1
}

extension TextDocument {
  /// All events with their places, for `merge(trusted:)`. Equal for equal logs. Costs a merge of the whole history, and its bytes about
  /// a tenth more than `encode` where much of it is concurrent.
  public func encodePlaced(isPacked: Bool = false) throws(TextError) -> [UInt8] {
    var document = self
    document.settle()
    try document.load()
    let places = try document.findPlaces()
    var writer = TextWriter()
    writer.bytes.append(TextPlaced.format)
    writer.number(TextPlaced.rule)
    writer.number(places.count)
    writer.bytes.append(contentsOf: places)
    writer.bytes.append(contentsOf: document.encode(isPacked: isPacked))
    TextDocument.seal(&writer.bytes)
    return writer.bytes
  }

  /// Merges what `encodePlaced` gave a writer that is trusted like this program: its own storage, its own server over a connection
  /// that nobody else can write to. Costs the events alone when this document is empty; else, or when the places follow a rule that is
  /// not known here, it is `merge`, which also takes messages without places. When it throws, the document is as before.
  public mutating func merge(trusted bytes: [UInt8]) throws(TextError) -> TextDelta {
    var delta = TextDelta()
    try absorb(trusted: bytes, &delta, isRecording: true)
    return delta
  }

  /// The same without saying what changed.
  public mutating func absorb(trusted bytes: [UInt8]) throws(TextError) {
    var delta = TextDelta()
    try absorb(trusted: bytes, &delta, isRecording: false)
  }

  private mutating func absorb(trusted bytes: [UInt8], _ delta: inout TextDelta, isRecording: Bool) throws(TextError) {
    defer { output.free() }
    if bytes.first != TextPlaced.format { return try absorb(TextEvents(bytes, session: []), &delta, isRecording: isRecording) }
    let end = bytes.count - 8
    if end < 4 { throw .malformed }
    if !TextDocument.isSealed(bytes, end) { throw .damaged }
    var reader = TextReader(bytes, 1, end)
    let rule = try reader.number()
    let length = try reader.count()
    var places = TextPlacesReader(TextReader(bytes, reader.offset, reader.offset + length))
    let events = try TextEvents(TextReader(bytes, reader.offset + length, end), session: [])
    if rule != TextPlaced.rule || eventCount > 0 { return try absorb(events, &delta, isRecording: isRecording) }
    var document = TextDocument()
    var arrival = Arrival(0)
    try document.append(events, &arrival)
    document.operations = events.operations
    try document.put(&places)
    document.commit(&delta, isRecording)
    self = document
  }

  /// Takes all events at their places.
  private mutating func put(_ places: inout TextPlacesReader) throws(TextError) {
    var (run, event, byte, length) = (0, 0, 0, 0)
    while event < operations.count {
      let (count, shift, isGone) = try places.next(atMost: operations.end(of: run) - event)
      let start = operations.starts[run]
      let end = operations.end(of: run)
      let kind = Int(operations.kinds[run])
      if kind == TextKind.insert {
        let place = operations.places[run] + event - start + shift
        if isGone || place < 0 || place > length { throw .outOfBounds }
        let byteEnd = event + count == end ? operations.byteEnd(of: run) : operations.skip(count, from: byte, in: run)
        output.insert(TextPiece(kind: 0, place: place, length: count, byteStart: byte, byteCount: byteEnd - byte), at: place)
        byte = byteEnd
        length += count
      } else if !isGone {
        let place = operations.places[run] + shift + (kind == TextKind.deleteBackward ? end - event - count : 0)
        if place < 0 || place > length - count { throw .outOfBounds }
        output.delete(count, at: place)
        length -= count
      }
      event += count
      if event == end { run += 1 }
    }
    if !places.isAtEnd { throw .malformed }
  }

  /// The places of all events, found by merging them once more in the order of the log.
  private mutating func findPlaces() throws(TextError) -> [UInt8] {
    var places = TextPlacesWriter()
    var (run, entry, event, length) = (0, 0, 0, 0)
    tracker.removeAll()
    startCounting()
    while event < graph.count {
      let stop = min(graph.end(of: entry), operations.end(of: run))
      try enter(event, stop, entry, length)
      let piece = operations.piece(run, event, stop)
      if piece.place > tracker.length - (piece.kind == TextKind.insert ? 0 : piece.length) { throw .outOfBounds }
      if piece.kind == TextKind.insert {
        places.append(piece.length, tracker.insert(event, piece.length, at: piece.place, &agents) - piece.place)
        length += piece.length
        event = stop
      }
      // The characters of a deletion may lie in several places by now.
      while event < stop {
        let isBackward = piece.kind == TextKind.deleteBackward
        let target = isBackward ? piece.place + stop - event - 1 : piece.place
        let (taken, place) = tracker.delete(event, stop - event, at: target, isBackward: isBackward)
        places.append(taken, place < 0 ? nil : place - (isBackward ? target - taken + 1 : target))
        length -= place < 0 ? 0 : taken
        event += taken
      }
      if event == operations.end(of: run) { run += 1 }
      if event == graph.end(of: entry) { entry += 1 }
    }
    return places.finish()
  }
}

/// Joins the places of events to runs.
private struct TextPlacesWriter {
  private var writer = TextWriter()
  private var count = 0
  private var shift: Int? = 0
  /// That of the last run that was not gone.
  private var written = 0

  /// `shift`: nil for what is gone.
  mutating func append(_ count: Int, _ shift: Int?) {
    if shift != self.shift { end() }
    self.shift = shift
    self.count += count
  }

  private mutating func end() {
    if count == 0 { return }
    writer.number(count << 1 | (shift == nil ? 1 : 0))
    if let shift {
      writer.signed(shift - written)
      written = shift
    }
    count = 0
  }

  mutating func finish() -> [UInt8] {
    end()
    return writer.bytes
  }
}

private struct TextPlacesReader {
  private var reader: TextReader
  private var left = 0
  private var isGone = false
  private var shift = 0

  init(_ reader: TextReader) { self.reader = reader }

  var isAtEnd: Bool { left == 0 && reader.offset == reader.end }

  /// How many events come next, at most so many, of one run.
  mutating func next(atMost most: Int) throws(TextError) -> (count: Int, shift: Int, isGone: Bool) {
    if left == 0 {
      let head = try reader.number()
      left = head >> 1
      isGone = head & 1 == 1
      if left == 0 { throw .malformed }
      if !isGone {
        let step = try reader.signed()
        // No place of a text is further away.
        if abs(step) > 2 * TextDocument.eventsMax || abs(shift + step) > TextDocument.eventsMax { throw .malformed }
        shift += step
      }
    }
    let count = min(left, most)
    left -= count
    return (count, shift, isGone)
  }
}
