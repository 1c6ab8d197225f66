// SPDX-License-Identifier: Apache-2.0
// Undo and redo of one person's own edits while others edit the same text.
//
//   others' changes ─▶ ┌───────────┐ moved past ┌───────────┐ moved past
//                      │ undo last │ ─────────▶ │ undo next │ ─────────▶ …     each step is written for the text as it
//                      └───────────┘            └───────────┘                  will be when the steps above it are undone
//
// Undoing is an edit like any other: it takes away what is left of the text that was inserted, puts the deleted text back where it
// was, and leaves alone what others wrote, also inside. The ends of marks stand in the text, so it is the same for these: what was
// marked loses its mark, and what lost one gets it back.

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
  public var memoryBytes: Int { TextUndo.byteCount(undos) + TextUndo.byteCount(redos) }

  /// Ends a group: what is typed next is undone on its own. For when a person pauses, moves the cursor, pastes.
  public mutating func endGroup() { isOpen = false }

  /// Makes an edit: `deleted` scalars from `place` on are replaced by UTF-8. What was undone before can no longer be redone. Gives
  /// what changed. Costs the edit and the size of its group, and in a text with marks their number.
  public mutating func replace(
    _ deleted: Int, at place: Int, with text: [UInt8], by agent: Text, in document: inout RichTextDocument
  ) throws(TextError) -> RichTextDelta {
    let before = document.beginNoting()
    defer { document.trail = TextTrail() }
    try document.replace(deleted, at: place, with: text, by: agent)
    return take(document.noted(since: before))
  }

  /// Puts a mark on a range, as a group of its own; see `RichTextDocument`.
  public mutating func mark(
    _ key: Text, _ value: Text?, _ range: Range<Int>, grows: Bool, by agent: Text, in document: inout RichTextDocument
  ) throws(TextError) -> RichTextDelta {
    isOpen = false
    let before = document.beginNoting()
    defer { document.trail = TextTrail() }
    try document.mark(key, value, range, grows: grows, by: agent)
    let delta = take(document.noted(since: before))
    isOpen = false
    return delta
  }

  /// Adds the way back from an edit to the newest group, or as one.
  private mutating func take(_ noted: (inverse: TextStep, delta: RichTextDelta)) -> RichTextDelta {
    if noted.inverse.isEmpty { return noted.delta }
    redos.removeAll()
    if isOpen, let last = undos.popLast() { undos.append(noted.inverse.joined(with: last)) } else { undos.append(noted.inverse) }
    isOpen = true
    bound()
    return noted.delta
  }

  /// Tells what a merge changed, or anything else that this person does not undo. Costs the groups and, for each, the changes.
  public mutating func merged(_ delta: RichTextDelta) {
    if delta.entities.isEmpty || (undos.isEmpty && redos.isEmpty) { return }
    TextUndo.pass(delta.entities, &undos, &spareA, &spareB)
    TextUndo.pass(delta.entities, &redos, &spareA, &spareB)
    bound()
  }

  /// Takes the newest group of edits back. Gives what changed; nothing when there is nothing to undo.
  public mutating func undo(in document: inout RichTextDocument, by agent: Text) throws(TextError) -> RichTextDelta {
    isOpen = false
    defer { bound() }
    return try TextUndo.move(&undos, &redos, &document, agent)
  }

  /// Makes the group of edits again that was undone last.
  public mutating func redo(in document: inout RichTextDocument, by agent: Text) throws(TextError) -> RichTextDelta {
    isOpen = false
    defer { bound() }
    return try TextUndo.move(&redos, &undos, &document, agent)
  }

  private static func move(
    _ from: inout [TextStep], _ to: inout [TextStep], _ document: inout RichTextDocument, _ agent: Text
  ) throws(TextError) -> RichTextDelta {
    guard let step = from.last else { return RichTextDelta(text: TextDelta()) }
    let before = document.beginNoting()
    defer { document.trail = TextTrail() }
    let isWhole = try document.apply(step, by: agent)
    let (inverse, delta) = document.noted(since: before)
    from.removeLast()
    // The steps below were written for a text with what is missing now.
    if !isWhole { from.removeAll() }
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
    TextUndo.bound(&undos, groupsMax, bytesMax - TextUndo.byteCount(redos))
    TextUndo.bound(&redos, groupsMax, bytesMax - TextUndo.byteCount(undos))
    if undos.isEmpty { isOpen = false }
  }

  @inline(never) private static func bound(_ steps: inout [TextStep], _ groupsMax: Int, _ bytesMax: Int) {
    var index = 0
    while index < steps.count { if steps[index].isEmpty { steps.remove(at: index) } else { index += 1 } }
    while steps.count > groupsMax || (!steps.isEmpty && byteCount(steps) > bytesMax) { steps.removeFirst() }
  }

  @inline(never) private static func byteCount(_ steps: [TextStep]) -> Int {
    var sum = 0
    for step in steps { sum += step.byteCount }
    return sum
  }
}
