// SPDX-License-Identifier: Apache-2.0
// A declared action: a name, typed arguments and, when it is compiled in, a Swift body that runs on both sides.

/// One typed argument of an action.
public struct Parameter: Equatable, Sendable {
  public var name: Text
  public var type: FieldType

  public init(_ name: String, _ type: FieldType) {
    self.name = Text(name)
    self.type = type
  }

  init(name: Text, type: FieldType) {
    self.name = name
    self.type = type
  }
}

/// An action of the app's own, beside the built-in create, update, delete, restore and resolve.
///
/// The body runs on the device at once and again on the server, which decides. It must depend on its arguments and on
/// what it reads only: no clock, no randomness, no global state. It may run several times.
public struct Action: Sendable {
  public typealias Body = @Sendable (Arguments, inout ActionContext) throws(Rejection) -> Void

  public var name: Text
  public var parameters: [Parameter]
  /// Nil where the declaration came from JSON and no body was compiled in; such an action is refused when called.
  public var body: Body?

  public init(_ name: String, _ parameters: [Parameter], body: Body? = nil) {
    self.name = Text(name)
    self.parameters = parameters
    self.body = body
  }
}

/// The arguments of a call, checked against the declaration.
public struct Arguments: Sendable {
  var values: [(name: Text, value: Value)]

  /// The argument's value; null when the caller left it out.
  public subscript(_ name: String) -> Value {
    let name = Text(name)
    for entry in values where entry.name == name { return entry.value }
    return .null
  }

  /// The argument as text; empty when it was left out.
  public func text(_ name: String) -> Text { self[name].text ?? Text(utf8: []) }
}

/// Why a mutation was refused, in words for its author. `code` is stable and for programs.
public struct Rejection: Error, Equatable, Sendable {
  public var code: Text
  /// Where in the arguments the problem lies, such as "changes.price"; empty when it is not in one place.
  public var path: Text
  public var message: Text

  @inline(never)
  public init(_ code: String, _ message: String, path: String = "") {
    self.code = Text(code)
    self.path = Text(path)
    self.message = Text(message)
  }

  init(code: Text, path: Text, message: Text) {
    self.code = code
    self.path = path
    self.message = message
  }
}
