// SPDX-License-Identifier: Apache-2.0
// aloft demo: Field Visits with people, stores, visits and products, ready to sign in.

import AloftCore
import AloftServer
import ArgumentParser
import FieldVisits
import Foundation

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Run Field Visits with demo people and data.",
    discussion: """
      Open the address, sign in, stop the server with Ctrl-C, and go on working. Start it again and watch a second browser follow.
      The data stays in the folder given by --data; remove the folder to start over.
      """)

  @Option(help: ArgumentHelp("The folder for the data.", valueName: "folder"))
  var data = "build/demo.aloft-data"

  @Option(help: ArgumentHelp("The folder with the pages of Field Visits, served at /.", valueName: "folder"))
  var app: String?

  @Option(help: ArgumentHelp("Another name of --platform.", valueName: "folder"))
  var web: String?

  @OptionGroup var options: ServerOptions

  func run() async throws {
    var options = options
    options.platform = options.platform ?? web
    let folder = DataFolder(path: data)
    let store = try openStore(folder)
    defer { store.close() }
    try folder.adopt(fieldVisits)
    let seeded = try DemoSeed.plantIfEmpty(store, now: Instant(Date().timeIntervalSince1970 * 1_000))
    let pages = app.map { [$0] } ?? Installation.find(["build/field-visits", "Examples/FieldVisits/web"])
    let configuration = options.configuration(app: pages, wasmNames: ["field-visits.wasm", "field-visits-engine.wasm"])
    let identity = try PasswordIdentity(users: DemoUsers.all, path: folder.sessions)
    let server = AloftServer(app: fieldVisits, store: store, identity: identity, configuration: configuration)
    if pages.isEmpty { say("The pages of Field Visits were not found; give their folder with --app. The API is served.") }
    if let seeded { say("Made demo data: \(seeded) records.") }
    try await server.run { port in
      say(
        """

          Field Visits   http://127.0.0.1:\(port)

          Sign in as     mia    representative, team north
                         noah   representative, team south
                         ada    manager of both teams
          The password of each is  \(DemoUsers.password)

          Stop with Ctrl-C. The app in the browser goes on working.

        """)
    }
  }
}
