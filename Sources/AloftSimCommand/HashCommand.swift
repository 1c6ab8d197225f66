// SPDX-License-Identifier: Apache-2.0
// sim hash: one number for everything that happens in a run. Two processes and two platforms must print the same.

import AloftSim
import ArgumentParser

struct HashCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hash", abstract: "Print the digests of runs, to compare processes and platforms.")

  @OptionGroup var which: SeedOptions

  func run() {
    for number in 0..<which.seeds {
      for name in which.runs(number) {
        var world = World(plan: name.plan)
        world.run()
        print("\(name.profile.word) \(name.seed) \(world.trace.digest)")
      }
    }
  }
}
