// SPDX-License-Identifier: Apache-2.0
// The log of what was typed: every event with the place where its author saw it, as runs, and all inserted text.

/// The kind of a run. A run of deletions goes forwards (the delete key: always at one place) or backwards (backspace).
enum TextKind {
  static let insert = 0
  static let deleteForward = 1
  static let deleteBackward = 2
}

/// One piece of a run. `place` is the place of the first inserted character, or the lowest of the deleted ones, in Unicode scalars
/// of the text as the author saw it before the piece.
struct TextPiece {
  var kind: Int
  var place: Int
  var length: Int
  /// Where the inserted text begins in the log's `text`, and its length in bytes.
  var byteStart: Int
  var byteCount: Int
}

/// Walks over the pieces of a range of events: the runs, cut at the range's ends.
struct TextPieces {
  private var event: Int
  private let end: Int
  private var run: Int

  init(_ operations: TextOperations, from start: Int, to end: Int) {
    event = start
    self.end = end
    run = operations.starts.lastIndex(atMost: start)
  }

  @inline(__always) mutating func next(_ operations: TextOperations) -> TextPiece? {
    if event >= end { return nil }
    let start = event
    event = min(end, operations.end(of: run))
    run += 1
    return operations.piece(run - 1, start, event)
  }
}

/// A run-length operation log, append-only.
struct TextOperations: Sendable {
  /// The first event of each run, its kind, its place as in `TextPiece`, and where its text begins.
  var starts = TextColumn()
  var kinds: [UInt8] = []
  var places = TextColumn()
  var byteStarts = TextColumn()
  /// All inserted text in the order of events, UTF-8, but for its first `hidden` bytes. Those are ASCII, and packed still.
  var text: [UInt8] = []
  var hidden = 0
  /// The number of events.
  var count = 0
  /// How many of them insert.
  var insertedCount = 0
  /// How many scalars begin before each block of `text`. Only where not all is ASCII, and as far as `indexText` has come.
  var scalarCounts = TextColumn()
  private static let blockSize = 4_096
  /// Where the last run goes on when it inserts; else -1.
  private var tail = -1

  func end(of run: Int) -> Int { run + 1 < starts.count ? starts[run + 1] : count }
  func byteEnd(of run: Int) -> Int { run + 1 < starts.count ? byteStarts[run + 1] : byteCount }
  var byteCount: Int { hidden + text.count }

  /// Appends an insertion whose bytes, well-formed and `length` scalars, were appended to `text` from `byteStart` on.
  @inline(__always) mutating func appendInsert(_ place: Int, _ length: Int, byteStart: Int) {
    if place != tail { append(count, 0, place, byteStart) }
    tail = place &+ length
    count = count &+ length
    insertedCount = insertedCount &+ length
  }

  /// Appends a deletion of the characters from `lowest` on. `byteStart` is where the text of a later insertion will begin.
  mutating func appendDelete(_ kind: Int, lowest: Int, _ length: Int, byteStart: Int) {
    let start = count
    count = start + length
    let last = starts.count - 1
    let isFirst = tail >= 0
    tail = -1
    if !isFirst, last >= 0 {
      let lastLength = start - starts[last]
      // A single deletion has no direction of its own.
      let canGoForward = kinds[last] == 1 || lastLength == 1
      let canGoBack = kinds[last] == 2 || lastLength == 1
      if canGoForward, kind == 1 || length == 1, lowest == places[last] {
        kinds[last] = 1
        return
      }
      if canGoBack, kind == 2 || length == 1, lowest + length == places[last] {
        kinds[last] = 2
        places[last] = lowest
        return
      }
    }
    append(start, kind, lowest, byteStart)
  }

  @inline(never) private mutating func append(_ start: Int, _ kind: Int, _ place: Int, _ byteStart: Int) {
    starts.appendInline(start)
    kinds.append(UInt8(truncatingIfNeeded: kind))
    places.appendInline(place)
    byteStarts.appendInline(byteStart)
  }

