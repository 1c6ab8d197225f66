// SPDX-License-Identifier: Apache-2.0
// Making mutations: checked, shown at once, then handed to storage.

/// What the caller of `mutate` gets for one mutation.
public struct MutationHandle: Sendable {
  /// Names the mutation in later notifications.
  public var token: UInt64
  /// The record that it writes first; empty when it writes none.
  public var record: Text
}

extension ClientEngine {
  /// The largest arguments of one mutation, in bytes.
  private static let argumentBytesMax = 1 << 20

  /// Makes mutations from CBOR `[{"action", "args"}, …]`: all of them or, when one is refused, none.
  ///
  /// They show at once; `saved` is told by a later notification. Cost: one parse and one row encoding for each.
  /// - Throws: the refusal, its path beginning with `mutations[i]`.
  public mutating func mutate(_ cbor: [UInt8], now: Instant) throws(Rejection) -> ([MutationHandle], [ClientEffect]) {
    try mutate(CBORReader(cbor), now: now)
  }

  /// The same for calls that lie inside other bytes.
  public mutating func mutate(_ calls: CBORReader, now: Instant) throws(Rejection) -> ([MutationHandle], [ClientEffect]) {
    var reader = calls
    let count: Int
    do { count = try reader.array() } catch { throw Rejection("invalid", "must be a list of {action, args}", path: "mutations") }
    indexIDs()
    let before = drafts.count
    var handles: [MutationHandle] = []
    handles.reserveCapacity(count)
    expectChanges(count)
    var plain = PlainCreates(calls)
    for index in 0..<count {
      if let end = plain.read(reader, app), let handle = draft(plain, now: now) {
        handles.append(handle)
        reader.move(to: end)
        continue
      }
      do {
        let (action, args) = try call(&reader, now: now)
        handles.append(try draft(action, args, now: now))
      } catch {
        withdraw(after: before)
        var rejection = error
        rejection.path = Text("mutations[" + decimal(index) + "]" + (error.path.utf8.isEmpty ? "" : ".args." + error.path.string))
        throw rejection
      }
    }
    notification.isPendingChanged = notification.isPendingChanged || count > 0
    return (handles, flush(now: now))
  }

  /// Reads one call; a create without an id gets one.
  private mutating func call(_ reader: inout CBORReader, now: Instant) throws(Rejection) -> (Text, [UInt8]) {
    var action = Text(utf8: [])
    var args: [UInt8] = [0xA0]
    do throws(DecodeError) {
      for _ in 0..<(try reader.map()) {
        if try reader.text(is: "action") {
          action = try reader.text()
          continue
        }
        // The only other key is args; what is not a map is refused below.
        guard try reader.peek() == .map else { throw reader.failure(.unexpectedKind) }
        args = try CanonicalCBOR.item(&reader)
        // A request holds at least one mutation, so one must always fit.
        guard args.count <= Self.argumentBytesMax else { throw reader.failure(.tooMany) }
      }
    } catch { throw Rejection("invalid", "must be {action, args}: " + error.message.string) }
    if action == "create" && !Self.hasID(args) {
      args = Self.adding(id: RecordID.generate(milliseconds: now, random: &random), to: args)
    }
    return (action, args)
  }

  private static func hasID(_ args: [UInt8]) -> Bool {
    // Keys are sorted and "id" is the shortest that a create may have, so it would come first.
    args.count > 4 && args[0] > 0xA0 && args[1] == 0x62 && args[2] == 0x69 && args[3] == 0x64
  }

  private static func adding(id: Text, to args: [UInt8]) -> [UInt8] {
    var out = CBORWriter(capacity: args.count + 32)
    out.map(Int(args[0] & 0x1F) + 1)
    out.text("id")
    out.text(id)
    out.raw(args, from: 1, to: args.count)
    return out.finish()
  }

