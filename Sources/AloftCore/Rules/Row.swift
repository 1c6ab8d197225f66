// SPDX-License-Identifier: Apache-2.0
// A record as values with their authors: the one encoding of a record in the server's store, on the wire and in the browser.
//
//   row   = [id, life, cells, version, stamps, marks]          (CBOR array of six items; what queries read comes first)
//   life  = index of the stamp that created, deleted or restored the record; stored as -1 - index while it is deleted
//   stamps = [milliseconds, counter, device, n, sequence, …]    five items for each mutation that a value still depends on
//   marks = index of the stamp of each cell; an empty array when all are 0
//   cells = the value of each field by number; undefined = never written; tag 8 = values with the stamps that support them;
//           tag 9 = a collaborative text: its saved document, and on the server its newest edits, each with its stamps

/// Who wrote a value and when.
public struct Stamp: Equatable, Sendable {
  public var time: HybridTime
  public var mutation: MutationID
  /// Where the home scope's log has it; 0 while the server has not confirmed it.
  public var sequence: Sequence

  public init(time: HybridTime, mutation: MutationID, sequence: Sequence = 0) {
    self.time = time
    self.mutation = mutation
    self.sequence = sequence
  }

  /// The order of the `latest` rule: time, then device, then the device's own count.
  func isNewer(than other: Stamp) -> Bool {
    if time != other.time { return other.time < time }
    return other.mutation < mutation
  }
}

/// A value together with the mutations that keep it alive, as indexes into the row's stamps.
public struct SupportedValue: Equatable, Sendable {
  public var value: Value
  public var dots: [Int]
}

/// The content of one field.
public enum Cell: Equatable, Sendable {
  case absent
  case plain(Value)
  /// The elements of a set, or the candidates of a `manual` field.
  case supported([SupportedValue])
  /// A collaborative text: its saved document, and on the server its newest edits once more. All are bytes.
  case text([SupportedValue])
}

extension Cell {
  var isAbsent: Bool { if case .absent = self { true } else { false } }

  /// Whether several values stand side by side: those of a set, or those that wait for somebody to choose.
  var hasCandidates: Bool { if case .supported(let values) = self { values.count > 1 } else { false } }

  /// What a reader sees of it; the row's stamps tell the newest of several candidates.
  @inline(never)
  func value(rule: Rule, stamps: [Stamp]) -> Value {
    switch self {
    case .absent: return .null
    case .plain(let value): return value
    case .supported(let values):
      if rule == .addWins { return .array(values.map { $0.value }) }
      guard values.count > 1 else { return values.first?.value ?? .null }
      var newest = 0
      for index in values.indices where stamps[values[index].dots[0]].isNewer(than: stamps[values[newest].dots[0]]) { newest = index }
      return values[newest].value
    case .text(let parts): return .text(Text(utf8: TextMerge.text(of: TextRule.document(parts))))
    }
  }

  /// Gives the stamps that support its values other indexes.
  @inline(never)
  mutating func renumber(_ index: (Int) -> Int) {
    func renumbered(_ values: [SupportedValue]) -> [SupportedValue] {
      values.map { SupportedValue(value: $0.value, dots: $0.dots.map(index)) }
    }
    switch self {
    case .absent, .plain: break
    case .supported(let values): self = .supported(renumbered(values))
    case .text(let values): self = .text(renumbered(values))
    }
  }
}

/// A decoded record.
public struct Row: Equatable, Sendable {
  public var id: Text
  /// The home scope's sequence of the last change; 0 for a record that the server has not confirmed.
  public var version: Sequence
  public var isDeleted: Bool
  var life: Int
  public internal(set) var stamps: [Stamp]
  var entries: [Entry]

  /// A field's content, and the index of the stamp of its last write. One array of both: rows are made and copied a great deal.
  struct Entry: Equatable, Sendable {
    var cell = Cell.absent
    var mark: Int32 = 0
  }

  /// A new record, born by a mutation.
  public init(id: Text, bornBy stamp: Stamp) {
    self.id = id
    version = 0
    isDeleted = false
    life = 0
    stamps = [stamp]
    entries = []
  }

