// SPDX-License-Identifier: Apache-2.0
// Hunts one seeded defect: runs plans until a promise is broken. Scripts/defects.py builds and calls it.
//
//   hunt <defect> <profile,profile,…> <first run> <end run>
//   hunt <defect> plans <file> …
//
// Run r is profile r % count with seed 1 + r / count. Defect 0 is the engine as it ships.

import AloftCore
import AloftSim
import Foundation

let arguments = CommandLine.arguments
seededDefect = Int(arguments[1])!
if arguments[2] == "plans" {
  for file in arguments[3...] {
    var world = World(plan: try Plan(text: String(contentsOfFile: file, encoding: .utf8)), isStrict: true)
    world.run()
    guard let violation = world.violation else { continue }
    print("caught \(Text(violation.invariant).string) by \(URL(fileURLWithPath: file).lastPathComponent): \(violation.text.string)")
    exit(0)
  }
  print("missed")
  exit(0)
}
let profiles = arguments[2].split(separator: ",").map { Profile.named(Text(String($0)))! }

for run in Int(arguments[3])!..<Int(arguments[4])! {
  let profile = profiles[run % profiles.count]
  // Told before the run, so that a trap has a place too.
  print("run \(run)")
  fflush(nil)
  var world = World(plan: Plan.generate(seed: UInt64(1 + run / profiles.count), profile: profile))
  world.run()
  if let violation = world.violation {
    print("caught \(Text(violation.invariant).string) at \(violation.at): \(violation.text.string)")
    exit(0)
  }
}
print("missed")
