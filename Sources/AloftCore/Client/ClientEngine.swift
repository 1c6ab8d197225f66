// SPDX-License-Identifier: Apache-2.0
// The client engine: a state machine over plain values. The same code runs in a page, a service worker and a native client.
//
// A change's way here: mutate (overlay shows it at once) → draft → persist effect → log row → queue → request → response → log row
// → base. Durable state changes only by applying log rows, in the log's order, so that every context of a device agrees.

/// Rows on their way to storage.
struct Flight {
  struct Row {
    var byteCount: Int
    var checksum: UInt32
    /// How many of the drafts the row holds; 0 for a row of another kind.
    var draftCount: Int
  }
  /// The rows of the outbox's entries come first, then those of the drafts.
  var rows: [Row] = []
  var entryCount = 0
}

/// The engine of one device, or of one context of a device.
public struct ClientEngine {
  public let app: App
  var random: Random
  var state = ClientState()
  var tables: [Table]
  /// Mutations that show already but are not in the log yet, oldest first; their numbers are provisional.
  var drafts: [PendingMutation] = []
  /// Log entries other than mutations that wait to be written.
  var outbox: [LogEntry] = []
  /// What the persist effect in flight holds.
  var inFlight: Flight?
  var nextToken: UInt64 = 1
  var live: [LiveQuery] = []
  private var nextLive = 1
  /// The packed places of the records that the tray speaks of, sorted.
  var trayPlaces: [UInt64] = []
  var sync = SyncState()
  var notification = Notification()
  var effects: [ClientEffect] = []
  var lastStatus: ClientStatus?
  /// The compaction row at which each page was last changed or removed, by page number.
  var pageGenerations: [UInt64] = []
  /// The state as the last compaction row left it, until it is on disk.
  var foldedState: [UInt8] = []
  var logRowsSinceCompaction = 0
  var logBytesSinceCompaction = 0
  var isOpen = false
  /// A page could not be read, or was written under another numbering of fields.
  var isDamaged = false
  /// Pages below this number were dropped since the last compaction.
  var droppedPages: UInt32 = 0
  var saveFailure = false
  /// The most mutations in one request.
  package var requestMutationsMax = 1000

  /// - Parameter entropy: 32 random bytes as four words; record ids, device ids and retry delays come from them.
  public init(app: App, entropy: (UInt64, UInt64, UInt64, UInt64)) {
    self.app = app
    random = Random(entropy.0, entropy.1, entropy.2, entropy.3)
    tables = []
    for (number, collection) in app.collections.enumerated() { tables.append(Table(number: number, collection: collection)) }
  }

  /// Takes one event and says what must be done.
  public mutating func handle(_ event: ClientEvent, now: Instant) -> [ClientEffect] {
    switch event {
    // These need no record by its id, and come before the first query is answered.
    case .opened, .wake, .hint, .timer, .transportFailed: break
    default: indexIDs()
    }
    switch event {
    case .opened(let user): open(user: user, now: now)
    case .persisted(let through): persisted(through: through, now: now)
    case .persistConflict(let tail): persistConflict(tail, now: now)
    case .foreignRows(let rows): applyForeign(rows, now: now)
    case .persistFailed: persistFailed()
    case .response(let status, let retryAfter, let body): receive(status, retryAfter, body, now: now)
    case .transportFailed(let failure): transportFailed(failure, now: now)
    case .timer: timerFired(now: now)
    case .wake(let reason): wake(reason, now: now)
    case .hint(let scope, let sequence): hint(scope, sequence, now: now)
    case .compact(let generation): compact(onDisk: generation)
    case .compacted(let generation): compacted(generation)
    }
    return flush(now: now)
  }

  /// Ends a turn: persists what waits, tells the app what changed, and hands out the effects.
  mutating func flush(now: Instant) -> [ClientEffect] {
    persistIfIdle()
    for index in live.indices {
      let collection = live[index].query.collection
      if let notice = live[index].flush(&tables[collection]) { notification.live.append((live[index].id, collection, notice)) }
    }
    let status = self.status
    if status != lastStatus {
      notification.status = status
      lastStatus = status
    }
    if !notification.isEmpty {
      effects.append(.notify(notification))
      notification = Notification()
    }
    let out = effects
    effects = []
    return out
  }

  // MARK: reading

  /// Makes every record findable by its id. Cheap when nothing was loaded since the last call.
  package mutating func indexIDs() { for collection in tables.indices { tables[collection].indexIDs() } }

  /// Answers a query. Cost: by an index where one helps, else one scan.
  public mutating func rows(of query: Query) -> [UInt32] {
    let slots = tables[query.collection].run(query, all: false).slots
    let start = min(query.offset, slots.count)
    let end = min(start + (query.limit ?? slots.count), slots.count)
    return Array(slots[start..<end])
  }

  /// The value of a count or a sum.
  public mutating func value(of query: Query) -> Value { tables[query.collection].aggregate(query).value }

  /// Starts following a query.
  public mutating func subscribe(_ query: Query) -> Int {
    let id = nextLive
    nextLive += 1
    live.append(LiveQuery(id: id, query: query, table: &tables[query.collection]))
    return id
  }

  public mutating func unsubscribe(_ id: Int) { live.removeAll { $0.id == id } }

  /// The record as a person sees it, or nil when it is absent or deleted.
  func record(_ collection: Int, _ id: Text) -> Row? {
    guard let slot = tables[collection].slot(of: id) else { return nil }
    return tables[collection].visible(slot)?.row
  }

  // MARK: changing rows (the only places where tables change)
  //
  // Live queries are handed the table itself, though they only read it: a value would be a copy of it for each row.

  /// A record's place in one word: its table and its slot.
  static func place(_ collection: Int, _ slot: UInt32) -> UInt64 { UInt64(collection) << 32 | UInt64(slot) }

  static func unpack(_ place: UInt64) -> (collection: Int, slot: UInt32) { (Int(place >> 32), UInt32(truncatingIfNeeded: place)) }

  mutating func setBase(_ collection: Int, _ slot: UInt32, _ row: [UInt8]?) {
    for index in live.indices where live[index].query.collection == collection { live[index].willChange(slot, &tables[collection]) }
    tables[collection].setBase(slot, row)
    for index in live.indices where live[index].query.collection == collection { live[index].didChange(slot, &tables[collection]) }
  }

  mutating func setOverlay(_ collection: Int, _ slot: UInt32, _ row: [UInt8]?) {
    for index in live.indices where live[index].query.collection == collection { live[index].willChange(slot, &tables[collection]) }
    tables[collection].setOverlay(slot, row)
    for index in live.indices where live[index].query.collection == collection { live[index].didChange(slot, &tables[collection]) }
  }

  /// A large batch is about to change rows: live queries ask again at the end instead of following each row.
  mutating func expectChanges(_ count: Int) {
    if count > 500 { for index in live.indices { live[index].markStale() } }
  }

  /// Tells live queries that a record's state changed though its values did not.
  mutating func touch(_ place: UInt64) {
    let (collection, slot) = Self.unpack(place)
    for index in live.indices where live[index].query.collection == collection { live[index].touch(slot) }
  }
}
