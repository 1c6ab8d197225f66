// SPDX-License-Identifier: Apache-2.0
// Somebody who uses the app, and the roles that an identity provider would vouch for.
import AloftCore

/// A person with roles in scopes: `Person("ann", ["member": "team:1"])`. A role may be repeated with another scope.
public struct Person: Equatable, Sendable {
  public var user: String
  public var grants: [Grant]

  public init(_ user: String, _ roles: KeyValuePairs<String, String> = [:]) {
    self.init(user, grants: roles.map { Grant(role: Text($0.key), scope: Text($0.value)) })
  }

  init(_ user: String, grants: [Grant]) {
    self.user = user
    self.grants = grants
  }

  var principal: Principal { Principal(user: Text(user), grants: grants) }
}
