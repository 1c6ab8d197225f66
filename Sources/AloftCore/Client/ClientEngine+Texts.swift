// SPDX-License-Identifier: Apache-2.0
// Collaborative texts on the device: as documents for an editor, and whole texts turned into the edits that they amount to.

extension ClientEngine {
  /// The saved document of a text as it shows here, with what waits; empty where there is none. Costs a copy.
  public func text(_ collection: Int, _ id: Text, _ field: Int) -> [UInt8] {
    guard let slot = tables[collection].slot(of: id), let row = tables[collection].view(slot)?.row, !row.isDeleted else { return [] }
    return Self.document(row, field)
  }

  private static func document(_ row: Row?, _ field: Int) -> [UInt8] {
    guard case .text(let parts)? = row?.cell(field) else { return [] }
    return TextRule.document(parts)
  }

  /// A text given as a whole means "as I see it, but so": it becomes the smallest edit here and now, where it is known what its author
  /// saw. Laid over what others write later, it keeps their words.
  mutating func turnTextsIntoEdits(_ write: inout RecordWrite, _ args: inout [UInt8]) throws(Rejection) {
    let collection = app.collections[write.key.collection]
    guard collection.hasTexts else { return }
    var edits: [(name: Text, edit: [UInt8])] = []
    var row: Row?
    for index in write.changes.indices {
      let field = collection.fields[write.changes[index].number]
      guard field.rule == .text, case .set(let value) = write.changes[index].change else { continue }
      var text: [UInt8] = []
      if case .text(let words) = value { text = words.utf8 }
      if row == nil, let slot = tables[write.key.collection].slot(of: write.key.id) { row = tables[write.key.collection].view(slot)?.row }
      let saved = Self.document(row, write.changes[index].number)
      guard let edit = TextMerge.replace(saved: saved, text: text, agent: newAgent()) else {
        throw Rejection(code: Text("invalid" as StaticString), path: field.name, message: Text("the text cannot be read" as StaticString))
      }
      write.changes[index].change = .edit(edit)
      edits.append((field.name, edit))
    }
    if !edits.isEmpty { args = (try? Self.putting(edits, into: args)) ?? args }
  }

  private mutating func newAgent() -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<2 {
      let word = random.next()
      for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * shift))) }
    }
    return bytes
  }

  /// The arguments of a built-in action with edits in place of texts. Keys keep their order.
  private static func putting(_ edits: [(name: Text, edit: [UInt8])], into args: [UInt8]) throws(DecodeError) -> [UInt8] {
    var reader = CBORReader(args)
    var out = CBORWriter(capacity: args.count + 64)
    let count = try reader.map()
    out.map(count)
    for _ in 0..<count {
      let key = try reader.text()
      out.text(key)
      guard key == "fields" || key == "changes" else {
        try copy(&reader, to: &out)
        continue
      }
      let fields = try reader.map()
      out.map(fields)
      for _ in 0..<fields {
        let name = try reader.text()
        out.text(name)
        if let edit = edits.first(where: { $0.name == name })?.edit {
          try reader.skip()
          out.map(1)
          out.text("$edit")
          out.bytes(edit)
        } else {
          try copy(&reader, to: &out)
        }
      }
    }
    return out.finish()
  }

  private static func copy(_ reader: inout CBORReader, to out: inout CBORWriter) throws(DecodeError) {
    let start = reader.position
    try reader.skip()
    out.raw(reader.input, start..<reader.position)
  }
}
