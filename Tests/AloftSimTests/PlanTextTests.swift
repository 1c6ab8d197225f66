// SPDX-License-Identifier: Apache-2.0
// Plans as text.

import AloftSim
import Testing

@Suite("Plan text")
struct PlanTextTests {
  @Test("a plan that is printed and read back is the same plan", arguments: Profile.allCases)
  func roundTrip(profile: Profile) throws {
    for seed in 1...40 as ClosedRange<UInt64> {
      let plan = Plan.generate(seed: seed, profile: profile)
      let read = try Plan(text: plan.text)
      #expect(read == plan, "seed \(seed)")
    }
  }

  @Test("remarks and empty lines change nothing")
  func remarks() throws {
    let plan = Plan.generate(seed: 7, profile: .lossy)
    let remarked = "# why\n\n" + plan.text.split(separator: "\n").map { $0 + "  # so\n" }.joined(separator: "\n")
    #expect(try Plan(text: remarked) == plan)
  }

  static let header = """
    seed 1
    profile lossy
    schema 4711
    settings latency=20 write-delay=4 group-delay=2 answer-bytes=1048576 request-mutations=1000 server-version=2
    user u0 s0=boss
    device d0 u0 clock=0 app=2

    """

  @Test("what cannot be read is named with its line and what was expected there", arguments: [
    ("seed x", 1, "a seed"), ("", 1, "'seed'"), ("seed 1\nprofile stormy", 2, "the name of a profile"),
    (header + "10ms d1.0 tap", 7, "a device from 0 to 0"), (header + "10ms d0.2 tap", 7, "a tab from 0 to 1"),
    (header + "10 d0.0 tap", 7, "'ms'"), (header + "10ms d0.0 tap tap", 7, "the end of the line"),
    (header + "10ms d0.0 update c9/1", 7, "a collection from 0"), (header + "\n10ms d0.0 update c0/1 size=3", 8, "a field's name"),
    (header + "10ms d0.0 update c0/1 counter*3", 7, "=, +, -, ~ or {"), (header + "10ms d0.0 sleep", 7, "create, update"),
    (header + "10ms d0.0 update c0/1 addWins{+1-2}", 7, "','"), (header + "fault 5ms rain d0 0", 7, "the name of a fault"),
    (header + "fault 5ms..9ms crash d0 0", 7, "one time"), (header + "fault 9ms..5ms offline d0 0", 7, "one time"),
    (header + "fault 5ms upgrade d0 3", 7, "the fault's value from 1 to 2"),
    (header + "99999999999999999999ms d0.0 tap", 7, "a time from 0"), (header + "10ms d0.0 sign-in 1", 7, "a user from 0 to 0"),
  ])
  func refusals(text: String, line: Int, expected: String) throws {
    let error = #expect(throws: PlanError.self) { try Plan(text: text) }
    #expect(error?.line == line)
    #expect(error?.expected.hasPrefix(expected) == true, "\(error?.words ?? "nothing")")
  }
}
