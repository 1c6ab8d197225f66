// SPDX-License-Identifier: Apache-2.0
// The one executable: what a person types, and where each command lives.

import AloftServer
import AloftSimCommand
import ArgumentParser

@main
struct AloftCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "aloft",
    abstract: "Keeps apps up when the network goes down.",
    discussion: """
      EXAMPLES
        aloft demo                                  try Field Visits on http://127.0.0.1:8080
        aloft serve app.json --data data --web web  serve your own app, open to this machine only
        aloft serve app.json --data data --web web --users users.json --host 0.0.0.0
        aloft inspect data devices                  who syncs, and how far they are
        aloft schema lock app.json                  remember this version of the declaration
        aloft schema check app.json                 fail when a change would break older clients
        aloft sim --seeds 100                       try the engines in a simulated world

      An app is declared in app.json:
        {"app":"todo","version":1,"collections":[{"name":"todos","fields":[
          {"name":"title","type":"string"},{"name":"done","type":"bool"}],
          "allow":[{"do":["read","create","update","delete"],"to":"anyone"}]}]}
      """,
    version: aloftVersion,
    subcommands: [DemoCommand.self, ServeCommand.self, InspectCommand.self, SchemaCommand.self, SimCommand.self])
}
