// SPDX-License-Identifier: Apache-2.0
// aloft serve: any declared app, with its data in one folder.

import AloftServer
import ArgumentParser
import Foundation

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serve an app declared in app.json.",
    discussion: """
      Without --users everybody who can reach the server may read and change everything; it then listens on this machine only.

      users.json: {"users":[{"user":"mia","name":"Mia Bell","password":"…","grants":[{"role":"member","scope":"team:north"}]}]}
      The scope "*" stands for every scope. Passwords are kept as slow digests in the data folder; the file may be removed from
      the machine between starts.

      Stop with Ctrl-C: requests in flight are finished. After a crash or loss of power, start again: every change that was
      acknowledged is there.
      """)

  @Argument(help: "The declaration of the app.")
  var app: String

  @Option(help: ArgumentHelp("The folder for the data; made when it is missing.", valueName: "folder"))
  var data: String

  @Option(help: ArgumentHelp("A folder of static files, served at /.", valueName: "folder"))
  var web: String?

  @Option(help: ArgumentHelp("The people who may sign in.", valueName: "file"))
  var users: String?

  @OptionGroup var options: ServerOptions

  func run() async throws {
    let declaration = try readApp(app)
    if let web, !FileManager.default.fileExists(atPath: web) { throw ValidationError("There is no folder \(web).") }
    if let web, Self.isInside(data, web) {
      throw ValidationError("The data folder \(data) lies inside \(web), which is served to everybody. Put it elsewhere.")
    }
    let isLoopback = ["127.0.0.1", "::1", "localhost"].contains(options.host)
    guard users != nil || isLoopback else {
      throw ValidationError("An open server listens on this machine only. Give --users to serve \(options.host).")
    }
    let folder = DataFolder(path: data)
    let store = try openStore(folder)
    defer { store.close() }
    try folder.adopt(declaration)
    let configuration = options.configuration(app: web.map { [$0] } ?? [], wasmNames: ["aloft.wasm", "aloft-engine.wasm"])
    let identity: any Identity
    if let users {
      identity = try Self.identity(users, folder)
    } else {
      identity = OpenIdentity()
      say("Open server: everybody on this machine may read and change everything. Give --users to require signing in.")
    }
    let server = AloftServer(app: declaration, store: store, identity: identity, configuration: configuration)
    let (name, host) = (declaration.name.string, options.host)
    try await server.run { port in say("Serving \(name) on http://\(host.contains(":") ? "[\(host)]" : host):\(port)") }
  }

  /// Whether a folder is the other one or lies in it, symbolic links followed.
  private static func isInside(_ inner: String, _ outer: String) -> Bool {
    let parts = { (path: String) in URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().pathComponents }
    return parts(inner).starts(with: parts(outer))
  }

  static func identity(_ path: String, _ folder: DataFolder) throws -> PasswordIdentity {
    guard let json = FileManager.default.contents(atPath: path) else { throw ValidationError("Could not read \(path).") }
    let users: [User]
    do { users = try User.list(json: json) } catch { throw ValidationError("\(path): \(error)") }
    return try PasswordIdentity(users: users, path: folder.sessions)
  }
}
