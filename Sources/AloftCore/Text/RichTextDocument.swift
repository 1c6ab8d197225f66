// SPDX-License-Identifier: Apache-2.0
// A text with marks (bold, links, comments) that several people edit at once: typing and marking. Merging, bytes and spans are beside it.
//
// A mark is a key with a value between two anchors, which stand in the text as entities without width, so that the engine of the plain
// text orders them and nothing about marks is ever forgotten (the method of Loro). What people should see: Peritext (Litt et al., 2022).

/// A collaborative text with marks: a value, like `TextDocument`. Places are scalars of the text that people see.
public struct RichTextDocument: Sendable {
  var text = TextDocument()
  var marks = TextMarks()
  var anchors = TextAnchors()

  public init() {}

  /// For checks: see `TextDocument`.
  @_spi(Checks) public init(nodeSize: Int) { text = TextDocument(nodeSize: nodeSize) }
  @_spi(Checks) public mutating func forgetTracker() { text.forgetTracker() }

  /// The text without its marks, UTF-8. Costs a copy.
  public var utf8: [UInt8] {
    let bytes = text.utf8
    if anchors.count == 0 { return bytes }
    var result: [UInt8] = []
    result.reserveCapacity(byteCount)
    var start = 0
    while start < bytes.count {
      let end = TextAnchor.next(in: bytes, start, bytes.count)
      result.append(contentsOf: bytes[start..<end])
      start = end + 3
    }
    return result
  }
  /// Its length in Unicode scalars, in UTF-16 units, in bytes.
  public var count: Int { text.count - anchors.count }
  public var utf16Count: Int { text.utf16Count - anchors.count }
  public var byteCount: Int { text.byteCount - 3 * anchors.count }
  /// How many characters and anchors were ever inserted or deleted.
  public var eventCount: Int { text.eventCount }
  public var version: TextVersion { text.version }

