// SPDX-License-Identifier: Apache-2.0
// The styles of a text with marks, as runs for showing it, and which runs a merge changed.

/// A key with the value that holds for a range of text.
public struct TextStyle: Equatable, Sendable {
  public var key: Text
  public var value: Text

  public init(key: Text, value: Text) {
    self.key = key
    self.value = value
  }

  public static func == (a: TextStyle, b: TextStyle) -> Bool { a.key.utf8 == b.key.utf8 && a.value.utf8 == b.value.utf8 }
}

/// Some text with equal styles.
public struct TextSpan: Equatable, Sendable {
  /// In Unicode scalars.
  public var length: Int
  /// In the order of the keys' bytes.
  public var styles: [TextStyle]

  public init(length: Int, styles: [TextStyle]) {
    self.length = length
    self.styles = styles
  }
}

extension RichTextDocument {
  /// The whole text as runs of equal styles, neighbours different. Costs the anchors times the logarithm of the marks, and the result.
  public func spans() -> [TextSpan] {
    runs().map { run in
      TextSpan(
        length: run.length,
        styles: run.marks.map { TextStyle(key: marks.keys.all[marks.all[$0].key], value: marks.all[$0].value ?? Text(utf8: [])) })
    }
  }

  /// Some text, and the marks that win there, in the order of their keys.
  struct Run {
    var length: Int
    var marks: [Int]
  }

  func runs() -> [Run] { runs(anchors, count) }

  /// The same with other anchors, of another state of the document, whose text had `count` scalars.
  func runs(_ anchors: TextAnchors, _ count: Int) -> [Run] {
    var runs: [Run] = []
    var cover = TextCover(self, anchors)
    var winners: [Int] = []
    var isStale = false
    var shown = 0
    for index in 0...anchors.count {
      let length = index < anchors.count ? anchors.gaps[index] : count - shown
      if length > 0 {
        if isStale { winners = cover.winners(self) }
        isStale = false
        shown += length
        if let last = runs.last, isEqual(last.marks, winners) {
          runs[runs.count - 1].length += length
        } else {
          runs.append(Run(length: length, marks: winners))
        }
      }
      if index < anchors.count {
        cover.pass(anchors.refs[index], self)
        isStale = true
      }
    }
    return runs
  }

  /// Whether two lists of marks show the same.
  func isEqual(_ a: [Int], _ b: [Int]) -> Bool {
    if a.count != b.count { return false }
    for index in 0..<a.count where a[index] != b[index] {
      let (x, y) = (a[index], b[index])
      if marks.all[x].key != marks.all[y].key || marks.all[x].value?.utf8 != marks.all[y].value?.utf8 { return false }
    }
    return true
  }

  /// The inserted ranges that lie in some mark: all that a change can restyle which neither added nor removed anchors.
  func covered(_ step: TextStep) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var walk = TextStep.Place(step)
    var isBegun = TextColumn()
    isBegun.append(0, times: marks.count)
    // Where the walk over the text is, the end of the text before the next anchor, and how many marks are open there.
    var (place, index, open) = (0, 0, 0)
    var gapEnd = anchors.count > 0 ? anchors.gaps[0] : count
    while !walk.isAtEnd {
      if walk.kind == TextStep.delete {
        _ = walk.take(walk.left, step)
        continue
      }
      while place == gapEnd, index < anchors.count {
        let mark = anchors.refs[index] >> 1
        if anchors.refs[index] & 1 == 0 {
          open += 1
          isBegun[mark] = 1
        } else if isBegun[mark] == 1 {
          open -= 1
        }
        index += 1
        gapEnd = index < anchors.count ? gapEnd + anchors.gaps[index] : count
      }
      let length = min(walk.left, gapEnd - place)
      if length == 0 { break }
      if walk.kind == TextStep.insert, open > 0 { TextRanges.add(place..<place + length, to: &result) }
      _ = walk.take(length, step)
      place += length
    }
    return result
  }

  /// The ranges whose styles differ from what they were before a change of the text. Inserted text was plain.
  func restyled(_ old: [Run], _ step: TextStep) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var (at, used, place) = (0, 0, 0)
    var walk = TextStep.Place(step)
    for run in runs() {
      var left = run.length
      while left > 0 {
        if walk.kind == TextStep.delete {
          var gone = walk.take(walk.left, step)
          while gone > 0, at < old.count {
            let taken = min(gone, old[at].length - used)
            gone -= taken
            used += taken
            if used == old[at].length { (at, used) = (at + 1, 0) }
          }
          continue
        }
        var length = min(left, walk.left)
        var before: [Int] = []
        if walk.kind == TextStep.keep, at < old.count {
          length = min(length, old[at].length - used)
          before = old[at].marks
          used += length
          if used == old[at].length { (at, used) = (at + 1, 0) }
        }
        _ = walk.take(length, step)
        if !isEqual(before, run.marks) { TextRanges.add(place..<place + length, to: &result) }
        place += length
        left -= length
      }
    }
    return result
  }
}

