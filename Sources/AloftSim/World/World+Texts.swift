// SPDX-License-Identifier: Apache-2.0
// People type, and where a text takes marks they put some on it. Every character that is ever typed in a run is another one, so that each can be found again.

import AloftCore

/// What somebody typed into a text: some characters deleted, others inserted in their place.
struct SimEdit {
  var agent: Text
  /// The numbers of its events.
  var events: Range<Int>
  var inserted: Range<UInt32>
  var deleted: [UInt32]
  /// How much of the text its author knew: for each agent the number of its next event.
  var known: [(agent: Text, next: Int)]
  /// As its mutation carries it.
  var bytes: [UInt8]
  /// The text behind it, as its author sees it.
  var shown: [UInt8]

  func knows(_ other: SimEdit) -> Bool { known.contains { $0.agent == other.agent && $0.next > other.events.lowerBound } }

  // MARK: characters

  /// The n-th character of a run: of three bytes and one unit first, of four bytes and two units later.
  static func character(_ n: UInt32) -> UInt32 { n < 0x5000 ? 0x4E00 + n : 0x1_0000 + n }

  static func append(_ character: UInt32, to out: inout [UInt8]) {
    if character < 0x1_0000 { out.append(UInt8(0xE0 | character >> 12)) } else {
      out.append(UInt8(0xF0 | character >> 18))
      out.append(UInt8(0x80 | character >> 12 & 0x3F))
    }
    out.append(UInt8(0x80 | character >> 6 & 0x3F))
    out.append(UInt8(0x80 | character & 0x3F))
  }

  static func characters(_ utf8: [UInt8]) -> [UInt32] {
    var out: [UInt32] = []
    for byte in utf8 {
      if byte & 0xC0 == 0x80, let last = out.last { out[out.count - 1] = last << 6 | UInt32(byte & 0x3F) } else {
        out.append(UInt32(byte & (byte >= 0xF0 ? 0x07 : byte >= 0xE0 ? 0x0F : byte >= 0xC0 ? 0x1F : 0x7F)))
      }
    }
    return out
  }

  static func characters(of row: Row, _ number: Int) -> [UInt32] {
    if case .text(let text) = row.value(number, rule: .text) { characters(text.utf8) } else { [] }
  }

  static func words(_ characters: [UInt32]) -> String {
    characters.prefix(60).map { character in "\(character < 0x1_0000 ? character - 0x4E00 : character - 0x1_0000)" }.joined(separator: " ")
  }
}

extension World {
  private static let insertedMax = 6
  private static let deletedMax = 4

  /// What a person types, if the verb is about that.
  mutating func type(_ verb: Verb, _ id: ContextID) -> SimEdit? {
    for write in verb.writes {
      for change in write.changes {
        guard case .type(let code) = change.effect, let number = fields[write.key.collection].firstIndex(of: .text) else { continue }
        return type(UInt64(code), write.key, number, id)
      }
    }
    return nil
  }

  private mutating func type(_ code: UInt64, _ key: RecordKey, _ number: Int, _ id: ContextID) -> SimEdit? {
    let saved = devices[id.device].tabs[id.tab].engine!.text(key.collection, key.id, number)
    guard var document = try? RichTextDocument(saved: saved) else {
      fail("S15", "device \(id.device) has a text that cannot be read")
      return nil
    }
    let version = document.version
    var agent = devices[id.device].tabs[id.tab].agents[key] ?? (Text(utf8: []), 0)
    // Whoever no longer finds what they typed, since it was refused and given up, goes on under another name.
    if version.agents.firstIndex(of: agent.id).map({ version.next[$0] }) != agent.next {
      agentCount += 1
      var name: [UInt8] = [0x61]
      SimWords.append(Int64(agentCount), to: &name)
      agent = (Text(utf8: name), 0)
    }
    let before = SimEdit.characters(document.utf8)
    let place = Int(code % UInt64(before.count + 1))
    let deleted = min(Int(code >> 8 & 0xF) % (Self.deletedMax + 1), before.count - place)
    let count = UInt32(code >> 16 & 0xF) % UInt32(Self.insertedMax + 1) + (deleted == 0 ? 1 : 0)
    let inserted = characterCount..<characterCount + count
    characterCount += count
    var typed: [UInt8] = []
    for n in inserted { SimEdit.append(SimEdit.character(n), to: &typed) }
    do throws(TextError) {
      try document.delete(deleted, at: place, by: agent.id)
      try document.insert(typed, at: place, by: agent.id)
      if !document.isPlain { try Self.mark(&document, code, agent.id) }
    } catch {
      fail("S15", "device \(id.device) cannot type")
      return nil
    }
    let next = document.version.agents.firstIndex(of: agent.id).map { document.version.next[$0] } ?? 0
    devices[id.device].tabs[id.tab].agents[key] = (agent.id, next)
    return SimEdit(
      agent: agent.id, events: agent.next..<next, inserted: inserted, deleted: Array(before[place..<place + deleted]),
      known: version.agents.indices.map { (version.agents[$0], version.next[$0]) }, bytes: document.encode(since: version),
      shown: document.utf8)
  }

  /// Every other edit puts a mark somewhere, takes one away, or both at once with what stood there.
  private static func mark(_ document: inout RichTextDocument, _ code: UInt64, _ agent: Text) throws(TextError) {
    let start = Int(code >> 4 % UInt64(document.count + 1))
    let range = start..<min(start + 1 + Int(code >> 22 & 3) * 3, document.count)
    switch code >> 20 & 3 {
    case 0: try document.mark("bold", "yes", range, grows: true, by: agent)
    case 1: try document.mark("link", Text(utf8: [0x61 + UInt8(code & 3)]), range, grows: false, by: agent)
    case 2 where code & 1 == 0: try document.unmark("bold", range, by: agent)
    default: break
    }
  }
}
