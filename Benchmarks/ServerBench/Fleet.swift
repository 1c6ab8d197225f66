// SPDX-License-Identifier: Apache-2.0
// Devices that push and pull over real sockets, each on a thread of its own.

import AloftCore
import Foundation
import LoopbackHTTP
import Synchronization

struct Fleet {
  private static let headers = ["Content-Type": "application/cbor", "X-Aloft": "1"]

  let port: Int
  private var lastDevice: UInt64 = 1_000
  private var random = Random(seed: 64)

  init(port: Int) { self.port = port }

  /// Mutations acknowledged as durable per second by all devices together. The bodies are made before the clock starts.
  mutating func push(deviceCount: Int, batch: Int, seconds: Double) throws -> Rate {
    // More than a device can send in the time; the rest is thrown away.
    let perDevice = max(20, Int(seconds * (batch == 1 ? 20_000 : 1_000)) / deviceCount)
    var bodies: [[[UInt8]]] = []
    for _ in 0..<deviceCount {
      lastDevice += 1
      var mine: [[UInt8]] = []
      for index in 0..<perDevice {
        mine.append(try Workload.push(device: lastDevice, from: index * batch + 1, count: batch, &random).body)
      }
      bodies.append(mine)
    }
    let (port, prepared) = (port, bodies)
    return try inParallel(deviceCount, seconds: seconds) { device, isOver in
      let connection = try LoopbackConnection(port: port)
      var count = 0
      for body in prepared[device] {
        if isOver() { break }
        let answer = try connection.exchange("POST", "/sync/mutations", headers: Self.headers, body: body)
        guard answer.status == 200 else { throw BenchError.refused(answer.text) }
        count += batch
      }
      return count
    }
  }

  /// Records received per second by two devices that start from nothing, again and again.
  func pull(seconds: Double) throws -> Rate {
    let port = port
    return try inParallel(2, seconds: seconds) { _, isOver in
      let connection = try LoopbackConnection(port: port)
      var count = 0
      while !isOver() {
        var request = SyncRequest(device: DeviceID(high: 0, low: 0))
        var hasMore = true
        while hasMore {
          let answer = try connection.exchange("POST", "/sync", headers: Self.headers, body: request.encode())
          guard answer.status == 200 else { throw BenchError.refused(answer.text) }
          count += try Delta.read(answer.body, &request, &hasMore)
        }
      }
      return count
    }
  }

  /// Runs a body on several threads until the time is over; returns the sum of their counts as a rate.
  private func inParallel(
    _ count: Int, seconds: Double, _ body: @escaping @Sendable (Int, () -> Bool) throws -> Int
  ) throws -> Rate {
    let results = Mutex<[Result<Int, any Error>]>([])
    let started = ContinuousClock.now
    let stopwatch = Stopwatch()
    let done = DispatchGroup()
    for index in 0..<count {
      done.enter()
      Thread.detachNewThread {
        let result = Result { try body(index) { ContinuousClock.now - started >= .seconds(seconds) } }
        results.withLock { $0.append(result) }
        done.leave()
      }
    }
    done.wait()
    return stopwatch.rate(of: try results.withLock { $0 }.reduce(0) { try $0 + $1.get() })
  }
}

enum BenchError: Error { case refused(String) }

/// As much of an answer as a puller needs.
enum Delta {
  /// Counts the rows and moves the request's cursors.
  static func read(_ body: [UInt8], _ request: inout SyncRequest, _ hasMore: inout Bool) throws -> Int {
    var reader = CBORReader(body)
    _ = try reader.tag()
    var count = 0
    for _ in 0..<(try reader.map()) {
      let key = try reader.text()
      if key == "more" {
        hasMore = try reader.bool()
      } else if key == "scopes" {
        for _ in 0..<(try reader.map()) {
          let scope = try reader.text()
          var cursor = Cursor(epoch: 0, sequence: 0, base: 0, checksum: 0)
          for _ in 0..<(try reader.map()) {
            let part = try reader.text()
            if part == "to" {
              cursor.sequence = try reader.uint()
            } else if part == "epoch" {
              cursor.epoch = try reader.uint()
            } else if part == "checksum" {
              cursor.checksum = try reader.bytes().reduce(0) { $0 << 8 | UInt64($1) }
            } else if part == "rows" {
              let rows = try reader.array()
              reader = CBORReader(body, from: end(of: rows, in: body, from: reader.position), to: body.count)
              count += rows
            } else {
              try reader.skip()
            }
          }
          request.cursors.removeAll { $0.scope == scope }
          request.cursors.append((scope, cursor))
        }
      } else {
        try reader.skip()
      }
    }
    return count
  }

  /// Where so many items end. Unchecked and quick: what a puller spends counts against the server, and the bare loop has no puller.
  private static func end(of items: Int, in body: [UInt8], from start: Int) -> Int {
    body.withUnsafeBufferPointer { bytes in
      var (remaining, next) = (items, start)
      while remaining > 0 {
        let head = bytes[next]
        var value = Int(head & 0x1F)
        next += 1
        if value >= 24 {
          let width = 1 << (value - 24)
          value = 0
          for index in next..<(next + width) { value = value << 8 | Int(bytes[index]) }
          next += width
        }
        remaining -= 1
        switch head >> 5 {
        case 2, 3: next += value
        case 4: remaining += value
        case 5: remaining += 2 * value
        case 6: remaining += 1
        default: break
        }
      }
      return next
    }
  }
}
