// SPDX-License-Identifier: Apache-2.0
// The list of users that an operator writes: names, passwords and grants.

import AloftCore
import Foundation

/// One user as declared by the operator.
public struct User: Equatable, Sendable, Codable {
  public struct GrantText: Equatable, Sendable, Codable {
    public var role: String
    public var scope: String

    public init(role: String, scope: String) {
      self.role = role
      self.scope = scope
    }
  }

  public var user: String
  public var name: String
  public var password: String
  public var grants: [GrantText]

  public init(user: String, name: String, password: String, grants: [GrantText]) {
    self.user = user
    self.name = name
    self.password = password
    self.grants = grants
  }

  var signedIn: SignedIn {
    let grants = grants.map { Grant(role: Text($0.role), scope: Text($0.scope)) }
    return SignedIn(principal: Principal(user: Text(user), grants: grants), name: name)
  }
}

/// Why a users file was not taken. The message names the place and the next step.
public struct UserListError: Error, CustomStringConvertible {
  public let description: String
}

extension User {
  /// Reads `{"users":[{"user":"mia","name":"Mia Bell","password":"…","grants":[{"role":"member","scope":"team:north"}]}]}`.
  public static func list(json: Data) throws -> [User] {
    struct List: Codable { var users: [User] }
    let list: List
    do { list = try JSONDecoder().decode(List.self, from: json) } catch let error as DecodingError {
      throw UserListError(description: "users file: \(explain(error))")
    }
    var names: Set<String> = []
    for (index, user) in list.users.enumerated() {
      let place = "users[\(index)]"
      guard !user.user.isEmpty, user.user.utf8.count <= 64 else {
        throw UserListError(description: "\(place).user: must have 1 to 64 bytes")
      }
      guard names.insert(user.user).inserted else {
        throw UserListError(description: "\(place).user: \"\(user.user)\" is already in the list")
      }
      guard user.user != "anyone" else { throw UserListError(description: "\(place).user: \"anyone\" is the name of open servers") }
      guard !user.password.isEmpty else { throw UserListError(description: "\(place).password: must not be empty") }
    }
    return list.users
  }

  private static func explain(_ error: DecodingError) -> String {
    func place(_ context: DecodingError.Context, _ key: (any CodingKey)? = nil) -> String {
      (context.codingPath + (key.map { [$0] } ?? [])).reduce("") { path, key in
        if let index = key.intValue { return path + "[\(index)]" }
        return path.isEmpty ? key.stringValue : path + "." + key.stringValue
      }
    }
    switch error {
    case .keyNotFound(let key, let context): return "\(place(context, key)) is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context): return "\(place(context)) has the wrong type"
    case .dataCorrupted(let context): return context.codingPath.isEmpty ? "is not JSON" : "\(place(context)) cannot be read"
    @unknown default: return "cannot be read"
    }
  }
}
