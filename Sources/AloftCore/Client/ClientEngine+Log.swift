// SPDX-License-Identifier: Apache-2.0
// The local log: writing our rows by compare-and-swap, and applying every row in order, whoever wrote it.

extension ClientEngine {
  /// A log row stays below the size at which browsers store values apart.
  private static let rowBytesMax = 56 * 1024

  // MARK: loading

  /// Takes the stored state. Returns false when it cannot be read: then the device starts empty and the server restores it.
  public mutating func load(state bytes: [UInt8]) -> Bool {
    guard let loaded = try? ClientState(bytes: bytes) else { return false }
    state = loaded
    return true
  }

  /// Takes a stored page. Returns false when it is damaged: the host sets it aside. What is whole goes on showing; when the server
  /// can be reached, everything is fetched again.
  public mutating func load(page bytes: [UInt8]) -> Bool {
    guard let page = Page.check(bytes), page.number < state.nextPage, page.collection < tables.count,
      !tables.contains(where: { $0.holds(page: page.number) }), tables[page.collection].load(page: page.number, bytes, count: page.count)
    else {
      isDamaged = true
      return false
    }
    return true
  }

  /// Takes a stored log row. Returns false at the first damaged row: what follows it cannot be trusted.
  public mutating func load(log row: LogRow) -> Bool {
    if row.sequence <= state.head.sequence && state.head.sequence > 0 { return true }
    guard row.sequence == state.head.sequence + 1 || state.head.sequence == 0 else { return false }
    return applyRow(row, now: 0)
  }

  mutating func open(user: Text, now: Instant) {
    let layout = Self.layout(of: app)
    if state.layout != 0 && state.layout != layout && !tablesAreEmpty { isDamaged = true }
    state.layout = layout
    if state.device == DeviceID(high: 0, low: 0) {
      // A new device may work under its identity at once: until the row is written nobody else hears of it.
      state.device = DeviceID(high: random.next(), low: random.next())
      outbox.append(.renewed(state.device))
    }
    if state.user != user { outbox.append(.signedIn(user)) }
    if !state.queue.isEmpty || !state.tray.isEmpty { restoreQueue() }
    isOpen = true
    // What the log's answers said of the head was true then; nobody knows what has come since.
    sync.isAtHead = false
    // A compaction whose pages never reached storage is finished by whoever opens next.
    if !foldedState.isEmpty { effects.append(.wantCompact) }
    sync.isDue = true
    startRound(now: now)
  }

  private var tablesAreEmpty: Bool { tables.allSatisfy { $0.slotCount == 0 } }

  /// Where fields and collections are numbered differently, old pages mean something else.
  private static func layout(of app: App) -> UInt64 {
    var hash: UInt64 = 1
    for collection in app.collections {
      hash = Hash64.of(collection.name.utf8, seed: hash)
      // Fields that were added at the end do not disturb rows written before.
      if let first = collection.fields.first { hash = Hash64.of(first.name.utf8, seed: hash) }
    }
    return hash | 1
  }

  /// Works out again what the queued mutations of the stored state show.
  private mutating func restoreQueue() {
    indexIDs()
    // Changes that the log added to the stored ones are linked already, to nothing before them: all are linked again, in order.
    for collection in tables.indices { tables[collection].forgetPending() }
    for index in state.queue.indices {
      if state.queue[index].links.isEmpty { state.queue[index].writes = writes(of: state.queue[index].mutation) }
      Self.register(&state.queue[index], in: &tables)
      extendOverlays(with: state.queue[index])
    }
    for index in state.tray.indices where state.tray[index].keys.isEmpty { state.tray[index].keys = keys(of: state.tray[index].mutation) }
    registerTray()
  }

  func keys(of mutation: Mutation) -> [RecordKey] {
    let writes = writes(of: mutation)
    return writes.isEmpty ? referenced(by: mutation) : writes.map { $0.key }
  }

  /// The records that an action's arguments name, for actions whose body refuses to run again.
  private func referenced(by mutation: Mutation) -> [RecordKey] {
    guard let action = app.action(mutation.action) else { return [] }
    var keys: [RecordKey] = []
    var reader = CBORReader(mutation.args)
    guard let count = try? reader.map() else { return [] }
    for _ in 0..<count {
      guard let name = try? reader.text(), let value = try? Value(from: &reader) else { return keys }
      for parameter in action.parameters where parameter.name == name {
        if case .reference(let target) = parameter.type, let collection = app.number(of: target), let id = value.text {
          keys.append(RecordKey(collection: collection, id: id))
        }
      }
    }
    return keys
  }

