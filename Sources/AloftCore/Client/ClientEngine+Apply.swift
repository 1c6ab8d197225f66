// SPDX-License-Identifier: Apache-2.0
// Applying an answer: outcomes, membership and deltas become visible in one step, with their cursors.

extension ClientEngine {
  /// Applies a stored answer. Applying it again, or late, changes nothing.
  mutating func applyResponse(_ response: SyncResponse, time: Instant) {
    // Another context may have had this answer: what it says of the server holds for this one too.
    sync.isAtHead = !response.hasMore
    sync.isAmidPages = response.hasMore
    sync.failure = nil
    (sync.needsSignIn, sync.isForeign) = (false, false)
    state.clock.observe(HybridTime(milliseconds: time), now: time)
    if response.store != 0 && response.store != state.store {
      // A backup took the place of the store: versions count anew, so nothing that is held can be compared with what comes.
      if state.store != 0 { dropBase() }
      state.store = response.store
    }
    var refresh: [UInt64] = []
    settle(response.outcomes, &refresh)
    for change in response.membership { if change.enters { enter(change.scope) } else { leave(change.scope, &refresh) } }
    var rowCount = 0
    for part in response.parts {
      var rows = part.rows
      rowCount += (try? rows.array()) ?? 0
    }
    expectChanges(rowCount)
    for part in response.parts { apply(part, &refresh) }
    if !response.hasMore { removeDeparted(&refresh) }
    compareSums(response)
    refreshOverlays(&refresh)
    if !response.hasMore { state.lastSynced = time }
  }

  // MARK: outcomes

  /// Takes the judged mutations off the queue, in order. The overlay goes in the same step in which the base arrives.
  private mutating func settle(_ outcomes: [(n: UInt64, outcome: Outcome)], _ refresh: inout [UInt64]) {
    var judged = 0
    let refused = state.tray.count
    for (n, outcome) in outcomes where n == state.settled.n + 1 && judged < state.queue.count {
      let pending = state.queue[judged]
      judged += 1
      var encoded = CBORWriter(capacity: 256)
      pending.mutation.encode(to: &encoded, device: state.device)
      let bytes = encoded.finish()
      state.settled = (n, Mutation.chain(state.settled.hash, bytes, from: 0, to: bytes.count))
      logBytesSinceCompaction += bytes.count
      for link in pending.links { refresh.append(link.place) }
      if !outcome.isApplied {
        let keys = pending.links.isEmpty ? keys(of: pending.mutation) : keys(of: pending)
        state.tray.append(TrayEntry(mutation: pending.mutation, outcome: outcome, keys: keys))
      }
      notification.outcomes.append((pending.token, n, outcome))
    }
    if judged == 0 { return }
    state.queue.removeFirst(judged)
    if state.tray.count > refused { registerTray(from: refused) }
    notification.isPendingChanged = true
  }

  // MARK: membership

  private mutating func enter(_ scope: Text) {
    if state.cursor(scope) == nil { state.cursors.append((scope, Cursor.start)) }
  }

  /// The right to a scope is gone: its records go from the device, unless another held scope has them too.
  private mutating func leave(_ scope: Text, _ refresh: inout [UInt64]) {
    guard let place = state.cursor(scope) else { return }
    state.cursors.remove(at: place)
    wipe(&refresh) { scopes in scopes.contains(scope) }
  }

  /// Removes the base of the records whose scopes satisfy the condition and none of whose scopes is held.
  private mutating func wipe(_ refresh: inout [UInt64], _ condition: ([Text]) -> Bool) {
    for collection in tables.indices {
      for slot in 0..<UInt32(tables[collection].slotCount) {
        guard let row = tables[collection].base(slot) else { continue }
        let scopes = app.collections[collection].scopes(of: row)
        guard condition(scopes), !scopes.contains(where: { state.cursor($0) != nil }) else { continue }
        setBase(collection, slot, nil)
        refresh.append(Self.place(collection, slot))
      }
    }
  }

  // MARK: deltas

  private mutating func apply(_ part: ScopePart, _ refresh: inout [UInt64]) {
    guard let place = state.cursor(part.scope) else { return }
    let cursor = state.cursors[place].cursor
    if part.from > 0 {
      // Not the continuation of what we hold: an old or repeated answer.
      guard cursor.epoch == part.continues ?? part.epoch, cursor.sequence == part.from else { return }
    } else {
      // The same snapshot again, asked for by two contexts at once, must not take the device back.
      if !part.isRepair && cursor.sequence > 0 && cursor.epoch == part.epoch && cursor.sequence >= part.to { return }
      beginSnapshot(part.scope, place, &refresh)
    }
    var rows = part.rows
    guard let count = try? rows.array() else { return }
    for _ in 0..<count {
      guard (try? apply(&rows, scope: part.scope, &refresh)) != nil else { break }
    }
    guard let place = state.cursor(part.scope) else { return }
    state.cursors[place].cursor.epoch = part.epoch
    state.cursors[place].cursor.sequence = part.to
    if part.isComplete { state.cursors[place].cursor.base = part.to }
    // A whole snapshot defines the truth.
    if part.from == 0, let checksum = part.checksum { state.cursors[place].cursor.checksum = checksum }
  }

