// SPDX-License-Identifier: Apache-2.0
// The overlay: what pending mutations make of a record until the server has judged them.

extension ClientEngine {
  /// All mutations that show, in order.
  func pending(_ n: UInt64) -> PendingMutation? {
    let place = Int(truncatingIfNeeded: Int64(n) - Int64(state.settled.n) - 1)
    if place < 0 { return nil }
    if place < state.queue.count { return state.queue[place] }
    let draft = place - state.queue.count
    return draft < drafts.count ? drafts[draft] : nil
  }

  /// Registers a mutation's records, so that base changes know what to apply again.
  mutating func register(_ pending: PendingMutation) {
    for write in pending.writes {
      let slot = tables[write.key.collection].makeSlot(for: write.key.id)
      let place = Self.place(write.key.collection, slot)
      if pendingByRecord[place]?.last != pending.mutation.n { pendingByRecord[place, default: []].append(pending.mutation.n) }
    }
  }

  mutating func unregister(_ pending: PendingMutation) {
    for write in pending.writes {
      guard let slot = tables[write.key.collection].slot(of: write.key.id) else { continue }
      let place = Self.place(write.key.collection, slot)
      guard var numbers = pendingByRecord[place] else { continue }
      numbers.removeAll { $0 == pending.mutation.n }
      pendingByRecord[place] = numbers.isEmpty ? nil : numbers
    }
  }

  /// Works out a record's overlay again: its base with its pending mutations applied in order.
  mutating func refreshOverlay(_ collection: Int, _ slot: UInt32) {
    guard let numbers = pendingByRecord[Self.place(collection, slot)] else { return setOverlay(collection, slot, nil) }
    var row = tables[collection].base(slot)?.row
    for n in numbers {
      guard let pending = pending(n) else { continue }
      for write in pending.writes where write.key.collection == collection && tables[collection].slot(of: write.key.id) == slot {
        apply(write, of: pending.mutation, to: &row)
      }
    }
    setOverlay(collection, slot, row?.encode())
  }

  /// Applies a write as its author sees it. One that makes no sense on this base (a record that is gone) shows nothing; the
  /// server's judgement will say so.
  private func apply(_ write: RecordWrite, of mutation: Mutation, to row: inout Row?) {
    var draft = row
    let stamp = Stamp(time: mutation.time, mutation: MutationID(device: state.device, n: mutation.n))
    do {
      _ = try write.apply(
        to: &draft, in: app.collections[write.key.collection], stamp: stamp, seen: mutation.seen, isSpeculative: true)
      row = draft
    } catch {}
  }

  /// The word for a row's own state, or nil when the server has all of it.
  func stateWord(_ collection: Int, _ slot: UInt32) -> StaticString? {
    let place = Self.place(collection, slot)
    if trayByRecord[place] != nil { return "attention" }
    guard let last = pendingByRecord[place]?.last else { return nil }
    return last > state.issued ? "saving" : "queued"
  }

  mutating func registerTray() {
    trayByRecord = [:]
    for entry in state.tray {
      for key in entry.keys {
        let slot = tables[key.collection].makeSlot(for: key.id)
        trayByRecord[Self.place(key.collection, slot), default: 0] += 1
      }
    }
  }
}
