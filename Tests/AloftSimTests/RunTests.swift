// SPDX-License-Identifier: Apache-2.0
// Whole runs: kept plans and fresh ones keep every promise, and a run is the same wherever it is made.

import AloftSim
import Foundation
import Testing

@Suite("Simulated runs")
struct RunTests {
  /// Plans that once broke a promise, smallest form.
  static let corpus: [URL] = {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "SimPlans")
    let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    return files.filter { $0.pathExtension == "plan" }.sorted { $0.lastPathComponent < $1.lastPathComponent }
  }()

  @Test("a kept plan keeps every promise", arguments: corpus)
  func keptPlan(file: URL) throws {
    let plan = try Plan(text: String(contentsOf: file, encoding: .utf8))
    expectKept(World(plan: plan, isStrict: true))
  }

  @Test("there are kept plans")
  func corpusIsFound() {
    #expect(!Self.corpus.isEmpty)
  }

  // With a sample of the checks: all of them take minutes in a debug build. Scripts/test.sh runs millions of operations.
  @Test("the first five seeds of each profile keep every promise", arguments: Profile.allCases)
  func firstSeeds(profile: Profile) {
    for seed in 1...5 as ClosedRange<UInt64> { expectKept(World(plan: .generate(seed: seed, profile: profile))) }
  }

  private func expectKept(_ world: World, sourceLocation: SourceLocation = #_sourceLocation) {
    var world = world
    world.run()
    #expect(world.violation == nil, "seed \(world.plan.seed)", sourceLocation: sourceLocation)
  }

  @Test("a plan runs alike twice in a process, traced or not", arguments: Profile.allCases)
  func twice(profile: Profile) {
    let plan = Plan.generate(seed: 11, profile: profile)
    var (plain, traced) = (World(plan: plan), World(plan: plan, isTracing: true))
    plain.run()
    traced.run()
    #expect(plain.trace.digest == traced.trace.digest)
  }

  @Test("a fork of a world goes on as the world does")
  func fork() {
    var world = World(plan: .generate(seed: 12, profile: .swarm))
    for _ in 0..<200 { _ = world.step() }
    var copy = world
    world.run()
    copy.run()
    #expect(world.trace.digest == copy.trace.digest)
  }

  @Test("a plan runs alike in processes that hash differently")
  func processes() throws {
    let (fixed, drawn) = (try Self.hashes(deterministic: true), try Self.hashes(deterministic: false))
    #expect(fixed.split(separator: "\n").count == Profile.allCases.count)
    #expect(fixed == drawn)
  }

  /// What `sim hash` prints in a process that hashes by a fixed seed, or by one that it draws.
  private static func hashes(deterministic: Bool) throws -> String {
    let process = Process()
    let output = Pipe()
    // The program beside the tests.
    process.executableURL = URL(fileURLWithPath: Bundle.main.executablePath ?? CommandLine.arguments[0])
      .resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "sim")
    process.arguments = ["hash", "--first", "21", "--seeds", "1"]
    var environment = ProcessInfo.processInfo.environment
    environment["SWIFT_DETERMINISTIC_HASHING"] = deterministic ? "1" : nil
    process.environment = environment
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text
  }
}
