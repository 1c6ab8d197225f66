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

  /// Links a mutation to the ones before it on the same records, so that base changes know what to apply again.
  static func register(_ pending: inout PendingMutation, in tables: inout [Table]) {
    if pending.links.isEmpty {
      for write in pending.writes {
        let slot = tables[write.key.collection].makeSlot(for: write.key.id)
        pending.links.append(PendingMutation.Link(place: place(write.key.collection, slot)))
      }
    }
    for index in pending.links.indices {
      let (collection, slot) = unpack(pending.links[index].place)
      let last = tables[collection].lastPending[Int(slot)]
      // A second write to the same record leads back to where the first does.
      let first = last == pending.mutation.n ? pending.links.firstIndex { $0.place == pending.links[index].place } : nil
      pending.links[index].before = first.map { pending.links[$0].before } ?? last
      tables[collection].lastPending[Int(slot)] = pending.mutation.n
    }
  }

  /// The writes of a pending mutation, one for each of its links; where the arguments alone say them, they are worked out again.
  private func writes(of pending: PendingMutation) -> [RecordWrite] {
    pending.writes.isEmpty ? writes(of: pending.mutation) : pending.writes
  }

  /// The records of a pending mutation, one for each of its links.
  func keys(of pending: PendingMutation) -> [RecordKey] {
    pending.links.map { link in
      let (collection, slot) = Self.unpack(link.place)
      return RecordKey(collection: collection, id: tables[collection].id(of: slot))
    }
  }

  /// Undoes `register`. Mutations must be taken back newest first.
  mutating func unregister(_ pending: PendingMutation) {
    for link in pending.links.reversed() {
      let (collection, slot) = Self.unpack(link.place)
      if tables[collection].lastPending[Int(slot)] == pending.mutation.n { tables[collection].lastPending[Int(slot)] = link.before }
    }
  }

  /// The record's pending mutations, oldest first.
  func pendingNumbers(_ place: UInt64) -> [UInt64] {
    let (collection, slot) = Self.unpack(place)
    var numbers: [UInt64] = []
    var n = tables[collection].lastPending[Int(slot)]
    // Links lead back to mutations that were judged meanwhile; the chain ends there.
    while n > state.settled.n, let pending = pending(n), let link = pending.links.first(where: { $0.place == place }) {
      numbers.append(n)
      n = link.before
    }
    numbers.reverse()
    return numbers
  }

  func hasPending(_ place: UInt64) -> Bool {
    let (collection, slot) = Self.unpack(place)
    return tables[collection].lastPending[Int(slot)] > state.settled.n
  }

  mutating func refreshOverlays(of pending: PendingMutation) {
    for link in pending.links { refreshOverlay(link.place) }
  }

  /// Lays the newest pending mutation over what its records show. Whoever takes up many in order would otherwise work out every record
  /// anew for each of its mutations.
  mutating func extendOverlays(with pending: PendingMutation) {
    let writes = writes(of: pending)
    for (index, link) in pending.links.enumerated() where index < writes.count {
      let (collection, slot) = Self.unpack(link.place)
      // Behind an earlier mutation, or an earlier write of this one, the overlay is what to go on from.
      let continues = link.before > state.settled.n || pending.links[..<index].contains { $0.place == link.place }
      var row = (continues ? tables[collection].view(slot) : tables[collection].base(slot))?.row
      apply(writes[index], of: pending.mutation, to: &row)
      setOverlay(collection, slot, row?.encode())
    }
  }

  /// Works out a record's overlay again: its base with its pending mutations applied in order.
  mutating func refreshOverlay(_ place: UInt64) {
    let (collection, slot) = Self.unpack(place)
    let numbers = pendingNumbers(place)
    if numbers.isEmpty { return setOverlay(collection, slot, nil) }
    var row = tables[collection].base(slot)?.row
    for n in numbers {
      guard let pending = pending(n) else { continue }
      for (index, write) in writes(of: pending).enumerated() where pending.links[index].place == place { apply(write, of: pending.mutation, to: &row) }
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
    if !trayPlaces.isEmpty && isInTray(Self.place(collection, slot)) { return "attention" }
    let last = tables[collection].lastPending[Int(slot)]
    if last <= state.settled.n { return nil }
    return last > state.issued ? "saving" : "queued"
  }

  private func isInTray(_ place: UInt64) -> Bool {
    var low = 0
    var high = trayPlaces.count
    while low < high {
      let middle = (low + high) / 2
      if trayPlaces[middle] < place { low = middle + 1 } else { high = middle }
    }
    return low < trayPlaces.count && trayPlaces[low] == place
  }

  /// Finds the records of the tray again, and tells live queries that their state may have changed.
  mutating func registerTray() {
    let before = trayPlaces
    var places: [UInt64] = []
    for entry in state.tray {
      for key in entry.keys { places.append(Self.place(key.collection, tables[key.collection].makeSlot(for: key.id))) }
    }
    trayPlaces = places.sortedStably(by: <)
    if !live.isEmpty { for place in before + trayPlaces { touch(place) } }
  }
}