  // MARK: writing

  /// Asks for a write when something waits and none is under way. One at a time: what comes meanwhile is grouped.
  mutating func persistIfIdle() {
    guard isOpen, inFlight == nil, !saveFailure, !drafts.isEmpty || !outbox.isEmpty else { return }
    var flight = Flight(entryCount: outbox.count)
    var rows: [[UInt8]] = []
    var checksum = state.head.checksum
    var device = state.device
    var renewals = 0
    for index in outbox.indices {
      var entry = outbox[index]
      entry.moveAside(times: renewals)
      add(entry, drafts: 0, &checksum, device, &rows, &flight)
      if case .renewed(let new) = entry {
        device = new
        renewals += 1
      }
    }
    // A new identity renumbers the drafts when its row is applied, so they wait for it.
    if device == state.device {
      var group: [Mutation] = []
      var size = 0
      for index in drafts.indices {
        group.append(drafts[index].mutation)
        size += drafts[index].mutation.args.count + 64
        if size >= Self.rowBytesMax || index == drafts.count - 1 {
          add(.mutations(group), drafts: group.count, &checksum, device, &rows, &flight)
          (group, size) = ([], 0)
        }
      }
    }
    // Losing more judged numbers to a power cut than the server remembers one by one would make a queue count twice.
    // And a device that loses its new identity takes another one, under which what it has sent meanwhile would count again.
    let isRenewed = renewals > 0 && state.device != DeviceID(high: 0, low: 0)
    let isStrict = isRenewed || flight.rows.contains { $0.draftCount > 0 } || sync.unsyncedOutcomes >= SyncState.unsyncedOutcomesMax
    if isStrict { sync.unsyncedOutcomes = 0 }
    effects.append(.persist(first: state.head.sequence + 1, isStrict: isStrict, rows: rows))
    inFlight = flight
  }

  private func add(
    _ entry: LogEntry, drafts count: Int, _ checksum: inout UInt32, _ device: DeviceID, _ rows: inout [[UInt8]], _ flight: inout Flight
  ) {
    let bytes = entry.encode(after: checksum, device: device)
    checksum = LogEntry.checksum(of: bytes)
    flight.rows.append(Flight.Row(byteCount: bytes.count, checksum: checksum, draftCount: count))
    rows.append(bytes)
  }

  mutating func persisted(through: UInt64, now: Instant) {
    guard let flight = inFlight else { return }
    inFlight = nil
    var entries = Array(outbox.prefix(flight.entryCount))
    outbox.removeFirst(flight.entryCount)
    var savedCount = 0
    for (index, row) in flight.rows.enumerated() {
      state.head = (state.head.sequence + 1, row.checksum)
      if index < entries.count {
        logRowsSinceCompaction += 1
        logBytesSinceCompaction += row.byteCount
        apply(entries[index], now: now)
        if case .renewed = entries[index] { for later in (index + 1)..<entries.count { entries[later].moveAside(times: 1) } }
      } else {
        save(savedCount..<savedCount + row.draftCount)
        savedCount += row.draftCount
      }
    }
    drafts.removeFirst(savedCount)
    if savedCount > 0 { notification.isPendingChanged = true }
    wantCompactionIfDue()
    startRound(now: now)
  }

  /// Drafts that are in the log now. They show already; they only change from draft to queue.
  private mutating func save(_ range: Range<Int>) {
    for index in range {
      let pending = drafts[index]
      state.queue.append(pending)
      noteSaved(pending)
      if !live.isEmpty { for link in pending.links { touch(link.place) } }
    }
  }

  private mutating func noteSaved(_ pending: PendingMutation) {
    if let last = notification.saved.last, pending.token == last.token + UInt64(last.count), pending.mutation.n == last.n + UInt64(last.count) {
      notification.saved[notification.saved.count - 1].count += 1
    } else {
      notification.saved.append((pending.token, pending.mutation.n, 1))
    }
  }

  mutating func persistConflict(_ tail: [LogRow], now: Instant) {
    inFlight = nil
    applyForeign(tail, now: now)
  }

  mutating func persistFailed() {
    inFlight = nil
    saveFailure = true
  }

  /// Applies rows of other contexts. Our drafts take later numbers: nothing of theirs is in the log yet.
  mutating func applyForeign(_ rows: [LogRow], now: Instant) {
    for row in rows where row.sequence == state.head.sequence + 1 {
      if inFlight != nil {
        // Our own write is under way; its conflict will bring these rows again.
        return
      }
      guard applyRow(row, now: now) else { return }
      forgetRenewal()
    }
    watchPages(now: now)
    startRound(now: now)
  }

