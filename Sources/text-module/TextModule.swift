// SPDX-License-Identifier: Apache-2.0
// Operations of the text module: what the engine asks for (fold, replace), and texts that are open in editors.
import AloftCore

struct TextModule {
  /// A refusal is a number below zero: that of a `TextError`, or one of these.
  static let unknown: Int32 = -100
  static let refused: Int32 = -1

  /// Open texts by number. A class, so that an edit changes its text in place.
  private final class Open {
    var session: TextSession
    init(_ session: TextSession) { self.session = session }
  }
  private var open: [Open?] = []

  /// Runs an operation. Gives its number and writes its bytes to `output`; docs/protocol.md has the table.
  mutating func run(
    _ operation: UInt32, _ handle: Int, at place: Int, _ count: Int, _ input: [UInt8], _ output: inout [UInt8]
  ) -> Int32 {
    switch operation {
    case 1, 2, 3:
      guard let made = Self.make(operation, input) else { return Self.refused }
      output = made
      return Int32(truncatingIfNeeded: made.count)
    case 10: return start(input)
    default:
      guard handle >= 0, handle < open.count, let text = open[handle] else { return Self.unknown }
      if operation == 11 {
        open[handle] = nil
        return 0
      }
      do throws(TextError) {
        return try Self.run(operation, &text.session, place, count, input, &output)
      } catch { return -Int32(error.rawValue) }
    }
  }

  /// A saved document, an edit, or words: what needs no open text.
  private static func make(_ operation: UInt32, _ input: [UInt8]) -> [UInt8]? {
    if operation == 3 { return TextMerge.words(of: input) }
    guard let parts = Self.parts(input) else { return nil }
    if operation == 1 { return TextMerge.foldHere(parts) }
    return parts.count == 3 ? TextMerge.replaceHere(saved: parts[1], text: parts[2], agent: parts[0]) : nil
  }

  private static func run(
    _ operation: UInt32, _ text: inout TextSession, _ place: Int, _ count: Int, _ input: [UInt8], _ output: inout [UInt8]
  ) throws(TextError) -> Int32 {
    switch operation {
    case 12: try text.replace(count, at: place, with: input)
    case 13:
      switch try text.absorb(input) {
      case .changes(let delta): write(delta, &output)
      case .lacksSent: return 1
      case .lacksOthers: return 2
      }
    case 14: output = text.unsent()
    case 15: text.markSent()
    case 16: output = text.utf8
    case 17: write(try text.undo(), &output)
    case 18: write(try text.redo(), &output)
    case 19: return (text.canUndo ? 1 : 0) | (text.canRedo ? 2 : 0)
    case 20: text.endGroup()
    case 21, 22:
      guard let parts = parts(input), parts.count == 1 || parts.count == 2 else { return refused }
      let value = parts.count == 2 ? Text(utf8: parts[1]) : nil
      if count < 0 || place > Int(Int32.max) - count { throw .outOfBounds }
      try text.mark(Text(utf8: parts[0]), value, place..<place + count, grows: operation == 21)
    case 23: output = text.spans()
    case 24:
      for range in text.restyled {
        output.putWord(range.lowerBound)
        output.putWord(range.count)
      }
    default: return unknown
    }
    return 0
  }

  /// Agent and saved document in, a number for the open text out.
  private mutating func start(_ input: [UInt8]) -> Int32 {
    guard let parts = Self.parts(input), parts.count == 2 else { return Self.refused }
    do throws(TextError) {
      let text = Open(try TextSession(saved: parts[1], agent: Text(utf8: parts[0])))
      let free = open.firstIndex { $0 == nil } ?? open.count
      if free == open.count { open.append(text) } else { open[free] = text }
      return Int32(truncatingIfNeeded: free)
    } catch { return -Int32(error.rawValue) }
  }

  /// Items: each u32 length, bytes. Nil when they do not end where the input does.
  private static func parts(_ input: [UInt8]) -> [[UInt8]]? {
    var parts: [[UInt8]] = []
    var at = 0
    while at < input.count {
      guard input.count - at >= 4 else { return nil }
      var length = 0
      for index in 0..<4 { length |= Int(input[at + index]) << (8 * index) }
      at += 4
      guard length >= 0, length <= input.count - at else { return nil }
      parts.append(Array(input[at..<at + length]))
      at += length
    }
    return parts
  }

  /// Changes: each u32 place, u32 deleted (UTF-16 units), u32 length, UTF-8.
  private static func write(_ delta: TextDelta, _ output: inout [UInt8]) {
    for change in delta.changes {
      output.putWord(change.placeUTF16)
      output.putWord(change.deletedUTF16)
      output.putWord(change.bytes.count)
      output.append(contentsOf: delta.inserted[change.bytes])
    }
  }
}
