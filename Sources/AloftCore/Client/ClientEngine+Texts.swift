// SPDX-License-Identifier: Apache-2.0
// Collaborative texts on the device: as documents for an editor, and whole texts turned into the edits that they amount to.

extension ClientEngine {
  /// The saved document of a text as it shows here, with what waits; where nobody wrote yet, what stands for it. Costs a copy.
  public func text(_ collection: Int, _ id: Text, _ field: Int) -> [UInt8] {
    guard let slot = tables[collection].slot(of: id), let row = tables[collection].view(slot)?.row, !row.isDeleted,
      case .text(let parts) = row.cell(field)
    else { return TextMerge.empty(isRich: app.collections[collection].fields[field].type == .richText) }
    return TextRule.document(parts)
  }

  /// A text given as a whole means "as I see it, but so": it becomes the smallest edit here and now, where it is known what its author
  /// saw. Laid over what others write later, it keeps their words.
  /// - Parameter args: of a built-in action, in deterministic form; the edit takes the text's place.
  mutating func turnTextsIntoEdits(_ write: inout RecordWrite, _ args: inout [UInt8], now: Instant) throws(Rejection) {
    let fields = app.collections[write.key.collection].fields
    for index in write.changes.indices {
      let field = fields[write.changes[index].number]
      guard field.rule == .text, case .set(let value) = write.changes[index].change else { continue }
      let saved = text(write.key.collection, write.key.id, write.changes[index].number)
      let agent = RecordID.generate(milliseconds: now, random: &random)
      guard let edit = TextMerge.replace(saved: saved, text: value.text?.utf8 ?? [], agent: agent.utf8) else {
        throw Rejection("invalid", "the text cannot be read", path: field.name.string)
      }
      write.changes[index].change = .edit(edit)
      args = (try? Self.putting(edit, in: field.name, args)) ?? args
    }
  }

  private static func putting(_ edit: [UInt8], in field: Text, _ args: [UInt8]) throws(DecodeError) -> [UInt8] {
    var reader = CBORReader(args)
    for _ in 0..<(try reader.map()) {
      let key = try reader.text()
      // The only map among the arguments: the fields, or their changes.
      guard key == "fields" || key == "changes" else {
        try reader.skip()
        continue
      }
      for _ in 0..<(try reader.map()) {
        let isField = try reader.text() == field
        let start = reader.position
        try reader.skip()
        guard isField else { continue }
        var out = CBORWriter(capacity: args.count + edit.count + 16)
        out.raw(args, 0..<start)
        out.map(1)
        out.text("$edit")
        out.bytes(edit)
        out.raw(args, reader.position..<args.count)
        return out.finish()
      }
    }
    return args
  }
}
