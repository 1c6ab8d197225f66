// SPDX-License-Identifier: Apache-2.0
// Where the anchors of marks stand in a text, and so the way between places that people see and places that count anchors too.
//
//   seen       a b c d e            an *entity* is a scalar of the text or an anchor; the engine below counts entities
//   entities   a [ b c ] d e        gaps: 1, 2        anchors: start of mark 0, end of mark 0

/// The ends of a mark in the text are scalars that Unicode keeps free for uses like this one.
enum TextAnchor {
  static let start: UInt32 = 0xFDD0
  static let end: UInt32 = 0xFDD1
  static let startBytes: [UInt8] = [0xEF, 0xB7, 0x90]
  static let endBytes: [UInt8] = [0xEF, 0xB7, 0x91]

  /// The first anchor of well-formed UTF-8 from an offset on; the end when there is none.
  static func next(in bytes: [UInt8], _ start: Int, _ end: Int) -> Int {
    var at = start
    while at + 2 < end {
      if bytes[at] == 0xEF, bytes[at + 1] == 0xB7, bytes[at + 2] & 0xFE == 0x90 { return at }
      at += 1
    }
    return end
  }

  /// Well-formed UTF-8 without the anchors in it.
  static func stripped(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var start = 0
    while start < bytes.count {
      let end = next(in: bytes, start, bytes.count)
      result.append(contentsOf: bytes[start..<end])
      start = end + 3
    }
    return result
  }
}

/// The anchors in a text, in its order. Costs the distance from the last use.
struct TextAnchors: Sendable {
  /// For each anchor how many scalars of text lie between it and the one before.
  private(set) var gaps = TextColumn()
  /// For each anchor its mark << 1, plus 1 for an end.
  private(set) var refs = TextColumn()
  // The anchor used last, and the entities before it without its gap.
  private var cachedIndex = 0
  private var cachedEntities = 0

  var count: Int { refs.count }

  /// A place: how many anchors lie before it, and the scalars between the last of them and the place.
  struct Place {
    var index: Int
    var offset: Int
  }

  /// The place of an entity.
  mutating func locate(_ entity: Int) -> Place {
    while cachedIndex > 0, cachedEntities > entity { stepBack() }
    while cachedIndex < count, cachedEntities + gaps[cachedIndex] < entity { stepOn() }
    return Place(index: cachedIndex, offset: entity - cachedEntities)
  }

  /// The place before all anchors that stand before the scalar `place`, and how many these are.
  mutating func group(_ place: Int) -> (first: Place, count: Int) {
    while cachedIndex > 0, cachedEntities - cachedIndex >= place { stepBack() }
    while cachedIndex < count, cachedEntities - cachedIndex + gaps[cachedIndex] < place { stepOn() }
    let first = Place(index: cachedIndex, offset: place - (cachedEntities - cachedIndex))
    var end = first.index
    if end < count, gaps[end] == first.offset { end += 1 }
    while end > first.index, end < count, gaps[end] == 0 { end += 1 }
    return (first, end - first.index)
  }

  /// The place of an anchor as an entity.
  mutating func entity(of anchor: Int) -> Int {
    while cachedIndex > anchor { stepBack() }
    while cachedIndex < anchor { stepOn() }
    return cachedEntities + gaps[anchor]
  }

  @inline(never) private mutating func stepOn() {
    cachedEntities += gaps[cachedIndex] + 1
    cachedIndex += 1
  }

  @inline(never) private mutating func stepBack() {
    cachedIndex -= 1
    cachedEntities -= gaps[cachedIndex] + 1
  }

  mutating func insert(_ scalars: Int, at place: Place) {
    if place.index < count { gaps[place.index] = gaps[place.index] + scalars }
  }

  mutating func insert(anchor ref: Int, at place: Place) {
    if place.index < count { gaps[place.index] = gaps[place.index] - place.offset }
    gaps.insert(place.offset, at: place.index)
    refs.insert(ref, at: place.index)
  }

  /// Deletes entities. Gives how many of them were anchors.
  mutating func delete(_ entities: Int, at place: Place) -> Int {
    var (left, anchors) = (entities, 0)
    while left > 0, place.index < count {
      let taken = min(left, gaps[place.index] - place.offset)
      gaps[place.index] = gaps[place.index] - taken
      left -= taken
      if left == 0 { break }
      let gap = gaps[place.index]
      gaps.remove(at: place.index)
      refs.remove(at: place.index)
      if place.index < count { gaps[place.index] = gaps[place.index] + gap }
      anchors += 1
      left -= 1
    }
    return anchors
  }

  /// Appends an anchor after so many scalars.
  mutating func append(_ ref: Int, after gap: Int) {
    gaps.append(gap)
    refs.append(ref)
  }
}