  /// Compares what the device holds with the sums that came with the parts. A scope that differs is fetched again.
  ///
  /// While more pages follow, some scope is not whole, and what it shares with others comes and goes: two scopes would have each other
  /// fetched again for ever. Whoever gets the last page asks once more (`receive`); the server compares what it is told.
  private mutating func compareSums(_ response: SyncResponse) {
    if response.hasMore { return }
    for part in response.parts where part.from > 0 {
      guard let checksum = part.checksum, let place = state.cursor(part.scope), state.cursors[place].cursor.sequence == part.to,
        state.cursors[place].cursor.checksum != checksum
      else { continue }
      state.cursors[place].cursor = Cursor.start
      sync.isDue = true
    }
  }

  /// A snapshot replaces what the device held of the scope.
  private mutating func beginSnapshot(_ scope: Text, _ place: Int, _ refresh: inout [UInt64]) {
    for collection in tables.indices where tables[collection].slotCount > 0 {
      for slot in 0..<UInt32(tables[collection].slotCount) {
        guard let row = tables[collection].base(slot) else { continue }
        guard app.collections[collection].scopes(of: row).contains(scope) else { continue }
        account(collection, row, isAdded: false)
        setBase(collection, slot, nil)
        refresh.append(Self.place(collection, slot))
      }
    }
    state.cursors[place].cursor.checksum = 0
    state.cursors[place].cursor.base = 0
  }

  private mutating func apply(_ reader: inout CBORReader, scope: Text, _ refresh: inout [UInt64]) throws(DecodeError) {
    guard try reader.array() == 3 else { throw reader.failure(.malformed) }
    let number = try reader.uint()
    let kind = try reader.uint()
    guard let collection = Int(exactly: number), collection < tables.count else {
      // A collection of a newer version of the app: this build has no use for it.
      return try reader.skip()
    }
    if kind == RowKind.gone.rawValue {
      let id = try reader.text()
      guard let slot = tables[collection].slot(of: id), let row = tables[collection].base(slot) else { return }
      let scopes = app.collections[collection].scopes(of: row)
      // Its new row has arrived through another scope.
      if !scopes.contains(scope) { return }
      // Where the record went to a scope that is held too, its row will arrive; it must not be lost in between. Or it left that one as well.
      if scopes.contains(where: { $0 != scope && state.cursor($0) != nil }) {
        let key = RecordKey(collection: collection, id: row.id)
        if !state.departing.contains(key) { state.departing.append(key) }
        return
      }
      account(collection, row, isAdded: false)
      setBase(collection, slot, nil)
      refresh.append(Self.place(collection, slot))
      return
    }
    let start = reader.position
    try reader.skip()
    let new = RowView(bytes: reader.input, start: start, end: reader.position)
    let id = new.id
    // Whatever its version: a row is in the log of a scope that holds the record.
    if !state.departing.isEmpty { state.departing.removeAll { $0.collection == collection && $0.id == id } }
    let slot = tables[collection].makeSlot(for: id)
    let old = tables[collection].base(slot)
    if let old {
      if old.version >= new.version && app.collections[collection].scopes(of: old).first == app.collections[collection].scopes(of: new).first { return }
      account(collection, old, isAdded: false)
    }
    let isPart = kind == RowKind.partial.rawValue
    if isPart || app.collections[collection].hasTexts && new.hasText {
      let held = isPart ? old?.row : nil
      // Cells that were to be laid over a row that is not here: fetch the scope again rather than show half a record.
      guard var row = new.row, !isPart || held != nil else { return fetchAgain(scope) }
      if !row.complete(from: held) { fetchAgain(scope) }
      setBase(collection, slot, row.encode())
    } else {
      setBase(collection, slot, reader.input.bytes(from: start, to: reader.position))
    }
    if let row = tables[collection].base(slot) { account(collection, row, isAdded: true) }
    let place = Self.place(collection, slot)
    if hasPending(place) { refresh.append(place) }
  }

  /// Makes the scope's sum wrong, so that its next comparison has it sent whole.
  private mutating func fetchAgain(_ scope: Text) {
    if let place = state.cursor(scope) { state.cursors[place].cursor.checksum ^= 1 }
  }

  /// Every held scope is at its head: what left one of them and came back through none has left them all.
  private mutating func removeDeparted(_ refresh: inout [UInt64]) {
    for key in state.departing where key.collection < tables.count {
      guard let slot = tables[key.collection].slot(of: key.id), let row = tables[key.collection].base(slot) else { continue }
      account(key.collection, row, isAdded: false)
      setBase(key.collection, slot, nil)
      refresh.append(Self.place(key.collection, slot))
    }
    state.departing = []
  }

  /// Keeps the sums of the held scopes in step with the base. Tombstones do not count: the server forgets them in its own time.
  private mutating func account(_ collection: Int, _ row: RowView, isAdded: Bool) {
    if row.isDeleted { return }
    let share = row.share(in: collection)
    for scope in app.collections[collection].scopes(of: row) {
      guard let place = state.cursor(scope) else { continue }
      if isAdded { state.cursors[place].cursor.checksum &+= share } else { state.cursors[place].cursor.checksum &-= share }
    }
  }
}
