// SPDX-License-Identifier: Apache-2.0
// The order in which a range of events is replayed: depth first, the smaller branch first, so that little is taken back.
//
// Any order that puts parents first gives the same text, at very different costs. A subtree's size is estimated with 128 bits, one for
// each part of the range that has an event in it, as in Gentle and Kleppmann's implementation.

/// Nodes are chains of events without a branch or a merge inside.
struct TextWalk: Sendable {
  /// The first event of each node, ascending; node i ends where the next begins, the last at the range's end.
  var starts = TextColumn()
  /// The nodes in the order of the walk.
  var order = TextColumn()
  /// The graph's entry of each node.
  private(set) var entries = TextColumn()
  /// For each of the graph's entries, from the one of the walk's first event on, how far its events may be critical: below, none of
  /// the entries behind it stands on anything else.
  private var shared = TextColumn()
  private var first = 0
  /// The run of the log where the walk is: the next chain's first is seldom far.
  var nearRun = 0
  // Scratch. The parents of each node in turn, as nodes.
  private var edges = TextColumn()
  private var waiting = TextColumn()
  private var childStarts = TextColumn()
  private var children = TextColumn()
  private var lowBits: [UInt64] = []
  private var highBits: [UInt64] = []
  private var stack = TextColumn()
  private var heap = TextHeap()

  /// Looks where the critical events of a walk from an entry on are.
  mutating func findCritical(_ graph: TextGraph, from first: Int) {
    self.first = first
    shared.removeAll()
    shared.append(0, times: graph.starts.count - first)
    var entry = graph.starts.count - 1
    var end = graph.count
    while entry >= first {
      shared[entry - first] = end
      let parent = graph.parentStarts[entry]
      // They ascend; what stands on the empty text has no history.
      end = parent == graph.parentEnd(of: entry) ? 0 : min(end, graph.parents[parent] + 1)
      entry -= 1
    }
  }

  /// Where the critical events of an entry end, of which all others are before or after; 0 when it has none.
  func criticalEnd(_ graph: TextGraph, _ entry: Int) -> Int { graph.shadows[entry] == 0 ? shared[entry - first] : 0 }

  /// Plans the events from `from` to `to`. Those before `from` count as walked.
  mutating func plan(_ graph: TextGraph, _ from: Int, _ to: Int) {
    cut(graph, from, to)
    link(graph, from)
    measure(from, to)
    sort()
  }

  /// Cuts the range where a chain begins and behind every event that is a parent elsewhere.
  private mutating func cut(_ graph: TextGraph, _ from: Int, _ to: Int) {
    heap.removeAll()
    starts.removeAll()
    entries.removeAll()
    let first = graph.entry(of: from)
    let last = graph.entry(of: to - 1)
    var entry = last
    while entry >= first, graph.starts[entry] >= from {
      var parent = graph.parentStarts[entry]
      let end = graph.parentEnd(of: entry)
      while parent < end {
        let cut = graph.parents[parent] + 1
        // Most cuts are where a chain ends anyway.
        if cut > from, cut < to, graph.starts[graph.entry(of: cut, near: entry)] < cut { heap.push(UInt64(cut)) }
        parent += 1
      }
      entry -= 1
    }
    entry = last
    while entry >= first {
      let start = max(from, graph.starts[entry])
      while !heap.isEmpty, Int(heap.top) > start {
        let cut = Int(heap.pop())
        if starts.isEmpty || starts.last != cut { add(cut, entry) }
      }
      add(start, entry)
      entry -= 1
    }
    starts.reverse()
    entries.reverse()
  }

  private mutating func add(_ start: Int, _ entry: Int) {
    starts.append(start)
    entries.append(entry)
  }

  /// Adds the edges from a node to its parents in the range.
  private mutating func addEdges(_ graph: TextGraph, _ node: Int, _ from: Int) {
    let start = starts[node]
    let entry = entries[node]
    if graph.starts[entry] != start {
      if start > from { edges.append(node - 1) }
      return
    }
    var parent = graph.parentStarts[entry]
    let end = graph.parentEnd(of: entry)
    while parent < end {
      let event = graph.parents[parent]
      if event >= from { edges.append(starts.lastIndex(atMost: event, near: node)) }
      parent += 1
    }
  }

  /// Lists the children of each node, and counts its parents.
  private mutating func link(_ graph: TextGraph, _ from: Int) {
    let count = starts.count
    waiting.removeAll()
    childStarts.removeAll()
    children.removeAll()
    edges.removeAll()
    var sums = TextColumn()
    sums.append(0, times: count + 1)
    var edge = 0
    for node in 0..<count {
      addEdges(graph, node, from)
      waiting.append(edges.count - edge)
      while edge < edges.count {
        sums[edges[edge]] = sums[edges[edge]] + 1
        edge += 1
      }
    }
    var total = 0
    for node in 0...count {
      childStarts.append(total)
      total += sums[node]
      sums[node] = childStarts[node]
    }
    children.append(0, times: total)
    edge = 0
    for node in 0..<count {
      for _ in 0..<waiting[node] {
        let parent = edges[edge]
        children[sums[parent]] = node
        sums[parent] = sums[parent] + 1
        edge += 1
      }
    }
  }

  private mutating func measure(_ from: Int, _ to: Int) {
    let count = starts.count
    lowBits = [UInt64](repeating: 0, count: count)
    highBits = lowBits
    let slot = (to - from) / 128 + 1
    var node = count - 1
    while node >= 0 {
      var low: UInt64 = 0
      var high: UInt64 = 0
      var at = (starts[node] - from) / slot
      let last = ((node + 1 < count ? starts[node + 1] : to) - 1 - from) / slot
      while at <= last {
        if at < 64 { low |= 1 << UInt64(at) } else { high |= 1 << UInt64(at - 64) }
        at += 1
      }
      var child = childStarts[node]
      while child < childStarts[node + 1] {
        low |= lowBits[children[child]]
        high |= highBits[children[child]]
        child += 1
      }
      lowBits[node] = low
      highBits[node] = high
      node -= 1
    }
  }

  /// Depth first from the nodes that wait for nothing.
  private mutating func sort() {
    order.removeAll()
    stack.removeAll()
    for node in 0..<starts.count where waiting[node] == 0 { offer(node) }
    pushOffered()
    while !stack.isEmpty {
      let node = stack.last
      stack.truncate(stack.count - 1)
      order.append(node)
      var child = childStarts[node]
      while child < childStarts[node + 1] {
        let next = children[child]
        waiting[next] = waiting[next] - 1
        if waiting[next] == 0 { offer(next) }
        child += 1
      }
      pushOffered()
    }
  }

  private mutating func offer(_ node: Int) {
    let size = lowBits[node].nonzeroBitCount + highBits[node].nonzeroBitCount
    heap.push(UInt64(size) << 32 | UInt64(node))
  }

  /// The largest go to the bottom of the stack.
  private mutating func pushOffered() {
    while !heap.isEmpty { stack.append(Int(heap.pop() & 0xFFFF_FFFF)) }
  }
}
