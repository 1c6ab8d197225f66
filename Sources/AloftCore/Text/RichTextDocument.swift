// SPDX-License-Identifier: Apache-2.0
// A text with marks (bold, links, comments) that several people edit at once: typing and marking. Merging, bytes and spans are beside it.
//
// A mark is a key with a value between two anchors, which stand in the text as entities without width, so that the engine of the plain
// text orders them and nothing about marks is ever forgotten (the method of Loro). What people should see: Peritext (Litt et al., 2022).

/// A collaborative text with marks: a value, like `TextDocument`. Places are scalars of the text that people see.
public struct RichTextDocument: Sendable {
  var text: TextDocument
  var marks = TextMarks()
  var anchors = TextAnchors()
  /// Takes no marks, and any scalar into its text: all its bytes are those of a `TextDocument`. So an editor has one kind of document.
  public let isPlain: Bool
  /// What edits do is noted here while somebody wants to know.
  var trail = TextTrail()

  public init() { self.init(isPlain: false) }
  public init(isPlain: Bool) { self.init(TextDocument(), isPlain: isPlain) }

  init(_ text: TextDocument, isPlain: Bool) {
    self.text = text
    self.isPlain = isPlain
  }

  /// For checks: see `TextDocument`.
  @_spi(Checks) public init(nodeSize: Int) { self.init(TextDocument(nodeSize: nodeSize), isPlain: false) }
  @_spi(Checks) public mutating func forgetTracker() { text.forgetTracker() }

  /// The text without its marks, UTF-8. Costs a copy.
  public var utf8: [UInt8] {
    let bytes = text.utf8
    return anchors.count == 0 ? bytes : TextAnchor.stripped(bytes)
  }
  /// Its length in Unicode scalars, in UTF-16 units, in bytes.
  public var count: Int { text.count - anchors.count }
  public var utf16Count: Int { text.utf16Count - anchors.count }
  public var byteCount: Int { text.byteCount - 3 * anchors.count }
  /// How many characters and anchors were ever inserted or deleted.
  public var eventCount: Int { text.eventCount }
  public var version: TextVersion { text.version }

  /// The place of a scalar in UTF-16 units, and the other way round; see `TextDocument`.
  @inline(never) public func utf16Offset(of scalar: Int) -> Int {
    let scalar = min(max(scalar, 0), count)
    var places = anchors
    let before = places.group(scalar).first.index
    return text.utf16Offset(of: scalar + before) - before
  }
  public func scalarOffset(ofUTF16 unit: Int) -> Int {
    var low = 0
    var high = count
    // The last scalar that begins at or before the unit.
    while low < high {
      let middle = (low + high + 1) >> 1
      if utf16Offset(of: middle) <= unit { low = middle } else { high = middle - 1 }
    }
    return low
  }

  /// The same for a unit near a scalar whose unit is known.
  func scalarOffset(ofUTF16 unit: Int, near scalar: Int, _ nearUnit: Int) -> Int {
    anchors.count == 0 ? text.buffer.scalarOffset(ofUTF16: unit, near: scalar, nearUnit) : scalarOffset(ofUTF16: unit)
  }

  /// Inserts UTF-8 before the scalar `place`. It gets the styles that marks ending there hand on, and none of marks that begin there.
  public mutating func insert(_ bytes: [UInt8], at place: Int, by agent: Text) throws(TextError) {
    if place < 0 || place > count { throw .outOfBounds }
    if isReserved(bytes) { throw .reserved }
    try load()
    try put(bytes, before: entity(typingSlot(place), place), by: agent)
  }

  /// Deletes scalars from `place` on, and the marks of which nothing is left.
  public mutating func delete(_ length: Int, at place: Int, by agent: Text) throws(TextError) {
    if place < 0 || length < 0 || place > count || length > count - place { throw .outOfBounds }
    if length == 0 { return }
    try load()
    // The anchors inside may go with the text.
    if text.eventCount > TextDocument.eventsMax - length - anchors.count { throw .tooLarge }
    let (first, group) = anchors.group(place)
    try takeAll(length, from: place + first.index + group, keepsAnchors: true, by: agent)
    try cleanUp(place, agent)
  }

