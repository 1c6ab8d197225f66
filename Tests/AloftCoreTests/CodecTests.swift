// SPDX-License-Identifier: Apache-2.0
// CBOR and JSON: exact on what is right, a clear error on everything else, never a trap.
import Testing

@testable import AloftCore

@Suite("CBOR and JSON")
struct CodecTests {
  /// RFC 8949, appendix A: the examples that deterministic encoding can produce.
  @Test("the examples of RFC 8949 come out byte for byte")
  func rfcExamples() {
    let cases: [(Value, [UInt8])] = [
      (.int(0), [0x00]), (.int(23), [0x17]), (.int(24), [0x18, 0x18]), (.int(1_000_000), [0x1A, 0x00, 0x0F, 0x42, 0x40]),
      (.int(-1), [0x20]), (.int(-1000), [0x39, 0x03, 0xE7]), (.double(0), [0xF9, 0, 0]), (.double(-0.0), [0xF9, 0x80, 0]),
      (.double(1.5), [0xF9, 0x3E, 0]), (.double(65504), [0xF9, 0x7B, 0xFF]), (.double(100_000), [0xFA, 0x47, 0xC3, 0x50, 0]),
      (.double(1.1), [0xFB, 0x3F, 0xF1, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9A]), (.double(5.960464477539063e-8), [0xF9, 0, 1]),
      (.double(0.00006103515625), [0xF9, 0x04, 0]), (.double(.infinity), [0xF9, 0x7C, 0]), (.double(.nan), [0xF9, 0x7E, 0]),
      (.bool(true), [0xF5]), (.null, [0xF6]), (.text("ü"), [0x62, 0xC3, 0xBC]), (.bytes([1, 2]), [0x42, 1, 2]),
      (.array([.int(1), .array([.int(2)])]), [0x82, 1, 0x81, 2]),
    ]
    for (value, bytes) in cases {
      var out = CBORWriter()
      value.encode(to: &out)
      #expect(out.output == bytes)
      var reader = CBORReader(bytes)
      let back = try? Value(from: &reader)
      if case .double(let number) = value, number.isNaN { continue }
      #expect(back == value)
    }
  }

  @Test("every half-precision number survives the way there and back")
  func halves() throws {
    for bits in UInt16.min...UInt16.max {
      var reader = CBORReader([0xF9, UInt8(bits >> 8), UInt8(bits & 0xFF)])
      let value = try reader.double()
      if value.isNaN { continue }
      var out = CBORWriter()
      out.double(value)
      #expect(out.output == [0xF9, UInt8(bits >> 8), UInt8(bits & 0xFF)])
    }
  }

  @Test("decimal numbers are read to the nearest double, as the platform's own reader does")
  func decimals() throws {
    var random = Random(seed: 11)
    var texts = ["0.1", "1e23", "5e-324", "1.7976931348623157e308", "2.2250738585072014e-308", "9007199254740993", "123456789012345678901234567890", "1e-400", "4.9406564584124654e-324", "0.30000000000000004"]
    for _ in 0..<3000 {
      let value = Double(bitPattern: random.next())
      if value.isFinite { texts.append(value.description) }
      texts.append("\(random.below(1 << 50)).\(random.below(1 << 40))e\(Int(random.below(60)) - 30)")
    }
    for text in texts {
      let cbor = try JSONCodec.cbor(fromJSON: Array(text.utf8))
      var reader = CBORReader(cbor)
      let value: Double = try reader.peek() == .double ? reader.double() : Double(reader.int())
      #expect(value == Double(text)!, "\(text)")
    }
  }

  @Test("what JSON must escape is found wherever it stands, and nothing else is touched")
  func escapes() throws {
    for filler in ["a", " ", "é", "\u{7f}", "!", "#"] {
      for (character, escape) in [("\"", "\\\""), ("\\", "\\\\"), ("\n", "\\n"), ("\u{1}", "\\u0001"), ("\u{1f}", "\\u001f"), (filler, filler)] {
        for before in 0..<18 {
          for after in [0, 1, 7, 8, 9] {
            let (head, tail) = (String(repeating: filler, count: before), String(repeating: filler, count: after))
            var out: [UInt8] = []
            JSONCodec.appendText(Text(head + character + tail), to: &out)
            #expect(String(decoding: out, as: UTF8.self) == "\"" + head + escape + tail + "\"")
          }
        }
      }
    }
  }

