// SPDX-License-Identifier: Apache-2.0
// What the tracker does with events: apply an insertion or a deletion, take events out of the prepare version and put them back.
//
// Concurrent insertions at one place are ordered as in FugueMax (Weidner and Kleppmann, 2023), which interleaves least.

extension TextTracker {
  /// The length of the text in the prepare version.
  var length: Int { curTotal - excess }

  /// Applies the insertion of `count` characters whose events begin with `event`, at a place of the prepare version that is at most
  /// `length`. Gives the place in the effect version. Logarithmic, plus the concurrent insertions at that place.
  mutating func insert(_ event: Int, _ count: Int, at target: Int, _ agents: inout TextAgents) -> Int {
    var end = 0
    var left = TextTracker.none
    if target == 0 {
      // Splits add leaves on the right only, so the first leaf stays the first.
      leaf = 0
      place = 0
      cachedLeaf = 0
      cachedCur = 0
      cachedEnd = 0
    } else {
      let found = find(target - 1)
      let at = leaf * TextTracker.leafStride + place
      left = ids[slots[at]] + found.offset
      end = found.end + (states[at] & 1 == 0 ? found.offset + 1 : 0)
      if found.offset + 1 < lengths[at] {
        makeRoom(2)
        split(found.offset + 1)
        place += 1
        put(event, count, left, left + 1)
        return end
      }
      place += 1
    }
    // The right origin: the next character that is in the prepare version, deleted there or not.
    var (rightLeaf, rightPlace) = (leaf, place)
    var hasConcurrent = false
    while true {
      if rightPlace == leafCounts[rightLeaf] {
        rightLeaf = leafNexts[rightLeaf]
        rightPlace = 0
        continue
      }
      if states[rightLeaf * TextTracker.leafStride + rightPlace] >> 1 != 0 { break }
      hasConcurrent = true
      passed &+= 1
      rightPlace += 1
    }
    let right = ids[slots[rightLeaf * TextTracker.leafStride + rightPlace]]
    if hasConcurrent {
      end = integrate(event, left, right, rightLeaf, rightPlace, end, &agents)
    } else if left == event - 1, place > 0 {
      // Typing on: the record before grows.
      let at = leaf * TextTracker.leafStride + place - 1
      let slot = slots[at]
      if states[at] == 2, rights[slot] == right {
        lengths[at] = lengths[at] + count
        setIndex(event, count, slot)
        addWidth(count, count)
        return end
      }
    }
    put(event, count, left, right)
    return end
  }

  private mutating func put(_ event: Int, _ count: Int, _ left: Int, _ right: Int) {
    makeRoom(1)
    let slot = addSlot(event, left, right, leaf)
    insertRecord(slot, count, 2)
    setIndex(event, count, slot)
    addWidth(count, count)
  }

  /// Moves the cursor over concurrent insertions to where the new one belongs. Gives the effect place there.
  private mutating func integrate(
    _ event: Int, _ left: Int, _ right: Int, _ rightLeaf: Int, _ rightPlace: Int, _ start: Int, _ agents: inout TextAgents
  ) -> Int {
    var (atLeaf, atPlace, end) = (leaf, place, start)
    var destinationEnd = start
    var isScanning = false
    while atLeaf != rightLeaf || atPlace != rightPlace {
      if atPlace == leafCounts[atLeaf] {
        atLeaf = leafNexts[atLeaf]
        atPlace = 0
        continue
      }
      let at = atLeaf * TextTracker.leafStride + atPlace
      let other = slots[at]
      if lefts[other] == left {
        if rights[other] == right {
          if agents.precedes(event, ids[other]) { break }
          isScanning = false
        } else {
          // It may belong left of the new one; a later one decides.
          isScanning = precedes(rights[other], right)
        }
      } else if precedes(lefts[other], left) {
        break
      }
      if states[at] & 1 == 0 { end += lengths[at] }
      atPlace += 1
      if !isScanning { (leaf, place, destinationEnd) = (atLeaf, atPlace, end) }
    }
    return destinationEnd
  }