  /// Replaces scalars by UTF-8, which gets the style of the first of them. When it throws, the document is as before.
  public mutating func replace(_ deleted: Int, at place: Int, with bytes: [UInt8], by agent: Text) throws(TextError) {
    if place < 0 || deleted < 0 || place > count || deleted > count - place { throw .outOfBounds }
    let length = bytes.withUnsafeBufferPointer { TextBuffer.measure($0, 0, bytes.count).scalars }
    if text.eventCount > TextDocument.eventsMax - length - deleted - 2 * anchors.count { throw .tooLarge }
    let kept = deleted > 0 && anchors.count > 0 ? 1 : 0
    // Text that is not right is refused here, before anything has changed.
    try insert(bytes, at: place + kept, by: agent)
    try delete(deleted - kept, at: place + kept + length, by: agent)
    try delete(kept, at: place, by: agent)
  }

  /// Puts a mark on a range. `value` nil takes the key away there. `grows`: text typed at the end of the range is in it, as with bold;
  /// links and comments do not grow. Comments that overlap need keys of their own, `comment:<id>`. Of two marks with one key on a
  /// character the later wins.
  public mutating func mark(
    _ key: Text, _ value: Text?, _ range: Range<Int>, grows: Bool, by agent: Text
  ) throws(TextError) {
    if range.lowerBound < 0 || range.upperBound > count { throw .outOfBounds }
    if range.isEmpty { return }
    if isPlain { throw .hasMarks }
    if !TextMarks.isKey(key) { throw .badMark }
    if let value, !TextMarks.isValue(value) { throw .badMark }
    if marks.count == TextMarks.countMax { throw .tooLarge }
    if text.eventCount > TextDocument.eventsMax - 2 - 2 * anchors.count { throw .tooLarge }
    try load()
    let end = typingSlot(range.upperBound, isLast: grows)
    let endEntity = entity(end, range.upperBound)
    let start = startSlot(range.lowerBound)
    let startEntity = entity(start, range.lowerBound)
    let ref = marks.count << 1
    try put(key, value, grows: grows, marks.nextLamport, from: startEntity, to: endEntity, by: agent)
    try dropCovered(start.index, ref, agent)
  }

  /// Takes a key away from a range. Text typed at its end does not have it either.
  public mutating func unmark(_ key: Text, _ range: Range<Int>, by agent: Text) throws(TextError) {
    try mark(key, nil, range, grows: true, by: agent)
  }

  /// Reads the events of a document that was opened. Its marks must be those of the anchors in them.
  mutating func load() throws(TextError) {
    if text.sealed.isEmpty { return }
    let sealed = text.sealed
    try text.load()
    if !areAnchorsMarks {
      text.sealed = sealed
      throw .damaged
    }
  }

  private var areAnchorsMarks: Bool {
    if isPlain { return true }
    let bytes = text.operations.text
    var (at, mark) = (0, 0)
    while true {
      at = TextAnchor.next(in: bytes, at, bytes.count)
      if at == bytes.count { break }
      if mark == marks.count || marks.offsets[mark] != at + text.operations.hidden { return false }
      mark += 1
      at += 6
    }
    return mark == marks.count
  }

  // MARK: Steps that everything is made of

  private func isReserved(_ bytes: [UInt8]) -> Bool { !isPlain && TextAnchor.next(in: bytes, 0, bytes.count) < bytes.count }

  /// Inserts text before an entity.
  mutating func put(_ bytes: [UInt8], before entity: Int, by agent: Text) throws(TextError) {
    if bytes.isEmpty { return }
    let (before, units) = (text.count, text.utf16Count)
    try text.insert(bytes, at: entity, by: agent)
    let length = text.count - before
    anchors.insert(length, at: anchors.locate(entity))
    note(entity, inserted: length, bytes, text.utf16Count - units)
  }

  /// Deletes entities: text without anchors in it, or one anchor.
  mutating func take(_ length: Int, from entity: Int, by agent: Text) throws(TextError) {
    let slot = anchors.locate(entity)
    let isAnchor = slot.index < anchors.count && anchors.gaps[slot.index] == slot.offset
    var bytes: [UInt8] = []
    if trail.isOn {
      if isAnchor { bytes = TextStep.bytes(ofAnchor: anchors.refs[slot.index]) } else { text.buffer.copy(length, from: entity, to: &bytes) }
    }
    let units = text.utf16Count
    try text.delete(length, at: entity, by: agent)
    _ = anchors.delete(length, at: slot)
    note(entity, deleted: length, bytes, isAnchor ? 0 : units - text.utf16Count)
  }

