// SPDX-License-Identifier: Apache-2.0
// What a device keeps through a crash: log rows by number, pages, and the folded state, as IndexedDB does.
import AloftCore

/// A device's storage. Several contexts of one device may share it; rows and compactions are a compare-and-swap.
public final class DeviceStorage {
  package private(set) var log: [UInt64: [UInt8]] = [:]
  package private(set) var state: [UInt8] = []
  package private(set) var generation: UInt64 = 0
  package var pages: [UInt32: [UInt8]] = [:]

  public init() {}

  /// The last row, or the last one that was folded away.
  package var last: UInt64 { max(generation, log.keys.max() ?? 0) }

  /// Appends rows in one transaction; false when another context was first.
  package func append(_ rows: [[UInt8]], at first: UInt64) -> Bool {
    guard log[first] == nil, first > generation else { return false }
    for (index, row) in rows.enumerated() { log[first + UInt64(index)] = row }
    return true
  }

  /// The rows behind `head`, in order.
  package func tail(after head: UInt64) -> [LogRow] {
    log.keys.filter { $0 > head }.sorted().map { LogRow(sequence: $0, bytes: log[$0]!) }
  }

  /// Writes a compaction; false when another context was first.
  package func write(_ compaction: Compaction) -> Bool {
    guard compaction.expectedGeneration == generation else { return false }
    state = compaction.state
    generation = compaction.generation
    for page in compaction.pages { pages[page.number] = page.bytes }
    for page in compaction.removed { pages[page] = nil }
    for sequence in log.keys where sequence <= compaction.deleteThrough { log[sequence] = nil }
    return true
  }

  /// Reads everything into a new engine. False when a part is refused; damaged pages are refused here and repaired from the server.
  package func load(into engine: inout ClientEngine) -> Bool {
    var isWhole = state.isEmpty || engine.load(state: state)
    for page in pages.keys.sorted() where !engine.load(page: pages[page]!) { isWhole = false }
    for row in tail(after: generation) where !engine.load(log: row) { isWhole = false }
    return isWhole
  }

  /// Loses the newest rows, as a disk does that says *saved* too early.
  func forget(_ count: Int) { for sequence in log.keys.sorted().suffix(count) { log[sequence] = nil } }

  /// A second storage with the same content: a backup of the device.
  public func copy() -> DeviceStorage {
    let other = DeviceStorage()
    other.replace(by: self)
    return other
  }

  /// Puts other content in place: an older backup, or nothing.
  public func replace(by other: DeviceStorage) { (log, state, generation, pages) = (other.log, other.state, other.generation, other.pages) }
}
