// SPDX-License-Identifier: Apache-2.0
// Compresses the text of logs: repetitions (LZ77), then a binary arithmetic coder whose probabilities learn as they go.
//
//   blocks   of 64 KiB of text, the last one shorter: how many bytes, or 0 when the text follows as it is; the bytes
//
// A block refers to the text of the block before but learns anew, so what was packed stays as it is when a log grows. For each step:
// a bit whether text is repeated; then a byte (8 bits, by the five high bits of the byte before), or a length less 3 (8 bits) and a
// distance (its number of bits, by the length; then its bits below the highest, of which four are learned). The same bytes everywhere.
//
// Why not Deflate: this packs better and needs no tables. It is slower to read, for which only those pay who edit or merge.

enum TextPacker {
  static let blockSize = 1 << 16
  /// Packed text stands for at most so many times its bytes: a limit on what a hostile message can cost.
  static let ratioMax = 64
  static let lengthMin = 3
  static let lengthMax = 258
  // Where the probabilities of each kind of bit are.
  static let repeats = 0
  static let lengths = 4
  static let widths = lengths + 256
  static let distances = widths + 4 * 32
  static let literals = distances + 32 * 16
  static let modelSize = literals + 32 * 256

  /// The chance of a one after a bit: a 32nd of the way to sure, which it never reaches.
  @inline(__always) static func learn(_ chance: UInt16, _ isOne: Bool) -> UInt16 {
    let aim: Int32 = isOne ? 0xFFFF - 31 : 31
    return UInt16(truncatingIfNeeded: Int32(chance) &+ (aim &- Int32(chance)) >> 5)
  }

  /// Packs text from the start of a block on. Costs about 80 ns for each byte; a copy when it is to be quick.
  static func pack(_ text: [UInt8], from start: Int, to end: Int, _ writer: inout TextWriter, isQuick: Bool = false) {
    var at = start
    while at < end {
      let stop = min(end, at + blockSize)
      var packed = isQuick ? [] : packBlock(text, at, stop)
      // A reader takes zeros for what is not there, so they do no harm.
      while !isQuick && packed.count * ratioMax < stop - at { packed.append(0) }
      if !isQuick && packed.count < stop - at {
        writer.number(packed.count)
        writer.bytes.append(contentsOf: packed)
      } else {
        writer.number(0)
        writer.bytes.append(contentsOf: text[at..<stop])
      }
      at = stop
    }
  }

  private static func packBlock(_ text: [UInt8], _ start: Int, _ end: Int) -> [UInt8] {
    var coder = TextCoder()
    var search = TextSearch(text, from: max(0, start - blockSize), end)
    search.enter(upTo: start)
    var at = start
    var found = search.best(at)
    var afterRepeat = 0
    while at < end {
      search.enter(upTo: at + 1)
      if found.length > 0 {
        // A byte as it is may make way for a longer repetition.
        let next = found.length < 32 && at + 1 < end ? search.best(at + 1) : TextSearch.nothing
        if next.gain > found.gain {
          coder.literal(text, at, afterRepeat)
          afterRepeat = 0
          at += 1
          found = next
          continue
        }
        coder.repetition(found.length, found.distance, afterRepeat)
        afterRepeat = 1
        at += found.length
        search.enter(upTo: at)
      } else {
        coder.literal(text, at, afterRepeat)
        afterRepeat = 0
        at += 1
      }
      found = at < end ? search.best(at) : TextSearch.nothing
    }
    return coder.finish()
  }

  /// Unpacks `count` bytes from a reader, whose bytes may be hostile. `full` becomes the offset after the last whole block. Costs
  /// about 15 ns for each byte, next to nothing when it `skips` the bytes.
  static func unpack(_ reader: inout TextReader, _ count: Int, _ full: inout Int, _ skips: Bool = false) throws(TextError) -> [UInt8] {
    if count / ratioMax > reader.end - reader.offset { throw .malformed }
    var text = [UInt8](repeating: 0, count: skips ? 0 : count)
    var model: [UInt16] = []
    var at = 0
    while at < count {
      let stop = min(count, at + blockSize)
      let packed = try reader.number()
      let length = packed == 0 ? stop - at : packed
      if length > reader.end - reader.offset { throw .malformed }
      let from = reader.offset
      reader.offset += length
      if skips {
        // Only where the blocks are is of interest.
      } else if packed == 0 {
        for index in 0..<length { text[at + index] = reader.bytes[from + index] }
      } else {
        model = [UInt16](repeating: 1 << 15, count: modelSize)
        let isGood = text.withUnsafeMutableBufferPointer { text in
          model.withUnsafeMutableBufferPointer { model in
            reader.bytes.withUnsafeBufferPointer {
              var decoder = TextDecoder(source: $0, offset: from, end: from + length, model: model)
              return decoder.unpack(text, at, stop)
            }
          }
        }
        if !isGood { throw .malformed }
      }
      if stop - at == blockSize { full = reader.offset }
      at = stop
    }
    return text
  }
}

