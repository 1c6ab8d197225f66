// SPDX-License-Identifier: Apache-2.0
// A session of random replicas whose texts and bytes come down to one number: equal natively and in WebAssembly.
import AloftCore

public enum TextParity {
  /// The hash of all texts, encoded events and saved documents of a session.
  public static func digest(seed: UInt64, steps: Int) -> UInt64 {
    var random = Random(seed: seed)
    var documents = [RichTextDocument(isPlain: true), RichTextDocument(isPlain: true), RichTextDocument(isPlain: true)]
    var undo = TextUndo(groupsMax: 20, bytesMax: 2_000)
    var digest: UInt64 = seed
    let letters: [[UInt8]] = [[97], [98, 99], [0xC3, 0xA9], [0xE2, 0x82, 0xAC], [0xF0, 0x9F, 0x98, 0x80], [10, 120, 121, 122]]
    for step in 0..<steps {
      let typist = Int(random.below(3))
      let agent = Text(utf8: [65 + UInt8(typist), 1, 2, 3, 4, 5, 6, 7])
      let count = documents[typist].count
      if typist == 0 {
        // One of them edits through undo only.
        let place = Int(random.below(UInt64(count + 1)))
        let deleted = min(count - place, Int(random.below(3)))
        switch random.below(6) {
        case 0: _ = try? undo.undo(in: &documents[0], by: agent)
        case 1: _ = try? undo.redo(in: &documents[0], by: agent)
        default: _ = try? undo.replace(deleted, at: place, with: letters[Int(random.below(6))], by: agent, in: &documents[0])
        }
        if random.below(3) == 0 { undo.endGroup() }
      } else if count > 0, random.below(3) == 0 {
        let place = Int(random.below(UInt64(count)))
        try? documents[typist].delete(min(count - place, 1 + Int(random.below(4))), at: place, by: agent)
      } else {
        try? documents[typist].insert(letters[Int(random.below(6))], at: Int(random.below(UInt64(count + 1))), by: agent)
      }
      if step % 3 == 0 {
        let from = Int(random.below(3))
        let to = Int(random.below(3))
        let bytes = documents[from].encode(since: documents[to].version)
        digest = Hash64.of(bytes, seed: digest)
        if to == 0, let delta = try? documents[0].merge(bytes) { undo.merged(delta) } else { try? documents[to].absorb(bytes) }
        digest = Hash64.of(documents[to].utf8, seed: digest)
      }
    }
    for index in 0..<3 {
      digest = Hash64.of(documents[index].save(), seed: digest)
      digest = places(of: documents[index].encode(), seed: digest)
    }
    return rich(seed: digest, steps: steps / 2)
  }

  /// The same of a history with its places, and of what is read from it.
  private static func places(of message: [UInt8], seed: UInt64) -> UInt64 {
    do throws(TextError) {
      var document = TextDocument()
      try document.absorb(message)
      let placed = try document.encodePlaced()
      var read = TextDocument()
      try read.absorb(trusted: placed)
      return Hash64.of(read.utf8, seed: Hash64.of(placed, seed: seed))
    } catch { return 0 }
  }

  /// The same of a session with marks, their spans included.
  private static func rich(seed: UInt64, steps: Int) -> UInt64 {
    var random = Random(seed: seed)
    var documents = [RichTextDocument(), RichTextDocument()]
    var digest = seed
    let keys: [Text] = ["bold", "italic", "link", "comment:1"]
    for step in 0..<steps {
      let who = Int(random.below(2))
      let agent = Text(utf8: [65 + UInt8(who), 1, 2, 3])
      let count = documents[who].count
      let place = Int(random.below(UInt64(count + 1)))
      let length = min(count - place, Int(random.below(6)))
      switch random.below(4) {
      case 0: try? documents[who].delete(length, at: place, by: agent)
      case 1:
        let kind = Int(random.below(4))
        let value: Text? = random.below(3) == 0 ? nil : "yes"
        try? documents[who].mark(keys[kind], value, place..<place + length, grows: kind < 2, by: agent)
      default: try? documents[who].insert([97, 0xC3, 0xA9, 98], at: place, by: agent)
      }
      if step % 4 == 0 {
        let bytes = documents[who].encode(since: documents[1 - who].version)
        digest = Hash64.of(bytes, seed: digest)
        if let delta = try? documents[1 - who].merge(bytes) {
          for range in delta.restyled { digest = digest &* 31 &+ UInt64(range.lowerBound) &* 7 &+ UInt64(range.upperBound) }
        }
        for span in documents[1 - who].spans() {
          digest = digest &* 31 &+ UInt64(span.length)
          for style in span.styles { digest = Hash64.of(style.key.utf8 + style.value.utf8, seed: digest) }
        }
      }
    }
    for index in 0..<2 { digest = Hash64.of(documents[index].save(), seed: digest) }
    return digest
  }
}
