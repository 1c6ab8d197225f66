// SPDX-License-Identifier: Apache-2.0
// What changed in each scope after a device's cursor, within a budget of bytes, and only what the reader may see.

/// Collects the deltas of a request's scopes within a budget of bytes.
struct DeltaBuilder {
  struct Part {
    var scope: Text
    var epoch: UInt64
    /// The epoch of the cursor that the part continues, where that is another one.
    var continues: UInt64?
    var from: Sequence
    var to: Sequence
    /// Whether the part reaches the head of the log.
    var isComplete = false
    /// The device's cursor was of no use: what it holds of the scope is to be replaced.
    var isRepair = false
    /// The scope's sum, when the part reaches the head and the reader may read all of it.
    var checksum: UInt64?
    var count = 0
    /// Where its rows lie among those of all parts.
    var rows = 0..<0
  }

  /// The last row may pass the limit by its own size.
  private static let slackBytes = 1 << 14

  let app: App
  let principal: Principal
  let request: SyncRequest
  let format: WireFormat
  let limitBytes: Int
  /// The incarnation of the store; 0 where none was asked.
  let storeEpoch: UInt64
  private let sharedView: UInt64
  private(set) var parts: [Part] = []
  /// The rows of all parts, encoded. One buffer, so that many small scopes share what is allocated.
  private(set) var rows: [UInt8] = []
  private(set) var cursors: [(scope: Text, cursor: Cursor)] = []
  private(set) var hasMore = false
  /// Whether the device has read every held scope to an end once, so that its sums can be compared with the server's. While one scope is
  /// being replaced page by page, what it shares with the others comes and goes: their sums say nothing then.
  private let comparesSums: Bool

  /// - Parameter scopes: the scopes that the principal holds.
  init(app: App, principal: Principal, request: SyncRequest, format: WireFormat, limitBytes: Int, epoch: UInt64, scopes: [Text]) {
    self.app = app
    self.principal = principal
    self.request = request
    self.format = format
    self.limitBytes = limitBytes
    storeEpoch = epoch
    let sharedView = Self.sharedView(of: app, for: principal)
    self.sharedView = sharedView
    comparesSums =
      request.hasChecksums
      && scopes.allSatisfy { scope in
        guard let cursor = request.cursor(scope) else { return false }
        return cursor.epoch == Self.epoch(epoch, Self.view(of: app, for: principal, in: scope) ^ sharedView) && cursor.base == cursor.sequence
      }
  }

