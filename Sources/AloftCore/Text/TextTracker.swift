// SPDX-License-Identifier: Apache-2.0
// The tracker: a temporary sequence CRDT that knows two versions of a text at once and turns places of one into places of the other.
//
// It is a list of records in document order, in a B-tree of flat pools. The *prepare* version is where the next event was typed and
// moves back and forth; the *effect* version is all that was applied. Text from before the tracker's base is one placeholder of
// endless length; what lies behind the real text (`excess`) is never touched. Algorithm: Eg-walker (Gentle and Kleppmann, 2024).
//
//   inner pool  [child … | cur … | end … | base …]     three widths for each child:
//      │                                               cur   characters visible in the prepare version
//   leaf pool   [slot … | length … | state …]          end   characters visible in the effect version
//      │                                               base  characters of the placeholder, in whatever state: finds its pieces
//   slot pool   id, left origin, right origin, leaf    slots never move; a record's place is its leaf and a scan of that

/// State of a record: twice the prepare state (0 not yet inserted, 1 visible, n deleted n - 1 times), plus 1 when it was ever deleted.
struct TextTracker: Sendable {
  /// Ids of the placeholder's characters begin here; ids below are events.
  static let placeholder = 1 << 30
  static let placeholderLength = (1 << 30) - 2
  /// No character: the left origin at the start of the text.
  static let none = 0x7FFF_FFFF
  static let leafStride = 32
  static let innerStride = 16

  /// How full nodes get; tests use tiny ones.
  var leafMax = leafStride
  var innerMax = innerStride

  // Slots.
  var ids = TextColumn()
  var lefts = TextColumn()
  var rights = TextColumn()
  var leafOfSlot = TextColumn()
  // Leaves.
  var slots = TextColumn()
  var lengths = TextColumn()
  var states = TextColumn()
  var leafCounts = TextColumn()
  var leafNexts = TextColumn()
  var leafParents = TextColumn()
  // Inner nodes.
  var children = TextColumn()
  var curWidths = TextColumn()
  var endWidths = TextColumn()
  var baseWidths = TextColumn()
  var innerCounts = TextColumn()
  var innerParents = TextColumn()
  /// The root and the levels of inner nodes above the leaves; at least one.
  var root = 0
  var height = 1

