// SPDX-License-Identifier: Apache-2.0
// sim replay: runs plans from files, with every check unless told otherwise.

import AloftSim
import ArgumentParser
import Foundation

struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "replay", abstract: "Run a plan from a file and print what happens.")

  @Argument(help: "The plan, as `sim plan` or a failure wrote it.")
  var file: String

  @Option(help: "The most lines of the trace to print.")
  var lines = FailureReport.lineCount

  @Flag(help: "Make a sample of the checks, as a run of many seeds does.")
  var sampled = false

  @Flag(help: "Also check what is not promised.")
  var canary = false

  func run() throws {
    guard let data = FileManager.default.contents(atPath: file) else { throw ValidationError("\(file) cannot be read.") }
    let plan: Plan
    do throws(PlanError) { plan = try Plan(text: String(decoding: data, as: UTF8.self)) } catch {
      throw ValidationError("\(file) is not a plan: \(error.words).")
    }
    var world = World(plan: plan, isTracing: true, isStrict: !sampled, hasCanary: canary)
    world.run()
    for line in world.trace.lines.suffix(max(0, lines)) { print(line) }
    guard let violation = world.violation else { return print("every promise was kept") }
    print(violation.line)
    throw ExitCode.failure
  }
}
