// SPDX-License-Identifier: Apache-2.0
// One field of one record as far as reading it goes: for news about it that are no change of it, such as who is writing there.

/// A field of a record that exists, and the scopes that hold the record.
public struct FieldPlace: Sendable {
  let collection: Collection
  let field: Field
  let scopes: [Text]

  public init(_ collection: Collection, _ field: Field, in scopes: [Text]) {
    (self.collection, self.field, self.scopes) = (collection, field, scopes)
  }

  /// The same permission function as for a pull.
  public func isReadable(by principal: Principal) -> Bool {
    principal.may(.read, collection, in: scopes) && principal.mayRead(field, in: scopes)
  }
}

extension Judge {
  /// The place of a field; nil when the app has no such field or the store no such record. Costs one read.
  public func place<R: StoreReader>(of field: Text, in collection: Text, id: Text, from reader: inout R) throws(StoreError) -> FieldPlace? {
    guard let number = app.number(of: collection), let index = app.collections[number].number(of: field),
      let record = try reader.record(RecordKey(collection: number, id: id))
    else { return nil }
    let row: Row
    do { row = try Row(bytes: record.row) } catch { throw .damaged(error.message) }
    if row.isDeleted { return nil }
    let collection = app.collections[number]
    return FieldPlace(collection, collection.fields[index], in: record.placements.map(\.scope))
  }
}
