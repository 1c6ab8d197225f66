// SPDX-License-Identifier: Apache-2.0
// What the server costs: durable mutations and delta records per second over HTTP, beside a bare loop over SQLite.
//
//   swift run -c release server-bench [rounds] [seconds] [push|pull]

import AloftCore
import AloftServer
import AloftSQLite
import AloftStore
import Foundation
import LoopbackHTTP
import Synchronization

@main
struct ServerBench {
  static func main() async throws {
    let arguments = CommandLine.arguments.dropFirst().compactMap { Double($0) }
    let rounds = Int(arguments.first ?? 5)
    let seconds = arguments.dropFirst().first ?? 2
    let folder = FileManager.default.temporaryDirectory.appending(path: "aloft-bench-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }  // a folder left in /tmp harms nobody

    // Two equal databases: one for the server, one for the bare loop.
    for name in ["server", "bare"] {
      let store = try SQLiteStore(path: "\(folder)/\(name).sqlite", newEpoch: 1)
      try Workload.seed(store)
      store.close()
    }
    let store = try SQLiteStore(path: "\(folder)/server.sqlite")
    var configuration = ServerConfiguration()
    configuration.port = 0
    configuration.logLevel = .critical
    let server = AloftServer(app: Workload.app, store: store, identity: OpenIdentity(), configuration: configuration)
    let (ports, announce) = AsyncStream<Int>.makeStream()
    let serving = Task { try await server.application(running: { announce.yield($0) }).run() }
    var port = 0
    for await found in ports {
      port = found
      break
    }
    let phases = CommandLine.arguments.dropFirst().filter { ["push", "pull"].contains($0) }
    try measure(
      port: port, barePath: "\(folder)/bare.sqlite", rounds: rounds, seconds: seconds, phases: phases.isEmpty ? ["push", "pull"] : phases)
    serving.cancel()
    _ = await serving.result
    server.stop()
    store.close()
  }

  private static func measure(port: Int, barePath: String, rounds: Int, seconds: Double, phases: [String]) throws {
    let bare = BareLoop(path: barePath, scopeCount: Workload.scopeCount, keepsHistory: true)
    var table = Table()
    var fleet = Fleet(port: port)
    for round in 0..<rounds {
      for batch in [100, 1] where phases.contains("push") {
        table.add("bare loop, \(batch) in a transaction", try bareWrites(bare, batch: batch, seconds: seconds, seed: UInt64(round)))
        for count in [1, 64] {
          table.add(
            "server, \(count) pushing, \(batch) in a request",
            try fleet.push(deviceCount: count, batch: batch, seconds: seconds))
        }
      }
      guard phases.contains("pull") else { continue }
      table.add("bare loop, delta records", bareReads(bare, seconds: seconds))
      table.add("server, delta records", try fleet.pull(seconds: seconds))
    }
    table.printAll(against: [
      "server, 1 pushing, 100 in a request": "bare loop, 100 in a transaction",
      "server, 64 pushing, 100 in a request": "bare loop, 100 in a transaction",
      "server, 1 pushing, 1 in a request": "bare loop, 1 in a transaction",
      "server, 64 pushing, 1 in a request": "bare loop, 1 in a transaction",
      "server, delta records": "bare loop, delta records",
    ])
  }

  private static func bareWrites(_ bare: BareLoop, batch: Int, seconds: Double, seed: UInt64) throws -> Rate {
    var random = Random(seed: seed &+ 1)
    let device = DeviceID(high: 0xBA, low: 0xBE).bytes
    let prepared = (0..<64).map { _ in
      let scope = Int(random.below(UInt64(Workload.scopeCount)))
      return (0..<batch).map { _ in
        (key: Array(Workload.key(scope, Int(random.below(UInt64(Workload.recordsPerScope)))).utf8), scope: scope)
      }
    }
    var written = 0
    let started = ContinuousClock.now
    let stopwatch = Stopwatch()
    while ContinuousClock.now - started < .seconds(seconds) {
      bare.write(device: device, n: Int64(written), keys: prepared[written / batch % prepared.count])
      written += batch
    }
    return stopwatch.rate(of: written)
  }

  private static func bareReads(_ bare: BareLoop, seconds: Double) -> Rate {
    var count = 0
    let started = ContinuousClock.now
    let stopwatch = Stopwatch()
    while ContinuousClock.now - started < .seconds(seconds) {
      for scope in 0..<Workload.scopeCount { count += bare.read(scope: scope) }
    }
    return stopwatch.rate(of: count)
  }
}

/// What a loop did in a second, and the processor time that the whole process spent on each piece, with both ends of every socket.
struct Rate {
  var perSecond: Double
  var processorMicroseconds: Double
}

struct Stopwatch {
  private let started = ContinuousClock.now
  private let used = Self.processorMicroseconds

  func rate(of count: Int) -> Rate {
    let pieces = Double(max(1, count))
    return Rate(
      perSecond: Double(count) / ((ContinuousClock.now - started) / .seconds(1)),
      processorMicroseconds: (Self.processorMicroseconds - used) / pieces)
  }

  private static var processorMicroseconds: Double {
    var used = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used)
    return Double(used.tv_sec) * 1e6 + Double(used.tv_nsec) / 1e3
  }
}

/// Rates by name, in the order they were first added.
struct Table {
  private var names: [String] = []
  private var rates: [String: [Rate]] = [:]

  mutating func add(_ name: String, _ rate: Rate) {
    if rates[name] == nil { names.append(name) }
    rates[name, default: []].append(rate)
  }

  /// Medians, and for the lines named their ratio to another line.
  func printAll(against base: [String: String]) {
    print("median of \(rates.values.first?.count ?? 0) interleaved rounds; durable: WAL, synchronous=FULL, one flush a commit")
    for name in names {
      let ratio = base[name].map { " \(format(median(name, \.perSecond) / median($0, \.perSecond), 2)) of the bare loop" } ?? ""
      let rate = format(median(name, \.perSecond), 0)
      let cost = format(median(name, \.processorMicroseconds), 2)
      print(
        "  " + name + String(repeating: " ", count: max(1, 40 - name.count)) + String(repeating: " ", count: max(0, 10 - rate.count)) + rate
          + "/s" + String(repeating: " ", count: max(1, 9 - cost.count)) + cost + " us of processor each" + ratio)
    }
  }

  private func median(_ name: String, _ value: KeyPath<Rate, Double>) -> Double {
    let sorted = (rates[name] ?? []).map { $0[keyPath: value] }.sorted()
    return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
  }

  private func format(_ number: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", number) }
}
