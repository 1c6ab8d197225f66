// SPDX-License-Identifier: Apache-2.0
// What a person sees, and what a tab waits for: checks that need no oracle.

import AloftCore

extension World {
  /// S26: what is shown is the confirmed rows with what waits on top, in order. An engine that is built from storage works that out
  /// from the beginning, so it must show the same.
  mutating func checkShownAfterColdStart(_ id: ContextID) {
    guard isStrict || draw(.check, id.device, 277) % 128 == 0 else { return }
    let user = devices[id.device].user
    let image = devices[id.device].disks[user].image
    guard let engine = devices[id.device].tabs[id.tab].engine, engine.headSequence == image.lastSequence, engine.draftCount == 0 else { return }
    // The body of an action reads records: run again on what stands now, it may come to other writes.
    let stamp = Text("stamp")
    guard !engine.lacksPages, !engine.queued.isEmpty, engine.queued.allSatisfy({ $0.action != stamp }) else { return }
    guard var cold = World.load(image, apps[devices[id.device].appVersion - 1]) else { return }
    _ = cold.handle(.opened(user: SimWords.user(user)), now: clock(id.device))
    tally.checks += 1
    if shownSum(cold) != shownSum(engine) { fail("S26", "device \(id.device) after a cold start shows " + shownDifference(cold, engine)) }
  }

  private func shownSum(_ engine: ClientEngine) -> UInt64 {
    var sum: UInt64 = 0
    engine.eachShown { collection, row in sum &+= Digest.of(row, collection, fields[collection]) }
    return sum
  }

  private func shownDifference(_ cold: ClientEngine, _ warm: ClientEngine) -> String {
    var words: [String] = []
    func compare(_ one: ClientEngine, _ other: ClientEngine, _ name: String) {
      one.eachShown { collection, row in
        let key = RecordKey(collection: collection, id: row.id)
        let twin = other.shown(key).map { Digest.of($0, collection, fields[collection]) }
        if twin != Digest.of(row, collection, fields[collection]) { words.append("\(row.id.string) \(name) as \(row.text(fields[collection]))") }
      }
    }
    compare(cold, warm, "now")
    compare(warm, cold, "before")
    return words.prefix(4).joined(separator: "; ")
  }

  /// S12: whatever the device's clock does, what a tab does later has a later time.
  mutating func checkTime(_ index: Int, _ id: ContextID, token: UInt64) {
    guard let previous = devices[id.device].tabs[id.tab].issues[token &- 1] else { return }
    tally.checks += 1
    if !(issues[previous].time < issues[index].time) { fail("S12", "device \(id.device) gives issue \(index) a time before that of issue \(previous)") }
  }

  /// L3: a tab that shows trouble with the network will try again by itself.
  mutating func checkTrouble(_ id: ContextID) {
    guard isAlive(id), waitsForNothing(id), let state = devices[id.device].tabs[id.tab].shownState else { return }
    switch state {
    case .unreachable, .slow, .portal: fail("L3", "device \(id.device) shows \(Text(state.name).string) and waits for nothing")
    default: break
    }
  }

  /// S22: the server's wish to be left alone is honoured, unless the person or the system says otherwise.
  mutating func checkQuiet(_ id: ContextID) {
    let until = devices[id.device].tabs[id.tab].quietUntil
    if now < until { fail("S22", "device \(id.device) sends again \(until - now) ms before the server wants to hear from it") }
  }
}
