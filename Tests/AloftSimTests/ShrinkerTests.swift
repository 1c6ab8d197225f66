// SPDX-License-Identifier: Apache-2.0
// A planted failure is found and made small.

import AloftCore
import Testing

@testable import AloftSim

@Suite("Shrinking")
struct ShrinkerTests {
  /// The first plan of a profile in which a record is deleted.
  private func planted(_ profile: Profile) throws -> Plan {
    let plans = (1...20).map { Plan.generate(seed: $0, profile: profile) }
    return try #require(plans.first { run($0, hasCanary: true) != nil })
  }

  private func run(_ plan: Plan, hasCanary: Bool) -> Text? {
    var world = World(plan: plan, isStrict: true, hasCanary: hasCanary)
    world.run()
    return world.violation.map { Text($0.invariant) }
  }

  @Test("the check that must fail fails, and only when it is asked for")
  func canary() throws {
    let plan = try planted(.calm)
    #expect(run(plan, hasCanary: false) == nil)
    #expect(run(plan, hasCanary: true) == "canary")
  }

  @Test("a planted failure shrinks to at most six operations on at most two devices", arguments: [Profile.calm, .lossy, .swarm])
  func shrinks(profile: Profile) throws {
    var shrinker = try #require(Shrinker(planted(profile), hasCanary: true))
    shrinker.shrink()
    let small = shrinker.plan
    #expect(small.ops.count <= 6, "\(small.text)")
    #expect(small.devices.count <= 2)
    #expect(small.faults.isEmpty)
    #expect(Text(shrinker.violation.invariant) == "canary")
    // What was written down breaks the same promise when it is read back.
    #expect(try run(Plan(text: small.text), hasCanary: true) == "canary")
  }

  @Test("what happens in one moment still does when everything moves towards the beginning, and the plan can be read back")
  func moments() throws {
    for seed in 1...40 as ClosedRange<UInt64> {
      let plan = Plan.generate(seed: seed, profile: .server)
      let start = try #require(plan.faults.map(\.from).filter { $0 > 1 }.min())
      let moved = plan.earlier(by: 1, from: start)
      #expect(try Plan(text: moved.text) == moved, "seed \(seed)")
    }
  }

  @Test("a plan that breaks nothing is not shrunk")
  func healthy() {
    #expect(Shrinker(Plan.generate(seed: 1, profile: .calm)) == nil)
  }
}
