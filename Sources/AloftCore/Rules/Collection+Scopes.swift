// SPDX-License-Identifier: Apache-2.0
// From a record's values to the slices that hold it.

extension Collection {
  /// The scopes that hold a record with these values, in the order of the templates, each once.
  public func scopes(of row: Row) -> [Text] {
    scopes { name, out in
      if name == "id" {
        out.put(row.id.utf8)
        return true
      }
      guard let number = number(of: name) else { return false }
      return ScopeTemplate.append(row.value(number, rule: fields[number].rule), to: &out)
    }
  }

  /// The same of an encoded row, without a copy of the texts in it: each row that comes and goes is asked.
  func scopes(of row: RowView) -> [Text] {
    scopes { name, out in
      var text: Range<Int>?
      if name == "id" {
        text = row.idRange
      } else if let number = number(of: name), var cell = row.cell(number) {
        guard (try? cell.peek()) == .text else { return ScopeTemplate.append(row.value(number, rule: fields[number].rule), to: &out) }
        text = try? cell.textRange()
      }
      guard let text, !text.isEmpty else { return false }
      out.put(row.bytes, from: text.lowerBound, to: text.upperBound)
      return true
    }
  }

  private func scopes(_ append: (Text, inout [UInt8]) -> Bool) -> [Text] {
    var names: [Text] = []
    for template in scopes {
      if let name = template.name(append), !names.contains(name) { names.append(name) }
    }
    return names
  }
}
