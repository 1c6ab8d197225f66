// SPDX-License-Identifier: Apache-2.0
// Editing histories from Tests/TextTraces: reads them and writes them as messages, independently of the engine's own writer.
import CZlib

/// One author's changes on top of one version.
public struct Transaction {
  public var agent: Int
  public var firstNumber: Int
  /// The first event, and one after the last.
  public var start: Int
  public var end: Int
  /// The events it stands on.
  public var parents: [Int]
  public var patches: [Patch]
}

/// Deletes characters at a place, then inserts text there.
public struct Patch {
  public var place: Int
  public var deleted: Int
  public var inserted: [UInt8]
  public var insertedCount: Int
}

public struct Trace {
  public var agents: [[UInt8]] = []
  public var transactions: [Transaction] = []
  public var eventCount = 0
  public var finalText: [UInt8]?
  public var finalSHA256: [UInt8]?

  /// Whether a text is the one that the history ends with.
  public func ends(with text: [UInt8]) -> Bool { finalText.map { $0 == text } ?? (SHA256.of(text) == finalSHA256!) }

  /// All histories of a file.
  public static func load(_ path: String) -> [Trace] {
    let bytes = gunzip(path)
    var reader = Reader(bytes: bytes)
    var traces: [Trace] = []
    while reader.offset < bytes.count { traces.append(Trace(&reader)) }
    return traces
  }

  private init(_ reader: inout Reader) {
    for _ in 0..<reader.number() { agents.append(reader.take(reader.number())) }
    var counts: [Int] = []
    var parents: [[Int]] = []
    for _ in 0..<reader.number() {
      let agent = reader.number()
      let first = reader.number()
      parents.append((0..<reader.number()).map { _ in reader.number() })
      counts.append(reader.number())
      transactions.append(Transaction(agent: agent, firstNumber: first, start: 0, end: 0, parents: [], patches: []))
    }
    var cursor = 0
    for index in transactions.indices {
      transactions[index].start = eventCount
      transactions[index].parents = parents[index].map { eventCount - $0 }
      for _ in 0..<counts[index] {
        let move = reader.number()
        let place = cursor + (move & 1 == 0 ? move >> 1 : -1 - (move >> 1))
        let patch = Patch(place: place, deleted: reader.number(), inserted: [], insertedCount: reader.number())
        cursor = place + patch.insertedCount
        eventCount += patch.deleted + patch.insertedCount
        transactions[index].patches.append(patch)
      }
      transactions[index].end = eventCount
    }
    let end = reader.number() + reader.offset
    for index in transactions.indices {
      for patch in transactions[index].patches.indices {
        let start = reader.offset
        var left = transactions[index].patches[patch].insertedCount
        while reader.offset < end {
          if reader.bytes[reader.offset] & 0xC0 != 0x80 {
            if left == 0 { break }
            left -= 1
          }
          reader.offset += 1
        }
        transactions[index].patches[patch].inserted = Array(reader.bytes[start..<reader.offset])
      }
    }
    if reader.number() == 0 { finalText = reader.take(reader.number()) } else { finalSHA256 = reader.take(32) }
  }

  private struct Reader {
    let bytes: [UInt8]
    var offset = 0

    mutating func number() -> Int {
      var value = 0
      var shift = 0
      while true {
        let byte = bytes[offset]
        offset += 1
        value |= Int(byte & 0x7F) << shift
        if byte < 0x80 { return value }
        shift += 7
      }
    }

    mutating func take(_ count: Int) -> [UInt8] {
      offset += count
      return Array(bytes[offset - count..<offset])
    }
  }

  private static func gunzip(_ path: String) -> [UInt8] {
    guard let file = gzopen(path, "rb") else { fatalError("cannot open \(path)") }
    defer { gzclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Int(gzread(file, &chunk, UInt32(chunk.count)))
      if count <= 0 { return bytes }
      bytes.append(contentsOf: chunk[0..<count])
    }
  }

  /// The message with some transactions, in this order. `names` replaces the agents' ids.
  public func message(_ indexes: [Int], names: [[UInt8]]? = nil) -> [UInt8] {
    var position: [Int: Int] = [:]  // transaction -> place of its first event in the message
    var total = 0
    for index in indexes {
      position[index] = total
      total += transactions[index].end - transactions[index].start
    }
    var out = Writer()
    out.number(0x10)
    out.number(total)
    if total == 0 { return out.bytes }
    // Only those that the message speaks of, as the engine writes them.
    let ids = names ?? agents
    var used: [Int] = []
    var numbers: [Int: Int] = [:]
    func use(_ agent: Int) {
      if numbers[agent] != nil { return }
      numbers[agent] = used.count
      used.append(agent)
    }
    for index in indexes {
      use(transactions[index].agent)
      for parent in transactions[index].parents {
        let owner = transaction(of: parent)
        if position[owner] == nil { use(transactions[owner].agent) }
      }
    }
    out.number(used.count)
    for agent in used {
      out.number(ids[agent].count << 1)
      out.bytes += ids[agent]
    }
    var next = [Int](repeating: 0, count: ids.count)
    for (place, index) in indexes.enumerated() {
      let item = transactions[index]
      let isLast = place == indexes.count - 1
      out.number(numbers[item.agent]! << 1 | (isLast ? 0 : 1))
      if !isLast { out.number(item.end - item.start) }
      out.signed(item.firstNumber - next[item.agent])
      next[item.agent] = item.firstNumber + item.end - item.start
    }
    for index in indexes {
      let item = transactions[index]
      out.number(item.end - item.start)
      if item.parents.isEmpty { out.number(0) }
      for (place, parent) in item.parents.enumerated() {
        let more = place + 1 < item.parents.count ? 1 : 0
        let owner = transaction(of: parent)
        if let start = position[owner] {
          out.number((position[index]! - (start + parent - transactions[owner].start)) << 2 | more)
        } else {
          out.number(numbers[transactions[owner].agent]! << 2 | 2 | more)
          out.number(transactions[owner].firstNumber + parent - transactions[owner].start)
        }
      }
    }
    var cursor = 0
    var text: [UInt8] = []
    for index in indexes {
      for patch in transactions[index].patches {
        if patch.deleted > 0 {
          out.change(patch.place - cursor, patch.deleted, isDeletion: true)
          cursor = patch.place
        }
        if patch.insertedCount > 0 {
          out.change(patch.place - cursor, patch.insertedCount, isDeletion: false)
          cursor = patch.place + patch.insertedCount
          text += patch.inserted
        }
      }
    }
    return out.bytes + text
  }