  /// The answer that called for a new identity spoke of a device as it was before another context's rows: ask again.
  private mutating func forgetRenewal() {
    if state.device == DeviceID(high: 0, low: 0) { return }
    askAgain(without: { if case .renewed = $0 { true } else { false } })
  }

  /// Drops what waits to be written and has lost its sense; where that was something, the server is asked anew.
  private mutating func askAgain(without isVoid: (LogEntry) -> Bool) {
    let count = outbox.count
    outbox.removeAll(where: isVoid)
    if outbox.count < count { sync.isDue = true }
  }

  // MARK: applying

  private mutating func applyRow(_ row: LogRow, now: Instant) -> Bool {
    indexIDs()
    // The first row after a compaction chains to the state's checksum; so does every later one to its predecessor.
    guard let entry = LogEntry(bytes: row.bytes, after: state.head.checksum, device: state.device) else { return false }
    state.head = (row.sequence, LogEntry.checksum(of: row.bytes))
    if case .mutations = entry {} else { noteRow(row.bytes) }
    apply(entry, now: now)
    return true
  }

  /// Counts towards the next compaction. Mutations count when they are judged: until then folding would only copy them.
  private mutating func noteRow(_ bytes: [UInt8]) {
    logRowsSinceCompaction += 1
    logBytesSinceCompaction += bytes.count
  }

  private mutating func apply(_ entry: LogEntry, now: Instant) {
    switch entry {
    case .mutations(let mutations): enqueue(mutations)
    case .response(let time, _, let response): if let response { applyResponse(response, time: time) }
    case .dismissed(let numbers): dismiss(numbers)
    case .compaction: fold()
    case .renewed(let device): renew(device)
    case .signedIn(let user): state.user = user
    case .restart: restart()
    }
  }

  /// Drops every confirmed row and every page. It is a log entry so that all contexts do it at the same place: contexts whose pages
  /// differ would write pages that contradict each other.
  private mutating func restart() {
    isDamaged = false
    dropBase()
    for collection in tables.indices { tables[collection].dropPages() }
    // Their numbers are not used again, and the next compaction removes them from storage.
    droppedPages = state.nextPage
    sync.isDue = true
  }

  /// Drops every confirmed row; all scopes are fetched anew. What waits goes on waiting.
  mutating func dropBase() {
    expectChanges(.max)
    for index in state.cursors.indices { state.cursors[index].cursor = Cursor.start }
    state.departing = []
    for collection in tables.indices {
      for slot in 0..<UInt32(tables[collection].slotCount) where tables[collection].base(slot) != nil {
        setBase(collection, slot, nil)
        refreshOverlay(Self.place(collection, slot))
      }
    }
  }

  /// Mutations of another context, or of an earlier life of this one. Drafts take later numbers: none of theirs is in the log yet.
  private mutating func enqueue(_ mutations: [Mutation]) {
    expectChanges(mutations.count)
    for pending in drafts.reversed() { unregister(pending) }
    shiftDrafts(by: UInt64(mutations.count))
    var refresh: [UInt64] = []
    for mutation in mutations where mutation.n == state.issued + 1 {
      var pending = PendingMutation(mutation: mutation, writes: [])
      pending.writes = writes(of: mutation)
      state.clock.observe(mutation.time, now: mutation.time.milliseconds)
      Self.register(&pending, in: &tables)
      state.queue.append(pending)
      if drafts.isEmpty { extendOverlays(with: pending) } else { for link in pending.links { refresh.append(link.place) } }
    }
    // The drafts' rows carry their numbers, so they are worked out again under the new ones.
    for index in drafts.indices {
      // What the other context did to the same record comes first in the lane.
      for link in drafts[index].links { addLaneDependency(of: link.place, to: &drafts[index].mutation) }
      Self.register(&drafts[index], in: &tables)
      for link in drafts[index].links { refresh.append(link.place) }
    }
    refreshOverlays(&refresh)
    notification.isPendingChanged = true
  }