  /// Deletes so many entities, or so much text, past the anchors in it.
  mutating func takeAll(_ length: Int, from entity: Int, keepsAnchors: Bool, by agent: Text) throws(TextError) {
    var (entity, left) = (entity, length)
    while left > 0 {
      let slot = anchors.locate(entity)
      var taken = slot.index < anchors.count ? min(left, anchors.gaps[slot.index] - slot.offset) : left
      if taken == 0 {
        if keepsAnchors {
          entity += 1
          continue
        }
        taken = 1
      }
      try take(taken, from: entity, by: agent)
      left -= taken
    }
  }

  /// Puts the ends of a new mark before two entities.
  mutating func put(
    _ key: Text, _ value: Text?, grows: Bool, _ lamport: Int, from start: Int, to end: Int, by agent: Text
  ) throws(TextError) {
    try text.insert(TextAnchor.startBytes, at: start, by: agent)
    try text.insert(TextAnchor.endBytes, at: end + 1, by: agent)
    let number = text.next(text.agents.find(agent)) - 2
    let ref = marks.count << 1
    marks.append(
      TextMark(author: marks.authors.add(agent), number: number, key: marks.keys.add(key), value: value, grows: grows, lamport: lamport),
      at: text.operations.byteCount - 6)
    anchors.insert(anchor: ref, at: anchors.locate(start))
    anchors.insert(anchor: ref | 1, at: anchors.locate(end + 1))
    note(start, inserted: 1)
    note(end + 1, inserted: 1)
  }

  // MARK: Places among anchors

  /// The entity of a slot that stands before the scalar `place`.
  func entity(_ slot: TextAnchors.Place, _ place: Int) -> Int { place + slot.index }

  /// Where typed text goes: after the marks that end there and do not grow, before the first one that grows, and never into one that
  /// begins there. Otherwise a mark of which nothing is left could come back with what is typed in its place.
  ///
  /// Ends are put in this order as well: those that do not grow, those that grow, then what begins; among equals the new one outside,
  /// so that it covers older ones on the same range.
  /// - Parameter isLast: after all that end there.
  private mutating func typingSlot(_ place: Int, isLast: Bool = false) -> TextAnchors.Place {
    let (first, count) = anchors.group(place)
    var index = 0
    while index < count {
      let ref = anchors.refs[first.index + index]
      if ref & 1 == 0 || (!isLast && marks.all[ref >> 1].grows) { break }
      index += 1
    }
    return TextAnchors.Place(index: first.index + index, offset: index == 0 ? first.offset : 0)
  }

  /// Where a new mark begins: after the last that ends there.
  private mutating func startSlot(_ place: Int) -> TextAnchors.Place {
    let (first, count) = anchors.group(place)
    var index = count
    while index > 0, anchors.refs[first.index + index - 1] & 1 == 0 { index -= 1 }
    return TextAnchors.Place(index: first.index + index, offset: index == 0 ? first.offset : 0)
  }

  // MARK: Cleaning up

  /// Deletes the anchors of marks that have no text between them, at a place.
  private mutating func cleanUp(_ place: Int, _ agent: Text) throws(TextError) {
    let (first, count) = anchors.group(place)
    if count > 1 { try removePairs(first.index, first.index + count, key: -1, agent) }
  }

  /// Deletes older marks of the same key that lie wholly inside a new one: they can never win there.
  private mutating func dropCovered(_ start: Int, _ ref: Int, _ agent: Text) throws(TextError) {
    var end = start + 1
    while anchors.refs[end] != ref | 1 { end += 1 }
    try removePairs(start + 1, end, key: marks.all[ref >> 1].key, agent)
  }

  /// Deletes the anchors between two where both of a mark are there, the start first, and the key is the one given, if any.
  private mutating func removePairs(_ from: Int, _ to: Int, key: Int, _ agent: Text) throws(TextError) {
    // 1: its start is there, 2: its end behind that, too.
    var seen = TextColumn()
    seen.append(0, times: marks.count)
    for index in from..<to {
      let mark = anchors.refs[index] >> 1
      if anchors.refs[index] & 1 == 0 {
        if key < 0 || marks.all[mark].key == key { seen[mark] = 1 }
      } else if seen[mark] == 1 {
        seen[mark] = 2
      }
    }
    var at = to - 1
    while at >= from {
      if seen[anchors.refs[at] >> 1] == 2 { try take(1, from: anchors.entity(of: at), by: agent) }
      at -= 1
    }
  }
}
