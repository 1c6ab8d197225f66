// SPDX-License-Identifier: Apache-2.0
// Events as bytes: reads a message, which may be hostile, into runs whose shape is right. What they stand on is checked by the merge.
//
//   format   1 byte: version 1 in the high half; bit 0: one agent with one run of numbers; bit 1: the text is packed
//   events   how many; nothing follows when 0
//   agents   how many (left out with bit 0), each: length << 1, then the id; or number in the session << 1 | 1
//   numbers  runs until all events are covered: agent << 1 | goes on, the length if it goes on (the last run has none),
//            then the first number, as zigzag of the difference from what follows that agent's run before, never negative
//   graph    runs until all are covered: length (0: all the rest), then parents: value << 2 | foreign << 1 | more
//            here: how far back from the run's first event, 0: none (the empty text); one further than the message's first event
//            is the author's own event before. foreign: agent, then the number of the event
//   changes  runs until all are covered: payload << 3 or 4 | isBackward << 3 (deletions with a length) | isDeletion << 2 | isMoved << 1 |
//            hasLength; the payload is the length, else the zigzag move, which follows on its own when there are both
//   text     the inserted scalars, UTF-8; packed: how many bytes, then as in TextPacker.swift
//
// A saved document is one byte (version 1, bit 2), the length of the text as it is and the text, all events as a message with packed
// text, and a checksum of 8 bytes.
//
// Numbers are LEB128. A cursor says where a change is expected: behind an insertion, at the lowest place of a deletion.

/// A message's events, numbered from 0 in its order.
struct TextEvents {
  var agents: [Text] = []
  var runs = TextColumn()
  var runAgents = TextColumn()
  var runNumbers = TextColumn()
  var starts = TextColumn()
  var parentStarts = TextColumn()
  /// The agent of a parent outside the message, with its number; or none, with the event in the message.
  var parentAgents = TextColumn()
  var parentNumbers = TextColumn()
  var operations = TextOperations()
  /// Where packed text begins, and where its last whole block ends.
  var packed = 0..<0

  init(_ bytes: [UInt8], session: [Text]) throws(TextError) {
    try self.init(TextReader(bytes, 0, bytes.count), session: session)
  }

  /// `hides`: packed text that is ASCII stays packed.
  init(_ source: TextReader, session: [Text], hides: Bool = false) throws(TextError) {
    var reader = source
    let (format, count) = try reader.head()
    if count > 0 {
      try readAgents(&reader, format & 1 == 1 ? 1 : try reader.count(), session)
      try readNumbers(&reader, count)
      try readGraph(&reader, count)
      try readChanges(&reader, count)
      try readText(&reader, isPacked: format & 2 != 0, hides)
    }
    if reader.offset != reader.end { throw .malformed }
  }

  private mutating func readAgents(_ reader: inout TextReader, _ count: Int, _ session: [Text]) throws(TextError) {
    if count > TextAgents.countMax { throw .tooLarge }
    for _ in 0..<count {
      let reference = try reader.number()
      if reference & 1 == 1 {
        if reference >> 1 >= session.count { throw .unknownAgent }
        agents.append(session[reference >> 1])
      } else {
        let length = reference >> 1
        if length == 0 || length > 64 { throw .badAgent }
        if length > reader.end - reader.offset { throw .malformed }
        agents.append(Text(utf8: Array(reader.bytes[reader.offset..<reader.offset + length])))
        reader.offset += length
      }
    }
  }

  private mutating func readNumbers(_ reader: inout TextReader, _ count: Int) throws(TextError) {
    var next = TextColumn()
    next.append(0, times: agents.count)
    var position = 0
    while position < count {
      let head = try reader.number()
      let agent = head >> 1
      if agent >= agents.count { throw .malformed }
      let length = head & 1 == 1 ? try reader.number() : count - position
      if length == 0 || length > count - position { throw .malformed }
      let number = next[agent] + (try reader.signed())
      // An agent's numbers ascend.
      if number < next[agent] || number > TextDocument.eventsMax - length { throw .malformed }
      next[agent] = number + length
      runs.append(position)
      runAgents.append(agent)
      runNumbers.append(number)
      position += length
    }
  }

  private mutating func readGraph(_ reader: inout TextReader, _ count: Int) throws(TextError) {
    var position = 0
    while position < count {
      var length = try reader.number()
      if length == 0 { length = count - position }
      if length > count - position { throw .malformed }
      starts.append(position)
      parentStarts.append(parentNumbers.count)
      var hasMore = true
      while hasMore {
        let head = try reader.number()
        hasMore = head & 1 == 1
        let value = head >> 2
        if head & 2 == 2 {
          if value >= agents.count { throw .malformed }
          parentAgents.append(value)
          parentNumbers.append(try reader.number())
        } else if value > position {
          // The author's own event before its first one here.
          let run = runs.lastIndex(atMost: position)
          let number = runNumbers[run] + position - runs[run]
          if value != position + 1 || number == 0 { throw .malformed }
          parentAgents.append(runAgents[run])
          parentNumbers.append(number - 1)
        } else if value > 0 {
          parentAgents.append(TextTracker.none)
          parentNumbers.append(position - value)
        } else if hasMore || parentNumbers.count > parentStarts.last {
          throw .malformed
        }
      }
      position += length
    }
  }

