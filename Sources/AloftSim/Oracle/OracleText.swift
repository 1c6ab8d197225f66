// SPDX-License-Identifier: Apache-2.0
// The oracle's model of a text: which characters stand, not where. Their order is judged by what its authors knew (S15).

import AloftCore

struct OracleText {
  /// The newest writes, which the server tells apart, and one for all before them.
  private(set) var writes: [OracleWrite] = []
  private(set) var edits: [SimEdit] = []
  private var next: [Text: Int] = [:]
  private var inserted: [UInt32] = []
  private var deleted: Set<UInt32> = []

  /// The characters that stand, in the order in which they came to the server.
  var standing: [UInt32] { inserted.filter { !deleted.contains($0) } }

  /// Takes an edit; false when its author knew something that is not known here.
  mutating func take(_ edit: SimEdit, _ write: OracleWrite) -> Bool {
    for (agent, count) in edit.known where next[agent] ?? 0 < count { return false }
    if edit.events.lowerBound > next[edit.agent] ?? 0 { return false }
    writes.append(write)
    if writes.count > 33 { writes.removeFirst() }
    // The same edit again, under another name of its mutation.
    if edit.events.lowerBound < next[edit.agent] ?? 0 { return true }
    next[edit.agent] = edit.events.upperBound
    edits.append(edit)
    for n in edit.inserted { inserted.append(SimEdit.character(n)) }
    deleted.formUnion(edit.deleted)
    return true
  }

  /// What is wrong with the order of the characters that stand; nil when nothing is.
  func flaw(in text: [UInt32]) -> String? {
    if text.count != standing.count || Set(text) != Set(standing) { return "holds other characters than were typed" }
    var author: [UInt32: Int] = [:]
    for (index, edit) in edits.enumerated() { for n in edit.inserted { author[SimEdit.character(n)] = index } }
    var last: [Int?] = [Int?](repeating: nil, count: edits.count)
    for (place, character) in text.enumerated() {
      guard let edit = author[character] else { return "holds a character that nobody typed" }
      if let before = last[edit] {
        if text[before] >= character { return "has characters of one run out of order" }
        // Only those who had seen a run may have typed inside it.
        for between in text[(before + 1)..<place] where !edits[author[between] ?? edit].knows(edits[edit]) {
          return "interleaves two runs that were typed without knowledge of each other"
        }
      }
      last[edit] = place
    }
    return nil
  }
}
