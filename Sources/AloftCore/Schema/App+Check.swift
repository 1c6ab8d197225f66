// SPDX-License-Identifier: Apache-2.0
// Checks of a declaration: is it sound, and does a newer version still serve the clients of an older one?

extension App {
  /// Every problem of the declaration, in order; empty when it is sound.
  public func check() -> [SchemaError] {
    var problems: [SchemaError] = []
    if !Self.isName(name, dash: true) { problems.append(SchemaError("app", "must be a name: letters, digits and dashes, 1 to 64 characters")) }
    if version < 1 { problems.append(SchemaError("version", "must be 1 or more")) }
    if collections.isEmpty { problems.append(SchemaError("collections", "must declare at least one collection")) }
    for (index, collection) in collections.enumerated() {
      let path = "collections[" + decimal(index) + "]"
      if !Self.isName(collection.name) { problems.append(SchemaError(path + ".name", Self.nameAdvice)) }
      if number(of: collection.name) != index { problems.append(SchemaError(path + ".name", "is declared twice: " + collection.name.string)) }
      checkFields(of: collection, path, &problems)
      checkScopes(of: collection, path, &problems)
      for (line, permission) in collection.permissions.enumerated() where permission.operations.isEmpty || permission.role.utf8.isEmpty {
        problems.append(SchemaError(path + ".allow[" + decimal(line) + "]", "must name at least one of read, create, update, delete, and a role"))
      }
    }
    for (index, action) in actions.enumerated() { check(action, "actions[" + decimal(index) + "]", index, &problems) }
    return problems
  }

  private static let nameAdvice = "must be a name: a letter, then letters, digits or underscores, at most 64"

  private func checkFields(of collection: Collection, _ path: String, _ problems: inout [SchemaError]) {
    if collection.fields.count > 500 { problems.append(SchemaError(path + ".fields", "has more than 500 fields")) }
    for (index, field) in collection.fields.enumerated() {
      let path = path + ".fields[" + decimal(index) + "]"
      if !Self.isName(field.name) || field.name == "id" || field.name == "and" || field.name == "or" || field.name == "not" {
        problems.append(SchemaError(path + ".name", Self.nameAdvice + "; id, and, or, not are taken"))
      }
      if collection.number(of: field.name) != index { problems.append(SchemaError(path + ".name", "is declared twice: " + field.name.string)) }
      if !field.rule.fits(field.type) {
        problems.append(SchemaError(path + ".rule", Text(field.rule.name).string + " cannot merge values of type " + Text(field.type.name).string))
      }
      if field.since < 1 || field.since > version { problems.append(SchemaError(path + ".since", "must be between 1 and the app's version")) }
      check(field.type, path + ".type", &problems)
    }
  }

  private func check(_ type: FieldType, _ path: String, _ problems: inout [SchemaError]) {
    switch type {
    case .choice(let choices) where choices.isEmpty: problems.append(SchemaError(path, "a choice needs at least one value in choices"))
    case .reference(let target) where number(of: target) == nil:
      problems.append(SchemaError(path, "refers to a collection that is not declared: " + target.string))
    case .set(let element):
      switch element {
      case .set, .counter, .text, .richText: problems.append(SchemaError(path, "a set holds simple values, not sets, counters or collaborative texts"))
      default: check(element, path, &problems)
      }
    case .counter(let low, let high):
      if let low, low > 0 { problems.append(SchemaError(path, "a counter starts at 0, so min must be 0 or less")) }
      if let high, high < 0 { problems.append(SchemaError(path, "a counter starts at 0, so max must be 0 or more")) }
    default: break
    }
  }

  private func checkScopes(of collection: Collection, _ path: String, _ problems: inout [SchemaError]) {
    for source in collection.invalidScopes {
      problems.append(SchemaError(path + ".scopes", "is not a template such as team:{team}: " + source.string))
    }
    for template in collection.scopes {
      for name in template.names where name != "id" && collection.number(of: name) == nil {
        problems.append(SchemaError(path + ".scopes", "names a field that is not declared: " + name.string))
      }
      for name in template.names where collection.fields.contains(where: { $0.name == name && $0.type.isText }) {
        problems.append(SchemaError(path + ".scopes", "is named after a collaborative text, which never stands still: " + name.string))
      }
    }
  }

