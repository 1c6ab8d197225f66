// SPDX-License-Identifier: Apache-2.0
// sim enumerate: small plans with a death before every effect, and in every circumstance.

import AloftSim
import ArgumentParser
import Foundation
import Synchronization

struct EnumerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enumerate",
    abstract: "Run small plans with a death of a device before each effect, and small calm plans in every circumstance.")

  @Option(help: "How many plans.")
  var plans = 200

  @Option(help: "How many operations each has.")
  var operations = 12

  @Option(help: "How many plans to run at the same time.")
  var jobs = 1

  func validate() throws {
    if plans < 1 || operations < 1 || jobs < 1 { throw ValidationError("--plans, --operations and --jobs must be 1 or more.") }
  }

  /// In these a death has most to destroy.
  private static let profiles: [Profile] = [.calm, .lossy, .tabs, .access, .server]

  func run() throws {
    let found = Mutex<(deaths: Int, failures: [String])>((0, []))
    DispatchQueue.concurrentPerform(iterations: jobs) { job in
      for number in stride(from: job, to: plans, by: jobs) {
        let profile = Self.profiles[number % Self.profiles.count]
        let plan = Plan.generate(seed: UInt64(number + 1), profile: profile).prefix(operations)
        let enumeration = CrashEnumeration(plan)
        let difference = Circumstance.difference(in: Plan.generate(seed: UInt64(number + 1), profile: .calm).prefix(operations * 3))
        found.withLock { found in
          found.deaths += enumeration.deathCount
          if let failure = enumeration.failure {
            found.failures.append(
              "\(profile.word) \(number + 1), \(failure.isPowerCut ? "power cut" : "crash") before effect \(failure.effect): \(failure.violation.line)")
          }
          if let difference { found.failures.append("calm \(number + 1), \(difference)") }
        }
      }
    }
    let (deaths, failures) = found.withLock { $0 }
    for failure in failures.sorted() { print(failure) }
    print("\(plans) plans, \(deaths) deaths, \(Circumstance.allCases.count) circumstances, \(failures.count) failures")
    if !failures.isEmpty { throw ExitCode.failure }
  }
}
