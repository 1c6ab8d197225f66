// SPDX-License-Identifier: Apache-2.0
// The people of the demo.

import AloftServer

enum DemoUsers {
  static let password = "demo"

  static let all = [
    User(user: "mia", name: "Mia Bell", password: password, grants: grants(["member"], ["team:north", "catalog"])),
    User(user: "noah", name: "Noah Stone", password: password, grants: grants(["member"], ["team:south", "catalog"])),
    manager,
  ]

  /// A manager may all that a member may, in both teams.
  static let manager = User(
    user: "ada", name: "Ada Park", password: password,
    grants: grants(["member", "manager"], ["team:north", "team:south", "catalog"]))

  private static func grants(_ roles: [String], _ scopes: [String]) -> [User.GrantText] {
    scopes.flatMap { scope in roles.map { User.GrantText(role: $0, scope: scope) } }
  }
}
