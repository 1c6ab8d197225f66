// SPDX-License-Identifier: Apache-2.0
// A declared collection of records, and the builder that declares it in Swift.

/// What happens to an update that its author made without knowing that the record was deleted.
public enum ConcurrentUpdate: UInt8, Sendable {
  /// The record stays deleted; the author is told and may restore it.
  case deleteWins
  /// The update brings the record back.
  case updateWins
}

/// A declared collection.
public struct Collection: Sendable {
  public var name: Text
  /// In the order of declaration. A field's *number* is its place here once the app has sorted them by `since`.
  public var fields: [Field] = [] { didSet { hasTexts = fields.contains { $0.rule == .text } } }
  /// Whether a field is a collaborative text. Asked for each row that arrives, so it is worked out once.
  public private(set) var hasTexts = false
  public var scopes: [ScopeTemplate] = []
  public var permissions: [Permission] = []
  public var onConcurrentUpdate: ConcurrentUpdate = .deleteWins
  /// Templates that could not be parsed; reported when the app is checked.
  var invalidScopes: [Text] = []

  public init(_ name: String, @CollectionBuilder _ parts: () -> [CollectionPart]) {
    self.name = Text(name)
    for part in parts() {
      switch part {
      case .field(let field): fields.append(field)
      case .scopes(let sources): addScopes(sources)
      case .permission(let permission): permissions.append(permission)
      case .concurrentUpdate(let choice): onConcurrentUpdate = choice
      }
    }
  }

  package init(name: Text) { self.name = name }

  package mutating func addScopes(_ sources: [Text]) {
    for source in sources {
      if let template = ScopeTemplate(source) { scopes.append(template) } else { invalidScopes.append(source) }
    }
  }

  /// The number of a field, or nil.
  public func number(of name: Text) -> Int? { fields.firstIndex { $0.name == name } }
}

/// A line inside `Collection("…") { … }`.
public enum CollectionPart: Sendable {
  case field(Field)
  case scopes([Text])
  case permission(Permission)
  case concurrentUpdate(ConcurrentUpdate)
}

/// The scopes that hold a collection's records, as templates over its fields: `Scopes("team:{team}")`.
public func Scopes(_ templates: String...) -> CollectionPart { .scopes(templates.map { Text($0) }) }

/// Lets a role do something: `Allow(.read, .create, to: "member")`.
public func Allow(_ operations: Operation..., to role: String) -> CollectionPart {
  .permission(Permission(operations, to: Text(role)))
}

/// Chooses what a late update to a deleted record does.
public func OnConcurrentUpdate(_ choice: ConcurrentUpdate) -> CollectionPart { .concurrentUpdate(choice) }

@resultBuilder
public enum CollectionBuilder {
  public static func buildExpression(_ field: Field) -> CollectionPart { .field(field) }
  public static func buildExpression(_ part: CollectionPart) -> CollectionPart { part }
  public static func buildBlock(_ parts: CollectionPart...) -> [CollectionPart] { parts }
}
