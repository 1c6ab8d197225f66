// SPDX-License-Identifier: Apache-2.0
// From a record's values to the slices that hold it.

extension Collection {
  /// The scopes that hold a record with these values, in the order of the templates, each once.
  public func scopes(of row: Row) -> [Text] { scopes(id: row.id) { row.value($0, rule: fields[$0].rule) } }

  func scopes(of row: RowView) -> [Text] { scopes(id: row.id) { row.value($0, rule: fields[$0].rule) } }

  private func scopes(id: Text, value: (Int) -> Value) -> [Text] {
    var names: [Text] = []
    for template in scopes {
      let name = template.name(id: id) { field in number(of: field).map(value) ?? .null }
      if let name, !names.contains(name) { names.append(name) }
    }
    return names
  }
}
