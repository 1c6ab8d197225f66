// SPDX-License-Identifier: Apache-2.0
import AloftCore
import AloftSim
import Foundation

let arguments = CommandLine.arguments
let first = UInt64(arguments[1])!, count = UInt64(arguments[2])!
let profiles = arguments.count > 3 && arguments[3] != "all" ? [Profile.named(Text(arguments[3]))!] : Profile.allCases
let begin = clock()
var total = Tally()
for profile in profiles {
  for seed in first..<first + count {
    let plan = Plan.generate(seed: seed, profile: profile)
    var world = World(plan: plan, isTracing: count == 1, isStrict: count == 1)
    world.run()
    if count == 1 { for line in world.trace.lines.suffix(4000) { print(line) } }
    total.operations += world.tally.operations
    total.events += world.tally.events
    total.judged += world.tally.judged
    total.checks += world.tally.checks
    total.refusedLocally += world.tally.refusedLocally
    total.requests += world.tally.requests
    if let violation = world.violation {
      print("\(Text(profile.name).string) \(seed): \(Text(violation.invariant).string) at \(violation.at) \(violation.text.string)")
    }
  }
}
let seconds = Double(clock() - begin) / Double(CLOCKS_PER_SEC)
print("\(total) \(seconds) s, \(Int(Double(total.operations) / seconds * 60)) operations per CPU-minute")