  public func transaction(of event: Int) -> Int {
    var low = 0
    var high = transactions.count
    while low < high {
      let middle = (low + high) / 2
      if transactions[middle].start <= event { low = middle + 1 } else { high = middle }
    }
    return low - 1
  }

  private struct Writer {
    var bytes: [UInt8] = []

    mutating func number(_ value: Int) {
      var value = value
      while value >= 128 {
        bytes.append(UInt8(value & 127 | 128))
        value >>= 7
      }
      bytes.append(UInt8(value))
    }

    mutating func signed(_ value: Int) { number(value >= 0 ? value << 1 : (-1 - value) << 1 | 1) }

    mutating func change(_ move: Int, _ length: Int, isDeletion: Bool) {
      number(length << (isDeletion ? 4 : 3) | (isDeletion ? 4 : 0) | (move != 0 ? 2 : 0) | 1)
      if move != 0 { signed(move) }
    }
  }
}

/// SHA-256 (FIPS 180-4), to compare final texts.
public enum SHA256 {
  private static let constants: [UInt32] = {
    // The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
    var found: [UInt32] = []
    var candidate = 2
    while found.count < 64 {
      if (2..<candidate).allSatisfy({ $0 * $0 > candidate || candidate % $0 != 0 }) { found.append(root(candidate)) }
      candidate += 1
    }
    return found
  }()

  private static func root(_ prime: Int) -> UInt32 {
    // The greatest x with x^3 <= prime * 2^96, by halving; only the low 32 bits are the fraction.
    var low: UInt64 = 0
    var high: UInt64 = 8 << 32
    while high - low > 1 {
      let middle = (low + high) / 2
      let square = middle.multipliedFullWidth(by: middle)
      // middle^3 as 192 bits: (square.high * 2^64 + square.low) * middle, compared with prime * 2^96.
      let a = square.low.multipliedFullWidth(by: middle)
      let b = square.high.multipliedFullWidth(by: middle)
      let (word, carry) = a.high.addingReportingOverflow(b.low)
      let top = b.high + (carry ? 1 : 0)
      let limit = UInt64(prime) << 32
      if top > 0 || word > limit || (word == limit && a.low > 0) { high = middle } else { low = middle }
    }
    return UInt32(truncatingIfNeeded: low)
  }

  public static func of(_ bytes: [UInt8]) -> [UInt8] {
    var state: [UInt32] = [
      0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    ]
    var data = bytes + [0x80]
    while data.count % 64 != 56 { data.append(0) }
    for shift in stride(from: 56, through: 0, by: -8) { data.append(UInt8(truncatingIfNeeded: (bytes.count * 8) >> shift)) }
    func turn(_ x: UInt32, _ n: UInt32) -> UInt32 { x >> n | x << (32 - n) }
    var w = [UInt32](repeating: 0, count: 64)
    for block in stride(from: 0, to: data.count, by: 64) {
      for i in 0..<16 {
        let at = block + 4 * i
        w[i] = UInt32(data[at]) << 24 | UInt32(data[at + 1]) << 16 | UInt32(data[at + 2]) << 8 | UInt32(data[at + 3])
      }
      for i in 16..<64 {
        let s0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ (w[i - 15] >> 3)
        let s1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ (w[i - 2] >> 10)
        w[i] = w[i - 16] &+ s0 &+ w[i - 7] &+ s1
      }
      var v = state
      for i in 0..<64 {
        let s1 = turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25)
        let t1 = v[7] &+ s1 &+ ((v[4] & v[5]) ^ (~v[4] & v[6])) &+ constants[i] &+ w[i]
        let s0 = turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22)
        let t2 = s0 &+ ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]))
        v = [t1 &+ t2, v[0], v[1], v[2], v[3] &+ t1, v[4], v[5], v[6]]
      }
      for i in 0..<8 { state[i] = state[i] &+ v[i] }
    }
    return state.flatMap { [UInt8($0 >> 24), UInt8($0 >> 16 & 255), UInt8($0 >> 8 & 255), UInt8($0 & 255)] }
  }
}
