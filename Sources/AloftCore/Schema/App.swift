// SPDX-License-Identifier: Apache-2.0
// The app declaration: the value that both sides interpret.

/// A problem in a declaration, with the path to it, such as `collections[0].fields[2].type`.
public struct SchemaError: Error, Equatable, Sendable {
  public var path: Text
  public var message: Text

  public init(path: Text, message: Text) {
    self.path = path
    self.message = message
  }

  init(_ path: String, _ message: String) {
    self.path = Text(path)
    self.message = Text(message)
  }
}

/// A declared app. Numbers of collections and fields follow from the declaration, so both sides agree without asking.
public struct App: Sendable {
  public let name: Text
  public let version: Int
  public package(set) var collections: [Collection]
  public package(set) var actions: [Action]

  /// Declares an app in Swift. Problems show when it is put to use, through `check()`, not as a trap.
  public init(_ name: String, version: Int = 1, @AppBuilder _ parts: () -> [AppPart]) {
    self.init(name: Text(name), version: version)
    for part in parts() {
      switch part {
      case .collection(let collection): collections.append(collection)
      case .action(let action): actions.append(action)
      }
    }
    finish()
  }

  package init(name: Text, version: Int) {
    self.name = name
    self.version = version
    collections = []
    actions = []
  }

  /// Applies defaults and numbers the fields: by the version they appeared in, then by position, so that adding a field
  /// with a newer `since` never renumbers an older one.
  package mutating func finish() {
    for index in collections.indices {
      if collections[index].scopes.isEmpty && collections[index].invalidScopes.isEmpty {
        collections[index].addScopes([Text("app" as StaticString)])
      }
      let fields = collections[index].fields
      collections[index].fields = fields.sortedStably { $0.since < $1.since }
    }
  }

  /// The number of a collection, or nil.
  public func number(of collection: Text) -> Int? { collections.firstIndex { $0.name == collection } }

  public func action(_ name: Text) -> Action? { actions.first { $0.name == name } }

  /// The same app with compiled-in bodies attached to the actions of the same name. Names that the declaration lacks are ignored.
  public func withActions(_ bodies: [Action]) -> App {
    var app = self
    for body in bodies {
      for index in app.actions.indices where app.actions[index].name == body.name { app.actions[index].body = body.body }
    }
    return app
  }
}

/// A line inside `App("…") { … }`.
public enum AppPart: Sendable {
  case collection(Collection)
  case action(Action)
}

@resultBuilder
public enum AppBuilder {
  public static func buildExpression(_ collection: Collection) -> AppPart { .collection(collection) }
  public static func buildExpression(_ action: Action) -> AppPart { .action(action) }
  public static func buildBlock(_ parts: AppPart...) -> [AppPart] { parts }
}