  mutating func add<R: StoreReader>(_ scope: Text, _ reader: inout R) throws(StoreError) {
    let state = try reader.scope(scope) ?? ScopeState()
    let scopes = [scope]
    let readable = app.collections.map { principal.may(.read, $0, in: scopes) }
    // Only a reader of everything in the scope can know its sum.
    let view = Self.view(of: app, for: principal, in: scope)
    let checksum = view == 0 ? state.checksum : nil
    let epoch = Self.epoch(storeEpoch, view ^ sharedView)
    var from: Sequence = 0
    // Up to where the device has every cell. A device that is still reading pages has rows up to its cursor, but cells that were
    // written between its base and its cursor may travel only with rows that lie behind the cursor by now.
    var base: Sequence = 0
    // The pages of a snapshot begin below the floor. Until they have passed it, what was read is good only while the floor stays: what
    // was forgotten meanwhile would never be heard of. So their cursors belong to an epoch of this floor. The highest bit keeps it
    // apart from the numbers that `view` mixes: a floor of 11 is not the hidden field 11.
    let opening = state.floor == 0 ? epoch : Self.epoch(epoch, Hash64.mix(1 << 63 | state.floor))
    var isOpening = false
    if let cursor = request.cursor(scope), cursor.sequence <= state.sequence,
      cursor.epoch == epoch && cursor.sequence >= state.floor || cursor.epoch == opening && cursor.sequence < state.floor
    {
      isOpening = cursor.epoch != epoch
      let isDamaged = cursor.sequence == state.sequence && comparesSums && checksum != nil && checksum != cursor.checksum
      if cursor.sequence == state.sequence && !isDamaged {
        cursors.append((scope, cursor))
        return
      }
      if !isDamaged { (from, base) = (cursor.sequence, min(cursor.base, cursor.sequence)) }
    }
    if rows.count >= limitBytes {
      hasMore = true
      return
    }
    var part = Part(scope: scope, epoch: epoch, from: from, to: from)
    part.isRepair = from == 0 && request.cursor(scope)?.sequence ?? 0 > 0
    var isFull = false
    var count = 0
    var bytes: [UInt8] = []
    swap(&bytes, &rows)
    let start = bytes.count
    // A snapshot fills the budget more often than not; growing step by step would copy it several times.
    if from == 0 { bytes.reserveCapacity(limitBytes + Self.slackBytes) }
    // Decided once for each collection, not for each row: this loop is the cost of a snapshot.
    let hides = app.collections.map { collection in collection.fields.contains { !principal.mayRead($0, in: scopes) } }
    let writer = RowWriter(app: app, principal: principal, format: format, scope: scope, base: base, hides: hides)
    let isJSON = format == .json
    try reader.entries(of: scope, after: from) { entry in
      if bytes.count >= limitBytes {
        isFull = true
        return false
      }
      // A snapshot has no use for records that are gone.
      if entry.collection < readable.count, readable[entry.collection] || isReadable(entry), !(entry.kind == .departed && from == 0) {
        if isJSON && count > 0 { bytes.append(0x2C) }
        writer.append(entry, to: &bytes)
        count += 1
      }
      part.to = entry.sequence
      return true
    }
    part.count = count
    part.rows = start..<bytes.count
    swap(&bytes, &rows)
    if isFull { hasMore = true } else {
      part.to = state.sequence
      part.checksum = checksum
      part.isComplete = true
    }
    if part.to < state.floor { part.epoch = opening }
    if isOpening && part.epoch != opening { part.continues = opening }
    cursors.append((scope, Cursor(epoch: part.epoch, sequence: part.to, base: part.to, checksum: 0)))
    parts.append(part)
  }

  /// Whether a record of a collection that is closed here may be read through another of its scopes. It comes through all of
  /// them: a snapshot of one scope replaces whatever the device held of it.
  private func isReadable(_ entry: ScopeEntry) -> Bool {
    let collection = app.collections[entry.collection]
    guard collection.scopes.count > 1, entry.kind == .present, let row = try? Row(bytes: Array(entry.body)) else { return false }
    return principal.may(.read, collection, in: collection.scopes(of: row))
  }

  /// Whoever sees more or less of a scope than before reads another log: its cursors are worth nothing there.
  static func epoch(_ store: UInt64, _ view: UInt64) -> UInt64 {
    // Epochs travel as JSON numbers too, so they stay below 2^53.
    (store ^ view) & (1 << 53 - 1)
  }

  /// A number for all that a principal sees differently through different scopes; 0 when that makes no difference. A record in two
  /// scopes shows what either of them opens, so losing one changes what the other's log means.
  static func sharedView(of app: App, for principal: Principal) -> UInt64 {
    guard app.collections.contains(where: { $0.scopes.count > 1 }) else { return 0 }
    var sum: UInt64 = 0
    var isRestricted = false
    for grant in principal.grants {
      let view = view(of: app, for: principal, in: grant.scope)
      isRestricted = isRestricted || view != 0
      sum &+= Hash64.mix(Hash64.of(grant.scope.utf8, seed: view))
    }
    return isRestricted ? sum : 0
  }

  /// A number for what is hidden from a principal in a scope; 0 when nothing is.
  static func view(of app: App, for principal: Principal, in scope: Text) -> UInt64 {
    var view: UInt64 = 0
    let scopes = [scope]
    for (number, collection) in app.collections.enumerated() {
      let place = UInt64(number) << 32
      if !principal.may(.read, collection, in: scopes) { view ^= Hash64.mix(place | 1 << 31) }
      for (number, field) in collection.fields.enumerated() where !principal.mayRead(field, in: scopes) {
        view ^= Hash64.mix(place | UInt64(number))
      }
    }
    return view
  }
}