/// Finds earlier occurrences of three bytes and more: for each hash the last place, for each place the one before.
private struct TextSearch {
  static let nothing = (length: 0, distance: 0, gain: 0)
  let text: [UInt8]
  let base: Int
  let end: Int
  var entered: Int
  var heads = [UInt32](repeating: 0, count: 1 << 14)
  var chain: [UInt32]

  init(_ text: [UInt8], from base: Int, _ end: Int) {
    self.text = text
    self.base = base
    self.end = end
    entered = base
    chain = [UInt32](repeating: 0, count: end - base)
  }

  @inline(__always) private func hash(_ at: Int) -> Int {
    let word = UInt32(text[at]) | UInt32(text[at + 1]) << 8 | UInt32(text[at + 2]) << 16
    return Int(truncatingIfNeeded: (word &* 0x9E37_79B1) >> 18)
  }

  mutating func enter(upTo stop: Int) {
    let stop = min(stop, end - 2)
    while entered < stop {
      let hash = hash(entered)
      chain[entered - base] = heads[hash]
      heads[hash] = UInt32(truncatingIfNeeded: entered - base + 1)
      entered += 1
    }
  }

  /// The repetition that saves most bits at a place before which all was entered; length 0 when none saves any.
  func best(_ at: Int) -> (length: Int, distance: Int, gain: Int) {
    var best = TextSearch.nothing
    let most = min(TextPacker.lengthMax, end - at)
    if most < TextPacker.lengthMin { return best }
    var next = Int(truncatingIfNeeded: heads[hash(at)])
    var tries = 48
    while next > 0, tries > 0 {
      let from = base + next - 1
      // Only what is longer than the best can be better: the nearest come first.
      if best.length < most, text[from + best.length] == text[at + best.length] {
        var length = 0
        while length < most, text[from + length] == text[at + length] { length += 1 }
        if length >= TextPacker.lengthMin {
          let distance = at - from
          // Measured: a byte as it is costs about 3 bits more than one that is repeated.
          let gain = 3 * length - Int.bitWidth + distance.leadingZeroBitCount
          if gain > best.gain { best = (length, distance, gain) }
        }
      }
      next = Int(truncatingIfNeeded: chain[next - 1])
      tries -= 1
    }
    return best
  }
}

/// Writes bits of learned probability: narrows an interval, and writes the bytes that its ends share.
private struct TextCoder {
  private var low: UInt32 = 0
  private var high: UInt32 = ~0
  private var model = [UInt16](repeating: 1 << 15, count: TextPacker.modelSize)
  private var bytes: [UInt8] = []

  private mutating func bit(_ bit: Int, _ at: Int) {
    let chance = model[at]
    let middle = low &+ ((high &- low) >> 16) &* UInt32(chance)
    if bit == 1 { high = middle } else { low = middle &+ 1 }
    model[at] = TextPacker.learn(chance, bit == 1)
    while (low ^ high) >> 24 == 0 {
      bytes.append(UInt8(truncatingIfNeeded: high >> 24))
      low <<= 8
      high = high << 8 | 0xFF
    }
  }

  /// Writes the low bits of a value, the highest first; each has probabilities for all bits before it.
  private mutating func bits(_ value: Int, _ count: Int, _ at: Int) {
    var path = 1
    var shift = count - 1
    while shift >= 0 {
      let next = value >> shift & 1
      bit(next, at + path)
      path = path << 1 | next
      shift -= 1
    }
  }

  mutating func literal(_ text: [UInt8], _ at: Int, _ afterRepeat: Int) {
    bit(0, TextPacker.repeats + afterRepeat)
    bits(Int(text[at]), 8, TextPacker.literals + (at > 0 ? Int(text[at - 1]) >> 3 : 0) << 8)
  }

