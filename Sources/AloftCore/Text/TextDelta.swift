// SPDX-License-Identifier: Apache-2.0
// What a merge did to a text, as changes for an editor to apply in order; and how cursors move with them.

/// One change of a text: some of it is replaced. Places are those of the text after the changes before this one.
public struct TextChange: Equatable, Sendable {
  /// Where, and how much is deleted there: in Unicode scalars, and in UTF-16 units for JavaScript.
  public var place: Int
  public var deleted: Int
  public var placeUTF16: Int
  public var deletedUTF16: Int
  /// What is inserted there, as a range of `TextDelta.inserted`, and its length in both units.
  public var bytes: Range<Int>
  public var inserted: Int
  public var insertedUTF16: Int
}

/// The changes of one merge, in order. An editor applies them as they are and never compares whole texts.
public struct TextDelta: Equatable, Sendable {
  public internal(set) var changes: [TextChange] = []
  /// All inserted text, UTF-8.
  public internal(set) var inserted: [UInt8] = []

  public var isEmpty: Bool { changes.isEmpty }

  /// Where a cursor, in scalars, is after the changes. Text inserted exactly at the cursor goes before it when `isSticky` is false
  /// (the cursor stays with what follows), after it when true. A cursor in deleted text moves to where the text was.
  public func moved(_ cursor: Int, isSticky: Bool = true) -> Int {
    var cursor = cursor
    for change in changes {
      cursor = TextDelta.moved(cursor, change.place, change.deleted, change.inserted, isSticky)
    }
    return cursor
  }

  /// The same in UTF-16 units.
  public func movedUTF16(_ cursor: Int, isSticky: Bool = true) -> Int {
    var cursor = cursor
    for change in changes {
      cursor = TextDelta.moved(cursor, change.placeUTF16, change.deletedUTF16, change.insertedUTF16, isSticky)
    }
    return cursor
  }

  private static func moved(_ cursor: Int, _ place: Int, _ deleted: Int, _ inserted: Int, _ isSticky: Bool) -> Int {
    if cursor < place || (cursor == place && isSticky) { return cursor }
    return max(cursor - deleted, place) + inserted
  }

  /// Adds a change; one that goes on where the last ended is joined with it.
  mutating func add(_ change: TextChange) {
    let last = changes.count - 1
    if last >= 0, changes[last].deleted == 0, change.deleted == 0, changes[last].place + changes[last].inserted == change.place {
      changes[last].inserted += change.inserted
      changes[last].insertedUTF16 += change.insertedUTF16
      changes[last].bytes = changes[last].bytes.lowerBound..<change.bytes.upperBound
      return
    }
    if last >= 0, changes[last].inserted == 0, change.inserted == 0, changes[last].place == change.place {
      changes[last].deleted += change.deleted
      changes[last].deletedUTF16 += change.deletedUTF16
      return
    }
    changes.append(change)
  }
}

/// Changes in the places of this replica, before they are applied to its text. Neighbours are joined, as an editor's are.
struct TextOutput: Sendable {
  var places = TextColumn()
  var lengths = TextColumn()
  /// Where inserted text begins in the log; `TextTracker.none` for a deletion.
  var byteStarts = TextColumn()
  var byteCounts = TextColumn()

  mutating func removeAll() {
    places.removeAll()
    lengths.removeAll()
    byteStarts.removeAll()
    byteCounts.removeAll()
  }

  /// Gives the memory back where that is worth it: after a whole history, not after a message.
  mutating func free() {
    if places.count > 1_024 { self = TextOutput() }
  }

  @inline(__always) mutating func insert(_ piece: TextPiece, at place: Int) {
    let last = places.count - 1
    if last >= 0, byteStarts[last] + byteCounts[last] == piece.byteStart, places[last] + lengths[last] == place {
      lengths[last] = lengths[last] + piece.length
      byteCounts[last] = byteCounts[last] + piece.byteCount
      return
    }
    append(place, piece.length, piece.byteStart, piece.byteCount)
  }

  @inline(__always) mutating func delete(_ length: Int, at place: Int) {
    let last = places.count - 1
    if last >= 0, byteStarts[last] == TextTracker.none, places[last] == place || places[last] == place + length {
      places[last] = place
      lengths[last] = lengths[last] + length
      return
    }
    append(place, length, TextTracker.none, 0)
  }

  private mutating func append(_ place: Int, _ length: Int, _ byteStart: Int, _ byteCount: Int) {
    places.appendInline(place)
    lengths.appendInline(length)
    byteStarts.appendInline(byteStart)
    byteCounts.appendInline(byteCount)
  }
}
