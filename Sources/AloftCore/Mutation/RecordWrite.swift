// SPDX-License-Identifier: Apache-2.0
// What an action comes down to: a list of writes to records. Both sides apply it by the same rules.

/// A write to one record.
public struct RecordWrite: Equatable, Sendable {
  public enum Kind: Equatable, Sendable { case create, update, delete, restore }

  public var key: RecordKey
  public var kind: Kind
  /// Field numbers with their change; empty for delete and restore.
  public var changes: [(number: Int, change: FieldChange)]
  /// Made by an action's body, which may set what only server code writes.
  var isServerCode = false

  public static func == (a: RecordWrite, b: RecordWrite) -> Bool {
    guard a.key == b.key, a.kind == b.kind, a.changes.count == b.changes.count else { return false }
    for index in a.changes.indices
    where a.changes[index].number != b.changes[index].number || a.changes[index].change != b.changes[index].change { return false }
    return true
  }
}

/// What the author of a mutation had seen of one field: the mutations that its content depended on.
public struct Seen: Equatable, Sendable {
  public var key: RecordKey
  /// The field's number, or -1 for the record's life (created, deleted, restored).
  public var field: Int
  public var dots: [MutationID]
}

/// What became of one write.
struct WriteResult {
  /// Fields whose value was kept beside others or lost to a newer one.
  var merged: [Int] = []
  var conflicts: [Int] = []
  /// Values that lost or were replaced: (field, value, whether the new value lost).
  var history: [(field: Int, value: Value, isLoser: Bool)] = []
  var isChanged = false
}

extension RecordWrite {
  /// Applies the write to a record. `row` is nil where there is no record.
  ///
  /// Decide first: on a throw or a conflict the caller drops the row, so nothing of the mutation applies.
  func apply(
    to row: inout Row?, in collection: Collection, stamp: Stamp, seen: [Seen], isSpeculative: Bool
  ) throws(Rejection) -> WriteResult {
    var result = WriteResult()
    switch kind {
    case .create:
      guard row == nil else { throw Rejection("exists", "a record with this id exists already", path: "id") }
      row = Row(id: key.id, bornBy: stamp)
      result.isChanged = true
    case .update:
      guard row != nil else { throw RecordWrite.notFound }
      if row!.isDeleted {
        guard collection.onConcurrentUpdate == .updateWins || isSpeculative else {
          throw Rejection("deleted", "the record was deleted; restore it to bring your change back")
        }
        row!.setDeleted(false, by: stamp)
        result.isChanged = true
      }
    case .delete:
      guard row != nil else { throw RecordWrite.notFound }
      if row!.isDeleted { return result }
      if collection.onConcurrentUpdate == .updateWins && !isSpeculative && !hasSeenAll(of: row!, seen) {
        throw Rejection("changed", "the record was changed meanwhile, and updates win over deletes here")
      }
      row!.setDeleted(true, by: stamp)
      row!.dropUnusedStamps()
      result.isChanged = true
      return result
    case .restore:
      guard row != nil else { throw RecordWrite.notFound }
      if !row!.isDeleted { return result }
      row!.setDeleted(false, by: stamp)
      row!.dropUnusedStamps()
      result.isChanged = true
      return result
    }
    let isNew = kind == .create
    if isNew { row!.reserve(collection.fields.count) }
    var write = FieldWrite(fields: collection.fields, number: 0, stamp: stamp, seen: [], isSpeculative: isSpeculative)
    write.isServerCode = isServerCode
    for (number, change) in changes {
      write.number = number
      write.seen = []
      for entry in seen where entry.field == number && entry.key == key { write.seen = entry.dots }
      let rule = collection.fields[number].rule
      // Only the server keeps history, and a new record has none. Sums, sets and texts keep their own.
      let hasHistory = !isNew && !isSpeculative && rule != .counter && rule != .addWins && rule != .text
      let before = hasHistory ? row!.value(number, rule: rule) : Value.null
      switch write.apply(change, to: &row!) {
      case .changed:
        result.isChanged = true
        if before != .null { result.history.append((number, before, false)) }
      case .unchanged: break
      case .kept:
        result.isChanged = true
        result.merged.append(number)
      case .lost:
        result.merged.append(number)
        if case .set(let value) = change { result.history.append((number, value, true)) }
      case .conflict: result.conflicts.append(number)
      case .rejected(let rejection): throw rejection
      }
    }
    if kind == .create {
      for number in collection.fields.indices where collection.fields[number].isRequired {
        let field = collection.fields[number]
        guard row!.value(number, rule: field.rule) == .null else { continue }
        throw Rejection(code: "required", path: Text("fields." + field.name.string), message: Text(field.name.string + " is required"))
      }
    }
    row!.dropUnusedStamps()
    return result
  }

  static let notFound = Rejection("notFound", "there is no such record, or you may not see it", path: "id")

  /// Whether the author of a delete knew every mutation that the record still depends on.
  private func hasSeenAll(of row: Row, _ seen: [Seen]) -> Bool {
    guard let life = seen.first(where: { $0.field == -1 && $0.key == key }) else { return false }
    return row.stamps.allSatisfy { life.dots.contains($0.mutation) }
  }

  /// What the author sees now of each field whose rule asks for it. Called on the device when the mutation is made.
  func observe(_ row: Row?, in collection: Collection) -> [Seen] {
    guard let row else { return [] }
    if kind == .delete && collection.onConcurrentUpdate == .updateWins {
      return [Seen(key: key, field: -1, dots: row.stamps.map { $0.mutation })]
    }
    var out: [Seen] = []
    for (number, _) in changes {
      switch collection.fields[number].rule {
      case .guarded, .manual, .addWins:
        let dots = row.dots(of: number)
        if !dots.isEmpty { out.append(Seen(key: key, field: number, dots: dots)) }
      case .latest, .counter, .maximum, .minimum, .immutable, .server, .text: break
      }
    }
    return out
  }
}
