// SPDX-License-Identifier: Apache-2.0
// sim: runs the simulator. The same command is `aloft sim` and the small executable `sim`.

import ArgumentParser
import Foundation

public struct SimCommand: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "sim",
    abstract: "Run the shipped engines in a simulated world and check every promise.",
    discussion: """
      EXAMPLES
        sim --seeds 100                      every profile, seeds 1 to 100
        sim --profile lossy --ops 1000000    seeds that make a million operations
        sim replay build/sim/s03-lossy-7.plan
        sim plan --seed 7 --profile lossy    what happens in a run, as text

      Exits with 1 when a promise is broken. docs/simulator.md says more.
      """,
    subcommands: [RunCommand.self, EnumerateCommand.self, ReplayCommand.self, PlanCommand.self, HashCommand.self],
    defaultSubcommand: RunCommand.self)

  public init() {}

  /// How the command was called, for messages that say what to type.
  static var invocation: String {
    let name = CommandLine.arguments.first.map { URL(fileURLWithPath: $0).lastPathComponent } ?? "sim"
    return name == "sim" ? name : name + " sim"
  }
}
