// SPDX-License-Identifier: Apache-2.0
// Forgetting: tombstones and departures that are old enough go, and the floor of their scope says so.
//
// A device that was away for longer finds its cursor below the floor and takes the scope anew; its queue stays. What time a change was
// committed at is not stored with it. Instead each scope remembers, about once a day, how far its log reached.

/// How long the server remembers what is gone.
public struct Retention: Sendable {
  /// Milliseconds for which tombstones and departures are kept at least; 30 days.
  public var keepMilliseconds: UInt64 = 30 * 86_400_000
  /// Milliseconds between two marks of a scope, by which the time of forgetting is uncertain.
  public var markMilliseconds: UInt64 = 86_400_000

  public init() {}
}

extension Judge {
  /// Forgets what is older than the retention allows, and marks how far each log reaches now.
  ///
  /// Records that were deleted go with their history once every scope that held them has forgotten them; the sums of scopes leave
  /// tombstones out, so devices that still hold some stay in step. One transaction for all scopes, since an entry that a record left
  /// behind in one scope may be needed for as long as the record: about 10 µs for each entry that is new below a floor.
  /// - Returns: how many records and departures went.
  public func forget<T: StoreTransaction>(_ retention: Retention, now: Instant, in tx: inout T) throws(StoreError) -> Int {
    var batch = ChangeBatch()
    var floors: [Text: Sequence] = [:]
    var rising: [(name: Text, from: Sequence)] = []
    for name in try tx.scopeNames() {
      guard var state = try tx.scope(name) else { continue }
      var marks = ScopeMarks(state.marks)
      let floor = max(state.floor, marks.head(atLeast: retention.keepMilliseconds, before: now))
      if floor > state.floor { rising.append((name, state.floor)) }
      floors[name] = floor
      marks.add(now, state.sequence, every: retention.markMilliseconds)
      marks.drop(upTo: floor)
      let bytes = marks.bytes
      guard floor > state.floor || bytes != state.marks else { continue }
      state.floor = floor
      state.marks = bytes
      batch.scopes.append((name, state))
    }
    var seen: Set<RecordKey> = []
    var departures = 0
    for (name, from) in rising {
      let floor = floors[name] ?? 0
      var dead: [RecordKey] = []
      try tx.entries(of: name, after: from) { entry in
        if entry.sequence > floor { return false }
        if entry.kind == .departed {
          departures += 1
        } else if let row = try? Row(bytes: Array(entry.body)), row.isDeleted {
          dead.append(RecordKey(collection: entry.collection, id: row.id))
        }
        return true
      }
      for key in dead where seen.insert(key).inserted {
        // Another scope may remember it for longer.
        guard let record = try tx.record(key), record.placements.allSatisfy({ $0.sequence <= floors[$0.scope] ?? 0 }) else { continue }
        batch.removed.append(ChangeBatch.Removal(key: key, previous: record.placements))
      }
    }
    if !batch.isEmpty { try tx.commit(batch) }
    return batch.removed.count + departures
  }
}

/// How far a scope's log reached at some times: pairs of words, 8 bytes each, big-endian, oldest first.
struct ScopeMarks {
  private var all: [(time: Instant, head: Sequence)] = []

  /// Bytes that are no marks count as none: then things are remembered for longer.
  init(_ bytes: [UInt8]) {
    for place in 0..<bytes.count / 16 {
      func word(_ start: Int) -> UInt64 { bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) } }
      all.append((word(place * 16), word(place * 16 + 8)))
    }
  }

  var bytes: [UInt8] {
    var out: [UInt8] = []
    for mark in all { for value in [mark.time, mark.head] { for shift in 0..<8 { out.append(UInt8(truncatingIfNeeded: value >> UInt64(56 - shift * 8))) } } }
    return out
  }

  /// Everything up to this sequence is at least so old.
  func head(atLeast age: UInt64, before now: Instant) -> Sequence {
    all.last { $0.time <= now && now - $0.time >= age }?.head ?? 0
  }

  /// Marks the present head, unless nothing is new or the last mark is young. A clock that was set back makes no mark.
  mutating func add(_ now: Instant, _ head: Sequence, every interval: UInt64) {
    if let last = all.last, last.head >= head || now < last.time || now - last.time < interval { return }
    if head > 0 { all.append((now, head)) }
  }

  /// Forgets marks that say nothing new.
  mutating func drop(upTo floor: Sequence) { all.removeAll { $0.head <= floor } }
}
