// SPDX-License-Identifier: Apache-2.0
// S15: everybody reads the same text with the same marks, and what one person typed at a stretch stands together.

import AloftCore

extension World {
  /// Looks at the order of every text that the server holds, and compares what the devices show with it.
  mutating func auditTexts() {
    for key in oracle.keys where violation == nil && !isInconclusive {
      guard let number = fields[key.collection].firstIndex(of: .text), case .text(let text)? = oracle.records[key]?[.text],
        let stored = server.image.record(key), let row = try? Row(bytes: stored.row)
      else { continue }
      tally.checks += 1
      let words = row.value(number, rule: .text)
      let characters = SimEdit.characters(of: row, number)
      if let flaw = text.flaw(in: characters) { return fail("S15", "the text of \(key.id.string) \(flaw): \(SimEdit.words(characters))") }
      var spans: [TextSpan] = []
      if case .text(let parts) = row.cell(number), case .bytes(let saved)? = parts.first?.value {
        spans = (try? RichTextDocument(saved: saved).spans()) ?? []
      }
      for device in devices.indices {
        guard let engine = devices[device].tabs[0].engine, let shown = engine.shown(key), !shown.isDeleted else { continue }
        if shown.value(number, rule: .text) != words {
          return fail("S15", "device \(device) shows another text of \(key.id.string): \(SimEdit.words(SimEdit.characters(of: shown, number)))")
        }
        if (try? RichTextDocument(saved: engine.text(key.collection, key.id, number)).spans()) != spans {
          return fail("S15", "device \(device) shows other marks in the text of \(key.id.string)")
        }
      }
    }
  }
}
