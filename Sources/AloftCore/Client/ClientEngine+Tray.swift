// SPDX-License-Identifier: Apache-2.0
// The tray: refused, conflicting and parked mutations, and what a person does about them.

/// A mutation as the tray and the pending list show it.
public struct PendingItem: Sendable {
  public enum State: Sendable {
    /// Not in storage yet.
    case saving
    /// In storage, waiting for the server.
    case queued
    /// On its way.
    case sending
    /// Judged without taking effect; waits for its author.
    case tray(Outcome)
  }
  public var n: UInt64
  public var action: Text
  public var args: [UInt8]
  public var time: Instant
  public var state: State
  public var keys: [RecordKey]
  /// The record in words: its first text field.
  public var label: Text
}

extension ClientEngine {
  /// Everything that is not settled: first what needs a person, then what waits, oldest first.
  public mutating func pendingItems() -> [PendingItem] {
    indexIDs()
    var items: [PendingItem] = []
    for entry in state.tray { items.append(item(entry.mutation, .tray(entry.outcome), entry.keys)) }
    for pending in state.queue {
      let isSent = sync.isSending && pending.mutation.n <= sync.sentThrough
      items.append(item(pending.mutation, isSent ? .sending : .queued, keys(of: pending)))
    }
    for pending in drafts { items.append(item(pending.mutation, .saving, keys(of: pending))) }
    return items
  }

  private func item(_ mutation: Mutation, _ itemState: PendingItem.State, _ keys: [RecordKey]) -> PendingItem {
    PendingItem(
      n: mutation.n, action: mutation.action, args: mutation.args, time: mutation.time.milliseconds, state: itemState, keys: keys,
      label: keys.first.map { label(of: $0, mutation) } ?? mutation.action)
  }

  private func label(of key: RecordKey, _ mutation: Mutation) -> Text {
    let collection = app.collections[key.collection]
    if let slot = tables[key.collection].slot(of: key.id), let view = tables[key.collection].view(slot) {
      for (number, field) in collection.fields.enumerated() where field.type == .string {
        if case .text(let text) = view.value(number, rule: field.rule), !text.utf8.isEmpty { return text }
      }
    }
    // A create that was refused has no row; its arguments still know the words.
    for write in writes(of: mutation) where write.key == key {
      for (number, change) in write.changes where collection.fields[number].type == .string {
        if case .set(.text(let text)) = change, !text.utf8.isEmpty { return text }
      }
    }
    return key.id
  }

  /// Offers a refused mutation again as a new one that has seen the present, together with those parked behind it.
  /// In a conflict this is "keep mine".
  /// - Parameter args: other arguments, for an edited retry.
  public mutating func retry(_ n: UInt64, args: [UInt8]? = nil, now: Instant) throws(Rejection) -> ([MutationHandle], [ClientEffect]) {
    indexIDs()
    var handles: [MutationHandle] = []
    var numbers: [UInt64] = []
    guard let first = state.tray.first(where: { $0.mutation.n == n }) else {
      throw Rejection("unknown", "nothing with this number waits in the tray", path: "n")
    }
    var canonical = first.mutation.args
    if let args {
      var reader = CBORReader(args)
      var out = CBORWriter()
      do { try CanonicalCBOR.append(&reader, to: &out) } catch { throw Rejection("invalid", error.message.string, path: "args") }
      canonical = out.finish()
    }
    var reissued: [(old: UInt64, new: UInt64)] = []
    handles.append(try draft(first.mutation.action, canonical, now: now, seen: kept(first.mutation.seen, reissued)))
    numbers.append(n)
    reissued.append((n, drafts[drafts.count - 1].mutation.n))
    for entry in state.tray {
      guard case .parked(let parent) = entry.outcome, numbers.contains(parent) else { continue }
      // One that makes no sense any more stays in the tray.
      do throws(Rejection) {
        handles.append(try draft(entry.mutation.action, entry.mutation.args, now: now, seen: kept(entry.mutation.seen, reissued)))
      } catch { continue }
      numbers.append(entry.mutation.n)
      reissued.append((entry.mutation.n, drafts[drafts.count - 1].mutation.n))
    }
    outbox.append(.dismissed(numbers))
    notification.isPendingChanged = true
    return (handles, flush(now: now))
  }

  /// Offering a change again says "I have seen the value that stands" only where the person was asked: in guarded fields. In
  /// candidates and sets it must go on replacing no more than its author had seen, or words of others would vanish unread.
  private func kept(_ original: [Seen], _ reissued: [(old: UInt64, new: UInt64)]) -> [Seen] {
    var seen: [Seen] = []
    for entry in original where rule(of: entry) != .guarded {
      var entry = entry
      for index in entry.dots.indices where entry.dots[index].device == state.device {
        // What it had seen of changes that are offered again too now has their new number.
        for pair in reissued where pair.old == entry.dots[index].n { entry.dots[index].n = pair.new }
      }
      seen.append(entry)
    }
    return seen
  }

  func rule(of entry: Seen) -> Rule? {
    guard entry.field >= 0, entry.key.collection < app.collections.count else { return nil }
    let fields = app.collections[entry.key.collection].fields
    return entry.field < fields.count ? fields[entry.field].rule : nil
  }

  /// Gives a refused mutation up. In a conflict this is "keep theirs".
  public mutating func discard(_ n: UInt64, now: Instant) throws(Rejection) -> [ClientEffect] {
    guard state.tray.contains(where: { $0.mutation.n == n }) else {
      throw Rejection("unknown", "nothing with this number waits in the tray", path: "n")
    }
    outbox.append(.dismissed([n]))
    return flush(now: now)
  }

  mutating func dismiss(_ numbers: [UInt64]) {
    state.tray.removeAll { numbers.contains($0.mutation.n) }
    registerTray()
    notification.isPendingChanged = true
  }
}
