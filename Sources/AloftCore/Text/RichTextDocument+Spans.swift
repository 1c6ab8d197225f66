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
  /// How many styles show on a character at most: those whose keys come first.
  public static let stylesMax = 32

  /// The whole text as runs of equal styles, neighbours different. Costs the anchors times the logarithm of the marks, and the result.
  public func spans() -> [TextSpan] { runs().map { TextSpan(length: $0.length, styles: $0.marks.map { style(of: $0) }) } }

  func style(of mark: Int) -> TextStyle { TextStyle(key: marks.keys.all[marks.all[mark].key], value: marks.all[mark].value ?? Text(utf8: [])) }

  /// Some text, and the marks that win there, in the order of their keys.
  struct Run {
    var length: Int
    var marks: [Int]
  }

  func runs() -> [Run] { runs(anchors, count) }

  /// The same with other anchors, of another state of the document, whose text had `count` scalars.
  func runs(_ anchors: TextAnchors, _ count: Int) -> [Run] {
    var runs: [Run] = []
    var cover = TextCover(marks, anchors)
    var winners: [Int] = []
    var isStale = false
    var shown = 0
    for index in 0...anchors.count {
      let length = index < anchors.count ? anchors.gaps[index] : count - shown
      if length > 0 {
        if isStale { winners = cover.winners(marks) }
        isStale = false
        shown += length
        if let last = runs.last, isEqual(last.marks, winners) {
          runs[runs.count - 1].length += length
        } else {
          runs.append(Run(length: length, marks: winners))
        }
      }
      if index < anchors.count {
        cover.pass(anchors.refs[index], marks)
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
        if !isEqual(before, run.marks) {
          // Neighbours are joined.
          let start = result.last?.upperBound == place ? result.removeLast().lowerBound : place
          result.append(start..<place + length)
        }
        place += length
        left -= length
      }
    }
    return result
  }
}

/// The marks that cover a place, while one walks over the text.
private struct TextCover {
  /// For each mark its rank, so that the greater wins, and which mark has a rank.
  private var ranks = TextColumn()
  private var marks = TextColumn()
  /// For each key the marks that began, by rank; those that ended are taken out when they come to the top.
  private var open: [TextHeap]
  /// 0: not begun, 1: open, 2: ended, 3: its end is missing. A mark of which an anchor was deleted never opens, or covers nothing.
  private var states = TextColumn()
  /// The keys with an open mark, in the order of their bytes; and for each key whether it is there.
  private var keys = TextColumn()
  private var isThere = TextColumn()

  init(_ all: TextMarks, _ anchors: TextAnchors) {
    states.append(2, times: all.count)
    ranks.append(0, times: all.count)
    for index in 0..<anchors.count {
      let ref = anchors.refs[index]
      if ref & 1 == 0 {
        states[ref >> 1] = 3
      } else if states[ref >> 1] == 3 {
        states[ref >> 1] = 0
        marks.append(ref >> 1)
      }
    }
    marks.sort { all.loses($0, $1) }
    for rank in 0..<marks.count { ranks[marks[rank]] = rank }
    open = Array(repeating: TextHeap(), count: all.keys.all.count)
    isThere.append(0, times: open.count)
  }

  mutating func pass(_ ref: Int, _ all: TextMarks) {
    let mark = ref >> 1
    if ref & 1 == 1 {
      states[mark] = 2
    } else if states[mark] == 0 {
      states[mark] = 1
      let key = all.all[mark].key
      open[key].push(UInt64(ranks[mark]))
      if isThere[key] == 0 {
        isThere[key] = 1
        let names = all.keys.all
        var at = keys.count
        while at > 0, names[key] < names[keys[at - 1]] { at -= 1 }
        keys.insert(key, at: at)
      }
    }
  }

  mutating func winners(_ all: TextMarks) -> [Int] {
    var result: [Int] = []
    var kept = 0
    for index in 0..<keys.count {
      let key = keys[index]
      if result.count == RichTextDocument.stylesMax {
        // The rest stays as it is: a text that somebody covered with thousands of marks must still open.
        if kept == index { return result }
        keys[kept] = key
        kept += 1
        continue
      }
      while !open[key].isEmpty, states[marks[Int(open[key].top)]] == 2 { _ = open[key].pop() }
      if open[key].isEmpty {
        isThere[key] = 0
        continue
      }
      keys[kept] = key
      kept += 1
      let mark = marks[Int(open[key].top)]
      if all.all[mark].value != nil { result.append(mark) }
    }
    keys.truncate(kept)
    return result
  }
}
