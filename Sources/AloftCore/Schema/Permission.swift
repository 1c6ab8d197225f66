// SPDX-License-Identifier: Apache-2.0
// Who may do what: the one permission function that serves push, pull and snapshot.

/// What a person can do with a record.
public enum Operation: UInt8, CaseIterable, Sendable {
  case read, create, update, delete

  public var name: StaticString {
    switch self {
    case .read: "read"
    case .create: "create"
    case .update: "update"
    case .delete: "delete"
    }
  }
}

/// A line of a collection's declaration: these operations, for this role.
public struct Permission: Equatable, Sendable {
  public var operations: [Operation]
  public var role: Text

  public init(_ operations: [Operation], to role: Text) {
    self.operations = operations
    self.role = role
  }

  /// The role that every holder of a scope has, whatever other role gave the scope.
  public static let anyone: Text = Text("anyone" as StaticString)
}

/// A role in a scope, as an identity provider grants it. The scope "*" stands for every scope.
public struct Grant: Equatable, Sendable {
  public var role: Text
  public var scope: Text

  public init(role: Text, scope: Text) {
    self.role = role
    self.scope = scope
  }
}

/// Who makes a request, with every role in every scope.
public struct Principal: Equatable, Sendable {
  public var user: Text
  public var grants: [Grant]

  public init(user: Text, grants: [Grant]) {
    self.user = user
    self.grants = grants
  }

  /// Whether some grant covers the scope, under any role.
  public func holds(_ scope: Text) -> Bool {
    for grant in grants where grant.scope == scope || grant.scope == "*" { return true }
    return false
  }

  /// Whether the role was granted in one of the scopes.
  func hasRole(_ role: Text, in scopes: [Text]) -> Bool {
    for grant in grants where role == Permission.anyone || grant.role == role {
      if grant.scope == "*" || scopes.contains(grant.scope) { return true }
    }
    return false
  }

  /// The permission function: may this principal do this to a record of the collection that lies in these scopes?
  public func may(_ operation: Operation, _ collection: Collection, in scopes: [Text]) -> Bool {
    for permission in collection.permissions where permission.operations.contains(operation) {
      if hasRole(permission.role, in: scopes) { return true }
    }
    return false
  }

  /// May this principal write the field, given that it may write the record?
  public func mayWrite(_ field: Field, in scopes: [Text]) -> Bool { isAny(of: field.writers, in: scopes) }

  /// May this principal read the field, given that it may read the record?
  public func mayRead(_ field: Field, in scopes: [Text]) -> Bool { isAny(of: field.readers, in: scopes) }

  private func isAny(of roles: [Text], in scopes: [Text]) -> Bool {
    if roles.isEmpty { return true }
    for role in roles where hasRole(role, in: scopes) { return true }
    return false
  }
}
