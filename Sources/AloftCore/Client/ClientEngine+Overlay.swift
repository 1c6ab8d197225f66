// SPDX-License-Identifier: Apache-2.0
// The overlay: what pending mutations make of a record until the server has judged them.

extension ClientEngine {
  /// All mutations that show, in order.
  func pending(_ n: UInt64) -> PendingMutation? {
    guard let (isDraft, index) = pendingIndex(n) else { return nil }
    return isDraft ? drafts[index] : state.queue[index]
  }

  /// Where a mutation that shows is kept.
  private func pendingIndex(_ n: UInt64) -> (isDraft: Bool, index: Int)? {
    let index = Int(truncatingIfNeeded: Int64(n) - Int64(state.settled.n) - 1)
    if index < 0 { return nil }
    if index < state.queue.count { return (false, index) }
    let draft = index - state.queue.count
    return draft < drafts.count ? (true, draft) : nil
  }

  /// The pending mutation of a record before another one, 0 for none; nil when that one is not there or does not write the record.
  private func numberBefore(_ n: UInt64, at place: UInt64) -> UInt64? {
    guard let (isDraft, index) = pendingIndex(n) else { return nil }
    let links = isDraft ? drafts[index].links : state.queue[index].links
    return links.first { $0.place == place }?.before
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
    while n > state.settled.n, let before = numberBefore(n, at: place) {
      numbers.append(n)
      n = before
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

  /// Works out the overlays of some places again. A record with many changes is named by each of them, and worked out once.
  @inline(never)
  mutating func refreshOverlays(_ places: inout [UInt64]) {
    places.sortStably(by: <)
    for index in places.indices where index == 0 || places[index] != places[index - 1] { refreshOverlay(places[index]) }
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
    let stamp = Stamp(time: mutation.time, mutation: MutationID(device: state.device, n: mutation.n))
    // Where one field has been written when the next is refused, the row of before is wanted. It is not kept for nothing: the first
    // change to a row that somebody else holds copies every list in it.
    let mayFailHalfWay = write.changes.count > 1 || row?.isDeleted ?? true
    let before = mayFailHalfWay ? row : nil
    do {
      _ = try write.apply(
        to: &row, in: app.collections[write.key.collection], stamp: stamp, seen: mutation.seen, isSpeculative: true)
    } catch {
      if mayFailHalfWay { row = before }
    }
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
  /// - Parameter from: the first entry that is new; those before it are found already.
  mutating func registerTray(from first: Int = 0) {
    var changed = first == 0 ? trayPlaces : []
    if first == 0 { trayPlaces = [] }
    for entry in state.tray[first...] {
      for key in entry.keys {
        let place = Self.place(key.collection, tables[key.collection].makeSlot(for: key.id))
        trayPlaces.append(place)
        changed.append(place)
      }
    }
    trayPlaces.sortStably(by: <)
    if !live.isEmpty { for place in changed { touch(place) } }
  }
}