  /// Checks a call, shows its effect and keeps it as a draft.
  /// - Parameter seen: for a change that is offered again, what its author had seen; only of guarded fields is it what stands now.
  mutating func draft(_ action: Text, _ args: [UInt8], now: Instant, seen: [Seen]? = nil) throws(Rejection) -> MutationHandle {
    var args = args
    var writes = try expand(action, args, time: now)
    if BuiltInAction(action) != nil { try turnTextsIntoEdits(&writes[0], &args, now: now) }
    let n = state.issued + UInt64(drafts.count) + 1
    var pending = PendingMutation(mutation: Mutation(n: n, time: state.clock.tick(now: now), action: action, args: args), writes: writes)
    pending.mutation.seen = seen ?? []
    let stamp = Stamp(time: pending.mutation.time, mutation: MutationID(device: state.device, n: n))
    var shown: [(collection: Int, slot: UInt32, row: [UInt8])] = []
    for write in writes {
      let collection = app.collections[write.key.collection]
      let slot = tables[write.key.collection].makeSlot(for: write.key.id)
      var row: Row?
      if let earlier = shown.last(where: { $0.collection == write.key.collection && $0.slot == slot }) {
        row = try? Row(bytes: earlier.row)
      } else {
        row = tables[write.key.collection].view(slot)?.row
      }
      for entry in write.observe(row, in: collection) where seen == nil || rule(of: entry) == .guarded { pending.mutation.seen.append(entry) }
      if let row, row.isDeleted, write.kind == .update || write.kind == .delete { throw RecordWrite.notFound }
      _ = try write.apply(to: &row, in: collection, stamp: stamp, seen: pending.mutation.seen, isSpeculative: true)
      if let row { shown.append((write.key.collection, slot, row.encode())) }
      addDependencies(of: write, slot, to: &pending.mutation)
    }
    let token = keep(pending)
    for entry in shown { setOverlay(entry.collection, entry.slot, entry.row) }
    return MutationHandle(token: token, record: writes.first?.key.id ?? Text(utf8: []))
  }

  /// The same for a plain create; nil when there may be such a record already.
  private mutating func draft(_ plain: PlainCreates, now: Instant) -> MutationHandle? {
    let collection = plain.collection
    let id = plain.givenID ?? RecordID.generate(milliseconds: now, random: &random)
    guard let slot = tables[collection].newSlot(for: id) else { return nil }
    let n = state.issued + UInt64(drafts.count) + 1
    let time = state.clock.tick(now: now)
    var pending = PendingMutation(mutation: Mutation(n: n, time: time, action: plain.action, args: plain.arguments(id: id)), writes: [])
    pending.links.append(PendingMutation.Link(place: Self.place(collection, slot)))
    let token = keep(pending)
    setOverlay(collection, slot, plain.row(id: id, stamp: Stamp(time: time, mutation: MutationID(device: state.device, n: n))))
    return MutationHandle(token: token, record: id)
  }

  /// Adds a draft and gives it a token.
  private mutating func keep(_ pending: PendingMutation) -> UInt64 {
    var pending = pending
    pending.token = nextToken
    nextToken += 1
    Self.register(&pending, in: &tables)
    drafts.append(pending)
    return pending.token
  }

  /// Works out the writes of an action, loading the records that its body asks for.
  func expand(_ action: Text, _ args: [UInt8], time: Instant) throws(Rejection) -> [RecordWrite] {
    var loaded: [(key: RecordKey, row: Row?)] = []
    while true {
      switch try app.expand(action: action, args: args, user: state.user, time: time, rows: loaded) {
      case .writes(let writes): return writes
      case .needs(let key):
        guard loaded.count < 1000 else { throw Rejection("tooMany", "the action reads more than 1000 records") }
        loaded.append((key, record(key.collection, key.id)))
      }
    }
  }

  /// The writes of a mutation that was accepted before; none when its action makes no sense on what the device holds now.
  func writes(of mutation: Mutation) -> [RecordWrite] {
    do throws(Rejection) { return try expand(mutation.action, mutation.args, time: mutation.time.milliseconds) } catch { return [] }
  }

  /// A mutation waits for the one before it in its lane, and for the creation of every record it refers to.
  private func addDependencies(of write: RecordWrite, _ slot: UInt32, to mutation: inout Mutation) {
    addLaneDependency(of: Self.place(write.key.collection, slot), to: &mutation)
    for (number, change) in write.changes {
      guard case .reference(let target) = app.collections[write.key.collection].fields[number].type, case .set(.text(let id)) = change,
        let collection = app.number(of: target), let slot = tables[collection].slot(of: id), tables[collection].base(slot) == nil
      else { continue }
      add(pendingNumbers(Self.place(collection, slot)).first, to: &mutation)
    }
  }

  /// A mutation waits for the one before it in its lane.
  func addLaneDependency(of place: UInt64, to mutation: inout Mutation) {
    let (collection, slot) = Self.unpack(place)
    let last = tables[collection].lastPending[Int(slot)]
    if last > state.settled.n { add(last, to: &mutation) }
  }

  private func add(_ n: UInt64?, to mutation: inout Mutation) {
    if let n, n < mutation.n, !mutation.after.contains(n) { mutation.after.append(n) }
  }

  /// Takes back the drafts behind a place: a later call of the same batch was refused.
  private mutating func withdraw(after count: Int) {
    while drafts.count > count {
      let pending = drafts.removeLast()
      unregister(pending)
      refreshOverlays(of: pending)
    }
  }
}
