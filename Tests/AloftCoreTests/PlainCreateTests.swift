// SPDX-License-Identifier: Apache-2.0
// Creates in bulk: the short way takes nothing that the general way would refuse, and comes to the same bytes.
import Testing

@testable import AloftCore

@Suite("Plain creates")
struct PlainCreateTests {
  let app = App("shop") {
    Collection("items") {
      Field("title", .string, required: true)
      Field("state", .choice("open", "closed"))
      Field("size", .int, .guarded)
      Field("due", .timestamp)
      Field("done", .bool)
      Field("maker", .string, .immutable)
      Field("price", .double)
      Field("tags", .set(.string))
      Field("likes", .counter(min: 0))
      Field("note", .string, .manual)
      Field("best", .int, .maximum)
      Field("parent", .reference("items"))
    }
    Collection("shelves") { Field("b", .string); Field("aa", .string); Field("a", .string) }
  }

  let stamp = Stamp(
    time: HybridTime(milliseconds: 1_800_000_000_000, counter: 70_000), mutation: MutationID(device: DeviceID(high: 3, low: 4), n: 300))

  let texts = ["\"\"", "\"open\"", "\"ünï ✓ 𝄞 and more than eight\"", "\"a \\\"quoted\\\" word\"", "\"\(String(repeating: "long ", count: 60))\""]
  let numbers = ["0", "23", "24", "255", "256", "65536", "4294967296", "-1", "-25", "-9007199254740991", "9007199254740991"]
  let others = [
    "null", "true", "\"closed\"", "9007199254740992", "-9007199254740992", "1.5", "1e3", "[\"x\"]", "[]", "{\"$increment\":2}", "{\"$add\":[\"x\"]}", "{}",
  ]

  /// A value as JSON: mostly one that fits the field.
  func value(_ field: String, _ random: inout Random) -> String {
    if random.below(12) == 0 { return pick(others + texts + numbers, &random) }
    switch field {
    case "size", "due", "likes", "best", "price": return pick(numbers, &random)
    case "done": return pick(["true", "false"], &random)
    case "state": return pick(["\"open\"", "\"closed\"", "null"], &random)
    case "tags": return "[\"x\"]"
    default: return pick(texts, &random)
    }
  }

  func pick<T>(_ list: [T], _ random: inout Random) -> T { list[Int(random.below(UInt64(list.count)))] }

  /// Fields that are not plain, and one that is not declared.
  let odd = ["title", "price", "tags", "likes", "note", "best", "parent", "missing"]

  func object(_ pairs: [(String, String)]) -> String { "{" + pairs.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}" }

  /// The call that a person might make, its arguments with an id as the general way wants them.
  func call(_ random: inout Random) -> (call: String, args: String) {
    let isShelf = random.below(4) == 0
    let names = isShelf ? ["b", "aa", "a"] : random.below(3) == 0 ? odd : ["state", "size", "due", "done", "maker"]
    var fields = isShelf || random.below(9) == 0 ? [] : [("title", "\"t\"")]
    for _ in 0..<random.below(4) {
      let name = pick(names, &random)
      if random.below(20) == 0 || !fields.contains(where: { $0.0 == name }) { fields.append((name, value(name, &random))) }
    }
    var args = [("collection", random.below(20) == 0 ? pick(["\"nowhere\"", "1"], &random) : isShelf ? "\"shelves\"" : "\"items\"")]
    args.insert(("fields", object(fields)), at: Int(random.below(2)))
    if random.below(20) == 0 { args.append(pick(args, &random)) }
    let ids = ["\"i\"", "\"an id\"", "\"\"", "\"ü\"", "7", "\"\(String(repeating: "x", count: 65))\""]
    let given = random.below(4) == 0 ? [("id", pick(ids, &random))] : []
    let parts = [("action", random.below(20) > 0 ? "\"create\"" : "\"update\""), ("args", object(given + args))]
    return (object(random.below(2) > 0 ? parts : parts.reversed()), object((given.isEmpty ? [("id", "\"made\"")] : given) + args))
  }

  /// What the general way comes to; nil when it refuses.
  func general(_ args: String) -> (args: [UInt8], row: [UInt8])? {
    var reader = CBORReader(json(args))
    var out = CBORWriter()
    var row: Row?
    do {
      try CanonicalCBOR.append(&reader, to: &out)
      let write = try BuiltInAction.create.write(out.output, app)
      _ = try write.apply(to: &row, in: app.collections[write.key.collection], stamp: stamp, seen: [], isSpeculative: true)
    } catch { return nil }
    return (out.output, row!.encode())
  }

  @Test("arguments and rows of any batch are those of the general way")
  func sameBytes() throws {
    var random = Random(seed: 5)
    var plainCount = 0
    var otherCount = 0
    for _ in 0..<300 {
      let calls = (0..<20).map { _ in call(&random) }
      var reader = CBORReader(json("[" + calls.map { $0.call }.joined(separator: ",") + "]"))
      #expect(try reader.array() == calls.count)
      var plain = PlainCreates(reader)
      for (text, args) in calls {
        let end = plain.read(reader, app)
        try reader.skip()
        guard let end else {
          otherCount += 1
          continue
        }
        plainCount += 1
        #expect(end == reader.position)
        let id = plain.givenID ?? Text("made")
        let expected = general(args)
        #expect(plain.arguments(id: id) == expected?.args, "\(text)")
        #expect(plain.row(id: id, stamp: stamp) == expected?.row, "\(text)")
      }
    }
    #expect(plainCount > 500 && otherCount > 500)
  }

  @Test("calls that end early or are not deterministic inside go the general way without a trap")
  func damaged() throws {
    let whole = json(#"[{"action":"create","args":{"collection":"items","fields":{"title":"ü","size":70000}}}]"#)
    for length in 6..<whole.count {
      var reader = CBORReader(Array(whole[..<length]))
      guard (try? reader.array()) != nil else { continue }
      var plain = PlainCreates(reader)
      #expect(plain.read(reader, app) == nil)
    }
    for index in 5..<whole.count {
      for byte: UInt8 in [0x00, 0x18, 0x1B, 0x60, 0x78, 0x7B, 0x9F, 0xA0, 0xBB, 0xC3, 0xFF] {
        var bytes = whole
        bytes[index] = byte
        var reader = CBORReader(bytes)
        guard (try? reader.array()) != nil else { continue }
        var plain = PlainCreates(reader)
        if let end = plain.read(reader, app) { #expect(end <= bytes.count) }
      }
    }
  }

  @Test("one refused call of a batch takes all others back, and none of their records remain")
  func allOrNone() throws {
    let device = TestDevice("mia", roles: [("member", "list:l1")], seed: 1)
    let good = #"{"action":"create","args":{"collection":"items","fields":{"list":"l1","title":"t"}}}"#
    let error = #expect(throws: Rejection.self) {
      try device.engine.mutate(json("[\(good),\(good),\(good.replacing("title", with: "titel"))]"), now: device.now)
    }
    #expect(error?.path == Text("mutations[2].args.fields.titel"))
    #expect(try device.query(#"{"from":"items"}"#) == "[]")
    #expect(device.engine.status.queued == 0)
    try device.mutate(good)
    #expect(device.engine.status.queued == 1)
  }
}