  /// The part of a run between two events. Logarithmic, and for other text than ASCII what reading some kilobytes of it costs.
  func piece(_ run: Int, _ from: Int, _ to: Int) -> TextPiece {
    let start = starts[run]
    let end = end(of: run)
    let kind = Int(kinds[run])
    let place = places[run]
    if kind != 0 {
      return TextPiece(
        kind: kind, place: kind == TextKind.deleteBackward ? place + end - to : place, length: to - from, byteStart: byteStarts[run],
        byteCount: 0)
    }
    var byteStart = byteStarts[run]
    var byteEnd = byteEnd(of: run)
    if from > start || to < end {
      if byteEnd - byteStart == end - start {
        byteEnd = byteStart + to - start
        byteStart += from - start
      } else {
        byteStart = offset(from - start, from: byteStart)
        byteEnd = offset(to - from, from: byteStart)
      }
    }
    return TextPiece(kind: 0, place: place + from - start, length: to - from, byteStart: byteStart, byteCount: byteEnd - byteStart)
  }

  /// Where the text of an event, or the first inserted after it, begins.
  func byteStart(of event: Int) -> Int {
    let run = starts.lastIndex(atMost: event)
    return piece(run, event, end(of: run)).byteStart
  }

  /// Where the text goes on after so many scalars of a run that inserts, from a byte of its text on.
  func skip(_ scalars: Int, from byte: Int, in run: Int) -> Int {
    byteEnd(of: run) - byteStarts[run] == end(of: run) - starts[run] ? byte + scalars : offset(scalars, from: byte)
  }

  private func offset(_ scalars: Int, from byte: Int) -> Int {
    let passed = max(0, hidden - byte)
    if scalars <= passed { return byte + scalars }
    return hidden + text.withUnsafeBufferPointer { text in
      var at = byte + passed - hidden
      var left = scalars - passed
      let block = at / TextOperations.blockSize
      // Reading a long run from its start for each of its pieces would take quadratic time.
      if left > TextOperations.blockSize, block < scalarCounts.count {
        let start = block * TextOperations.blockSize
        let target = scalarCounts[block] + TextBuffer.measure(text, start, at).scalars + left
        let last = scalarCounts.lastIndex(atMost: target)
        at = last * TextOperations.blockSize
        left = target - scalarCounts[last]
      }
      return TextBuffer.skip(text, left, from: at)
    }
  }

  /// Counts the scalars of text that came since the last time, for `piece`.
  mutating func indexText() {
    if byteCount == insertedCount { return }
    var start = scalarCounts.count * TextOperations.blockSize
    while start <= text.count {
      let from = max(0, start - TextOperations.blockSize)
      let found = text.withUnsafeBufferPointer { TextBuffer.measure($0, from, start).scalars }
      scalarCounts.append(start == 0 ? 0 : scalarCounts.last + found)
      start += TextOperations.blockSize
    }
  }

  /// What must be kept to take back what is appended later.
  struct Mark {
    var runs: Int
    var kind: UInt8
    var place: Int
    var bytes: Int
    var count: Int
    var insertedCount: Int
    var tail: Int
  }

  var mark: Mark {
    let last = starts.count - 1
    return Mark(
      runs: starts.count, kind: last < 0 ? 0 : kinds[last], place: last < 0 ? 0 : places[last], bytes: byteCount, count: count,
      insertedCount: insertedCount, tail: tail)
  }

  /// Takes back what was appended since the mark.
  mutating func truncate(to mark: Mark) {
    starts.truncate(mark.runs)
    places.truncate(mark.runs)
    byteStarts.truncate(mark.runs)
    kinds.removeLast(kinds.count - mark.runs)
    if mark.runs > 0 {
      kinds[mark.runs - 1] = mark.kind
      places[mark.runs - 1] = mark.place
    }
    text.removeLast(byteCount - mark.bytes)
    scalarCounts.removeAll()
    count = mark.count
    insertedCount = mark.insertedCount
    tail = mark.tail
  }
}