  private mutating func readChanges(_ reader: inout TextReader, _ count: Int) throws(TextError) {
    var cursor = 0
    var position = 0
    while position < count {
      let head = try reader.number()
      let hasLength = head & 1 == 1
      let isDeletion = head & 4 == 4
      let isBackward = isDeletion && hasLength && head & 8 == 8
      let payload = isDeletion && hasLength ? head >> 4 : head >> 3
      let length = hasLength ? payload : 1
      if length == 0 || length > count - position { throw .malformed }
      var place = isBackward ? cursor - length : cursor
      if head & 2 == 2 { place += hasLength ? try reader.signed() : TextReader.zigzag(payload) }
      if place < 0 || place >= TextDocument.eventsMax - length { throw .outOfBounds }
      if isDeletion {
        operations.appendDelete(isBackward ? TextKind.deleteBackward : TextKind.deleteForward, lowest: place, length,
          byteStart: operations.insertedCount)
        cursor = place
      } else {
        // The text comes last: for now its offset counts scalars.
        operations.appendInsert(place, length, byteStart: operations.insertedCount)
        cursor = place + length
      }
      position += length
    }
  }

  private mutating func readText(_ reader: inout TextReader, isPacked: Bool, _ hides: Bool) throws(TextError) {
    let start = reader.offset
    let scalars = operations.insertedCount
    if isPacked {
      let count = try reader.number()
      if count < scalars || count > 4 * scalars { throw .malformed }
      let first = reader.offset
      var full = first
      let isHidden = hides && count == scalars
      operations.text = try TextPacker.unpack(&reader, count, &full, isHidden)
      packed = first..<full
      if isHidden {
        operations.hidden = count
        return
      }
    } else {
      if scalars > reader.end - start { throw .malformed }
      var end = start
      if scalars > 0 {
        // What follows may look like more bytes of the last scalar, so its first byte decides.
        end = reader.bytes.withUnsafeBufferPointer { TextBuffer.skip($0, scalars - 1, from: start) }
        if end >= reader.end { throw .malformed }
        let first = reader.bytes[end]
        end += first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        if end > reader.end { throw .malformed }
      }
      operations.text = Array(reader.bytes[start..<end])
      reader.offset = end
    }
    if !Text.isValidUTF8(operations.text, from: 0, to: operations.text.count) { throw .notUTF8 }
    // As many bytes as scalars are no proof of ASCII yet: packed text comes with its own count of bytes.
    let found = operations.text.withUnsafeBufferPointer { TextBuffer.measure($0, 0, $0.count).scalars }
    if found != scalars { throw .malformed }
    if operations.text.count == scalars { return }
    var offset = 0
    var passed = 0
    for run in 0..<operations.starts.count {
      let target = operations.byteStarts[run]
      offset = operations.text.withUnsafeBufferPointer { TextBuffer.skip($0, target - passed, from: offset) }
      passed = target
      operations.byteStarts[run] = offset
    }
    operations.indexText()
  }
}

/// Reads numbers from bytes.
struct TextReader {
  let bytes: [UInt8]
  var offset: Int
  let end: Int

  init(_ bytes: [UInt8], _ offset: Int, _ end: Int) {
    self.bytes = bytes
    self.offset = offset
    self.end = end
  }

  /// The format and the number of events with which a message begins.
  mutating func head() throws(TextError) -> (format: Int, count: Int) {
    let format = try number()
    if format >> 4 == 1, format & 8 != 0 { throw .hasMarks }
    if format == TextPlaced.format { throw .hasPlaces }
    if format >> 4 != 1 || format & 0xC != 0 { throw .unknownFormat }
    let count = try number()
    if count > TextDocument.eventsMax { throw .tooLarge }
    return (format, count)
  }

  /// A LEB128 number below 2^31.
  @inline(__always) mutating func number() throws(TextError) -> Int {
    if offset < end, bytes[offset] < 0x80 {
      offset += 1
      return Int(bytes[offset - 1])
    }
    return try longNumber()
  }

  @inline(never) private mutating func longNumber() throws(TextError) -> Int {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while offset < end, shift < 35 {
      let byte = bytes[offset]
      offset += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 {
        if value > 0x7FFF_FFFF || (byte == 0 && shift > 0) { throw .malformed }
        return Int(truncatingIfNeeded: value)
      }
      shift += 7
    }
    throw .malformed
  }

  /// A number of things of which each takes at least a byte.
  mutating func count() throws(TextError) -> Int {
    let value = try number()
    if value > end - offset { throw .malformed }
    return value
  }

  mutating func signed() throws(TextError) -> Int { TextReader.zigzag(try number()) }

  @inline(__always) static func zigzag(_ value: Int) -> Int { value & 1 == 0 ? value >> 1 : -1 - (value >> 1) }
}
