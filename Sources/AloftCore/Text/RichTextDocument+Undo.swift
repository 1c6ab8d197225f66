// SPDX-License-Identifier: Apache-2.0
// What undo needs of a text with marks: edits that are noted with the way back, and such a way as an edit.

/// What edits did, noted while they are made.
struct TextTrail: Sendable {
  var isOn = false
  /// What an editor must change.
  var delta = TextDelta()
  /// The way back from each edit, in the order in which they were made.
  var backs: [TextStep] = []
}

extension RichTextDocument {
  /// Notes that something before an entity was deleted, or inserted, or with no units in either: an anchor, which nobody sees.
  @inline(never) mutating func note(
    _ entity: Int, deleted: Int = 0, _ gone: [UInt8] = [], _ deletedUnits: Int = 0, inserted: Int = 0, _ new: [UInt8] = [],
    _ insertedUnits: Int = 0
  ) {
    if !trail.isOn { return }
    trail.backs.append(TextStep(keeping: entity, inserting: deleted, gone, deleting: inserted))
    if deletedUnits + insertedUnits == 0 { return }
    let before = anchors.locate(entity).index
    let start = trail.delta.inserted.count
    trail.delta.inserted.append(contentsOf: new)
    trail.delta.add(
      TextChange(
        place: entity - before, deleted: deleted, placeUTF16: text.utf16Offset(of: entity) - before, deletedUTF16: deletedUnits,
        bytes: start..<trail.delta.inserted.count, inserted: inserted, insertedUTF16: insertedUnits))
  }

  /// Begins to note edits, until the trail is taken away.
  mutating func beginNoting() -> Look {
    trail.isOn = true
    return look()
  }

  /// The way back from the edits since then, and what they changed.
  func noted(since before: Look) -> (inverse: TextStep, delta: RichTextDelta) {
    (TextStep.joined(trail.backs.reversed()), styled(trail.delta, since: before))
  }

  /// Makes a change of text and anchors as an agent's edits. Marks that come back have the rank they had. False when one cannot, of
  /// which only one end is there; when it throws, nothing has changed.
  mutating func apply(_ step: TextStep, by agent: Text) throws(TextError) -> Bool {
    try load()
    var (needed, events, walk) = (0, 0, TextStep.Place(step))
    while !walk.isAtEnd {
      if walk.kind != TextStep.insert { needed += walk.left }
      if walk.kind != TextStep.keep { events += walk.left }
      _ = walk.take(walk.left, step)
    }
    // Checked before anything changes. From the first edit on nothing else can fail.
    if needed > text.count { throw .outOfBounds }
    if text.eventCount > TextDocument.eventsMax - events { throw .tooLarge }
    if marks.count > TextMarks.countMax - step.text.count(where: { $0 == TextStep.anchorByte }) { throw .tooLarge }
    // First the text; the ends of marks that come back are only remembered, each with its place in the text without them.
    var (refs, places) = (TextColumn(), TextColumn())
    var (place, byte) = (0, 0)
    walk = TextStep.Place(step)
    while !walk.isAtEnd {
      let kind = walk.kind
      let length = walk.take(walk.left, step)
      if kind == TextStep.keep {
        place += length
      } else if kind == TextStep.delete {
        try takeAll(length, from: place, keepsAnchors: false, by: agent)
      } else {
        let end = step.skip(length, from: byte)
        while byte < end {
          if step.text[byte] == TextStep.anchorByte {
            refs.append(TextStep.anchor(step.text, byte))
            places.append(place)
            byte += TextStep.anchorBytes
            continue
          }
          let start = byte
          while byte < end, step.text[byte] != TextStep.anchorByte { byte += 1 }
          let before = text.count
          try put(Array(step.text[start..<byte]), before: place, by: agent)
          place += text.count - before
        }
      }
    }
    return try putMarks(refs, places, agent)
  }

  /// Puts marks back, whose ends are listed in the order of the text.
  private mutating func putMarks(_ refs: TextColumn, _ places: TextColumn, _ agent: Text) throws(TextError) -> Bool {
    // Where the end of each mark is in the list, from 1 on.
    var ends = TextColumn()
    ends.append(0, times: marks.count)
    for index in 0..<refs.count where refs[index] & 1 == 1 { ends[refs[index] >> 1] = index + 1 }
    // How many starts are there again, and which ends.
    var (starts, done) = (0, TextColumn())
    for start in 0..<refs.count where refs[start] & 1 == 0 {
      let mark = marks.all[refs[start] >> 1]
      let end = ends[refs[start] >> 1] - 1
      if end < start { continue }
      let between = done.lastIndex(atMost: end) + 1
      try put(
        marks.keys.all[mark.key], mark.value, grows: mark.grows, mark.lamport,
        from: places[start] + starts + done.lastIndex(atMost: start) + 1, to: places[end] + starts + between, by: agent)
      done.insert(end, at: between)
      starts += 1
    }
    return 2 * starts == refs.count
  }
}
