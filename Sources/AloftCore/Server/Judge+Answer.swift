// SPDX-License-Identifier: Apache-2.0
// The answer to a request: outcomes, membership, and for each scope what changed after the device's cursor.

extension Judge {
  /// Builds the whole response body.
  ///
  /// Cost follows the change: a scope whose cursor is at its head costs one read. Rows that are wholly newer than the cursor
  /// are copied byte for byte.
  /// - Parameter limitBytes: about how many bytes of rows to send; `more` tells that some were left for the next request.
  public func answer<R: StoreReader>(
    _ request: SyncRequest, _ pushed: PushResult?, for principal: Principal, server: Text, now: Instant, limitBytes: Int,
    format: WireFormat, from reader: inout R
  ) throws(StoreError) -> [UInt8] {
    var standing = DeviceStanding.ok
    var judged: UInt64 = 0
    if let pushed { (standing, judged) = (pushed.standing, pushed.judged) } else if request.device != DeviceID(high: 0, low: 0) {
      (standing, judged) = try self.standing(of: request, principal, &reader)
    }
    var deltas = DeltaBuilder(app: app, principal: principal, request: request, format: format, limitBytes: limitBytes, epoch: try reader.epoch())
    var membership: [(enters: Bool, scope: Text)] = []
    if request.wantsDelta {
      let held = try scopes(of: principal, &reader)
      for (scope, _) in request.cursors where !held.contains(scope) { membership.append((false, scope)) }
      for scope in held {
        if !request.cursors.contains(where: { $0.scope == scope }) { membership.append((true, scope)) }
        try deltas.add(scope, &reader)
      }
    }
    return format == .cbor
      ? encodeCBOR(pushed, standing, judged, membership, deltas, server, now)
      : encodeJSON(pushed, standing, judged, membership, deltas, server, now)
  }

  private func scopes<R: StoreReader>(of principal: Principal, _ reader: inout R) throws(StoreError) -> [Text] {
    var names: [Text] = []
    for grant in principal.grants {
      if grant.scope == "*" { return try reader.scopeNames() }
      if !names.contains(grant.scope) { names.append(grant.scope) }
    }
    return names.sorted(by: SyncRequest.precedesAsKey)
  }

  private func encodeCBOR(
    _ pushed: PushResult?, _ standing: DeviceStanding, _ judged: UInt64, _ membership: [(enters: Bool, scope: Text)],
    _ deltas: DeltaBuilder, _ server: Text, _ now: Instant
  ) -> [UInt8] {
    var out = CBORWriter(capacity: deltas.byteCount + 1024)
    // The self-describe tag is the magic that a captive portal's page lacks.
    out.tag(55799)
    out.map(9)
    out.text("more")
    out.bool(deltas.hasMore)
    out.text("time")
    out.uint(now)
    out.text("aloft")
    out.uint(SyncRequest.protocolVersion)
    out.text("device")
    out.text(standing.name)
    out.text("judged")
    out.uint(judged)
    out.text("scopes")
    let parts = deltas.parts.sorted { SyncRequest.precedesAsKey($0.scope, $1.scope) }
    out.map(parts.count)
    for part in parts {
      out.text(part.scope)
      out.map(part.checksum == nil ? 5 : 6)
      out.text("to")
      out.uint(part.to)
      out.text("from")
      out.uint(part.from)
      out.text("rows")
      out.array(part.count)
      out.raw(part.rows)
      out.text("epoch")
      out.uint(part.epoch)
      if let checksum = part.checksum {
        out.text("checksum")
        out.word(checksum)
      }
      out.text("snapshot")
      out.bool(part.from == 0)
    }
    out.text("server")
    out.text(server)
    out.text("outcomes")
    let outcomes = pushed?.outcomes ?? []
    out.array(outcomes.count)
    for (n, outcome) in outcomes { outcome.encode(n: n, to: &out) }
    out.text("membership")
    out.array(membership.count)
    for change in membership {
      out.array(2)
      out.text(change.enters ? "enter" : "leave")
      out.text(change.scope)
    }
    return out.finish()
  }

  private func encodeJSON(
    _ pushed: PushResult?, _ standing: DeviceStanding, _ judged: UInt64, _ membership: [(enters: Bool, scope: Text)],
    _ deltas: DeltaBuilder, _ server: Text, _ now: Instant
  ) -> [UInt8] {
    var out = JSONObjectWriter()
    out.key("aloft")
    out.int(Int64(SyncRequest.protocolVersion))
    out.key("server")
    out.text(server)
    out.key("time")
    out.int(Int64(now))
    out.key("device")
    out.text(standing.name)
    out.key("judged")
    out.int(Int64(judged))
    out.key("more")
    out.bool(deltas.hasMore)
    out.key("outcomes")
    out.array(pushed?.outcomes ?? []) { out, entry in
      var cbor = CBORWriter()
      entry.outcome.encode(n: entry.n, to: &cbor)
      // Our own encoding always decodes.
      out.raw((try? JSONCodec.json(fromCBOR: cbor.finish())) ?? [])
    }
    out.key("membership")
    out.array(membership) { out, change in
      out.array([change.enters ? Text("enter") : Text("leave"), change.scope]) { out, word in out.text(word) }
    }
    out.key("scopes")
    out.open()
    for part in deltas.parts {
      out.keyText(part.scope)
      out.open()
      out.key("epoch")
      out.int(Int64(part.epoch))
      out.key("from")
      out.int(Int64(part.from))
      out.key("to")
      out.int(Int64(part.to))
      out.key("snapshot")
      out.bool(part.from == 0)
      if let checksum = part.checksum {
        out.key("checksum")
        var word = CBORWriter()
        word.word(checksum)
        out.raw((try? JSONCodec.json(fromCBOR: word.finish())) ?? [])
      }
      out.key("rows")
      out.raw([0x5B] + part.rows + [0x5D])
      out.close()
    }
    out.close()
    // Ready to be sent back as `since`.
    out.key("cursors")
    out.open()
    for (scope, cursor) in deltas.cursors {
      out.keyText(scope)
      out.raw(Array(("[" + decimal(Int64(cursor.epoch)) + "," + decimal(Int64(cursor.sequence)) + "]").utf8))
    }
    out.close()
    return out.finish()
  }
}

