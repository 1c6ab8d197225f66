// SPDX-License-Identifier: Apache-2.0
// One change of a whole text, from left to right: what is kept, deleted and inserted. Such changes can be joined and moved past others.
//
// Why not a list of edits in order: in this form a change of many places is joined with another, or moved past another, in one walk.

/// A change of a text. What comes after its last part is kept.
struct TextStep: Sendable, Equatable {
  static let keep = 0
  static let insert = 1
  static let delete = 2

  /// Lengths in scalars, shifted left by 2, and the kind below. Neighbours differ in kind, and an insertion comes before a deletion.
  private(set) var parts = TextColumn()
  /// All inserted text; empty where only lengths matter.
  private(set) var text: [UInt8] = []

  var isEmpty: Bool { parts.isEmpty }
  /// About how many bytes it holds.
  var byteCount: Int { 4 * parts.count + text.count }

  init() {}

  init(keeping place: Int, inserting inserted: Int, _ text: [UInt8], deleting deleted: Int) {
    add(TextStep.keep, place)
    add(TextStep.insert, inserted)
    self.text = text
    add(TextStep.delete, deleted)
    trim()
  }

  /// What a merge did, lengths only.
  init(_ delta: TextDelta) {
    self = TextStep.joined(delta.changes.map { TextStep(keeping: $0.place, inserting: $0.inserted, [], deleting: $0.deleted) })
  }

  /// Changes in order as one. Halves are joined, so that many cost no more than their number times its logarithm.
  static func joined(_ steps: [TextStep]) -> TextStep { joined(steps, 0, steps.count) }

  private static func joined(_ steps: [TextStep], _ start: Int, _ end: Int) -> TextStep {
    if start == end { return TextStep() }
    if end - start == 1 { return steps[start] }
    let middle = start + (end - start) / 2
    return joined(steps, start, middle).joined(with: joined(steps, middle, end))
  }

  mutating func add(_ kind: Int, _ length: Int) {
    if length == 0 { return }
    let last = parts.count - 1
    if last >= 0, parts[last] & 3 == kind {
      parts[last] = parts[last] + length << 2
    } else if kind == TextStep.insert, last >= 0, parts[last] & 3 == TextStep.delete {
      if last > 0, parts[last - 1] & 3 == TextStep.insert {
        parts[last - 1] = parts[last - 1] + length << 2
      } else {
        parts.insert(length << 2 | kind, at: last)
      }
    } else {
      parts.append(length << 2 | kind)
    }
  }

  /// In the text of a step an anchor of a mark is this byte, which begins no scalar, and its number in five that go one on.
  static let anchorByte: UInt8 = 0xF8
  static let anchorBytes = 6

  static func bytes(ofAnchor ref: Int) -> [UInt8] {
    var bytes = [anchorByte]
    for index in 0..<5 { bytes.append(0x80 | UInt8(truncatingIfNeeded: ref >> (6 * index) & 0x3F)) }
    return bytes
  }

  static func anchor(_ bytes: [UInt8], _ at: Int) -> Int {
    var ref = 0
    for index in 0..<5 { ref |= Int(bytes[at + 1 + index] & 0x3F) << (6 * index) }
    return ref
  }

  mutating func add(text bytes: ArraySlice<UInt8>) { text.append(contentsOf: bytes) }

  /// Leaves out what is kept at the end.
  mutating func trim() {
    if !parts.isEmpty, parts.last & 3 == TextStep.keep { parts.truncate(parts.count - 1) }
  }

  /// This change, then another, as one.
  func joined(with next: TextStep) -> TextStep {
    var result = TextStep()
    var (a, b) = (Place(self), Place(next))
    var (byteA, byteB) = (0, 0)
    while !a.isAtEnd || !b.isAtEnd {
      if a.kind == TextStep.delete {
        result.add(TextStep.delete, a.take(a.left, self))
      } else if b.kind == TextStep.insert {
        let end = next.skip(b.left, from: byteB)
        result.add(text: next.text[byteB..<end])
        byteB = end
        result.add(TextStep.insert, b.take(b.left, next))
      } else {
        let length = min(a.left, b.left)
        if a.kind == TextStep.insert {
          let end = skip(length, from: byteA)
          if b.kind == TextStep.keep {
            result.add(text: text[byteA..<end])
            result.add(TextStep.insert, length)
          }
          byteA = end
        } else {
          result.add(b.kind, length)
        }
        _ = a.take(length, self)
        _ = b.take(length, next)
      }
    }
    result.trim()
    return result
  }

  func skip(_ scalars: Int, from byte: Int) -> Int {
    text.isEmpty ? 0 : text.withUnsafeBufferPointer { TextBuffer.skip($0, scalars, from: byte) }
  }

  /// Two changes of one text: moves each past the other, so that both orders give the same text. Where both insert at one place the
  /// other's text comes first. What both delete is left to nobody. `spareA`, `spareB`: scratch.
  mutating func pass(_ other: inout TextStep, _ spareA: inout TextStep, _ spareB: inout TextStep) {
    spareA.parts.removeAll()
    spareB.parts.removeAll()
    var (a, b) = (Place(self), Place(other))
    while !a.isAtEnd || !b.isAtEnd {
      if b.kind == TextStep.insert {
        let length = b.take(b.left, other)
        spareA.add(TextStep.keep, length)
        spareB.add(TextStep.insert, length)
      } else if a.kind == TextStep.insert {
        let length = a.take(a.left, self)
        spareA.add(TextStep.insert, length)
        spareB.add(TextStep.keep, length)
      } else {
        let length = min(a.left, b.left)
        if b.kind == TextStep.keep { spareA.add(a.kind, length) }
        if a.kind == TextStep.keep { spareB.add(b.kind, length) }
        _ = a.take(length, self)
        _ = b.take(length, other)
      }
    }
    spareA.trim()
    spareB.trim()
    swap(&parts, &spareA.parts)
    swap(&other.parts, &spareB.parts)
  }

  /// A place in a walk over the parts. Behind the last everything is kept.
  struct Place {
    private var index = 0
    private(set) var kind = TextStep.keep
    private(set) var left = 0

    init(_ step: TextStep) { load(step) }

    var isAtEnd: Bool { left == TextTracker.none }

    private mutating func load(_ step: TextStep) {
      if index < step.parts.count {
        kind = step.parts[index] & 3
        left = step.parts[index] >> 2
      } else {
        kind = TextStep.keep
        left = TextTracker.none
      }
    }

    /// Goes on by part of what is left.
    mutating func take(_ length: Int, _ step: TextStep) -> Int {
      if isAtEnd { return length }
      left -= length
      if left == 0 {
        index += 1
        load(step)
      }
      return length
    }
  }
}
