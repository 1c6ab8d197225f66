// SPDX-License-Identifier: Apache-2.0
// The text of a document: UTF-8 in a gap buffer that counts Unicode scalars and UTF-16 units.
//
// Edits cost the distance from the edit before, moved at memory speed. Places are in Unicode scalars; JavaScript's are in UTF-16.

/// An editable text.
struct TextBuffer: Sendable {
  private var bytes: [UInt8] = []
  private var gapStart = 0
  private var gapEnd = 0
  /// Unicode scalars before the gap, and in all.
  private var scalarsBefore = 0
  private(set) var count = 0
  /// Scalars above U+FFFF, which are two UTF-16 units each.
  private(set) var astralCount = 0

  init() {}

  /// Takes well-formed UTF-8.
  init(_ text: [UInt8]) {
    bytes = text
    gapStart = text.count
    gapEnd = text.count
    text.withUnsafeBufferPointer {
      (count, astralCount) = TextBuffer.measure($0, 0, text.count)
    }
    scalarsBefore = count
  }

  var byteCount: Int { bytes.count - (gapEnd - gapStart) }
  var capacity: Int { bytes.count }
  var utf16Count: Int { count + astralCount }

  /// The whole text. Costs a copy.
  var utf8: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: byteCount) { target, written in
      bytes.withUnsafeBufferPointer { source in
        if let from = source.baseAddress, let to = target.baseAddress {
          TextBuffer.move(from, to, gapStart)
          TextBuffer.move(from + gapEnd, to + gapStart, source.count - gapEnd)
        }
      }
      written = byteCount
    }
  }

  // MARK: Edits

  /// Inserts well-formed UTF-8 of `length` scalars before the scalar `place`, which is at most `count`.
  @inline(__always) mutating func insert(_ source: UnsafeBufferPointer<UInt8>, _ length: Int, at place: Int) {
    if place != scalarsBefore { moveGap(to: place) }
    let added = source.count
    if gapEnd &- gapStart < added { grow(added) }
    let start = gapStart
    bytes.withUnsafeMutableBufferPointer { target in
      if added == 1 {
        target[start] = source[0]
      } else if added > 0 {
        TextBuffer.move(source.baseAddress!, target.baseAddress! + start, added)
      }
    }
    gapStart = start &+ added
    scalarsBefore = scalarsBefore &+ length
    count = count &+ length
    // Scalars above U+FFFF have four bytes, so there are none in text with fewer bytes than scalars and three.
    if added >= length &+ 3 { astralCount += TextBuffer.measure(source, 0, added).astral }
  }

  /// Deletes `length` scalars from `place` on; all must be there. Gives the UTF-16 units deleted.
  @discardableResult
  @inline(__always) mutating func delete(_ length: Int, at place: Int) -> Int {
    if place &+ length == scalarsBefore {
      let end = gapStart
      if count == byteCount {
        gapStart = end &- length
      } else {
        gapStart = bytes.withUnsafeBufferPointer { TextBuffer.skipBack($0, length, from: end) }
      }
      scalarsBefore = place
      count = count &- length
      return astralCount == 0 ? length : length + forgetAstral(gapStart, end)
    }
    if place != scalarsBefore { moveGap(to: place) }
    let start = gapEnd
    if count == byteCount {
      gapEnd = start &+ length
    } else {
      gapEnd = bytes.withUnsafeBufferPointer { TextBuffer.skip($0, length, from: start) }
    }
    count = count &- length
    return astralCount == 0 ? length : length + forgetAstral(start, gapEnd)
  }

  private mutating func forgetAstral(_ start: Int, _ end: Int) -> Int {
    let astral = bytes.withUnsafeBufferPointer { TextBuffer.measure($0, start, end).astral }
    astralCount -= astral
    return astral
  }

  @inline(never) private mutating func moveGap(to place: Int) {
    let target = byteOffset(of: place)
    let (start, end) = (gapStart, gapEnd)
    bytes.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      if place < scalarsBefore {
        TextBuffer.move(base + target, base + (end - (start - target)), start - target)
      } else {
        TextBuffer.move(base + end, base + start, target - end)
      }
    }
    if place < scalarsBefore {
      gapEnd = end - (start - target)
      gapStart = target
    } else {
      gapStart = start + target - end
      gapEnd = target
    }
    scalarsBefore = place
  }

  /// Moves bytes at memory speed. Not `update(from:)`, which the browser's build makes a loop over single bytes.
  @inline(__always) private static func move(_ from: UnsafePointer<UInt8>, _ to: UnsafeMutablePointer<UInt8>, _ count: Int) {
    UnsafeMutableRawPointer(to).copyMemory(from: from, byteCount: count)
  }

  @inline(never) private mutating func grow(_ added: Int) {
    let capacity = max(64, 2 * (byteCount + added))
    let (start, end) = (gapStart, gapEnd)
    let tail = bytes.count - end
    let old = bytes
    bytes = [UInt8](unsafeUninitializedCapacity: capacity) { target, written in
      // The gap is memory as well and must be initialised.
      target.initialize(repeating: 0)
      old.withUnsafeBufferPointer { source in
        if let from = source.baseAddress, let to = target.baseAddress {
          TextBuffer.move(from, to, start)
          TextBuffer.move(from + end, to + capacity - tail, tail)
        }
      }
      written = capacity
    }
    gapEnd = capacity - tail
  }

  // MARK: Places

  /// The raw offset of a scalar in `bytes`, behind the gap when it is not before it; scanned from the gap or from the near end.
  private func byteOffset(of place: Int) -> Int {
    bytes.withUnsafeBufferPointer { buffer in
      if place < scalarsBefore {
        if scalarsBefore == gapStart { return place }
        return place < scalarsBefore - place
          ? TextBuffer.skip(buffer, place, from: 0) : TextBuffer.skipBack(buffer, scalarsBefore - place, from: gapStart)
      }
      if count - scalarsBefore == buffer.count - gapEnd { return gapEnd + place - scalarsBefore }
      return place - scalarsBefore < count - place
        ? TextBuffer.skip(buffer, place - scalarsBefore, from: gapEnd)
        : TextBuffer.skipBack(buffer, count - place, from: buffer.count)
    }
  }

  /// UTF-16 units before a scalar.
  func utf16Offset(of place: Int) -> Int {
    if astralCount == 0 { return place }
    let offset = byteOffset(of: place)
    return place
      + bytes.withUnsafeBufferPointer { buffer in
        if place < scalarsBefore { return TextBuffer.measure(buffer, 0, offset).astral }
        return TextBuffer.measure(buffer, 0, gapStart).astral + TextBuffer.measure(buffer, gapEnd, offset).astral
      }
  }

  /// The scalar that holds a UTF-16 unit; `count` for the place after the last.
  func scalarOffset(ofUTF16 unit: Int) -> Int {
    if astralCount == 0 { return unit }
    var units = 0
    var scalars = 0
    var at = 0
    while at < bytes.count {
      if at == gapStart { at = gapEnd }
      if at >= bytes.count { break }
      let byte = bytes[at]
      if byte & 0xC0 != 0x80 {
        let width = byte >= 0xF0 ? 2 : 1
        if units + width > unit { return scalars }
        units += width
        scalars += 1
      }
      at += 1
    }
    return scalars
  }

  /// The same when it is known that the scalar `near` begins at the unit `nearUnit`; scanned from there. Places behind the end count
  /// as the end.
  func scalarOffset(ofUTF16 unit: Int, near: Int, _ nearUnit: Int) -> Int {
    if astralCount == 0 { return min(unit, count) }
    var (scalar, units) = (near, nearUnit)
    var at = byteOffset(of: near)
    while units > unit, scalar > 0 {
      repeat { at = (at == gapEnd ? gapStart : at) - 1 } while bytes[at] & 0xC0 == 0x80
      units -= bytes[at] >= 0xF0 ? 2 : 1
      scalar -= 1
    }
    while units < unit, scalar < count {
      if at == gapStart { at = gapEnd }
      let width = bytes[at] >= 0xF0 ? 2 : 1
      // A unit in the middle of a pair counts as its beginning.
      if units + width > unit { break }
      units += width
      scalar += 1
      at += 1
      while at < bytes.count, at != gapStart, bytes[at] & 0xC0 == 0x80 { at += 1 }
    }
    return scalar
  }

  /// Copies the bytes of `length` scalars from `place` on to the end of an array.
  func copy(_ length: Int, from place: Int, to target: inout [UInt8]) {
    var at = byteOffset(of: place)
    var left = length
    while at < bytes.count {
      if at == gapStart { at = gapEnd }
      if at >= bytes.count { break }
      let byte = bytes[at]
      if byte & 0xC0 != 0x80 {
        if left == 0 { break }
        left -= 1
      }
      target.append(byte)
      at += 1
    }
  }

  // MARK: Scans of UTF-8, eight bytes at a time

  private static let ones: UInt64 = 0x0101_0101_0101_0101

  /// The offset after so many scalars.
  @inline(never) static func skip(_ buffer: UnsafeBufferPointer<UInt8>, _ scalars: Int, from start: Int) -> Int {
    var at = start
    var left = scalars
    let raw = UnsafeRawBufferPointer(buffer)
    while left >= 8, at + 8 <= raw.count {
      let word = raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)
      left -= 8 - ((word >> 7) & ~(word >> 6) & ones).nonzeroBitCount
      at += 8
    }
    while at < buffer.count {
      if buffer[at] & 0xC0 != 0x80 {
        if left == 0 { break }
        left -= 1
      }
      at += 1
    }
    return at
  }

  /// The offset before so many scalars that end at `end`.
  @inline(never) static func skipBack(_ buffer: UnsafeBufferPointer<UInt8>, _ scalars: Int, from end: Int) -> Int {
    var at = end
    var left = scalars
    let raw = UnsafeRawBufferPointer(buffer)
    while left >= 8, at >= 8 {
      let word = raw.loadUnaligned(fromByteOffset: at - 8, as: UInt64.self)
      left -= 8 - ((word >> 7) & ~(word >> 6) & ones).nonzeroBitCount
      at -= 8
    }
    while left > 0, at > 0 {
      at -= 1
      if buffer[at] & 0xC0 != 0x80 { left -= 1 }
    }
    // Eight bytes at a time may have stopped inside the scalar before.
    while at < end, buffer[at] & 0xC0 == 0x80 { at += 1 }
    return at
  }

  /// The scalars of well-formed UTF-8, and those of them above U+FFFF.
  @inline(never) static func measure(_ buffer: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) -> (scalars: Int, astral: Int) {
    var at = start
    var scalars = 0
    var astral = 0
    let raw = UnsafeRawBufferPointer(buffer)
    while at + 8 <= end {
      let word = raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)
      at += 8
      scalars += 8
      if word & (ones << 7) == 0 { continue }
      scalars -= ((word >> 7) & ~(word >> 6) & ones).nonzeroBitCount
      astral += ((word >> 7) & (word >> 6) & (word >> 5) & (word >> 4) & ones).nonzeroBitCount
    }
    while at < end {
      if buffer[at] & 0xC0 != 0x80 { scalars += 1 }
      if buffer[at] >= 0xF0 { astral += 1 }
      at += 1
    }
    return (scalars, astral)
  }
}
