// SPDX-License-Identifier: Apache-2.0
// How the tracker's tree changes: records are inserted and cut at the cursor, full nodes are split.

extension TextTracker {
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

  /// Points events to a slot.
  @inline(__always) mutating func setIndex(_ start: Int, _ count: Int, _ slot: Int) {
    var at = start - origin
    let end = at + count
    while at < end {
      index[at] = slot
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
      let tail = addSlot(id + offset, id + offset - 1, right, leaf)
      insertRecord(tail, length - offset, state)
      if !isPlaceholder { setIndex(id + offset, length - offset, tail) }
    } else {
      let head = addSlot(id, lefts[slot], right, leaf)
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
    var (new, old, at) = (new, old, parent)
    var (cur, end, base) = (cur, end, base)
    var isLeaf = true
    while true {
      let before = at / TextTracker.innerStride
      var right = TextTracker.none
      var moved = (0, 0, 0)
      if innerCounts[before] == innerMax {
        right = addInner()
        moved = moveHalf(of: before, to: right, isLeaf)
        at = isLeaf ? leafParents[old] : innerParents[old]
      }
      curWidths[at] = curWidths[at] - cur
      endWidths[at] = endWidths[at] - end
      baseWidths[at] = baseWidths[at] - base
      let node = at / TextTracker.innerStride
      var free = node * TextTracker.innerStride + innerCounts[node]
      while free > at + 1 {
        copyChild(free - 1, free, isLeaf)
        free -= 1
      }
      putChild(new, free, isLeaf)
      curWidths[free] = cur
      endWidths[free] = end
      baseWidths[free] = base
      innerCounts[node] = innerCounts[node] + 1
      if right == TextTracker.none { return }
      if innerParents[before] == TextTracker.none {
        root = addInner()
        height += 1
        let first = root * TextTracker.innerStride
        innerCounts[root] = 1
        putChild(before, first, false)
        curWidths[first] = curTotal
        endWidths[first] = endTotal
        baseWidths[first] = TextTracker.placeholderLength
      }
      (new, old, at) = (right, before, innerParents[before])
      (cur, end, base) = moved
      isLeaf = false
    }
  }

  private func putChild(_ child: Int, _ at: Int, _ isLeaf: Bool) {
    children[at] = child
    if isLeaf { leafParents[child] = at } else { innerParents[child] = at }
  }

  private func copyChild(_ from: Int, _ to: Int, _ isLeaf: Bool) {
    putChild(children[from], to, isLeaf)
    curWidths[to] = curWidths[from]
    endWidths[to] = endWidths[from]
    baseWidths[to] = baseWidths[from]
  }

  private func moveHalf(of node: Int, to right: Int, _ isLeaf: Bool) -> (Int, Int, Int) {
    let count = innerCounts[node]
    let half = count / 2
    var moved = (0, 0, 0)
    var at = half
    while at < count {
      let from = node * TextTracker.innerStride + at
      copyChild(from, right * TextTracker.innerStride + at - half, isLeaf)
      moved = (moved.0 + curWidths[from], moved.1 + endWidths[from], moved.2 + baseWidths[from])
      at += 1
    }
    innerCounts[node] = half
    innerCounts[right] = count - half
    return moved
  }
}
