// SPDX-License-Identifier: Apache-2.0
// Which runs: seeds and profiles, in an order that does not depend on anything else.

import AloftCore
import AloftSim
import ArgumentParser

/// One plan's name.
struct RunName: Hashable, Sendable {
  var profile: Profile
  var seed: UInt64

  var plan: Plan { .generate(seed: seed, profile: profile) }
}

extension Profile: ExpressibleByArgument {
  public init?(argument: String) {
    guard let profile = Profile.named(Text(argument)) else { return nil }
    self = profile
  }

  // Without this the help lists each value with an empty description.
  public static var allValueStrings: [String] { allCases.map { $0.word } }
  public static var allValueDescriptions: [String: String] { [:] }

  var word: String { Text(name).string }
}

struct SeedOptions: ParsableArguments {
  @Option(help: "How many seeds of each profile to run.")
  var seeds = 100

  @Option(help: "The first seed.")
  var first: UInt64 = 1

  @Option(help: "One family of faults; all of them when left out.")
  var profile: Profile?

  var profiles: [Profile] { profile.map { [$0] } ?? Profile.allCases }

  func validate() throws {
    if seeds < 1 { throw ValidationError("--seeds must be 1 or more.") }
    if first > UInt64(Int64.max) { throw ValidationError("--first is too large.") }
  }

  /// Each profile's run of the n-th seed.
  func runs(_ number: Int) -> [RunName] { profiles.map { RunName(profile: $0, seed: first + UInt64(number)) } }
}
