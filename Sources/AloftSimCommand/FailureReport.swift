// SPDX-License-Identifier: Apache-2.0
// What a person needs to repair a broken promise: the smallest plan that breaks it, what happened in it, and how to see it again.

import AloftSim
import Foundation

struct FailureReport {
  /// How much of a trace is printed.
  static let lineCount = 200

  private let name: RunName
  private let shrinker: Shrinker
  private let hasCanary: Bool

  init(_ name: RunName, _ shrinker: Shrinker, hasCanary: Bool) {
    self.name = name
    self.shrinker = shrinker
    self.hasCanary = hasCanary
  }

  /// Shrinks the plan, writes it into the folder and prints the rest.
  func write(to folder: String) throws {
    var shrinker = shrinker
    shrinker.shrink()
    let (plan, violation) = (shrinker.plan, shrinker.violation)
    let file = URL(fileURLWithPath: folder).appendingPathComponent("\(violation.name.lowercased())-\(name.profile.word)-\(name.seed).plan")
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data("# \(violation.line)\n\(plan.text)".utf8).write(to: file)

    var world = World(plan: plan, isTracing: true, isStrict: violation.name != "L4", hasCanary: hasCanary)
    world.run()
    print("\n\(violation.name), seed \(name.seed), profile \(name.profile.word)")
    for line in world.trace.lines.suffix(Self.lineCount) { print("  " + line) }
    print("\(violation.line)")
    print(
      "devices: \(plan.devices.count), operations: \(plan.ops.count), faults: \(plan.faults.count), "
        + "after \(shrinker.runCount) smaller plans: \(file.relativePath)")
    print("see it again: \(SimCommand.invocation) replay \(file.relativePath)\(hasCanary ? " --canary" : "")\n")
  }
}
