// SPDX-License-Identifier: Apache-2.0
// Collaborative text as the rule `text` uses it: saved documents and edits, bytes in and bytes out. Whether a text has marks is told by
// the first byte of its document, which a rich text has before anybody wrote in it.
//
// The page's engine does not hold the code that merges: most apps declare no such field, and it would make a fifth of their download.
// It asks its host, which has a module of its own for that. Everywhere else the code is simply called.

/// Merges edits into saved documents.
public enum TextMerge {
  /// Merges edits into a document.
  /// - Parameter parts: a saved document, or nothing for the empty plain text; then edits, in an order in which each has what it stands on.
  /// - Returns: the saved document; nil when an edit is damaged or stands on words that are not there.
  public static func fold(_ parts: [[UInt8]]) -> [UInt8]? {
    #if hasFeature(Embedded)
    return call(1, parts)
    #else
    return foldHere(parts)
    #endif
  }

  /// The smallest edit that turns a document's text into another: what both begin and end with stays as it is.
  /// - Parameters:
  ///   - saved: the document, or nothing for the empty plain text.
  ///   - text: UTF-8.
  ///   - agent: who writes; an id that never wrote anything else.
  /// - Returns: the edit, empty when nothing changes; nil when the document or the text is damaged.
  public static func replace(saved: [UInt8], text: [UInt8], agent: [UInt8]) -> [UInt8]? {
    #if hasFeature(Embedded)
    return call(2, [agent, saved, text])
    #else
    return replaceHere(saved: saved, text: text, agent: agent)
    #endif
  }

  /// The text of a saved document, which stands at its head. Costs a copy of it.
  public static func text(of saved: [UInt8]) -> [UInt8] {
    var reader = TextReader(saved, 0, saved.count)
    guard isDocument(saved), (try? reader.number()) != nil, let length = try? reader.count() else { return [] }
    return Array(saved[reader.offset..<reader.offset + length])
  }

  /// Whether bytes are a saved document rather than an edit.
  static func isDocument(_ bytes: [UInt8]) -> Bool {
    bytes.first == TextDocument.savedFormat || bytes.first == RichTextDocument.savedFormat
  }

  /// What stands for a text in which nobody wrote yet.
  static func empty(isRich: Bool) -> [UInt8] { isRich ? [RichTextDocument.savedFormat] : [] }

  // MARK: here

  /// `fold`, by the code in this module.
  public static func foldHere(_ parts: [[UInt8]]) -> [UInt8]? {
    do throws(TextError) {
      var document = try RichTextDocument(saved: parts.first ?? [])
      for edit in parts.dropFirst() { try document.absorb(edit) }
      return document.save(isQuick: true)
    } catch { return nil }
  }

  /// `replace`, by the code in this module.
  public static func replaceHere(saved: [UInt8], text: [UInt8], agent: [UInt8]) -> [UInt8]? {
    do throws(TextError) {
      var document = try RichTextDocument(saved: saved)
      let version = document.version
      try document.replace(with: text, by: Text(utf8: agent))
      return document.version != version ? document.encode(since: version) : []
    } catch { return nil }
  }
}

extension RichTextDocument {
  /// Makes the text another one by the smallest edit: what both begin and end with stays as it is.
  public mutating func replace(with text: [UInt8], by agent: Text) throws(TextError) {
    let old = utf8
    var start = 0
    let shorter = min(old.count, text.count)
    while start < shorter, old[start] == text[start] { start += 1 }
    var tail = 0
    while tail < shorter - start, old[old.count - 1 - tail] == text[text.count - 1 - tail] { tail += 1 }
    // Not in the middle of a scalar.
    while start > 0, Self.goesOn(old, start) || Self.goesOn(text, start) { start -= 1 }
    while tail > 0, Self.goesOn(old, old.count - tail) || Self.goesOn(text, text.count - tail) { tail -= 1 }
    let place = old.withUnsafeBufferPointer { TextBuffer.measure($0, 0, start).scalars }
    let deleted = old.withUnsafeBufferPointer { TextBuffer.measure($0, start, old.count - tail).scalars }
    try replace(deleted, at: place, with: Array(text[start..<text.count - tail]), by: agent)
  }

  /// Whether a byte continues a scalar.
  private static func goesOn(_ bytes: [UInt8], _ place: Int) -> Bool { place < bytes.count && bytes[place] & 0xC0 == 0x80 }
}

#if hasFeature(Embedded)
@_extern(wasm, module: "aloft", name: "text_call")
private func textCall(_ operation: Int32, _ input: UnsafePointer<UInt8>?, _ length: Int32) -> Int32

@_extern(wasm, module: "aloft", name: "text_take")
private func textTake(_ into: UnsafeMutablePointer<UInt8>?)

extension TextMerge {
  /// Asks the host; docs/protocol.md has the table of operations.
  private static func call(_ operation: Int32, _ parts: [[UInt8]]) -> [UInt8]? {
    var input: [UInt8] = []
    input.reserveCapacity(parts.reduce(0) { $0 + $1.count + 4 })
    for part in parts {
      input.putWord(part.count)
      input.append(contentsOf: part)
    }
    let length = input.withUnsafeBufferPointer { textCall(operation, $0.baseAddress, Int32(truncatingIfNeeded: $0.count)) }
    if length < 0 { return nil }
    return [UInt8](unsafeUninitializedCapacity: Int(length)) { buffer, count in
      textTake(buffer.baseAddress)
      count = Int(length)
    }
  }
}
#endif