/// Collects the deltas of a request's scopes within a budget of bytes.
struct DeltaBuilder {
  struct Part {
    var scope: Text
    var epoch: UInt64
    var from: Sequence
    var to: Sequence
    /// The scope's sum, when the part reaches the head and the reader may read all of it.
    var checksum: UInt64?
    var count = 0
    var rows: [UInt8] = []
  }

  /// How a row travels.
  enum Kind: UInt64 { case whole = 0, partial, gone }

  let app: App
  let principal: Principal
  let request: SyncRequest
  let format: WireFormat
  let limitBytes: Int
  let epoch: UInt64
  private(set) var parts: [Part] = []
  private(set) var cursors: [(scope: Text, cursor: Cursor)] = []
  private(set) var hasMore = false
  private(set) var byteCount = 0

  init(app: App, principal: Principal, request: SyncRequest, format: WireFormat, limitBytes: Int, epoch: UInt64) {
    self.app = app
    self.principal = principal
    self.request = request
    self.format = format
    self.limitBytes = limitBytes
    self.epoch = epoch
  }

  mutating func add<R: StoreReader>(_ scope: Text, _ reader: inout R) throws(StoreError) {
    let state = try reader.scope(scope) ?? ScopeState()
    let readable = app.collections.map { principal.may(.read, $0, in: [scope]) }
    // Only a reader of everything in the scope can know its sum.
    let checksum = readable.contains(false) || hasHiddenFields(scope) ? nil : state.checksum
    var from: Sequence = 0
    if let cursor = request.cursors.first(where: { $0.scope == scope })?.cursor, cursor.epoch == epoch,
      cursor.sequence <= state.sequence, cursor.sequence >= state.floor
    {
      let isDamaged = cursor.sequence == state.sequence && request.hasChecksums && checksum != nil && checksum != cursor.checksum
      if cursor.sequence == state.sequence && !isDamaged {
        cursors.append((scope, cursor))
        return
      }
      from = isDamaged ? 0 : cursor.sequence
    }
    if byteCount >= limitBytes {
      hasMore = true
      return
    }
    var part = Part(scope: scope, epoch: epoch, from: from, to: from)
    var isFull = false
    let budget = limitBytes - byteCount
    try reader.entries(of: scope, after: from) { entry in
      if part.rows.count >= budget {
        isFull = true
        return false
      }
      // A snapshot has no use for records that are gone.
      if entry.collection < readable.count, readable[entry.collection], !(entry.kind == .departed && from == 0) {
        append(entry, from, scope, &part)
      }
      part.to = entry.sequence
      return true
    }
    if isFull { hasMore = true } else {
      part.to = state.sequence
      part.checksum = checksum
    }
    byteCount += part.rows.count
    cursors.append((scope, Cursor(epoch: epoch, sequence: part.to, checksum: 0)))
    parts.append(part)
  }

  private func hasHiddenFields(_ scope: Text) -> Bool {
    for collection in app.collections {
      for field in collection.fields where !principal.mayRead(field, in: [scope]) { return true }
    }
    return false
  }

  private func append(_ entry: ScopeEntry, _ from: Sequence, _ scope: Text, _ part: inout Part) {
    if format == .json {
      if part.count > 0 { part.rows.append(0x2C) }
      appendJSON(entry, scope, &part.rows)
      part.count += 1
      return
    }
    var out = CBORWriter(capacity: entry.body.count + 8)
    out.array(3)
    out.uint(UInt64(entry.collection))
    switch entry.kind {
    case .departed:
      out.uint(Kind.gone.rawValue)
      out.text(Text(utf8: Array(entry.body)))
    case .present:
      if let partial = partial(entry, from, scope) {
        out.uint(Kind.partial.rawValue)
        partial.encode(to: &out)
      } else {
        out.uint(Kind.whole.rawValue)
        out.raw(entry.body)
      }
    }
    part.rows.append(contentsOf: out.output)
    part.count += 1
  }

  /// The changed part of a row, or nil when all of it must travel.
  private func partial(_ entry: ScopeEntry, _ from: Sequence, _ scope: Text) -> Row? {
    let collection = app.collections[entry.collection]
    let hides = collection.fields.contains { !principal.mayRead($0, in: [scope]) }
    if from == 0 && !hides { return nil }
    guard let row = try? Row(bytes: Array(entry.body)) else { return nil }
    // Sequences inside a row count in its home scope; through another scope the whole row travels.
    let isHome = collection.scopes(of: row).first == scope
    return row.part(after: isHome ? from : 0) { number in
      number >= collection.fields.count || principal.mayRead(collection.fields[number], in: [scope])
    }
  }

  private func appendJSON(_ entry: ScopeEntry, _ scope: Text, _ out: inout [UInt8]) {
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
      for (number, field) in collection.fields.enumerated() where row.cell(number) != .absent && principal.mayRead(field, in: [scope]) {
        object.keyText(field.name)
        object.value(row.value(number, rule: field.rule))
      }
      object.close()
    }
    out.append(contentsOf: object.finish())
  }
}
