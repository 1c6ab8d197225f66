// SPDX-License-Identifier: Apache-2.0
// The engine's answers as JSON, for hosts whose apps speak JavaScript.

extension ClientEngine {
  /// An array of rows.
  public func json(rows slots: [UInt32], of query: Query) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(slots.count * 256 + 2)
    appendRows(slots, query.collection, to: &out)
    return out
  }

  /// A fresh subscription's first answer: `{"id", "rows"}` or `{"id", "value"}`.
  public func json(subscription id: Int) -> [UInt8] {
    var out = JSONObjectWriter()
    out.key("id")
    out.int(Int64(id))
    for query in live where query.id == id {
      if query.query.aggregate == .rows {
        out.key("rows")
        out.raw(json(rows: query.shown, of: query.query))
      } else {
        out.key("value")
        out.value(query.sum.value)
      }
    }
    return out.finish()
  }

  /// One row, or null.
  public mutating func json(record collection: Int, _ id: Text) -> [UInt8] {
    indexIDs()
    var out: [UInt8] = []
    guard let slot = tables[collection].slot(of: id) else { return Array("null".utf8) }
    tables[collection].appendJSON(slot, state: stateWord(collection, slot), to: &out)
    return out
  }

  private func appendRows(_ slots: [UInt32], _ collection: Int, to out: inout [UInt8]) {
    out.put(0x5B)
    for (index, slot) in slots.enumerated() {
      if index > 0 { out.put(0x2C) }
      tables[collection].appendJSON(slot, state: stateWord(collection, slot), to: &out)
    }
    out.put(0x5D)
  }

  /// The handles of one batch: `{"token", "ids"}`, the first token and the ids of all. Tokens of a batch follow each other.
  public func json(handles: [MutationHandle]) -> [UInt8] {
    var out = JSONObjectWriter()
    out.key("token")
    out.int(Int64(handles.first?.token ?? 0))
    out.key("ids")
    out.array(handles) { out, handle in out.text(handle.record) }
    return out.finish()
  }

  // MARK: status and notifications

  public func json(status: ClientStatus) -> [UInt8] {
    var out = JSONObjectWriter()
    out.key("state")
    out.text(status.state.name)
    out.key("queued")
    out.int(Int64(status.queued))
    out.key("parked")
    out.int(Int64(status.parked))
    out.key("conflicts")
    out.int(Int64(status.conflicts))
    out.key("lastSynced")
    if status.lastSynced == 0 { out.null() } else { out.int(Int64(status.lastSynced)) }
    out.key("user")
    out.text(status.user)
    return out.finish()
  }

  public func json(_ notification: Notification) -> [UInt8] {
    var out = JSONObjectWriter()
    if let status = notification.status {
      out.key("status")
      out.raw(json(status: status))
    }
    if !notification.saved.isEmpty {
      out.key("saved")
      out.array(notification.saved) { out, run in
        out.open()
        out.key("token")
        out.int(Int64(run.token))
        out.key("n")
        out.int(Int64(run.n))
        out.key("count")
        out.int(Int64(run.count))
        out.close()
      }
    }
    if !notification.outcomes.isEmpty {
      out.key("outcomes")
      out.array(notification.outcomes) { out, entry in
        out.open()
        out.key("token")
        out.int(Int64(entry.token))
        out.key("n")
        out.int(Int64(entry.n))
        out.key("outcome")
        out.text(entry.outcome.name)
        write(entry.outcome, to: &out)
        out.close()
      }
    }
    if !notification.live.isEmpty {
      out.key("queries")
      out.array(notification.live) { out, entry in
        out.open()
        out.key("id")
        out.int(Int64(entry.id))
        write(entry.notice, entry.collection, to: &out)
        out.close()
      }
    }
    if notification.isPendingChanged {
      out.key("pending")
      out.bool(true)
    }
    return out.finish()
  }

  private func write(_ notice: LiveQuery.Notice, _ collection: Int, to out: inout JSONObjectWriter) {
    switch notice {
    case .value(let value):
      out.key("value")
      out.value(value)
    case .rows(let slots):
      out.key("rows")
      var rows: [UInt8] = []
      appendRows(slots, collection, to: &rows)
      out.raw(rows)
    case .steps(let steps):
      out.key("ops")
      var bytes: [UInt8] = [0x5B]
      for (index, step) in steps.enumerated() {
        if index > 0 { bytes.put(0x2C) }
        append(step, collection, to: &bytes)
      }
      bytes.put(0x5D)
      out.raw(bytes)
    }
  }

  private func append(_ step: LiveQuery.Step, _ collection: Int, to out: inout [UInt8]) {
    switch step {
    case .remove(let index):
      JSONCodec.literal("[\"-\",", to: &out)
      appendDecimal(Int64(index), to: &out)
    case .insert(let index, let slot), .replace(let index, let slot):
      if case .insert = step { JSONCodec.literal("[\"+\",", to: &out) } else { JSONCodec.literal("[\"=\",", to: &out) }
      appendDecimal(Int64(index), to: &out)
      out.put(0x2C)
      tables[collection].appendJSON(slot, state: stateWord(collection, slot), to: &out)
    }
    out.put(0x5D)
  }

  private func write(_ outcome: Outcome, to out: inout JSONObjectWriter) {
    switch outcome {
    case .applied: break
    case .merged(let fields):
      out.key("fields")
      out.array(fields) { out, field in out.text(field) }
    case .conflict(let fields, let current):
      out.key("fields")
      out.array(fields) { out, field in out.text(field) }
      out.key("current")
      out.open()
      for (index, field) in fields.enumerated() where index < current.count {
        out.keyText(field)
        out.value(current[index])
      }
      out.close()
    case .rejected(let rejection):
      out.key("code")
      out.text(rejection.code)
      out.key("path")
      out.text(rejection.path)
      out.key("message")
      out.text(rejection.message)
    case .parked(let n):
      out.key("dependsOn")
      out.int(Int64(n))
    }
  }

  // MARK: what is not settled

  public mutating func jsonPending() -> [UInt8] {
    var out: [UInt8] = [0x5B]
    for (index, item) in pendingItems().enumerated() {
      if index > 0 { out.put(0x2C) }
      out.put(json(item))
    }
    out.put(0x5D)
    return out
  }

  private func json(_ item: PendingItem) -> [UInt8] {
    var out = JSONObjectWriter()
    out.key("n")
    out.int(Int64(item.n))
    out.key("action")
    out.text(item.action)
    out.key("args")
    out.raw((try? JSONCodec.json(fromCBOR: item.args)) ?? Array("{}".utf8))
    out.key("at")
    out.int(Int64(item.time))
    if let key = item.keys.first {
      out.key("collection")
      out.text(app.collections[key.collection].name)
      out.key("id")
      out.text(key.id)
    }
    out.key("label")
    out.text(item.label)
    out.key("state")
    switch item.state {
    case .saving: out.text("saving")
    case .queued: out.text("queued")
    case .sending: out.text("sending")
    case .tray(let outcome):
      out.text(outcome.name)
      write(outcome, to: &out)
    }
    return out.finish()
  }
}
