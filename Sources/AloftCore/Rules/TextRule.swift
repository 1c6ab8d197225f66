// SPDX-License-Identifier: Apache-2.0
// text: several people edit one text, and every edit has its place in the end (Eg-walker: Gentle and Kleppmann, 2025). The same for
// rich text, whose edits may put marks on it, too.
//
// The cell holds a saved document, and behind it on the server the newest edits once more, which are in the document already: whoever
// lacks only some of them is sent these instead of the whole, so a keystroke costs its own bytes.

enum TextRule {
  /// How many of the newest edits the server keeps apart.
  static let editsMax = 32
  /// The largest text and the largest saved document, in bytes.
  static let textBytesMax = 1 << 20
  static let documentBytesMax = 4 << 20

  static func apply(_ change: FieldChange, to row: inout Row, _ write: FieldWrite) -> FieldResult {
    var parts: [SupportedValue] = []
    if case .text(let current) = row.cell(write.number) { parts = current }
    var before = document(parts)
    if before.isEmpty { before = TextMerge.empty(isRich: write.fields[write.number].type == .richText) }
    let edit: [UInt8]
    switch change {
    case .edit(let bytes): edit = bytes
    case .set(.text), .set(.null):
      var text: [UInt8] = []
      if case .set(.text(let new)) = change { text = new.utf8 }
      guard let made = TextMerge.replace(saved: before, text: text, agent: agent(write, before)) else {
        return write.rejection("invalid", "cannot be read")
      }
      edit = made
    default: return write.rejection("invalid", "takes a text or $edit")
    }
    if edit.isEmpty { return .unchanged }
    guard let after = TextMerge.fold([before, edit]) else {
      if write.isSpeculative { return .unchanged }
      return write.rejection(
        "invalid",
        "cannot take this edit: it is damaged, has marks the text does not take, stands on words that are not here, or takes too long")
    }
    let dot = row.index(of: write.stamp)
    if write.isSpeculative {
      row.write(whole(after, dots(of: parts) + [dot]), to: write.number, by: write.stamp)
    } else {
      guard after.count <= documentBytesMax, TextMerge.text(of: after).count <= textBytesMax else {
        return write.rejection("tooLarge", "would be longer than a megabyte, or have too long a history")
      }
      append(edit, dot, after, to: &parts)
      row.write(.text(parts), to: write.number, by: write.stamp)
    }
    return .changed
  }

  /// Who writes what the engine itself turns into an edit. On a device such an edit is shown only, and made anew on every other text.
  private static func agent(_ write: FieldWrite, _ saved: [UInt8]) -> [UInt8] {
    var words = [write.stamp.mutation.device.high, write.stamp.mutation.device.low, write.stamp.mutation.n, UInt64(write.number)]
    if write.isSpeculative { words.append(Hash64.of(saved)) }
    var bytes: [UInt8] = []
    for word in words { for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * shift))) } }
    return bytes
  }

  /// Adds an edit as the server keeps it. The document has the stamp of the newest edit that is not kept apart (of the first, while all
  /// are): devices that know it need the edits behind it only.
  private static func append(_ edit: [UInt8], _ dot: Int, _ after: [UInt8], to parts: inout [SupportedValue]) {
    if parts.isEmpty { parts.append(SupportedValue(value: .bytes(after), dots: [dot])) } else { parts[0].value = .bytes(after) }
    parts.append(SupportedValue(value: .bytes(edit), dots: [dot]))
    if parts.count > editsMax + 1 { parts[0].dots = parts.remove(at: 1).dots }
  }

  // MARK: parts

  /// The saved document; empty where there is none.
  static func document(_ parts: [SupportedValue]) -> [UInt8] {
    if case .bytes(let bytes)? = parts.first?.value, TextMerge.isDocument(bytes) { bytes } else { [] }
  }

  /// The cell of a device that gets parts from the server: the whole document with its newest edits, or only edits on top of what the
  /// device has. Nil when they stand on words that are not there.
  @inline(never)
  static func received(_ parts: [SupportedValue], over cell: Cell) -> Cell? {
    let document = document(parts)
    if !document.isEmpty { return whole(document, dots(of: parts)) }
    var held: [SupportedValue] = []
    if case .text(let parts) = cell { held = parts }
    var bytes = [Self.document(held)]
    for part in parts { if case .bytes(let edit) = part.value { bytes.append(edit) } }
    guard let saved = TextMerge.fold(bytes) else { return nil }
    return whole(saved, dots(of: held + parts))
  }

  @inline(never)
  private static func dots(of parts: [SupportedValue]) -> [Int] {
    var dots: [Int] = []
    for part in parts { for dot in part.dots where !dots.contains(dot) { dots.append(dot) } }
    return dots
  }

  /// A document as a device holds it, with the stamps of as many edits as the server tells apart: whoever deletes the record says by
  /// them what was seen.
  @inline(never)
  private static func whole(_ saved: [UInt8], _ dots: [Int]) -> Cell {
    var dots = dots
    if dots.count > editsMax + 1 { dots.removeFirst(dots.count - editsMax - 1) }
    return .text([SupportedValue(value: .bytes(saved), dots: dots)])
  }
}