  @Test("JSON that is not JSON is refused with a place, and never accepted in part")
  func badJSON() {
    let bad = [
      "", "{", "[1,]", "{\"a\":}", "{\"a\" 1}", "01", "1.", "-", "+1", "nul", "\"\\x\"", "\"\\ud800\"", "\"\u{1}\"", "[1 2]", "{1:2}", "[1]]", "\"abc", "1e", "tru", "1e400",
      "\u{FEFF}1",
    ]
    for text in bad { #expect(throws: DecodeError.self, "\(text)") { try JSONCodec.cbor(fromJSON: Array(text.utf8)) } }
  }

  @Test("a hundred thousand levels of nesting are refused in linear time and constant stack")
  func deep() {
    #expect(throws: DecodeError.self) { try JSONCodec.cbor(fromJSON: [UInt8](repeating: 0x5B, count: 100_000)) }
    #expect(throws: DecodeError.self) { try CBORReader.checkWellFormed([UInt8](repeating: 0x81, count: 100_000)) }
    var reader = CBORReader([UInt8](repeating: 0x81, count: 100_000))
    #expect(throws: DecodeError.self) { try reader.skip() }
  }

  @Test("a count larger than the bytes that follow is refused before anything is allocated for it")
  func hugeCounts() {
    for head: [UInt8] in [[0x9B, 0x7F, 255, 255, 255, 255, 255, 255, 255], [0xBB, 0, 0, 0, 1, 0, 0, 0, 0], [0x5A, 255, 255, 255, 255], [0x7B, 255, 255, 255, 255, 255, 255, 255, 255]] {
      #expect(throws: DecodeError.self) { try CBORReader.checkWellFormed(head + [0, 0]) }
    }
  }

  @Test("random and damaged bytes never trap any decoder")
  func fuzz() throws {
    var random = Random(seed: 2026)
    var row = Row(id: "abc", bornBy: Stamp(time: HybridTime(milliseconds: 5), mutation: MutationID(device: DeviceID(high: 1, low: 2), n: 3)))
    row.write(.plain(.text("value")), to: 0, by: row.stamps[0])
    row.write(.supported([SupportedValue(value: "x", dots: [0])]), to: 2, by: row.stamps[0])
    let good = row.encode()
    for round in 0..<20_000 {
      var bytes = round % 2 == 0 ? good : (0..<Int(random.below(60))).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      if round % 2 == 0 {
        for _ in 0...random.below(3) { bytes[Int(random.below(UInt64(bytes.count)))] = UInt8(truncatingIfNeeded: random.next()) }
        bytes.removeLast(Int(random.below(4)))
      }
      _ = try? Row(bytes: bytes)
      _ = try? CBORReader.checkWellFormed(bytes)
      _ = try? JSONCodec.json(fromCBOR: bytes)
      _ = try? JSONCodec.cbor(fromJSON: bytes)
      _ = try? SyncRequest(body: bytes, format: .cbor)
      _ = try? SyncRequest(body: bytes, format: .json)
      _ = try? SyncResponse(body: SyncResponse.magic + bytes)
      _ = RowView(bytes: bytes, start: 0, end: bytes.count).value(2, rule: .addWins)
      _ = try? Query(cbor: bytes, app: todoApp)
    }
  }

  @Test("a row is read back as it was written, and its encoding is the only one")
  func rowRoundTrip() throws {
    var random = Random(seed: 3)
    for _ in 0..<500 {
      let author = { (n: UInt64) in Stamp(time: HybridTime(milliseconds: n * 3, counter: UInt32(n)), mutation: MutationID(device: DeviceID(high: n % 3, low: 1), n: n), sequence: n) }
      var row = Row(id: "record", bornBy: author(1))
      for n in 2...6 where random.below(2) == 0 {
        let stamp = author(UInt64(n))
        let field = Int(random.below(7))
        if random.below(3) == 0 {
          row.write(.supported([SupportedValue(value: .int(Int64(n)), dots: [row.index(of: stamp), 0])]), to: field, by: stamp)
        } else {
          row.write(.plain(.int(Int64(n))), to: field, by: stamp)
        }
      }
      row.dropUnusedStamps()
      let bytes = row.encode()
      let back = try Row(bytes: bytes)
      #expect(back == row)
      #expect(back.encode() == bytes)
    }
  }

  @Test("base64url is read back, and near misses are refused")
  func base64() {
    var random = Random(seed: 4)
    for length in 0..<50 {
      let bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
    }
    for text in ["A", "AB==", "A+/=", "AAAAA", "AB"] { #expect(Base64URL.decode(Text(text)) == nil || Text(text) == Base64URL.encode(Base64URL.decode(Text(text))!)) }
  }
}
