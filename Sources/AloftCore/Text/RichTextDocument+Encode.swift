// SPDX-License-Identifier: Apache-2.0
// Text with marks as bytes. A message without any mark is that of the plain text, byte for byte.
//
//   message   1 byte: version 1 in the high half, bit 3; how many bytes the marks take; the marks, one for each pair of anchors in the
//             order of events; then the message of the plain text, whose anchors are U+FDD0 and U+FDD1
//   mark      key << 3 | value << 1 | grows; the key counts those of this message, a new one follows: length, bytes
//             value 0: none, 1: that of the mark before that had one, 2: it follows: length, bytes
//             then the lamport number
//   document  1 byte: version 1, bits 3 and 2; the length of the words and the words, without anchors; authors (how many; length, bytes);
//             marks (how many; each as in a message, author, number, offset less that of the one before); anchors in the order of the
//             text (how many; mark << 1 | isEnd, the scalars between it and the one before); then all events and the checksum, as in
//             the document of a plain text. The first byte alone is the empty document

extension RichTextDocument {
  /// How a saved document begins.
  static let savedFormat: UInt8 = 0x1C

  /// The events that a version does not know, for `merge`; see `TextDocument`.
  public func encode(since version: TextVersion = TextVersion(), session: [Text] = [], isPacked: Bool = false) -> [UInt8] {
    var version = version
    // For each author of marks where the version tells of it, plus 1.
    var places = TextColumn()
    places.append(0, times: marks.authors.all.count)
    for index in 0..<version.agents.count {
      let author = marks.authors.find(version.agents[index])
      if author >= 0 { places[author] = index + 1 }
    }
    var bytes = TextWriter()
    var table = KeyTable(marks.keys.all.count)
    for mark in marks.all {
      let place = places[mark.author] - 1
      if place >= 0 {
        if mark.number + 1 < version.next[place] { continue }
        // The two events of a mark stay together, whatever is asked for.
        if mark.number + 1 == version.next[place] { version.next[place] = mark.number }
      }
      bytes.mark(mark, marks.keys, &table)
    }
    let message = text.encode(since: version, session: session, isPacked: isPacked)
    if bytes.bytes.isEmpty { return message }
    var writer = TextWriter()
    writer.bytes.append(RichTextMessage.format)
    writer.number(bytes.bytes.count)
    writer.bytes.append(contentsOf: bytes.bytes)
    writer.bytes.append(contentsOf: message)
    return writer.bytes
  }

  /// The whole document: see `TextDocument`.
  public mutating func save() -> [UInt8] { save(isQuick: false) }

  mutating func save(isQuick: Bool) -> [UInt8] {
    if isPlain { return text.save(isQuick: isQuick) }
    var part = TextWriter()
    part.number(marks.authors.all.count)
    for author in marks.authors.all { part.text(author) }
    part.number(marks.count)
    var table = KeyTable(marks.keys.all.count)
    var offset = 0
    for index in 0..<marks.count {
      let mark = marks.all[index]
      part.mark(mark, marks.keys, &table)
      part.number(mark.author)
      part.number(mark.number)
      part.number(marks.offsets[index] - offset)
      offset = marks.offsets[index]
    }
    part.number(anchors.count)
    for index in 0..<anchors.count {
      part.number(anchors.refs[index])
      part.number(anchors.gaps[index])
    }
    return text.save(RichTextDocument.savedFormat, words: utf8, part.bytes, isQuick: isQuick)
  }

  /// Opens a saved document, also that of a plain text, which stays plain: see `TextDocument`. No bytes are the empty plain text.
  public init(saved bytes: [UInt8]) throws(TextError) {
    let isPlain = bytes.first != RichTextDocument.savedFormat
    self.init(isPlain && !bytes.isEmpty ? try TextDocument(saved: bytes) : TextDocument(), isPlain: isPlain)
    if !isPlain, bytes.count > 1 { try read(bytes) }
  }

  private mutating func read(_ bytes: [UInt8]) throws(TextError) {
    var reader = TextReader(bytes, 0, 0)
    let words = try TextDocument.words(of: bytes, RichTextDocument.savedFormat, &reader)
    if TextAnchor.next(in: bytes, words.lowerBound, words.upperBound) < words.upperBound { throw .reserved }
    try readMarks(&reader)
    let entities = try readAnchors(&reader, bytes, words)
    try text.open(bytes, entities, reader)
  }