  public var cellCount: Int { entries.count }

  public func cell(_ number: Int) -> Cell { number < entries.count ? entries[number].cell : .absent }

  /// Who wrote a cell last.
  private func writer(of number: Int) -> Stamp { stamps[Int(entries[number].mark)] }

  /// The stamp of a field's last write, or nil when it was never written.
  public func stamp(of number: Int) -> Stamp? {
    if case .absent = cell(number) { return nil }
    return writer(of: number)
  }

  /// What a reader sees: a set as an array, the newest of several candidates, null for a field never written.
  public func value(_ number: Int, rule: Rule) -> Value { cell(number).value(rule: rule, stamps: stamps) }

  /// The mutations that a field's content depends on: what its next writer must say it has seen.
  package func dots(of number: Int) -> [MutationID] {
    switch cell(number) {
    case .absent: return []
    case .plain: return [writer(of: number).mutation]
    case .supported(let values), .text(let values):
      var out: [MutationID] = []
      for value in values { for dot in value.dots { out.append(stamps[dot].mutation) } }
      return out
    }
  }

  mutating func reserve(_ cellCount: Int) { entries.reserveCapacity(cellCount) }

  /// Replaces a field's content and remembers who wrote it.
  mutating func write(_ cell: Cell, to number: Int, by stamp: Stamp) {
    while entries.count <= number { entries.append(Entry()) }
    entries[number] = Entry(cell: cell, mark: Int32(index(of: stamp)))
  }

  /// Deletes or restores the record.
  mutating func setDeleted(_ deleted: Bool, by stamp: Stamp) {
    isDeleted = deleted
    life = index(of: stamp)
  }

  mutating func index(of stamp: Stamp) -> Int {
    for (index, existing) in stamps.enumerated() where existing.mutation == stamp.mutation { return index }
    stamps.append(stamp)
    return stamps.count - 1
  }

  /// Gives the stamps that a mutation made their place in the log; all stamps, when the record changes its scopes.
  mutating func confirm(_ mutation: MutationID, at sequence: Sequence, isMoved: Bool) {
    version = sequence
    for index in stamps.indices where isMoved || stamps[index].mutation == mutation { stamps[index].sequence = sequence }
  }

  /// Drops the stamps that nothing refers to any more.
  mutating func dropUnusedStamps() {
    if stamps.count == 1 { return }
    var used = IndexSet()
    used.insert(life)
    for entry in entries {
      switch entry.cell {
      case .absent: continue
      case .plain: break
      case .supported(let values), .text(let values): for value in values { for dot in value.dots { used.insert(dot) } }
      }
      used.insert(Int(entry.mark))
    }
    let count = used.rank(stamps.count)
    if count == stamps.count { return }
    for index in stamps.indices where used.contains(index) { stamps[used.rank(index)] = stamps[index] }
    while stamps.count > count { stamps.removeLast() }
    life = used.rank(life)
    for number in entries.indices {
      let mark = Int(entries[number].mark)
      entries[number].mark = used.contains(mark) ? Int32(used.rank(mark)) : 0
      entries[number].cell.renumber { used.rank($0) }
    }
  }
}

/// A set of indexes; without an allocation while they are small, which those of stamps nearly always are.
struct IndexSet {
  private var first: UInt64 = 0
  private var rest: [UInt64] = []

  func contains(_ index: Int) -> Bool { word(index >> 6) >> UInt64(index & 63) & 1 == 1 }

  mutating func insert(_ index: Int) {
    let bit: UInt64 = 1 << UInt64(index & 63)
    let place = index >> 6
    if place == 0 {
      first |= bit
      return
    }
    while rest.count < place { rest.append(0) }
    rest[place - 1] |= bit
  }

  /// How many of its members are below an index.
  func rank(_ index: Int) -> Int {
    var count = 0
    for place in 0..<index >> 6 { count += word(place).nonzeroBitCount }
    return count + (word(index >> 6) & (1 << UInt64(index & 63) - 1)).nonzeroBitCount
  }

  private func word(_ place: Int) -> UInt64 { place == 0 ? first : place <= rest.count ? rest[place - 1] : 0 }
}
