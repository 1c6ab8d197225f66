// SPDX-License-Identifier: Apache-2.0
// Undo and redo of one person's own edits while others edit the same text.
//
//   others' changes ─▶ ┌───────────┐ moved past ┌───────────┐ moved past
//                      │ undo last │ ─────────▶ │ undo next │ ─────────▶ …     each step is written for the text as it
//                      └───────────┘            └───────────┘                  will be when the steps above it are undone
//
// Undoing is an edit like any other: it takes away what is left of the text that was inserted, puts the deleted text back where it
// was, and leaves alone what others wrote, also inside.

/// What one person can undo and redo in a text. It must hear of every change of the text: own edits go through it, merges are told.
public struct TextUndo: Sendable {
  /// The newest last. The ways back to what was, and from there forward again.
  private var undos: [TextStep] = []
  private var redos: [TextStep] = []
  /// Whether the next edit belongs to the newest group.
  private var isOpen = false
  private let groupsMax: Int
  private let bytesMax: Int
  private var spareA = TextStep()
  private var spareB = TextStep()

  /// The oldest groups are forgotten beyond so many, and when all need more memory than `bytesMax`, most of which is deleted text.
  public init(groupsMax: Int = 200, bytesMax: Int = 4_000_000) {
    self.groupsMax = groupsMax
    self.bytesMax = bytesMax
  }

  public var canUndo: Bool { !undos.isEmpty }
  public var canRedo: Bool { !redos.isEmpty }

  /// About how many bytes of memory it holds.
  public var memoryBytes: Int {
    var sum = 0
    for step in undos { sum += step.byteCount }
    for step in redos { sum += step.byteCount }
    return sum
  }

  /// Ends a group: what is typed next is undone on its own. For when a person pauses, moves the cursor, pastes.
  public mutating func endGroup() { isOpen = false }

  /// Makes an edit: `deleted` scalars from `place` on are replaced by UTF-8. What was undone before can no longer be redone. Gives
  /// what changed. Costs the edit and the size of its group.
  public mutating func replace(
    _ deleted: Int, at place: Int, with text: [UInt8], by agent: Text, in document: inout TextDocument
  ) throws(TextError) -> TextDelta {
    if place < 0 || deleted < 0 || place > document.count || deleted > document.count - place { throw .outOfBounds }
    if !Text.isValidUTF8(text, from: 0, to: text.count) { throw .notUTF8 }
    let length = text.withUnsafeBufferPointer { TextBuffer.measure($0, 0, text.count).scalars }
    if length > TextDocument.eventsMax { throw .tooLarge }
    if length + deleted == 0 { return TextDelta() }
    let step = TextStep(keeping: place, inserting: length, text, deleting: deleted)
    let (inverse, delta) = try document.apply(step, by: agent)
    redos.removeAll()
    if isOpen, let last = undos.popLast() { undos.append(inverse.joined(with: last)) } else { undos.append(inverse) }
    isOpen = true
    bound()
    return delta
  }

  /// Tells what a merge changed, or anything else that this person does not undo. Costs the groups and, for each, the changes.
  public mutating func merged(_ delta: TextDelta) {
    if delta.isEmpty || (undos.isEmpty && redos.isEmpty) { return }
    let step = TextStep(delta)
    TextUndo.pass(step, &undos, &spareA, &spareB)
    TextUndo.pass(step, &redos, &spareA, &spareB)
    bound()
  }

  /// Takes the newest group of edits back. Gives what changed; nothing when there is nothing to undo.
  public mutating func undo(in document: inout TextDocument, by agent: Text) throws(TextError) -> TextDelta {
    isOpen = false
    defer { bound() }
    return try TextUndo.move(&undos, &redos, &document, agent)
  }

  /// Makes the group of edits again that was undone last.
  public mutating func redo(in document: inout TextDocument, by agent: Text) throws(TextError) -> TextDelta {
    isOpen = false
    defer { bound() }
    return try TextUndo.move(&redos, &undos, &document, agent)
  }

  private static func move(
    _ from: inout [TextStep], _ to: inout [TextStep], _ document: inout TextDocument, _ agent: Text
  ) throws(TextError) -> TextDelta {
    guard let step = from.last else { return TextDelta() }
    let (inverse, delta) = try document.apply(step, by: agent)
    from.removeLast()
    to.append(inverse)
    return delta
  }

  /// Moves a change past all steps, the newest first.
  private static func pass(_ step: TextStep, _ steps: inout [TextStep], _ spareA: inout TextStep, _ spareB: inout TextStep) {
    var step = step
    var index = steps.count - 1
    while index >= 0, !step.isEmpty {
      steps[index].pass(&step, &spareA, &spareB)
      index -= 1
    }
  }

  /// Forgets groups of which others left nothing, and the oldest ones when there are too many.
  private mutating func bound() {
    if let last = undos.last, last.isEmpty { isOpen = false }
    undos.removeAll { $0.isEmpty }
    redos.removeAll { $0.isEmpty }
    while undos.count > groupsMax || (!undos.isEmpty && memoryBytes > bytesMax) { undos.removeFirst() }
    while !redos.isEmpty, memoryBytes > bytesMax { redos.removeFirst() }
    if undos.isEmpty { isOpen = false }
  }
}

extension TextDocument {
  /// Makes a change as an agent's edits. Gives the change that takes it back, and what an editor must change.
  mutating func apply(_ step: TextStep, by agent: Text) throws(TextError) -> (inverse: TextStep, delta: TextDelta) {
    var (needed, events, walk) = (0, 0, TextStep.Place(step))
    while !walk.isAtEnd {
      if walk.kind != TextStep.insert { needed += walk.left }
      if walk.kind != TextStep.keep { events += walk.left }
      _ = walk.take(walk.left, step)
    }
    // Checked before anything changes. From the first edit on nothing else can fail.
    if needed > count { throw .outOfBounds }
    if eventCount > TextDocument.eventsMax - events { throw .tooLarge }
    var inverse = TextStep()
    var delta = TextDelta()
    var (place, byte) = (0, 0)
    walk = TextStep.Place(step)
    while !walk.isAtEnd {
      let kind = walk.kind
      let length = walk.take(walk.left, step)
      if kind == TextStep.keep {
        inverse.add(TextStep.keep, length)
        place += length
        continue
      }
      let (at, units) = (utf16Offset(of: place), utf16Count)
      let start = delta.inserted.count
      if kind == TextStep.insert {
        let end = step.skip(length, from: byte)
        let text = step.text[byte..<end]
        byte = end
        try insert(Array(text), at: place, by: agent)
        inverse.add(TextStep.delete, length)
        delta.inserted.append(contentsOf: text)
        delta.add(
          TextChange(
            place: place, deleted: 0, placeUTF16: at, deletedUTF16: 0, bytes: start..<start + text.count, inserted: length,
            insertedUTF16: utf16Count - units))
        place += length
      } else {
        var text: [UInt8] = []
        buffer.copy(length, from: place, to: &text)
        try delete(length, at: place, by: agent)
        inverse.add(TextStep.insert, length)
        inverse.add(text: text[...])
        delta.add(
          TextChange(
            place: place, deleted: length, placeUTF16: at, deletedUTF16: units - utf16Count, bytes: start..<start, inserted: 0,
            insertedUTF16: 0))
      }
    }
    inverse.trim()
    return (inverse, delta)
  }
}
