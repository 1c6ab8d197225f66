// SPDX-License-Identifier: Apache-2.0
// What is measured, natively and in WebAssembly alike: typing a history, merging it whole, and merging its messages one by one.
import AloftCore

public struct TextReplay: Sendable {
  public private(set) var document = TextDocument()

  public init() {}

  /// Edits: u32 how many; for each u32 place, u32 deleted, u32 bytes inserted; the text. Small end first.
  public static func type(_ edits: [UInt8], by agent: Text) throws(TextError) -> TextReplay {
    var replay = TextReplay()
    try edits.withUnsafeBufferPointer { edits throws(TextError) in
      let count = word(edits, 0)
      var at = 4 + 12 * count
      for edit in 0..<count {
        let place = word(edits, 4 + 12 * edit)
        let deleted = word(edits, 8 + 12 * edit)
        let inserted = word(edits, 12 + 12 * edit)
        if deleted > 0 { try replay.document.delete(deleted, at: place, by: agent) }
        if inserted > 0 {
          try replay.document.insert(UnsafeBufferPointer(rebasing: edits[at..<at + inserted]), at: place, by: agent)
          at += inserted
        }
      }
    }
    return replay
  }

  public static func absorb(_ message: [UInt8]) throws(TextError) -> TextReplay {
    var replay = TextReplay()
    try replay.document.absorb(message)
    return replay
  }

  /// A message with places.
  public static func read(_ placed: [UInt8]) throws(TextError) -> TextReplay {
    var replay = TextReplay()
    try replay.document.absorb(trusted: placed)
    return replay
  }

  /// Messages, for an editor that is told what each changes.
  public static func stream(_ messages: [[UInt8]]) throws(TextError) -> TextReplay {
    var replay = TextReplay()
    for message in messages { _ = try replay.document.merge(message) }
    return replay
  }

  private static func word(_ bytes: UnsafeBufferPointer<UInt8>, _ offset: Int) -> Int {
    Int(truncatingIfNeeded: UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }
}