  /// The place of a scalar in UTF-16 units, and the other way round; see `TextDocument`.
  public func utf16Offset(of scalar: Int) -> Int {
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

  /// Inserts UTF-8 before the scalar `place`. It gets the styles that marks ending there hand on, and none of marks that begin there.
  public mutating func insert(_ bytes: [UInt8], at place: Int, by agent: Text) throws(TextError) {
    if place < 0 || place > count { throw .outOfBounds }
    if TextAnchor.next(in: bytes, 0, bytes.count) < bytes.count { throw .reserved }
    try load()
    let before = text.count
    let slot = typingSlot(place)
    try text.insert(bytes, at: entity(slot, place), by: agent)
    anchors.insert(text.count - before, at: slot)
  }

  /// Deletes scalars from `place` on, and the marks of which nothing is left.
  public mutating func delete(_ length: Int, at place: Int, by agent: Text) throws(TextError) {
    if place < 0 || length < 0 || place > count || length > count - place { throw .outOfBounds }
    if length == 0 { return }
    try load()
    // The anchors inside may go with the text.
    var (first, group) = anchors.group(place)
    let inside = anchors.group(place + length).first.index - first.index
    if text.eventCount > TextDocument.eventsMax - length - 2 * inside - 2 * group { throw .tooLarge }
    first = anchors.group(place).first
    var slot = TextAnchors.Place(index: first.index + group, offset: group == 0 ? first.offset : 0)
    var left = length
    while left > 0 {
      let available = slot.index < anchors.count ? anchors.gaps[slot.index] - slot.offset : left
      let taken = min(left, available)
      if taken > 0 {
        try text.delete(taken, at: entity(slot, place), by: agent)
        _ = anchors.delete(taken, at: slot)
        left -= taken
      }
      slot = TextAnchors.Place(index: slot.index + 1, offset: 0)
    }
    try cleanUp(place, agent)
  }

  /// Puts a mark on a range. `value` nil takes the key away there. `grows`: text typed at the end of the range is in it, as with bold;
  /// links and comments do not grow. Comments that overlap need keys of their own, `comment:<id>`. Of two marks with one key on a
  /// character the later wins.
  public mutating func mark(
    _ key: Text, _ value: Text?, _ range: Range<Int>, grows: Bool, by agent: Text
  ) throws(TextError) {
    if range.lowerBound < 0 || range.upperBound > count { throw .outOfBounds }
    if range.isEmpty { return }
    if !TextMarks.isValid(key: key) || !TextMarks.isValid(value: value) { throw .badMark }
    if marks.keys.all.count == TextNames.countMax, marks.keys.find(key) < 0 { throw .tooLarge }
    if text.eventCount > TextDocument.eventsMax - 2 - 2 * anchors.count { throw .tooLarge }
    try load()
    let end = grows ? slot(range.upperBound) { $0 & 1 == 0 } : typingSlot(range.upperBound)
    let endEntity = entity(end, range.upperBound)
    let start = startSlot(range.lowerBound)
    let startEntity = entity(start, range.lowerBound)
    try text.insert(TextAnchor.startBytes, at: startEntity, by: agent)
    try text.insert(TextAnchor.endBytes, at: endEntity + 1, by: agent)
    let number = text.next(text.agents.find(agent)) - 2
    let mark = TextMark(
      author: marks.authors.add(agent), number: number, key: marks.keys.add(key), value: value, grows: grows, lamport: marks.nextLamport)
    let ref = marks.count << 1
    marks.append(mark, at: text.operations.byteCount - 6)
    anchors.insert(anchor: ref, at: anchors.locate(startEntity))
    anchors.insert(anchor: ref | 1, at: anchors.locate(endEntity + 1))
    try dropCovered(start.index, ref, agent)
  }

  /// Takes a key away from a range. Text typed at its end does not have it either.
  public mutating func unmark(_ key: Text, _ range: Range<Int>, by agent: Text) throws(TextError) {
    try mark(key, nil, range, grows: true, by: agent)
  }

  /// Reads the events of a document that was opened. Its marks must be those of the anchors in them.
  mutating func load() throws(TextError) {
    if text.sealed.isEmpty { return }
    var opened = text
    try opened.load()
    let bytes = opened.operations.text
    var (at, mark) = (0, 0)
    while true {
      at = TextAnchor.next(in: bytes, at, bytes.count)
      if at == bytes.count { break }
      if mark == marks.count || marks.offsets[mark] != at + opened.operations.hidden { throw .damaged }
      mark += 1
      at += 6
    }
    if mark < marks.count { throw .damaged }
    text = opened
  }

  // MARK: Places among anchors

  /// The entity of a slot that stands before the scalar `place`.
  func entity(_ slot: TextAnchors.Place, _ place: Int) -> Int { place + slot.index }

  /// The slot before the first anchor there for which something holds, else behind all of them.
  private mutating func slot(_ place: Int, _ isNext: (Int) -> Bool) -> TextAnchors.Place {
    let (first, count) = anchors.group(place)
    var index = 0
    while index < count, !isNext(anchors.refs[first.index + index]) { index += 1 }
    return TextAnchors.Place(index: first.index + index, offset: index == 0 ? first.offset : 0)
  }

  /// Where typed text goes: after the marks that end there and do not grow, before the first one that grows, and never into one that
  /// begins there. Otherwise a mark of which nothing is left could come back with what is typed in its place.
  ///
  /// Ends are put in this order as well: those that do not grow, those that grow, then what begins; among equals the new one outside,
  /// so that it covers older ones on the same range.
  private mutating func typingSlot(_ place: Int) -> TextAnchors.Place {
    let all = marks.all
    return slot(place) { $0 & 1 == 0 || all[$0 >> 1].grows }
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
    if count < 2 { return }
    try removePairs(first.index, first.index + count, agent) { _ in true }
  }

  /// Deletes older marks of the same key that lie wholly inside a new one: they can never win there.
  private mutating func dropCovered(_ start: Int, _ ref: Int, _ agent: Text) throws(TextError) {
    var end = start + 1
    while anchors.refs[end] != ref | 1 { end += 1 }
    let (all, key) = (marks.all, marks.all[ref >> 1].key)
    try removePairs(start + 1, end, agent) { all[$0].key == key }
  }

  /// Deletes the anchors between two where both of a mark are there, the start first, and the mark is wanted.
  private mutating func removePairs(_ from: Int, _ to: Int, _ agent: Text, _ isWanted: (Int) -> Bool) throws(TextError) {
    var pairs = TextColumn()
    for index in from..<to { pairs.append(anchors.refs[index]) }
    pairs.words.sort()
    var marked = TextColumn()
    var index = 0
    while index + 1 < pairs.count {
      if pairs[index] & 1 == 0, pairs[index + 1] == pairs[index] + 1, isWanted(pairs[index] >> 1) { marked.append(pairs[index] >> 1) }
      index += 1
    }
    if marked.isEmpty { return }
    var at = to - 1
    while at >= from {
      let mark = anchors.refs[at] >> 1
      let found = marked.lastIndex(atMost: mark)
      if found >= 0, marked[found] == mark {
        let entity = anchors.entity(of: at)
        try text.delete(1, at: entity, by: agent)
        _ = anchors.delete(1, at: anchors.locate(entity))
      }
      at -= 1
    }
  }
}