  private func check(_ action: Action, _ path: String, _ index: Int, _ problems: inout [SchemaError]) {
    if !Self.isName(action.name) { problems.append(SchemaError(path + ".name", Self.nameAdvice)) }
    if BuiltInAction(action.name) != nil { problems.append(SchemaError(path + ".name", "is a built-in action: " + action.name.string)) }
    if actions.firstIndex(where: { $0.name == action.name }) != index {
      problems.append(SchemaError(path + ".name", "is declared twice: " + action.name.string))
    }
    for (place, parameter) in action.parameters.enumerated() {
      let path = path + ".args[" + decimal(place) + "]"
      if !Self.isName(parameter.name) { problems.append(SchemaError(path + ".name", Self.nameAdvice)) }
      check(parameter.type, path + ".type", &problems)
    }
  }

  private static func isName(_ name: Text, dash: Bool = false) -> Bool {
    guard !name.utf8.isEmpty, name.utf8.count <= 64 else { return false }
    for (index, byte) in name.utf8.enumerated() {
      switch byte {
      case 0x41...0x5A, 0x61...0x7A: continue
      case 0x30...0x39, 0x5F: if index == 0 && !dash { return false }
      case 0x2D: if !dash { return false }
      default: return false
      }
    }
    return true
  }

  /// What would break clients of `older`, each with its path in the older declaration. Empty when this version is compatible.
  ///
  /// Additions are fine; a removal, a rename, a new number, or a change of type or rule is not.
  public func incompatibilities(with older: App) -> [SchemaError] {
    var problems: [SchemaError] = []
    if name != older.name { problems.append(SchemaError("app", "is another app: " + older.name.string)) }
    if version < older.version { problems.append(SchemaError("version", "is older than the recorded version " + decimal(older.version))) }
    for (index, before) in older.collections.enumerated() {
      let path = "collections[" + decimal(index) + "]"
      guard let now = number(of: before.name) else {
        problems.append(SchemaError(path, "was removed or renamed: " + before.name.string))
        continue
      }
      if now != index { problems.append(SchemaError(path, "has moved: keep the order of collections and add new ones at the end")) }
      compare(collections[now], before, path, &problems)
    }
    for (index, before) in older.actions.enumerated() {
      let path = "actions[" + decimal(index) + "]"
      guard let now = action(before.name) else {
        problems.append(SchemaError(path, "was removed or renamed: " + before.name.string))
        continue
      }
      for parameter in before.parameters where !now.parameters.contains(parameter) {
        problems.append(SchemaError(path + ".args", "was removed or has another type: " + parameter.name.string))
      }
    }
    return problems
  }

  private func compare(_ now: Collection, _ before: Collection, _ path: String, _ problems: inout [SchemaError]) {
    for (index, field) in before.fields.enumerated() {
      let path = path + ".fields[" + decimal(index) + "]"
      guard let number = now.number(of: field.name) else {
        problems.append(SchemaError(path, "was removed or renamed: " + field.name.string))
        continue
      }
      if number != index { problems.append(SchemaError(path, "has moved: keep the order of fields and give new ones a newer since")) }
      if !now.fields[number].type.extends(field.type) { problems.append(SchemaError(path + ".type", "has changed: " + field.name.string)) }
      if now.fields[number].rule != field.rule { problems.append(SchemaError(path + ".rule", "has changed: " + field.name.string)) }
    }
  }
}

extension FieldType {
  /// Whether every value of the older type is still one of this type. A choice may gain values.
  func extends(_ older: FieldType) -> Bool {
    switch (self, older) {
    case (.choice(let now), .choice(let before)): before.allSatisfy { now.contains($0) }
    case (.counter, .counter): true
    default: self == older
    }
  }
}
