// SPDX-License-Identifier: Apache-2.0
// sim plan: prints the plan of a seed.

import AloftSim
import ArgumentParser

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "plan", abstract: "Print the plan of a seed.")

  @Option(help: "The seed.")
  var seed: UInt64

  @Option(help: "The family of faults.")
  var profile: Profile

  func run() { print(RunName(profile: profile, seed: seed).plan.text, terminator: "") }
}