  /// For each event from `origin` on: the slot of an insertion, or the id of a deletion's target with the highest bit set.
  var index: [UInt32] = []
  var origin = 0
  /// Whether there is a tracker at all, the version it starts from, and the first event it has not seen.
  var isLive = false
  var base = TextColumn()
  var seen = 0
  var prepare = TextColumn()
  // Scratch: what is taken out of the prepare version and put into it, and a version.
  var back = TextColumn()
  var forth = TextColumn()
  var spare = TextColumn()
  /// Visible characters in the prepare and the effect version, the placeholder's endless rest included.
  var curTotal = 0
  var endTotal = 0
  /// The placeholder's characters beyond the real text.
  var excess = 0

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
    addSlot(TextTracker.placeholder, TextTracker.none, TextTracker.none, 0)
    slots[0] = 0
    lengths[0] = curTotal
    states[0] = 2
    leafCounts[0] = 1
  }

  mutating func removeAll() {
    isLive = false
    ids.removeAll()
    lefts.removeAll()
    rights.removeAll()
    leafOfSlot.removeAll()
    slots.removeAll()
    lengths.removeAll()
    states.removeAll()
    leafCounts.removeAll()
    leafNexts.removeAll()
    leafParents.removeAll()
    children.removeAll()
    curWidths.removeAll()
    endWidths.removeAll()
    baseWidths.removeAll()
    innerCounts.removeAll()
    innerParents.removeAll()
    index.removeAll(keepingCapacity: true)
    cachedLeaf = -1
    pendingLeaf = -1
    pendingCur = 0
    pendingEnd = 0
  }

  /// From how many bytes on a later base is looked for. Doubles with the tracker, so that looking costs little in the long run.
  var sizeMax = 65_536
  mutating func noteSize() { sizeMax = max(65_536, 2 * byteCount) }

  /// About how many bytes the tracker holds.
  var byteCount: Int { 4 * (index.count + 4 * ids.count + 3 * slots.count + 4 * children.count) }

  private mutating func addSlot(_ id: Int, _ left: Int, _ right: Int, _ leaf: Int) {
    ids.append(id)
    lefts.append(left)
    rights.append(right)
    leafOfSlot.append(leaf)
  }

  private mutating func addLeaf() -> Int {
    slots.append(0, times: TextTracker.leafStride)
    lengths.append(0, times: TextTracker.leafStride)
    states.append(0, times: TextTracker.leafStride)
    leafCounts.append(0)
    leafNexts.append(TextTracker.none)
    leafParents.append(0)
    return leafCounts.count - 1
  }

  private mutating func addInner() -> Int {
    children.append(0, times: TextTracker.innerStride)
    curWidths.append(0, times: TextTracker.innerStride)
    endWidths.append(0, times: TextTracker.innerStride)
    baseWidths.append(0, times: TextTracker.innerStride)
    innerCounts.append(0)
    innerParents.append(TextTracker.none)
    return innerCounts.count - 1
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
    var node = leafParents[pendingLeaf]
    var child = pendingLeaf
    while true {
      let at = node * TextTracker.innerStride + indexOfChild(child, in: node)
      curWidths[at] = curWidths[at] + pendingCur
      endWidths[at] = endWidths[at] + pendingEnd
      child = node
      node = innerParents[node]
      if node == TextTracker.none { break }
    }
    pendingCur = 0
    pendingEnd = 0
  }

  @inline(__always) func indexOfChild(_ child: Int, in node: Int) -> Int {
    let first = node * TextTracker.innerStride
    var at = first
    while children[at] != child { at += 1 }
    return at - first
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
    let slot = Int(truncatingIfNeeded: index[id - origin])
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
    var (childA, childB) = (leafA, leafB)
    var (nodeA, nodeB) = (leafParents[leafA], leafParents[leafB])
    while nodeA != nodeB {
      childA = nodeA
      childB = nodeB
      nodeA = innerParents[nodeA]
      nodeB = innerParents[nodeB]
    }
    return indexOfChild(childA, in: nodeA) < indexOfChild(childB, in: nodeA)
  }

  // MARK: Records

  /// Inserts a record at the cursor, which has room.
  mutating func insertRecord(_ slot: Int, _ length: Int, _ state: Int) {
    let first = leaf * TextTracker.leafStride
    var at = first + leafCounts[leaf]
    while at > first + place {
      slots[at] = slots[at - 1]
      lengths[at] = lengths[at - 1]
      states[at] = states[at - 1]
      at -= 1
    }
    slots[at] = slot
    lengths[at] = length
    states[at] = state
    leafCounts[leaf] = leafCounts[leaf] + 1
    leafOfSlot[slot] = leaf
  }

  mutating func newSlot(_ id: Int, _ left: Int, _ right: Int) -> Int {
    addSlot(id, left, right, leaf)
    return ids.count - 1
  }

  /// Points events to a slot.
  @inline(__always) mutating func setIndex(_ start: Int, _ count: Int, _ slot: Int) {
    var at = start - origin
    let end = at + count
    let word = UInt32(truncatingIfNeeded: slot)
    while at < end {
      index[at] = word
      at += 1
    }
  }

  /// Cuts the record at the cursor before its character `offset`; the cursor stays on the left part. There must be room.
  mutating func split(_ offset: Int) {
    let at = leaf * TextTracker.leafStride + place
    let slot = slots[at]
    let length = lengths[at]
    let state = states[at]
    let id = ids[slot]
    let right = rights[slot]
    let isPlaceholder = id >= TextTracker.placeholder
    // The shorter part gets the new slot, so that pointing its events there costs little in the long run.
    let isTailNew = isPlaceholder || length - offset <= offset
    place += 1
    if isTailNew {
      let tail = newSlot(id + offset, id + offset - 1, right)
      insertRecord(tail, length - offset, state)
      if !isPlaceholder { setIndex(id + offset, length - offset, tail) }
    } else {
      let head = newSlot(id, lefts[slot], right)
      insertRecord(slot, length - offset, state)
      ids[slot] = id + offset
      lefts[slot] = id + offset - 1
      slots[at] = head
      setIndex(id, offset, head)
    }
    place -= 1
    lengths[at] = offset
  }

  /// Makes the characters from `offset` on a record of their own and puts the cursor there.
  @inline(__always) mutating func isolate(_ offset: Int, _ count: Int) {
    let at = leaf * TextTracker.leafStride + place
    if offset == 0, count == lengths[at] { return }
    makeRoom(2)
    if offset > 0 {
      split(offset)
      place += 1
    }
    if count < lengths[leaf * TextTracker.leafStride + place] { split(count) }
  }

  /// Splits the cursor's leaf when it has no room for so many more records; the cursor stays with its record.
  @inline(__always) mutating func makeRoom(_ count: Int) {
    if leafCounts[leaf] + count > leafMax { splitLeaf() }
  }

  @inline(never) private mutating func splitLeaf() {
    flush()
    pendingLeaf = -1
    cachedLeaf = -1
    let old = leaf
    let new = addLeaf()
    let count = leafCounts[old]
    let half = count / 2
    var (cur, end, base) = (0, 0, 0)
    let from = old * TextTracker.leafStride
    let to = new * TextTracker.leafStride - half
    var at = half
    while at < count {
      let slot = slots[from + at]
      let length = lengths[from + at]
      let state = states[from + at]
      slots[to + at] = slot
      lengths[to + at] = length
      states[to + at] = state
      leafOfSlot[slot] = new
      if state >> 1 == 1 { cur += length }
      if state & 1 == 0 { end += length }
      if ids[slot] >= TextTracker.placeholder { base += length }
      at += 1
    }
    leafCounts[old] = half
    leafCounts[new] = count - half
    leafNexts[new] = leafNexts[old]
    leafNexts[old] = new
    if place >= half {
      leaf = new
      place -= half
    }
    addChild(new, after: old, leafParents[old], cur, end, base)
  }

  /// Hangs a new node, with widths taken from the node before it, into the tree; splits full nodes upwards.
  private mutating func addChild(_ new: Int, after old: Int, _ parent: Int, _ cur: Int, _ end: Int, _ base: Int) {
    var (new, old, node) = (new, old, parent)
    var (cur, end, base) = (cur, end, base)
    var isLeaf = true
    while true {
      var right = TextTracker.none
      var moved = (0, 0, 0)
      let before = node
      if innerCounts[node] == innerMax {
        right = addInner()
        moved = moveHalf(of: node, to: right, isLeaf)
        if (isLeaf ? leafParents[old] : innerParents[old]) == right { node = right }
      }
      let first = node * TextTracker.innerStride
      let place = first + indexOfChild(old, in: node)
      var at = first + innerCounts[node]
      while at > place + 1 {
        copyChild(at - 1, at)
        at -= 1
      }
      children[at] = new
      curWidths[at] = cur
      endWidths[at] = end
      baseWidths[at] = base
      curWidths[place] = curWidths[place] - cur
      endWidths[place] = endWidths[place] - end
      baseWidths[place] = baseWidths[place] - base
      innerCounts[node] = innerCounts[node] + 1
      if isLeaf { leafParents[new] = node } else { innerParents[new] = node }
      if right == TextTracker.none { return }
      if innerParents[before] == TextTracker.none {
        root = addInner()
        height += 1
        let first = root * TextTracker.innerStride
        innerCounts[root] = 1
        children[first] = before
        curWidths[first] = curTotal
        endWidths[first] = endTotal
        baseWidths[first] = TextTracker.placeholderLength
        innerParents[before] = root
      }
      (new, old, node) = (right, before, innerParents[before])
      (cur, end, base) = moved
      isLeaf = false
    }
  }

  private mutating func copyChild(_ from: Int, _ to: Int) {
    children[to] = children[from]
    curWidths[to] = curWidths[from]
    endWidths[to] = endWidths[from]
    baseWidths[to] = baseWidths[from]
  }

  private mutating func moveHalf(of node: Int, to right: Int, _ isLeaf: Bool) -> (Int, Int, Int) {
    let count = innerCounts[node]
    let half = count / 2
    var moved = (0, 0, 0)
    var at = half
    while at < count {
      let from = node * TextTracker.innerStride + at
      copyChild(from, right * TextTracker.innerStride + at - half)
      moved = (moved.0 + curWidths[from], moved.1 + endWidths[from], moved.2 + baseWidths[from])
      if isLeaf { leafParents[children[from]] = right } else { innerParents[children[from]] = right }
      at += 1
    }
    innerCounts[node] = half
    innerCounts[right] = count - half
    return moved
  }
}
