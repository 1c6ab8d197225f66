// SPDX-License-Identifier: Apache-2.0
// A text that one person has open in an editor: places in UTF-16 units, and which of the edits were handed on.

/// A document under the hands of one agent, who is new for each session: an id that wrote before must never write again.
public struct TextSession: Sendable {
  private var document: TextDocument
  private let agent: Text
  private var history = TextUndo()
  /// How many of the agent's own events were handed on.
  private var sent = 0
  // Where the last edit ended, in scalars and in units: the next one is near, so its place is counted from there.
  private var nearScalar = 0
  private var nearUnit = 0

  /// Opens a saved document of this replica's own storage, or the empty text when there are no bytes.
  public init(saved: [UInt8], agent: Text) throws(TextError) {
    if agent.utf8.isEmpty || agent.utf8.count > 64 { throw .badAgent }
    document = saved.isEmpty ? TextDocument() : try TextDocument(saved: saved)
    self.agent = agent
  }

  /// The text, UTF-8. Costs a copy.
  public var utf8: [UInt8] { document.utf8 }

  /// Replaces `deleted` units from `place` on by UTF-8. Costs the edit and its distance from the one before.
  public mutating func replace(_ deleted: Int, at place: Int, with text: [UInt8]) throws(TextError) {
    if place < 0 || deleted < 0 || place > document.utf16Count || deleted > document.utf16Count - place { throw .outOfBounds }
    if !Text.isValidUTF8(text, from: 0, to: text.count) { throw .notUTF8 }
    let start = document.buffer.scalarOffset(ofUTF16: place, near: nearScalar, nearUnit)
    let end = document.buffer.scalarOffset(ofUTF16: place + deleted, near: start, place)
    let (units, scalars) = (document.utf16Count - deleted, document.count - (end - start))
    _ = try history.replace(end - start, at: start, with: text, by: agent, in: &document)
    (nearScalar, nearUnit) = (start + document.count - scalars, place + document.utf16Count - units)
  }

  public var canUndo: Bool { history.canUndo }
  public var canRedo: Bool { history.canRedo }

  /// Ends a group of edits: what is typed next is undone on its own.
  public mutating func endGroup() { history.endGroup() }

  /// Takes the person's own newest group of edits back. Gives what changed; nothing when there is nothing to undo.
  public mutating func undo() throws(TextError) -> TextDelta {
    (nearScalar, nearUnit) = (0, 0)
    return try history.undo(in: &document, by: agent)
  }

  /// Makes the group of edits again that was undone last.
  public mutating func redo() throws(TextError) -> TextDelta {
    (nearScalar, nearUnit) = (0, 0)
    return try history.redo(in: &document, by: agent)
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
    let other = saved.isEmpty ? TextDocument() : try TextDocument(saved: saved)
    if Self.known(of: agent, in: other.version) < sent { return .lacksSent }
    var held = document.version
    if let own = held.agents.firstIndex(where: { $0.utf8 == agent.utf8 }) { held.next[own] = sent }
    if other.lacks(held) { return .lacksOthers }
    let delta = try document.merge(other.encode(since: document.version))
    if !delta.isEmpty {
      (nearScalar, nearUnit) = (0, 0)
      history.merged(delta)
    }
    return .changes(delta)
  }

  private static func known(of agent: Text, in version: TextVersion) -> Int {
    version.agents.firstIndex { $0.utf8 == agent.utf8 }.map { version.next[$0] } ?? 0
  }
}