  /// Applies part of a deletion whose events begin with `event`: of the character at `target` in the prepare version and of those
  /// after it (or before it, going backwards), as far as they are of one record. `length` was checked. Gives how many that were, and
  /// the place in the effect version, -1 when they had been deleted there already.
  mutating func delete(_ event: Int, _ count: Int, at target: Int, isBackward: Bool) -> (taken: Int, end: Int) {
    let found = find(target)
    var at = leaf * TextTracker.leafStride + place
    var offset = found.offset
    let taken = min(count, isBackward ? offset + 1 : lengths[at] - offset)
    if isBackward { offset -= taken - 1 }
    isolate(offset, taken)
    at = leaf * TextTracker.leafStride + place
    let state = states[at]
    states[at] = (state + 2) | 1
    let isFirst = state & 1 == 0
    addWidth(-taken, isFirst ? -taken : 0)
    var word = ids[slots[at]] + (isBackward ? taken - 1 : 0) | TextTracker.target
    var entry = event - origin
    let stop = entry + taken
    while entry < stop {
      index[entry] = word
      word = isBackward ? word &- 1 : word &+ 1
      entry += 1
    }
    joinAround()
    return (taken, isFirst ? found.end + offset : -1)
  }

  /// Takes events, as pairs (start, end), out of the prepare version (`delta` -2) or puts them in (`delta` 2).
  mutating func move(_ ranges: TextColumn, _ delta: Int) {
    var range = 0
    while range < ranges.count {
      move(ranges[range], ranges[range + 1], delta)
      range += 2
    }
  }

  private mutating func move(_ start: Int, _ end: Int, _ delta: Int) {
    moved += end - start
    var event = start
    while event < end {
      passed &+= 1
      let word = index[event - origin]
      var offset: Int
      var count: Int
      if word & TextTracker.target == 0 {
        offset = locate(event)
        count = min(end - event, lengths[leaf * TextTracker.leafStride + place] - offset)
      } else {
        offset = locate(word ^ TextTracker.target)
        let first = event - origin
        let isBackward = event + 1 < end && index[first + 1] == word &- 1
        let step = isBackward ? -1 : 1
        let most = min(end - event, isBackward ? offset + 1 : lengths[leaf * TextTracker.leafStride + place] - offset)
        var next = word &+ step
        count = 1
        while count < most, index[first + count] == next {
          count += 1
          next = next &+ step
        }
        if isBackward { offset -= count - 1 }
      }
      event += count
      isolate(offset, count)
      let at = leaf * TextTracker.leafStride + place
      let state = states[at]
      states[at] = state + delta
      addWidth(((state + delta) >> 1 == 1 ? count : 0) - (state >> 1 == 1 ? count : 0), 0)
      joinAround()
    }
  }

  /// Joins the record at the cursor with its neighbours in the leaf where they are of one run and one state.
  @inline(__always) private mutating func joinAround() {
    let at = leaf * TextTracker.leafStride + place
    if place + 1 < leafCounts[leaf], states[at] == states[at + 1] { join(place) }
    if place > 0, states[at] == states[at - 1] { join(place - 1) }
  }

  @inline(never) private mutating func join(_ first: Int) {
    let base = leaf * TextTracker.leafStride
    var at = base + first
    let slotA = slots[at]
    let slotB = slots[at + 1]
    let (a, b) = (ids[slotA], ids[slotB])
    let (lengthA, lengthB) = (lengths[at], lengths[at + 1])
    if a + lengthA != b || rights[slotA] != rights[slotB] || lefts[slotB] != b - 1 { return }
    lengths[at] = lengthA + lengthB
    if a >= TextTracker.placeholder {
      // Found through widths, not through the index.
    } else if lengthA >= lengthB {
      setIndex(b, lengthB, slotA)
    } else {
      ids[slotB] = a
      lefts[slotB] = lefts[slotA]
      slots[at] = slotB
      setIndex(a, lengthA, slotB)
    }
    let stop = base + leafCounts[leaf] - 1
    at += 1
    while at < stop {
      slots[at] = slots[at + 1]
      lengths[at] = lengths[at + 1]
      states[at] = states[at + 1]
      at += 1
    }
    leafCounts[leaf] = leafCounts[leaf] - 1
    if place > first { place = first }
  }
}
