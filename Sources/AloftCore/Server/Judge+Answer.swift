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
    let held = request.wantsDelta ? try scopes(of: principal, &reader) : []
    var deltas = DeltaBuilder(
      app: app, principal: principal, request: request, format: format, limitBytes: limitBytes, epoch: try reader.epoch(), scopes: held)
    var membership: [(enters: Bool, scope: Text)] = []
    if request.wantsDelta {
      for (scope, _) in request.cursors where !held.contains(scope) { membership.append((false, scope)) }
      for scope in held {
        if request.cursor(scope) == nil { membership.append((true, scope)) }
        try deltas.add(scope, &reader)
      }
    }
    return encode(pushed, standing, judged, membership, deltas, server, now, format)
  }

  /// The answer to a push that asks for nothing but its outcomes. It needs no reader, so that a push costs one trip to the store.
  public func receipt(_ request: SyncRequest, _ pushed: PushResult, for principal: Principal, server: Text, now: Instant, format: WireFormat) -> [UInt8] {
    let nothing = DeltaBuilder(app: app, principal: principal, request: request, format: format, limitBytes: 0, epoch: 0, scopes: [])
    return encode(pushed, pushed.standing, pushed.judged, [], nothing, server, now, format)
  }

  private func encode(
    _ pushed: PushResult?, _ standing: DeviceStanding, _ judged: UInt64, _ membership: [(enters: Bool, scope: Text)],
    _ deltas: DeltaBuilder, _ server: Text, _ now: Instant, _ format: WireFormat
  ) -> [UInt8] {
    format == .cbor
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
    var out = CBORWriter(capacity: deltas.rows.count + 1024)
    // The self-describe tag is the magic that a captive portal's page lacks.
    out.tag(55799)
    out.map(9 + (deltas.storeEpoch == 0 ? 0 : 1))
    out.text("more")
    out.bool(deltas.hasMore)
    out.text("time")
    out.uint(now)
    out.text("aloft")
    out.uint(SyncRequest.protocolVersion)
    if deltas.storeEpoch != 0 {
      out.text("store")
      out.uint(deltas.storeEpoch)
    }
    out.text("device")
    out.text(standing.name)
    out.text("judged")
    out.uint(judged)
    out.text("scopes")
    let parts = deltas.parts.sorted { SyncRequest.precedesAsKey($0.scope, $1.scope) }
    out.map(parts.count)
    for part in parts {
      out.text(part.scope)
      out.map(6 + (part.isRepair ? 1 : 0) + (part.checksum == nil ? 0 : 1) + (part.continues == nil ? 0 : 1))
      out.text("to")
      out.uint(part.to)
      out.text("from")
      out.uint(part.from)
      out.text("rows")
      out.array(part.count)
      out.raw(deltas.rows, from: part.rows.lowerBound, to: part.rows.upperBound)
      out.text("epoch")
      out.uint(part.epoch)
      if part.isRepair {
        out.text("repair")
        out.bool(true)
      }
      if let checksum = part.checksum {
        out.text("checksum")
        out.word(checksum)
      }
      out.text("complete")
      out.bool(part.isComplete)
      out.text("snapshot")
      out.bool(part.from == 0)
      if let continues = part.continues {
        out.text("continues")
        out.uint(continues)
      }
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
      out.key("complete")
      out.bool(part.isComplete)
      if let checksum = part.checksum {
        out.key("checksum")
        var word = CBORWriter()
        word.word(checksum)
        out.raw((try? JSONCodec.json(fromCBOR: word.finish())) ?? [])
      }
      out.key("rows")
      out.raw([0x5B] + deltas.rows[part.rows] + [0x5D])
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
