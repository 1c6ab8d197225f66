// SPDX-License-Identifier: Apache-2.0
// Scans packed rows where they lie for one text in one field: most rows are refused without making a view of them.
//
// Why a walk of its own: the first query after a cold open scans everything, in code that the browser has not optimised yet. There a
// reader for each row costs three times what the comparison does.

extension Table {
  private enum Verdict { case equal, different, unknown }

  /// The text that a field must equal for the filter to hold, when the filter asks for that.
  static func wantedText(_ filter: Filter) -> (field: Int, text: Text)? {
    switch filter {
    case .compare(let field, .equal, .text(let text)) where field >= 0: return (field, text)
    case .all(let parts):
      for part in parts { if let wanted = wantedText(part) { return wanted } }
      return nil
    default: return nil
    }
  }

  /// Visits, in the order of slots, every visible record whose field may be this text; some may turn out to differ.
  func forEachVisible(where field: Int, is text: Text, _ body: (UInt32, RowView) -> Void) {
    var slot = 0
    while slot < places.count {
      guard isPacked(slot), case .page(let page, _, _) = places[slot] else {
        if let view = visible(UInt32(slot)) { body(UInt32(slot), view) }
        slot += 1
        continue
      }
      slot = scan(page: page, from: slot, field, text, body)
    }
  }

  /// Scans the run of rows that lie in one page, and returns the slot behind it. A call for each page lets the browser exchange the
  /// code for a faster one on the way.
  private func scan(page: UInt32, from first: Int, _ field: Int, _ text: Text, _ body: (UInt32, RowView) -> Void) -> Int {
    let bytes = pages[Int(page)].bytes
    var slot = first
    bytes.withUnsafeBytes { raw in
      text.utf8.withUnsafeBytes { wanted in
        while slot < places.count, isPacked(slot), case .page(let home, let offset, let length) = places[slot], home == page {
          let (start, end) = (Int(offset), Int(offset + length))
          let verdict = Self.compare(raw, start, end, field, wanted)
          if verdict != .different {
            let view = RowView(bytes: bytes, start: start, end: end)
            if verdict == .equal || !view.isDeleted { body(UInt32(slot), view) }
          }
          slot += 1
        }
      }
    }
    return slot
  }

  /// `different` also for a record that is deleted; `unknown` for whatever is not plain text.
  @inline(__always)
  private static func compare(
    _ raw: UnsafeRawBufferPointer, _ start: Int, _ end: Int, _ field: Int, _ wanted: UnsafeRawBufferPointer
  ) -> Verdict {
    var walk = RawWalk(raw, from: start, to: end)
    guard walk.head() == 4, walk.skip(), walk.position < end else { return .unknown }
    if raw[walk.position] >> 5 == 1 { return .different }
    guard walk.skip(), walk.head() == 4 else { return .unknown }
    guard field < walk.argument else { return .different }
    for _ in 0..<field { if !walk.skip() { return .unknown } }
    guard walk.head() == 3, walk.argument <= end - walk.position else { return .unknown }
    guard walk.argument == wanted.count else { return .different }
    var index = 0
    while index < wanted.count {
      if raw[walk.position + index] != wanted[index] { return .different }
      index += 1
    }
    return .equal
  }
}

/// Walks over the CBOR of a row that was checked when it came in; stops at what it does not expect. The steps that nearly every row is
/// made of are in line, and what is not takes and gives plain numbers, so that the walk lives in registers.
private struct RawWalk {
  private let bytes: UnsafeRawBufferPointer
  private let end: Int
  private(set) var position: Int
  /// The number in the head read last.
  private(set) var argument = 0

  init(_ bytes: UnsafeRawBufferPointer, from start: Int, to end: Int) {
    self.bytes = bytes
    self.end = end
    position = start
  }

  /// Reads the head of an item and returns its major type; -1 when there is none.
  @inline(__always)
  mutating func head() -> Int {
    guard position < end else { return -1 }
    let first = Int(bytes[position])
    position += 1
    argument = first & 0x1F
    if argument < 24 { return first >> 5 }
    guard argument < 28, 1 << (argument - 24) <= end - position else { return -1 }
    let width = 1 << (argument - 24)
    argument = width == 1 ? Int(bytes[position]) : Self.number(bytes, position, width)
    position += width
    return first >> 5
  }

  @inline(never)
  private static func number(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ width: Int) -> Int {
    var value: UInt64 = 0
    for index in start..<start + width { value = value << 8 | UInt64(bytes[index]) }
    // A float's bits may be any number, and no length is one of these.
    return Int(truncatingIfNeeded: value & 0x7FFF_FFFF)
  }

  /// Moves past one item; false when it does not end.
  @inline(__always)
  mutating func skip() -> Bool {
    let kind = head()
    if kind == 2 || kind == 3 {
      guard argument <= end - position else { return false }
      position += argument
    } else if kind >= 4 && kind <= 6 {
      position = Self.behind(kind == 4 ? argument : kind == 5 ? argument * 2 : 1, bytes, position, end)
    }
    return kind >= 0 && position >= 0
  }

  /// The place behind so many items; -1 when they do not end.
  @inline(never)
  private static func behind(_ items: Int, _ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> Int {
    var walk = RawWalk(bytes, from: start, to: end)
    var remaining = items
    while remaining > 0 {
      guard remaining <= end - walk.position else { return -1 }
      remaining -= 1
      switch walk.head() {
      case -1: return -1
      case 2, 3:
        guard walk.argument <= end - walk.position else { return -1 }
        walk.position += walk.argument
      case 4: remaining += walk.argument
      case 5: remaining += walk.argument * 2
      case 6: remaining += 1
      default: break
      }
    }
    return walk.position
  }
}