  mutating func repetition(_ length: Int, _ distance: Int, _ afterRepeat: Int) {
    bit(1, TextPacker.repeats + afterRepeat)
    bits(length - TextPacker.lengthMin, 8, TextPacker.lengths)
    let width = Int.bitWidth - 1 - distance.leadingZeroBitCount
    bits(width, 5, TextPacker.widths + min(length - TextPacker.lengthMin, 3) << 5)
    let learned = min(width, 3)
    bits(distance >> (width - learned), learned, TextPacker.distances + width << 4)
    var shift = width - learned - 1
    while shift >= 0 {
      half(distance >> shift & 1)
      shift -= 1
    }
  }

  /// A bit that is as likely as not.
  private mutating func half(_ bit: Int) {
    let middle = low &+ (high &- low) >> 1
    if bit == 1 { high = middle } else { low = middle &+ 1 }
    while (low ^ high) >> 24 == 0 {
      bytes.append(UInt8(truncatingIfNeeded: high >> 24))
      low <<= 8
      high = high << 8 | 0xFF
    }
  }

  /// The end of the interval's code; a reader takes zeros for what is not there.
  mutating func finish() -> [UInt8] {
    var code = low
    var keep: UInt32 = 24
    // The fewest bytes that lie in the interval.
    while true {
      let mask = ~UInt32(0) << keep
      let candidate = (low &+ ~mask) & mask
      if candidate >= low, candidate <= high {
        code = candidate
        break
      }
      keep -= 8
      if keep == 0 { break }
    }
    while code != 0 {
      bytes.append(UInt8(truncatingIfNeeded: code >> 24))
      code <<= 8
    }
    return bytes
  }
}

/// Reads what `TextCoder` wrote. All indexes into the model are below its size by how they are made of bits; those into the text are
/// checked.
private struct TextDecoder {
  let source: UnsafeBufferPointer<UInt8>
  var offset: Int
  let end: Int
  let model: UnsafeMutableBufferPointer<UInt16>
  var low: UInt32 = 0
  var high: UInt32 = ~0
  var code: UInt32 = 0

  @inline(__always) private mutating func shift() {
    low <<= 8
    high = high << 8 | 0xFF
    code <<= 8
    if offset < end {
      code |= UInt32(source[offset])
      offset += 1
    }
  }

  @inline(__always) private mutating func bit(_ at: Int) -> Int {
    let chance = model[at]
    let middle = low &+ ((high &- low) >> 16) &* UInt32(chance)
    // Without a branch: nobody can predict it.
    let isOne = code <= middle
    high = isOne ? middle : high
    low = isOne ? low : middle &+ 1
    model[at] = TextPacker.learn(chance, isOne)
    let result = isOne ? 1 : 0
    while (low ^ high) >> 24 == 0 { shift() }
    return result
  }

  @inline(__always) private mutating func half() -> Int {
    let middle = low &+ (high &- low) >> 1
    let result = code <= middle ? 1 : 0
    if result == 1 { high = middle } else { low = middle &+ 1 }
    while (low ^ high) >> 24 == 0 { shift() }
    return result
  }

  @inline(__always) private mutating func bits(_ count: Int, _ at: Int) -> Int {
    var path = 1
    var left = count
    while left > 0 {
      path = path << 1 | bit(at + path)
      left -= 1
    }
    return path - 1 << count
  }

  mutating func unpack(_ text: UnsafeMutableBufferPointer<UInt8>, _ start: Int, _ stop: Int) -> Bool {
    for _ in 0..<4 { shift() }
    low = 0
    high = ~0
    var at = start
    var afterRepeat = 0
    while at < stop {
      if bit(TextPacker.repeats + afterRepeat) == 0 {
        afterRepeat = 0
        text[at] = UInt8(truncatingIfNeeded: bits(8, TextPacker.literals + (at > 0 ? Int(text[at - 1]) >> 3 : 0) << 8))
        at += 1
        continue
      }
      afterRepeat = 1
      let length = bits(8, TextPacker.lengths) + TextPacker.lengthMin
      let width = bits(5, TextPacker.widths + min(length - TextPacker.lengthMin, 3) << 5)
      if width > 17 { return false }
      let learned = min(width, 3)
      var distance = 1 << learned | bits(learned, TextPacker.distances + width << 4)
      var left = width - learned
      while left > 0 {
        distance = distance << 1 | half()
        left -= 1
      }
      if distance > at || length > stop - at { return false }
      let repeated = at + length
      while at < repeated {
        text[at] = text[at - distance]
        at += 1
      }
    }
    return true
  }
}
