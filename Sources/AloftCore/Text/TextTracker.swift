// SPDX-License-Identifier: Apache-2.0
// The tracker: a temporary sequence CRDT that knows two versions of a text at once and turns places of one into places of the other.
//
// It is a list of records in document order, in a B-tree of flat pools. The *prepare* version is where the next event was typed and
// moves back and forth; the *effect* version is all that was applied. Text from before the tracker's base is one placeholder of
// endless length; what lies behind the real text (`excess`) is never touched. Algorithm: Eg-walker (Gentle and Kleppmann, 2024).
//
//   inner node  child …, cur …, end …, base …, count, parent     three widths for each child:
//      │                                                         cur   characters visible in the prepare version
//      │                                                         end   characters visible in the effect version
//      │                                                         base  characters of the placeholder, in whatever state
//   leaf        slot …, length …, state …, count, next, parent
//      │
//   slot        id, left origin, right origin, leaf              slots never move; a record's place is its leaf and a scan of that

/// State of a record: twice the prepare state (0 not yet inserted, 1 visible, n deleted n - 1 times), plus 1 when it was ever deleted.
struct TextTracker: Sendable {
  /// Ids of the placeholder's characters begin here; ids below are events.
  static let placeholder = 1 << 30
  static let placeholderLength = (1 << 30) - 2
  /// No character: the left origin at the start of the text.
  static let none = 0x7FFF_FFFF
  /// Set in what the index has for a deletion: the rest is the id of its target.
  static let target = 1 << 31
  /// How many records fit into a leaf and how many children into an inner node. With what else a node has they fill 64 words, so that
  /// the way from a number to a place is a shift.
  static let leafSize = 20
  static let innerSize = 15
  static let leafStride = 64
  static let innerStride = 64
  static let slotStride = 4

  /// How full nodes get; tests use tiny ones.
  var leafMax = leafSize
  var innerMax = innerSize

  private(set) var slotPool = TextColumn()
  private(set) var leafPool = TextColumn()
  private(set) var innerPool = TextColumn()
  /// By slot.
  @inline(__always) var ids: TextColumn.Unchecked { slotPool.unchecked(0, stride: TextTracker.slotStride) }
  @inline(__always) var lefts: TextColumn.Unchecked { slotPool.unchecked(1, stride: TextTracker.slotStride) }
  @inline(__always) var rights: TextColumn.Unchecked { slotPool.unchecked(2, stride: TextTracker.slotStride) }
  @inline(__always) var leafOfSlot: TextColumn.Unchecked { slotPool.unchecked(3, stride: TextTracker.slotStride) }
  /// By `leaf * leafStride + place`.
  @inline(__always) var slots: TextColumn.Unchecked { leafPool.unchecked(0) }
  @inline(__always) var lengths: TextColumn.Unchecked { leafPool.unchecked(TextTracker.leafSize) }
  @inline(__always) var states: TextColumn.Unchecked { leafPool.unchecked(2 * TextTracker.leafSize) }
  /// By leaf. A node's parent is where it stands in its parent: `node * innerStride + place`.
  @inline(__always) var leafCounts: TextColumn.Unchecked { leafPool.unchecked(3 * TextTracker.leafSize, stride: TextTracker.leafStride) }
  @inline(__always) var leafNexts: TextColumn.Unchecked { leafPool.unchecked(3 * TextTracker.leafSize + 1, stride: TextTracker.leafStride) }
  @inline(__always) var leafParents: TextColumn.Unchecked { leafPool.unchecked(3 * TextTracker.leafSize + 2, stride: TextTracker.leafStride) }
  /// By `node * innerStride + place`.
  @inline(__always) var children: TextColumn.Unchecked { innerPool.unchecked(0) }
  @inline(__always) var curWidths: TextColumn.Unchecked { innerPool.unchecked(TextTracker.innerSize) }
  @inline(__always) var endWidths: TextColumn.Unchecked { innerPool.unchecked(2 * TextTracker.innerSize) }
  @inline(__always) var baseWidths: TextColumn.Unchecked { innerPool.unchecked(3 * TextTracker.innerSize) }
  /// By inner node.
  @inline(__always) var innerCounts: TextColumn.Unchecked { innerPool.unchecked(4 * TextTracker.innerSize, stride: TextTracker.innerStride) }
  @inline(__always) var innerParents: TextColumn.Unchecked { innerPool.unchecked(4 * TextTracker.innerSize + 1, stride: TextTracker.innerStride) }

