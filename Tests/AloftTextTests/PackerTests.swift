// SPDX-License-Identifier: Apache-2.0
// Packed text comes back as it was, and hostile packed text does no harm.
import Testing

@testable import AloftCore

@Suite("Packed text") struct PackerTests {
  func pack(_ text: [UInt8]) -> [UInt8] {
    var writer = TextWriter()
    TextPacker.pack(text, from: 0, to: text.count, &writer)
    return writer.bytes
  }

  func unpack(_ bytes: [UInt8], _ count: Int) throws(TextError) -> [UInt8] {
    var reader = TextReader(bytes, 0, bytes.count)
    var full = 0
    return try TextPacker.unpack(&reader, count, &full)
  }

  /// Texts of every kind: noise, few letters, long repetitions near and far.
  func text(_ random: inout Random, _ size: Int) -> [UInt8] {
    let letters = 1 + random.below(256)
    let copies = random.below(4)
    var text: [UInt8] = []
    while text.count < size {
      if copies > 0, text.count > 0, random.below(4) < copies {
        let from = text.count - 1 - Int(random.below(UInt64(text.count)))
        for index in 0..<1 + Int(random.below(600)) { text.append(text[from + index]) }
      } else {
        text.append(UInt8(random.below(letters)))
      }
    }
    return text
  }

  @Test("text comes back as it was", arguments: [0, 1, 2, 3, 4, 100, 5_000, 65_535, 65_536, 65_537, 150_000])
  func roundTrip(_ size: Int) throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    var random = Random(seed: seed)
    for _ in 0..<(size > 10_000 ? 1 : 20) {
      let text = text(&random, size)
      let packed = pack(text)
      #expect(try unpack(packed, text.count) == text, "seed \(seed)")
      #expect(packed.count <= text.count + 4 * (text.count / TextPacker.blockSize + 1))
    }
    let same = [UInt8](repeating: 97, count: size)
    #expect(try unpack(pack(same), size) == same)
  }

  @Test("mutated bytes are refused or give another text of the same length")
  func mutated() {
    let seed = UInt64.random(in: 0..<1_000_000)
    var random = Random(seed: seed)
    let text = text(&random, 3_000)
    let packed = pack(text)
    for _ in 0..<3_000 {
      var bytes = packed
      switch random.below(3) {
      case 0: bytes[Int(random.below(UInt64(bytes.count)))] = UInt8(random.below(256))
      case 1: bytes.removeLast(Int(random.below(UInt64(bytes.count))))
      default: bytes = (0..<Int(random.below(400))).map { _ in UInt8(random.below(256)) }
      }
      if let other = try? unpack(bytes, text.count) { #expect(other.count == text.count, "seed \(seed)") }
    }
  }

  @Test("a few bytes cannot ask for much memory")
  func bomb() throws {
    #expect(throws: TextError.malformed) { _ = try unpack([1, 0], 1 << 26) }
    #expect(throws: TextError.malformed) { _ = try unpack([], 1) }
    // One agent, 2^25 insertions, all of one run, their text packed into two bytes.
    let count = 1 << 25
    var message = TextWriter()
    for number in [0x13, count, 2, 97, 0, 0, 0, 0, count << 3 | 1, count, 1, 0] { message.wide(UInt64(number)) }
    var document = TextDocument()
    #expect(throws: TextError.malformed) { _ = try document.merge(message.bytes) }
  }

  @Test("packed text with as many bytes as the message has scalars is ASCII or refused")
  func bytesForScalars() throws {
    // One agent, three insertions, their text packed without compression.
    let message: [UInt8] = [0x13, 3, 2, 97, 0, 0, 0, 0, 3 << 3 | 1, 3, 0]
    var document = TextDocument()
    #expect(throws: TextError.malformed) { _ = try document.merge(message + Array("\u{20AC}".utf8)) }
    _ = try document.merge(message + Array("abc".utf8))
    #expect(document.utf8 == Array("abc".utf8))
  }
}