  private mutating func readMarks(_ reader: inout TextReader) throws(TextError) {
    let authorCount = try reader.count()
    for index in 0..<authorCount {
      let author = try reader.text(64)
      if author.utf8.isEmpty || marks.authors.add(author) != index { throw .malformed }
    }
    var keys: [Text] = []
    var value: Text?
    var offset = 0
    let count = try reader.count()
    if count > TextMarks.countMax { throw .tooLarge }
    for _ in 0..<count {
      var mark = try reader.mark(&keys, &value)
      mark.author = try reader.number()
      mark.number = try reader.number()
      let step = try reader.number()
      if mark.author >= authorCount || mark.number > TextDocument.eventsMax || step > 0x7FFF_FFFF - 6 - offset { throw .malformed }
      offset += step
      mark.key = marks.keys.add(keys[mark.key])
      marks.append(mark, at: offset)
    }
  }

  /// Reads where the anchors stand between the words. Gives the text with them.
  private mutating func readAnchors(_ reader: inout TextReader, _ bytes: [UInt8], _ words: Range<Int>) throws(TextError) -> [UInt8] {
    let count = try reader.count()
    var seen = TextColumn()
    seen.append(0, times: 2 * marks.count)
    var entities: [UInt8] = []
    entities.reserveCapacity(words.count + 3 * count)
    var at = words.lowerBound
    for _ in 0..<count {
      let (ref, gap) = (try reader.number(), try reader.number())
      if ref >= seen.count || seen[ref] == 1 || gap > words.upperBound - at { throw .malformed }
      seen[ref] = 1
      let end = bytes.withUnsafeBufferPointer { TextBuffer.skip(UnsafeBufferPointer(rebasing: $0[..<words.upperBound]), gap, from: at) }
      if bytes.withUnsafeBufferPointer({ TextBuffer.measure($0, at, end).scalars }) != gap { throw .malformed }
      entities.append(contentsOf: bytes[at..<end])
      entities.append(contentsOf: ref & 1 == 0 ? TextAnchor.startBytes : TextAnchor.endBytes)
      anchors.append(ref, after: gap)
      at = end
    }
    entities.append(contentsOf: bytes[at..<words.upperBound])
    return entities
  }
}

/// For each key of a document its number in a message plus 1, and the value of the last mark that had one.
private struct KeyTable {
  var numbers = TextColumn()
  var count = 0
  var value: Text?

  init(_ keyCount: Int) { numbers.append(0, times: keyCount) }
}

extension TextWriter {
  fileprivate mutating func mark(_ mark: TextMark, _ keys: TextNames, _ table: inout KeyTable) {
    let isNew = table.numbers[mark.key] == 0
    if isNew {
      table.count += 1
      table.numbers[mark.key] = table.count
    }
    var kind = 0
    if let value = mark.value { kind = table.value?.utf8 == value.utf8 ? 1 : 2 }
    number((table.numbers[mark.key] - 1) << 3 | kind << 1 | (mark.grows ? 1 : 0))
    if isNew { text(keys.all[mark.key]) }
    if kind == 2, let value = mark.value {
      text(value)
      table.value = value
    }
    number(mark.lamport)
  }

  mutating func text(_ text: Text) {
    number(text.utf8.count)
    bytes.append(contentsOf: text.utf8)
  }
}

extension TextReader {
  /// A mark without author and number. `keys`: those of the message so far; `value`: that of the last mark that had one.
  mutating func mark(_ keys: inout [Text], _ value: inout Text?) throws(TextError) -> TextMark {
    let head = try number()
    let key = head >> 3
    if key > keys.count { throw .malformed }
    if key == keys.count {
      let name = try text(TextMarks.keyBytesMax)
      if keys.count == TextNames.countMax { throw .tooLarge }
      if !TextMarks.isKey(name) { throw .badMark }
      keys.append(name)
    }
    let kind = head >> 1 & 3
    if kind == 2 { value = try text(TextMarks.valueBytesMax) }
    if kind == 3 || (kind == 1 && value == nil) { throw .malformed }
    if kind == 2, let value, !TextMarks.isValue(value) { throw .badMark }
    let lamport = try number()
    if lamport == 0 || lamport > TextDocument.eventsMax { throw .malformed }
    return TextMark(author: 0, number: 0, key: key, value: kind == 0 ? nil : value, grows: head & 1 == 1, lamport: lamport)
  }

  /// Bytes with their length before them; longer than `most` is a bad mark.
  mutating func text(_ most: Int) throws(TextError) -> Text {
    let length = try count()
    if length > most { throw .badMark }
    offset += length
    return Text(utf8: Array(bytes[offset - length..<offset]))
  }
}
