// SPDX-License-Identifier: Apache-2.0
// Who is asking: the seam behind which passwords, tokens or other sources of identity live.

import AloftCore

/// A person whose identity was verified, with what the app may show of them.
public struct SignedIn: Equatable, Sendable {
  /// Decides what may be read and written.
  public var principal: Principal
  /// For people: "Mia Bell".
  public var name: String

  public init(principal: Principal, name: String) {
    self.principal = principal
    self.name = name
  }

  /// The roles of all grants, each once, in their order.
  var roles: [String] {
    var roles: [String] = []
    for grant in principal.grants where !roles.contains(grant.role.string) { roles.append(grant.role.string) }
    return roles
  }
}

/// Verifies people. Implementations keep no secret that was sent, only digests.
public protocol Identity: Sendable {
  /// Whether everybody counts as signed in; then no session is ever made.
  var isOpen: Bool { get }

  /// The person of a session token; nil when the token is unknown, expired or was signed out. Must answer from memory.
  func person(token: String?) -> SignedIn?

  /// Checks a password and makes a session. Throws `Refusal` when it is wrong or too many attempts failed.
  func signIn(user: String, password: String, address: String) async throws -> (token: String, person: SignedIn)

  /// Ends a session; it is refused from this moment on. An unknown token is no error.
  func signOut(token: String) async throws
}

/// Everybody is the principal "anyone" with every scope. For demos and one person's own machine.
public struct OpenIdentity: Identity {
  private static let person = SignedIn(
    principal: Principal(user: "anyone", grants: [Grant(role: "anyone", scope: "*")]), name: "Anyone")

  public init() {}

  public var isOpen: Bool { true }
  public func person(token: String?) -> SignedIn? { Self.person }
  public func signIn(user: String, password: String, address: String) -> (token: String, person: SignedIn) { ("", Self.person) }
  public func signOut(token: String) {}
}
