// SPDX-License-Identifier: Apache-2.0
// aloft schema: remembers the declared version of an app and refuses changes that would break clients in the field.

import AloftCore
import ArgumentParser
import Foundation

struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "Remember a declaration and check changes against it.",
    discussion: """
      Clients keep working for weeks without an update, so a declaration may only grow: new collections, new fields, new actions.
      Lock it when you release; check it in continuous integration.
      """,
    subcommands: [Lock.self, Check.self])

  struct Lock: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Write the lock file beside the declaration (app.lock.json).")

    @Argument(help: "The declaration of the app.")
    var app: String

    @Flag(help: "Lock although the change breaks older clients.")
    var force = false

    func run() throws {
      let declaration = try readApp(app)
      if !force, FileManager.default.fileExists(atPath: lockPath(app)) { try refuseBreaks(declaration, app) }
      do { try Data(declaration.json()).write(to: URL(fileURLWithPath: lockPath(app)), options: .atomic) } catch {
        throw ValidationError("Could not write \(lockPath(app)): \(error.localizedDescription)")
      }
      print("Locked \(declaration.name.string) version \(declaration.version) in \(lockPath(app)).")
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Exit with 1, and the paths, when a change breaks older clients.")

    @Argument(help: "The declaration of the app.")
    var app: String

    func run() throws {
      let declaration = try readApp(app)
      guard FileManager.default.fileExists(atPath: lockPath(app)) else {
        throw ValidationError("There is no \(lockPath(app)). Run: aloft schema lock \(app)")
      }
      try refuseBreaks(declaration, app)
      print("\(declaration.name.string) version \(declaration.version) is compatible with the lock.")
    }
  }

  private static func lockPath(_ app: String) -> String { (app as NSString).deletingPathExtension + ".lock.json" }

  private static func refuseBreaks(_ declaration: App, _ app: String) throws {
    let locked = try readApp(lockPath(app))
    let breaks = declaration.incompatibilities(with: locked)
    guard !breaks.isEmpty else { return }
    for problem in breaks { print("\(app): \(problem.path.string): \(problem.message.string)") }
    throw ExitCode(1)
  }
}