/// Writes the rows of one scope's delta.
private struct RowWriter {
  let app: App
  let principal: Principal
  let format: WireFormat
  let scope: Text
  let base: Sequence
  /// Whether the reader may not see some field, by collection.
  let hides: [Bool]

  init(app: App, principal: Principal, format: WireFormat, scope: Text, base: Sequence, hides: [Bool]) {
    self.app = app
    self.principal = principal
    self.format = format
    self.scope = scope
    self.base = base
    self.hides = hides
  }

  /// A row's head but for its kind.
  private static func head(_ collection: Int) -> CBORWriter {
    var out = CBORWriter(capacity: 8)
    out.array(3)
    out.uint(UInt64(collection))
    return out
  }

  func append(_ entry: ScopeEntry, to rows: inout [UInt8]) {
    if format == .json { return appendJSON(entry, &rows) }
    if entry.kind == .present && base == 0 && entry.collection < 256 && !hides[entry.collection] {
      // As `head` and the kind below write it, without a buffer of its own: a snapshot is made of these.
      rows.append(0x83)
      if entry.collection >= 24 { rows.append(0x18) }
      rows.append(UInt8(entry.collection))
      rows.append(UInt8(RowKind.whole.rawValue))
      rows.append(contentsOf: entry.body)
      return
    }
    var out = Self.head(entry.collection)
    if entry.kind == .departed {
      out.uint(RowKind.gone.rawValue)
      out.text(Text(utf8: Array(entry.body)))
    } else {
      appendVisible(entry, to: &out)
    }
    rows.append(contentsOf: out.finish())
  }

  /// Appends what the reader lacks and may see of a row; all of it when it is damaged, for the device to find out.
  private func appendVisible(_ entry: ScopeEntry, to out: inout CBORWriter) {
    let start = out.count
    let bytes = Array(entry.body)
    do throws(DecodeError) { try appendPart(of: bytes, app.collections[entry.collection], to: &out) } catch {
      _ = out.cut(from: start)
      out.uint(RowKind.whole.rawValue)
      out.raw(bytes)
    }
  }

  private func appendPart(of bytes: [UInt8], _ collection: Collection, to out: inout CBORWriter) throws(DecodeError) {
    var row = try RowLayout(bytes)
    let scopes = collection.scopes(of: RowView(bytes: bytes, start: 0, end: bytes.count))
    // Sequences inside a row count in its home scope; through another scope the whole row travels.
    let since = scopes.first == scope ? base : 0
    // A field that some scope of the record lets its reader see comes through all of them.
    let isPart = try row.narrow(after: since) { number in
      number >= collection.fields.count || collection.fields[number].readers.isEmpty || principal.mayRead(collection.fields[number], in: scopes)
    }
    // A record that came after the base is new to the device even when some of its cells are hidden from it.
    out.uint(isPart && row.isKnown(at: since) ? RowKind.partial.rawValue : RowKind.whole.rawValue)
    if isPart { try row.encode(to: &out) } else { out.raw(bytes) }
  }

  private func appendJSON(_ entry: ScopeEntry, _ out: inout [UInt8]) {
    let collection = app.collections[entry.collection]
    var object = JSONObjectWriter()
    object.key("collection")
    object.text(collection.name)
    object.key("id")
    if entry.kind == .departed {
      object.text(Text(utf8: Array(entry.body)))
      object.key("gone")
      object.bool(true)
    } else if let row = try? Row(bytes: Array(entry.body)) {
      object.text(row.id)
      object.key("version")
      object.int(Int64(row.version))
      if row.isDeleted {
        object.key("deleted")
        object.bool(true)
      }
      object.key("fields")
      object.open()
      let scopes = collection.scopes(of: row)
      for (number, field) in collection.fields.enumerated() where row.cell(number) != .absent && principal.mayRead(field, in: scopes) {
        object.keyText(field.name)
        object.value(row.value(number, rule: field.rule))
      }
      object.close()
    }
    out.append(contentsOf: object.finish())
  }
}