  /// Gives the drafts later numbers, in themselves and wherever they speak of each other.
  private mutating func shiftDrafts(by count: UInt64) {
    guard let first = drafts.first?.mutation.n else { return }
    for index in drafts.indices {
      drafts[index].mutation.n += count
      for place in drafts[index].mutation.after.indices where drafts[index].mutation.after[place] >= first {
        drafts[index].mutation.after[place] += count
      }
      for entry in drafts[index].mutation.seen.indices {
        let key = drafts[index].mutation.seen[entry].key
        for dot in drafts[index].mutation.seen[entry].dots.indices {
          let seen = drafts[index].mutation.seen[entry].dots[dot]
          guard seen.device == state.device, seen.n >= first, seen.n - first < UInt64(index), writes(drafts[Int(seen.n - first)], key) else { continue }
          drafts[index].mutation.seen[entry].dots[dot].n += count
        }
      }
    }
  }

  /// Whether a pending mutation is one that writes a record.
  private func writes(_ pending: PendingMutation, _ key: RecordKey) -> Bool {
    // While storage is being read, what was folded into the state is linked to nothing yet.
    if pending.links.isEmpty { return keys(of: pending.mutation).contains(key) }
    guard let slot = tables[key.collection].slot(of: key.id) else { return false }
    return pending.links.contains { $0.place == Self.place(key.collection, slot) }
  }

  /// Takes a new identity: everything that waits is offered again under it, from number 1.
  private mutating func renew(_ device: DeviceID) {
    let old = state.device
    if device == old { return }
    // Numbers start again, so every link speaks of the old count.
    for collection in tables.indices { tables[collection].forgetPending() }
    let first = state.settled.n
    // The server's memory of refusals does not move to the new identity: what depends on one is parked here.
    var refused = state.tray.map { $0.mutation.n }
    var parked: [TrayEntry] = []
    var kept: [PendingMutation] = []
    for pending in state.queue {
      guard let parent = pending.mutation.after.first(where: { refused.contains($0) }) else {
        kept.append(pending)
        continue
      }
      refused.append(pending.mutation.n)
      parked.append(TrayEntry(mutation: pending.mutation, outcome: .parked(dependsOn: parent), keys: keys(of: pending)))
      notification.outcomes.append((pending.token, pending.mutation.n, .parked(dependsOn: parent)))
    }
    state.tray.append(contentsOf: parked)
    let queued = kept.count
    kept.append(contentsOf: drafts)
    var numbers = [UInt64](repeating: 0, count: state.queue.count + drafts.count)
    for (index, pending) in kept.enumerated() { numbers[Int(pending.mutation.n - first) - 1] = UInt64(index) + 1 }
    func renumbered(_ n: UInt64) -> UInt64 { n > first && n - first <= UInt64(numbers.count) ? numbers[Int(n - first) - 1] : 0 }
    // What waits moves to the new identity; what the server judged keeps the old one. Storage that went back in time gives numbers out
    // again, so a number alone does not tell which of the two the author of a mutation had seen.
    func moved(_ original: [Seen], of n: UInt64) -> [Seen] {
      var seen = original
      for entry in seen.indices {
        for dot in seen[entry].dots.indices {
          let old = seen[entry].dots[dot]
          let new = renumbered(old.n)
          guard old.device == state.device, new > 0, old.n < n, writes(kept[Int(new) - 1], seen[entry].key) else { continue }
          seen[entry].dots[dot] = MutationID(device: device, n: new)
        }
      }
      return seen
    }
    for index in kept.indices {
      kept[index].mutation.seen = moved(kept[index].mutation.seen, of: kept[index].mutation.n)
      kept[index].mutation.n = UInt64(index) + 1
      kept[index].mutation.after = kept[index].mutation.after.map(renumbered).filter { $0 > 0 }
    }
    // Numbers in the tray belong to the old identity: move them out of the way of the new count.
    if old != DeviceID(high: 0, low: 0) {
      for index in state.tray.indices {
        state.tray[index].mutation.seen = moved(state.tray[index].mutation.seen, of: state.tray[index].mutation.n)
        state.tray[index].moveAside(from: old, to: device, refused: refused)
      }
    }
    // An answer that waits to be written speaks of the old identity's numbers: ask again.
    askAgain(without: { if case .response = $0 { true } else { false } })
    for index in outbox.indices { outbox[index].moveAside(times: 1) }
    state.device = device
    state.settled = (0, 0)
    state.queue = Array(kept.prefix(queued))
    drafts = Array(kept.dropFirst(queued))
    for index in state.queue.indices { Self.register(&state.queue[index], in: &tables) }
    for index in drafts.indices { Self.register(&drafts[index], in: &tables) }
    for pending in state.queue + drafts { refreshOverlays(of: pending) }
    for entry in parked {
      for key in entry.keys { refreshOverlay(Self.place(key.collection, tables[key.collection].makeSlot(for: key.id))) }
    }
    if !parked.isEmpty { registerTray() }
  }
}
