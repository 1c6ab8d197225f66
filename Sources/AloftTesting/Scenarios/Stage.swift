// SPDX-License-Identifier: Apache-2.0
// Where a scenario plays: a collection, a scope, and people who may work there. All of it follows from the declaration.
import AloftCore

/// A collection with people who may use it.
struct Stage {
  var collection: AloftCore.Collection
  var scope: String
  /// May create and read records here.
  var author: Person
  /// May read them; another person where there is one.
  var partner: Person
  /// The field values that put a record into the scope; `id` where the template names it.
  var place: [String: String]

  var name: String { collection.name.string }
  /// Whether there can be more than one record.
  var hasRoom: Bool { place["id"] == nil }

  func may(_ person: Person, _ operation: AloftCore.Operation) -> Bool { person.principal.may(operation, collection, in: [Text(scope)]) }

  /// Whether the person may write the field by an action of every collection.
  func mayWrite(_ person: Person, _ field: Field) -> Bool {
    field.rule != .server && person.principal.mayWrite(field, in: [Text(scope)])
  }

  /// Fields that an update may change without moving the record.
  func editable(by person: Person) -> [Field] {
    guard may(person, .update) else { return [] }
    return collection.fields.filter { mayWrite(person, $0) && !collection.namesScope($0) && $0.type.hasSeveralValues }
  }
}

extension AloftCore.Collection {
  /// Whether a template is named after the field.
  func namesScope(_ field: Field) -> Bool { scopes.contains { $0.fields.contains(field.name.string) } }
}

extension FieldType {
  fileprivate var hasSeveralValues: Bool { if case .choice(let choices) = self { choices.count > 1 } else { true } }
}

extension ScopeTemplate {
  /// The pieces of the template: literals outside of braces, names inside.
  private var pieces: [(text: String, isField: Bool)] {
    source.string.split(separator: "{", omittingEmptySubsequences: false).enumerated().flatMap { index, part -> [(String, Bool)] in
      if index == 0 { return [(String(part), false)] }
      let halves = part.split(separator: "}", maxSplits: 1, omittingEmptySubsequences: false)
      return [(String(halves[0]), true), (halves.count > 1 ? String(halves[1]) : "", false)]
    }
  }

  /// The names between braces.
  var fields: [String] { pieces.filter(\.isField).map(\.text) }

  /// The scope when every field has the value.
  func name(withEach value: String) -> String { pieces.map { $0.isField ? value : $0.text }.joined() }

  /// The values that make the template yield the scope; nil when none do.
  func values(yielding scope: String) -> [String: String]? {
    var values: [String: String] = [:]
    var rest = scope[...]
    let pieces = pieces
    for (index, piece) in pieces.enumerated() {
      if !piece.isField {
        guard rest.hasPrefix(piece.text) else { return nil }
        rest = rest.dropFirst(piece.text.count)
        continue
      }
      // A field's value reaches to the next literal, or to the end.
      let next = pieces[(index + 1)...].first { !$0.text.isEmpty }
      var end = rest.endIndex
      if let next, !next.isField {
        guard let found = rest.indices.first(where: { rest[$0...].hasPrefix(next.text) }) else { return nil }
        end = found
      }
      guard rest.startIndex < end, values[piece.text, default: String(rest[..<end])] == String(rest[..<end]) else { return nil }
      values[piece.text] = String(rest[..<end])
      rest = rest[end...]
    }
    return rest.isEmpty ? values : nil
  }
}

extension Scenarios {
  /// Every role that the declaration names.
  var roles: [String] {
    var roles: [Text] = []
    for collection in app.collections {
      roles += collection.permissions.map(\.role)
      for field in collection.fields { roles += field.writers + field.readers }
    }
    var unique: [String] = []
    for role in roles where role != Permission.anyone && !unique.contains(role.string) { unique.append(role.string) }
    return unique.isEmpty ? ["visitor"] : unique
  }

  /// One scope of each template.
  private func scopes(named value: String) -> [String] {
    var scopes: [String] = []
    for collection in app.collections {
      for template in collection.scopes where !scopes.contains(template.name(withEach: value)) { scopes.append(template.name(withEach: value)) }
    }
    return scopes
  }

  /// The people given by the author, or two who may do whatever anybody may.
  var cast: [Person] {
    if !people.isEmpty { return people }
    let grants = scopes(named: "1").flatMap { scope in roles.map { Grant(role: Text($0), scope: Text(scope)) } }
    return [Person("ann", grants: grants), Person("ben", grants: grants)]
  }

  /// Somebody without any role, and the strangers given by the author, or else somebody with the same roles in other scopes.
  var outsiders: [Person] {
    let nobody = Person("nobody")
    if !strangers.isEmpty { return strangers + [nobody] }
    // A scope without a field in its name is everybody's.
    let shared = Set(scopes(named: "1"))
    let outside = scopes(named: "elsewhere").filter { !shared.contains($0) }
    return [Person("stranger", grants: outside.flatMap { scope in roles.map { Grant(role: Text($0), scope: Text(scope)) } }), nobody]
  }

  /// Where a collection can be played with these people; nil when none of them may create records.
  func stage(_ collection: AloftCore.Collection) -> Stage? {
    for author in cast {
      for scope in author.grants.map(\.scope.string) {
        guard let place = place(collection, scope == "*" ? collection.scopes[0].name(withEach: "1") : scope) else { continue }
        let name = scope == "*" ? collection.scopes[0].name(withEach: "1") : scope
        var stage = Stage(collection: collection, scope: name, author: author, partner: author, place: place)
        guard stage.may(author, .create), stage.may(author, .read), canFill(stage) else { continue }
        let others = cast.filter { $0.user != author.user && stage.may($0, .read) }
        stage.partner = others.first { stage.may($0, .update) } ?? others.first ?? author
        return stage
      }
    }
    return nil
  }

  private func place(_ collection: AloftCore.Collection, _ scope: String) -> [String: String]? {
    collection.scopes.lazy.compactMap { $0.values(yielding: scope) }.first
  }

  /// Whether the author may write every field that a record must have.
  private func canFill(_ stage: Stage) -> Bool {
    stage.collection.fields.allSatisfy { !($0.isRequired || stage.place[$0.name.string] != nil) || stage.mayWrite(stage.author, $0) }
  }
}