  /// The root and the levels of inner nodes above the leaves; at least one.
  var root = 0
  var height = 1

  /// For each event from `origin` on: the slot of an insertion, or the id of a deletion's target with the bit `target` set.
  private(set) var eventPool = TextColumn()
  @inline(__always) var index: TextColumn.Unchecked { eventPool.unchecked() }
  var origin = 0
  /// Whether there is a tracker at all, the version it starts from, and the first event it has not seen.
  var isLive = false
  var base = TextColumn()
  var seen = 0
  var prepare = TextColumn()
  /// Visible characters in the prepare and the effect version, the placeholder's endless rest included.
  var curTotal = 0
  var endTotal = 0
  /// The placeholder's characters beyond the real text.
  var excess = 0

  /// How many events were taken out of the prepare version and put into it, since somebody began to count.
  var moved = 0
  /// How many records that was, and how many concurrent insertions were passed on the way to a place, since somebody began to count.
  var passed = 0

  // The cursor of the current operation.
  var leaf = 0
  var place = 0
  // The leaf where the last search ended, with what lies left of it; -1 when unknown. And widths not yet added above one leaf.
  var cachedLeaf = -1
  var cachedCur = 0
  var cachedEnd = 0
  var pendingLeaf = -1
  var pendingCur = 0
  var pendingEnd = 0

  /// Starts anew at a version whose history is exactly the events before `origin`.
  mutating func reset(at base: TextColumn, origin: Int, length: Int) {
    removeAll()
    isLive = true
    self.base = base
    prepare = base
    self.origin = origin
    seen = origin
    excess = TextTracker.placeholderLength - length
    curTotal = TextTracker.placeholderLength
    endTotal = curTotal
    root = 0
    height = 1
    _ = addLeaf()
    _ = addInner()
    leafParents[0] = 0
    innerCounts[0] = 1
    children[0] = 0
    curWidths[0] = curTotal
    endWidths[0] = curTotal
    baseWidths[0] = curTotal
    _ = addSlot(TextTracker.placeholder, TextTracker.none, TextTracker.none, 0)
    slots[0] = 0
    lengths[0] = curTotal
    states[0] = 2
    leafCounts[0] = 1
  }

  /// Must come before events are applied or moved, in every merge.
  @inline(never) mutating func own() {
    slotPool.own()
    leafPool.own()
    innerPool.own()
    eventPool.own()
  }

  @inline(never) mutating func removeAll() {
    isLive = false
    slotPool.removeAll()
    leafPool.removeAll()
    innerPool.removeAll()
    eventPool.removeAll()
    cachedLeaf = -1
    pendingLeaf = -1
    pendingCur = 0
    pendingEnd = 0
  }

  /// From how many bytes on a later base is looked for. Doubles with the tracker, so that looking costs little in the long run.
  var sizeMax = 65_536
  mutating func noteSize() { sizeMax = max(65_536, 2 * byteCount) }

  /// About how many bytes the tracker holds.
  var byteCount: Int { 4 * (eventPool.count + slotPool.count + leafPool.count + innerPool.count) }

  /// Gives the new slot.
  mutating func addSlot(_ id: Int, _ left: Int, _ right: Int, _ leaf: Int) -> Int {
    let slot = slotPool.count / TextTracker.slotStride
    slotPool.extend(by: TextTracker.slotStride)
    ids[slot] = id
    lefts[slot] = left
    rights[slot] = right
    leafOfSlot[slot] = leaf
    return slot
  }

  /// Makes room in the index for events below `end`.
  mutating func extendIndex(to end: Int) {
    let missing = end - origin - eventPool.count
    if missing > 0 { eventPool.extend(by: missing) }
  }

  mutating func addLeaf() -> Int {
    let leaf = leafPool.count / TextTracker.leafStride
    leafPool.append(0, times: TextTracker.leafStride)
    leafNexts[leaf] = TextTracker.none
    return leaf
  }

  mutating func addInner() -> Int {
    let node = innerPool.count / TextTracker.innerStride
    innerPool.append(0, times: TextTracker.innerStride)
    innerParents[node] = TextTracker.none
    return node
  }

  // MARK: Widths

