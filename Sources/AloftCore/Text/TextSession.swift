// SPDX-License-Identifier: Apache-2.0
// A text that one person has open in an editor: places in UTF-16 units, and which of the edits were handed on.

/// A document under the hands of one agent, who is new for each session: an id that wrote before must never write again.
public struct TextSession: Sendable {
  private var document: RichTextDocument
  private let agent: Text
  private var history = TextUndo()
  /// How many of the agent's own events were handed on.
  private var sent = 0
  /// What the last step made look another way, in UTF-16 units of the text behind it; see `RichTextDelta`.
  public private(set) var restyled: [Range<Int>] = []
  // Where the last edit ended, in scalars and in units: the next one is near, so its place is counted from there.
  private var nearScalar = 0
  private var nearUnit = 0

  /// Opens a saved document of this replica's own storage, or the empty plain text when there are no bytes.
  public init(saved: [UInt8], agent: Text) throws(TextError) {
    if agent.utf8.isEmpty || agent.utf8.count > 64 { throw .badAgent }
    self.init(try RichTextDocument(saved: saved), agent)
  }

  private init(_ document: RichTextDocument, _ agent: Text) {
    self.document = document
    self.agent = agent
  }

  /// The text, UTF-8. Costs a copy.
  public var utf8: [UInt8] { document.utf8 }

  /// Replaces `deleted` units from `place` on by UTF-8. Costs the edit and its distance from the one before.
  public mutating func replace(_ deleted: Int, at place: Int, with text: [UInt8]) throws(TextError) {
    if place < 0 || deleted < 0 || place > document.utf16Count || deleted > document.utf16Count - place { throw .outOfBounds }
    let start = document.scalarOffset(ofUTF16: place, near: nearScalar, nearUnit)
    let end = document.scalarOffset(ofUTF16: place + deleted, near: start, place)
    let (units, scalars) = (document.utf16Count - deleted, document.count - (end - start))
    show(try history.replace(end - start, at: start, with: text, by: agent, in: &document))
    (nearScalar, nearUnit) = (start + document.count - scalars, place + document.utf16Count - units)
  }

  /// Puts a mark on a range of units, or with no value takes the key away there; see `RichTextDocument`.
  public mutating func mark(_ key: Text, _ value: Text?, _ range: Range<Int>, grows: Bool) throws(TextError) {
    if range.lowerBound < 0 || range.upperBound > document.utf16Count { throw .outOfBounds }
    let scalars = document.scalarOffset(ofUTF16: range.lowerBound)..<document.scalarOffset(ofUTF16: range.upperBound)
    show(try history.mark(key, value, scalars, grows: grows, by: agent, in: &document))
  }

  /// The text as runs of equal styles, as bytes: docs/protocol.md, section 13. Each mark is written once, and a value once for marks that
  /// follow each other, as their author sent it.
  public func spans() -> [UInt8] {
    let runs = document.runs()
    var numbers = [Int](repeating: -1, count: document.marks.count)
    for run in runs { for mark in run.marks { numbers[mark] = 0 } }
    var out: [UInt8] = []
    func put(_ text: Text) {
      out.putWord(text.utf8.count)
      out.append(contentsOf: text.utf8)
    }
    var (at, count) = (0, 0)
    var value: Text?
    for mark in numbers.indices where numbers[mark] == 0 {
      let style = document.style(of: mark)
      put(style.key)
      if value?.utf8 == style.value.utf8 { out.putWord(-1) } else { put(style.value) }
      value = style.value
      numbers[mark] = count
      count += 1
    }
    out.putWord(-1)
    let bytes = document.utf8
    for run in runs {
      let end = bytes.withUnsafeBufferPointer { TextBuffer.skip($0, run.length, from: at) }
      let astral = bytes.withUnsafeBufferPointer { TextBuffer.measure($0, at, end).astral }
      at = end
      out.putWord(run.length + astral)
      out.putWord(run.marks.count)
      for mark in run.marks { out.putWord(numbers[mark]) }
    }
    return out
  }

  /// Remembers where the text looks another way.
  private mutating func show(_ delta: RichTextDelta) {
    restyled = delta.restyled.map { document.utf16Offset(of: $0.lowerBound)..<document.utf16Offset(of: $0.upperBound) }
  }

  public var canUndo: Bool { history.canUndo }
  public var canRedo: Bool { history.canRedo }

  /// Ends a group of edits: what is typed next is undone on its own.
  public mutating func endGroup() { history.endGroup() }

  /// Takes the person's own newest group of edits back. Gives what changed; nothing when there is nothing to undo.
  public mutating func undo() throws(TextError) -> TextDelta {
    (nearScalar, nearUnit) = (0, 0)
    let delta = try history.undo(in: &document, by: agent)
    show(delta)
    return delta.text
  }

  /// Makes the group of edits again that was undone last.
  public mutating func redo() throws(TextError) -> TextDelta {
    (nearScalar, nearUnit) = (0, 0)
    let delta = try history.redo(in: &document, by: agent)
    show(delta)
    return delta.text
  }

  /// The agent's edits that were not handed on, as one message; empty when there are none.
  public func unsent() -> [UInt8] {
    var version = document.version
    guard let index = version.agents.firstIndex(where: { $0.utf8 == agent.utf8 }), version.next[index] > sent else { return [] }
    version.next[index] = sent
    return document.encode(since: version)
  }

  /// Notes that what `unsent` gives was handed on.
  public mutating func markSent() { sent = Self.known(of: agent, in: document.version) }

  /// What came of `absorb`.
  public enum Absorbed: Equatable, Sendable {
    case changes(TextDelta)
    /// The document does not have what was handed on: those edits were not accepted. Nothing has changed.
    case lacksSent
    /// The document does not have what somebody else had written, in another tab perhaps: it was taken back. Nothing has changed.
    case lacksOthers
  }

  /// Takes what another saved document of the same text knows more. Costs the runs of its log.
  public mutating func absorb(_ saved: [UInt8]) throws(TextError) -> Absorbed {
    let other = try RichTextDocument(saved: saved)
    if Self.known(of: agent, in: other.version) < sent { return .lacksSent }
    var held = document.version
    if let own = held.agents.firstIndex(where: { $0.utf8 == agent.utf8 }) { held.next[own] = sent }
    if other.text.lacks(held) { return .lacksOthers }
    let delta = try document.merge(other.encode(since: document.version))
    if !delta.text.isEmpty { (nearScalar, nearUnit) = (0, 0) }
    history.merged(delta)
    show(delta)
    return .changes(delta.text)
  }

  private static func known(of agent: Text, in version: TextVersion) -> Int {
    version.agents.firstIndex { $0.utf8 == agent.utf8 }.map { version.next[$0] } ?? 0
  }
}
