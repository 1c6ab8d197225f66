// SPDX-License-Identifier: Apache-2.0
// sim run: many seeds, one line for each broken promise, a shrunk plan for each kind of it, and the totals.

import AloftCore
import AloftSim
import ArgumentParser
import Foundation
import Synchronization

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "run", abstract: "Run many seeds (what `sim` does by itself).")

  @OptionGroup var which: SeedOptions

  @Option(help: "Go on with further seeds until this many operations were made; --seeds does not count then.")
  var ops: Int?

  @Option(help: "How many runs to make at the same time.")
  var jobs = 1

  @Option(help: "The folder for plans that break a promise.")
  var save = "build/sim"

  @Flag(help: "Make every check at every step, not at a sample of them.")
  var strict = false

  @Flag(help: "Also check what is not promised: must fail.")
  var canary = false

  func validate() throws {
    if jobs < 1 { throw ValidationError("--jobs must be 1 or more.") }
    if let ops, ops < 1 { throw ValidationError("--ops must be 1 or more.") }
  }

  func run() throws {
    var total = Total()
    var broken: [RunResult] = []
    // Where to stop is only asked between blocks, so that it does not depend on the number of jobs.
    let blockSeeds = 10
    var next = 0
    while ops.map({ total.tally.operations < $0 }) ?? (next < which.seeds) {
      let end = ops == nil ? min(next + blockSeeds, which.seeds) : next + blockSeeds
      let results = make((next..<end).flatMap { which.runs($0) })
      for result in results {
        total.add(result)
        guard let violation = result.violation else { continue }
        print("\(result.name.profile.word) \(result.name.seed): \(violation.line)")
        broken.append(result)
      }
      // Into a file or a pipe, words would wait for a full buffer otherwise.
      fflush(nil)
      next = end
    }
    total.seconds = Double(clock()) / Double(CLOCKS_PER_SEC)
    try report(broken)
    print(total.line)
    print(Total.standing)
    if !broken.isEmpty { throw ExitCode.failure }
  }

  /// The results in the order of the names.
  private func make(_ names: [RunName]) -> [RunResult] {
    let all = Mutex<[(number: Int, result: RunResult)]>([])
    DispatchQueue.concurrentPerform(iterations: jobs) { job in
      for number in stride(from: job, to: names.count, by: jobs) {
        let result = RunResult(names[number], isStrict: strict, hasCanary: canary)
        all.withLock { $0.append((number, result)) }
      }
    }
    return all.withLock { $0.sorted { $0.number < $1.number }.map { $0.result } }
  }

  /// Shrinks the first run that broke each promise: the others most likely show the same.
  private func report(_ broken: [RunResult]) throws {
    var seen: Set<String> = []
    for result in broken {
      guard let violation = result.violation, seen.insert(violation.name).inserted else { continue }
      // A run that breaks a promise under a sample of the checks breaks that one, or another one before, under all of them.
      guard let shrinker = Shrinker(result.name.plan, isStrict: violation.name != "L4", hasCanary: canary) else { continue }
      let first = shrinker.violation.name
      guard first == violation.name || seen.insert(first).inserted else { continue }
      try FailureReport(result.name, shrinker, hasCanary: canary).write(to: save)
    }
  }
}

/// What came of one run.
struct RunResult: Sendable {
  let name: RunName
  let tally: Tally
  let violation: Violation?

  init(_ name: RunName, isStrict: Bool, hasCanary: Bool) {
    var world = World(plan: name.plan, isStrict: isStrict, hasCanary: hasCanary)
    world.run()
    self.name = name
    tally = world.tally
    violation = world.violation
  }
}

/// What came of all of them.
private struct Total {
  var tally = Tally()
  var runs = 0
  var violations = 0
  var seconds = 0.0

  mutating func add(_ result: RunResult) {
    runs += 1
    if result.violation != nil { violations += 1 }
    tally.operations += result.tally.operations
    tally.events += result.tally.events
    tally.checks += result.tally.checks
  }

  var line: String {
    let speed = seconds > 0 ? Int(Double(tally.operations) / seconds * 60) : 0
    return "\(runs) seeds, \(tally.operations) operations, \(tally.events) events, \(tally.checks) checks, "
      + String(format: "%.1f", seconds) + " CPU seconds, \(speed) operations per CPU-minute, \(violations) violations"
  }

  /// Which promises the runs stand for.
  static var standing: String {
    var (checked, partly, notYet): ([String], [String], [String]) = ([], [], [])
    for invariant in Invariant.all {
      let id = Text(invariant.id).string
      switch invariant.standing {
      case .checked: checked.append(id)
      case .partly: partly.append(id)
      case .notYet(let reason): notYet.append("\(id) (\(Text(reason).string))")
      }
    }
    return "checked: \(checked.joined(separator: " ")); partly: \(partly.joined(separator: " ")); not yet: \(notYet.joined(separator: ", "))"
  }
}

extension Violation {
  var name: String { Text(invariant).string }
  var line: String { "\(name) broken at \(at) ms: \(text.string)" }
}