  /// Adds to the widths above a leaf, later: the next change is nearly always in the same leaf.
  @inline(__always) mutating func addWidth(_ cur: Int, _ end: Int) {
    if leaf != pendingLeaf {
      flush()
      pendingLeaf = leaf
    }
    if leaf != cachedLeaf { cachedLeaf = -1 }
    pendingCur = pendingCur &+ cur
    pendingEnd = pendingEnd &+ end
    curTotal = curTotal &+ cur
    endTotal = endTotal &+ end
  }

  @inline(never) mutating func flush() {
    if pendingLeaf < 0 || pendingCur | pendingEnd == 0 { return }
    var at = leafParents[pendingLeaf]
    while at != TextTracker.none {
      curWidths[at] = curWidths[at] + pendingCur
      endWidths[at] = endWidths[at] + pendingEnd
      at = innerParents[at / TextTracker.innerStride]
    }
    pendingCur = 0
    pendingEnd = 0
  }

  // MARK: Searches

  /// Puts the cursor on the record with a character that is visible in the prepare version, by its place. Gives the offset in the
  /// record and how many characters of the effect version are left of the record. The place must be below `curTotal`.
  mutating func find(_ target: Int) -> (offset: Int, end: Int) {
    if cachedLeaf >= 0, target >= cachedCur {
      let result = scan(target - cachedCur, cachedLeaf, cachedEnd)
      if result.offset >= 0 { return result }
    }
    flush()
    var left = target
    var end = 0
    var node = root
    var level = height
    while level > 0 {
      var at = node * TextTracker.innerStride
      while left >= curWidths[at] {
        left -= curWidths[at]
        end += endWidths[at]
        at += 1
      }
      node = children[at]
      level -= 1
    }
    cachedLeaf = node
    cachedCur = target - left
    cachedEnd = end
    return scan(left, node, end)
  }

  private mutating func scan(_ target: Int, _ leaf: Int, _ end: Int) -> (offset: Int, end: Int) {
    var left = target
    var end = end
    let first = leaf * TextTracker.leafStride
    let stop = first + leafCounts[leaf]
    var at = first
    while at < stop {
      let state = states[at]
      let length = lengths[at]
      if state >> 1 == 1 {
        if left < length {
          self.leaf = leaf
          place = at - first
          return (left, end)
        }
        left -= length
      }
      if state & 1 == 0 { end += length }
      at += 1
    }
    return (-1, 0)
  }

  /// Puts the cursor on the record with an id and gives the offset in it.
  mutating func locate(_ id: Int) -> Int {
    if id >= TextTracker.placeholder {
      var left = id - TextTracker.placeholder
      var node = root
      var level = height
      while level > 0 {
        var at = node * TextTracker.innerStride
        while left >= baseWidths[at] {
          left -= baseWidths[at]
          at += 1
        }
        node = children[at]
        level -= 1
      }
      leaf = node
      place = 0
      while true {
        let at = leaf * TextTracker.leafStride + place
        if ids[slots[at]] >= TextTracker.placeholder {
          if left < lengths[at] { return left }
          left -= lengths[at]
        }
        place += 1
      }
    }
    let slot = index[id - origin]
    leaf = leafOfSlot[slot]
    let first = leaf * TextTracker.leafStride
    var at = first
    while slots[at] != slot { at += 1 }
    place = at - first
    return id - ids[slot]
  }

  /// Whether the character `a` lies left of the character `b`; `none` lies left of all.
  mutating func precedes(_ a: Int, _ b: Int) -> Bool {
    if a == b || b == TextTracker.none { return false }
    if a == TextTracker.none { return true }
    let (savedLeaf, savedPlace) = (leaf, place)
    let offsetA = locate(a)
    let (leafA, placeA) = (leaf, place)
    let offsetB = locate(b)
    let (leafB, placeB) = (leaf, place)
    leaf = savedLeaf
    place = savedPlace
    if leafA == leafB { return placeA == placeB ? offsetA < offsetB : placeA < placeB }
    var (atA, atB) = (leafParents[leafA], leafParents[leafB])
    while atA / TextTracker.innerStride != atB / TextTracker.innerStride {
      atA = innerParents[atA / TextTracker.innerStride]
      atB = innerParents[atB / TextTracker.innerStride]
    }
    return atA < atB
  }
}