/// Ranges in order, neighbours joined.
private enum TextRanges {
  static func add(_ range: Range<Int>, to ranges: inout [Range<Int>]) {
    if let last = ranges.last, last.upperBound == range.lowerBound {
      ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
    } else {
      ranges.append(range)
    }
  }
}

/// The marks that cover a place, while one walks over the text.
private struct TextCover {
  /// For each mark its rank, so that the greater wins, and which mark has a rank.
  private var ranks = TextColumn()
  private var marks = TextColumn()
  /// For each key the marks that began, by rank; those that ended are taken out when they come to the top.
  private var open: [TextHeap]
  /// 0: not begun, 1: open, 2: ended. A mark of which an anchor was deleted never opens, or covers nothing.
  private var states = TextColumn()
  /// The keys with an open mark, in the order of their bytes; and for each key whether it is there.
  private var keys = TextColumn()
  private var isThere = TextColumn()

  init(_ document: RichTextDocument, _ anchors: TextAnchors) {
    var sorted: [Int] = []
    var hasStart = TextColumn()
    hasStart.append(0, times: document.marks.count)
    states.append(2, times: document.marks.count)
    ranks.append(0, times: document.marks.count)
    for index in 0..<anchors.count {
      let ref = anchors.refs[index]
      if ref & 1 == 0 {
        hasStart[ref >> 1] = 1
      } else if hasStart[ref >> 1] == 1 {
        states[ref >> 1] = 0
        sorted.append(ref >> 1)
      }
    }
    sorted.sort { document.marks.loses($0, $1) }
    for mark in sorted {
      ranks[mark] = marks.count
      marks.append(mark)
    }
    open = Array(repeating: TextHeap(), count: document.marks.keys.all.count)
    isThere.append(0, times: open.count)
  }

  mutating func pass(_ ref: Int, _ document: RichTextDocument) {
    let mark = ref >> 1
    if ref & 1 == 1 {
      states[mark] = 2
    } else if states[mark] == 0 {
      states[mark] = 1
      let key = document.marks.all[mark].key
      open[key].push(UInt64(ranks[mark]))
      if isThere[key] == 0 {
        isThere[key] = 1
        let names = document.marks.keys.all
        var at = keys.count
        while at > 0, names[key] < names[keys[at - 1]] { at -= 1 }
        keys.insert(key, at: at)
      }
    }
  }

  mutating func winners(_ document: RichTextDocument) -> [Int] {
    var result: [Int] = []
    var kept = 0
    for index in 0..<keys.count {
      let key = keys[index]
      while !open[key].isEmpty, states[marks[Int(open[key].top)]] == 2 { _ = open[key].pop() }
      if open[key].isEmpty {
        isThere[key] = 0
        continue
      }
      keys[kept] = key
      kept += 1
      let mark = marks[Int(open[key].top)]
      if document.marks.all[mark].value != nil { result.append(mark) }
    }
    keys.truncate(kept)
    return result
  }
}
