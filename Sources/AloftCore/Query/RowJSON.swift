// SPDX-License-Identifier: Apache-2.0
// Rows as JSON for the page: one pass over the encoded row, no values in between.

extension Table {
  /// Appends the JSON object of a row. `state` is what the row's pending mutations amount to; nil when all is synced.
  func appendJSON(_ slot: UInt32, state: StaticString?, to out: inout [UInt8]) {
    guard let view = visible(slot) else { return JSONCodec.literal("null", to: &out) }
    appendJSON(view, state: state, to: &out)
  }

  func appendJSON(_ view: RowView, state: StaticString?, to out: inout [UInt8]) {
    JSONCodec.literal("{\"id\":", to: &out)
    let id = view.idRange
    JSONCodec.appendString(view.bytes, from: id.lowerBound, to: id.upperBound, to: &out)
    var hasCandidates = false
    if case (var reader, let count)? = view.cells {
      var number = 0
      while number < count, number < collection.fields.count {
        let field = collection.fields[number]
        number += 1
        guard let kind = try? reader.peek() else { break }
        if kind == .undefined {
          if (try? reader.skip()) == nil { break }
          continue
        }
        out.put(keys[number - 1])
        if kind == .tag {
          var stampsMin = 0
          guard let cell = try? Cell(from: &reader, &stampsMin) else { break }
          JSONCodec.append(view.value(of: cell, rule: field.rule), to: &out)
          hasCandidates = hasCandidates || field.rule == .manual && cell.hasCandidates
        } else if (try? JSONCodec.append(&reader, to: &out)) == nil {
          break
        }
      }
    }
    if hasCandidates { appendCandidates(view, to: &out) }
    if let state {
      JSONCodec.literal(",\"$state\":\"", to: &out)
      JSONCodec.literal(state, to: &out)
      out.put(0x22)
    }
    out.put(0x7D)
  }

  /// The values of `manual` fields that wait for somebody to choose.
  private func appendCandidates(_ view: RowView, to out: inout [UInt8]) {
    guard let row = view.row else { return }
    var isFirst = true
    for (number, field) in collection.fields.enumerated() where field.rule == .manual {
      guard case .supported(let values) = row.cell(number), values.count > 1 else { continue }
      JSONCodec.literal(isFirst ? ",\"$candidates\":{" : ",", to: &out)
      isFirst = false
      JSONCodec.appendText(field.name, to: &out)
      JSONCodec.literal(":[", to: &out)
      for (index, value) in values.enumerated() {
        if index > 0 { out.put(0x2C) }
        JSONCodec.literal("{\"value\":", to: &out)
        JSONCodec.append(value.value, to: &out)
        JSONCodec.literal(",\"time\":", to: &out)
        appendDecimal(Int64(truncatingIfNeeded: row.stamps[value.dots[0]].time.milliseconds), to: &out)
        out.put(0x7D)
      }
      out.put(0x5D)
    }
    if !isFirst { out.put(0x7D) }
  }
}
