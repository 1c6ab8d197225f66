// SPDX-License-Identifier: Apache-2.0
// From a record's values to the slices that hold it.

extension Collection {
  /// The scopes that hold a record with these values, in the order of the templates, each once.
  public func scopes(of row: Row) -> [Text] {
    var names: [Text] = []
    for template in scopes {
      let name = template.name(id: row.id) { field in
        if let number = number(of: field) { row.value(number, rule: fields[number].rule) } else { .null }
      }
      if let name, !names.contains(name) { names.append(name) }
    }
    return names
  }
}
