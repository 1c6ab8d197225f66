// SPDX-License-Identifier: Apache-2.0
// All marks that were ever put on a text, in the order of its log: what each says, and which of two on one character wins.

/// One formatting operation: a key with a value, or with none, on the text between two anchors.
struct TextMark: Sendable {
  /// The author, as an index of `TextMarks.authors`, and the author's number of the start anchor's event; the end anchor is the next.
  var author: Int
  var number: Int
  /// An index of `TextMarks.keys`.
  var key: Int
  /// nil: the key is taken away.
  var value: Text?
  /// Whether text typed at the end of the range is in it.
  var grows: Bool
  /// Greater than those of all marks that its author knew.
  var lamport: Int
}

/// The marks of a document.
struct TextMarks: Sendable {
  /// How many marks a document may ever have got.
  static let countMax = 65_536
  static let keyBytesMax = 64
  static let valueBytesMax = 4_096

  private(set) var all: [TextMark] = []
  /// For each mark where the text of its start anchor begins in the log, ascending. That of its end anchor follows.
  private(set) var offsets = TextColumn()
  var keys = TextNames()
  var authors = TextNames()
  private var lamport = 0

  var count: Int { all.count }
  /// What the next mark of this replica gets.
  var nextLamport: Int { lamport + 1 }

  mutating func append(_ mark: TextMark, at offset: Int) {
    all.append(mark)
    offsets.append(offset)
    lamport = max(lamport, mark.lamport)
  }

  /// Whether a mark loses against another on the same character: the later one wins, and of concurrent ones that with the greater value,
  /// none being the least. Not that of the greater author: a mark that undo brings back is another author's then, or has another
  /// number, and must win where it won.
  func loses(_ a: Int, _ b: Int) -> Bool {
    // Field by field: a whole mark would be retained.
    if all[a].lamport != all[b].lamport { return all[a].lamport < all[b].lamport }
    if all[a].value != all[b].value {
      guard let valueA = all[a].value, let valueB = all[b].value else { return all[a].value == nil }
      return valueA < valueB
    }
    if all[a].author != all[b].author { return authors.all[all[a].author] < authors.all[all[b].author] }
    return all[a].number < all[b].number
  }

  static func isKey(_ text: Text) -> Bool { !text.utf8.isEmpty && isText(text, keyBytesMax) }
  static func isValue(_ text: Text) -> Bool { isText(text, valueBytesMax) }

  @inline(never) private static func isText(_ text: Text, _ bytesMax: Int) -> Bool {
    text.utf8.count <= bytesMax && Text.isValidUTF8(text.utf8, from: 0, to: text.utf8.count)
  }
}

/// Names, each once, by number.
struct TextNames: Sendable {
  static let countMax = 65_536

  private(set) var all: [Text] = []
  /// Numbers in the order of the names' bytes.
  private var sorted: [UInt32] = []

  private func place(of name: Text) -> Int {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) >> 1
      if all[Int(sorted[middle])] < name { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// -1 when unknown.
  func find(_ name: Text) -> Int {
    let place = place(of: name)
    return place < sorted.count && all[Int(sorted[place])].utf8 == name.utf8 ? Int(sorted[place]) : -1
  }

  mutating func add(_ name: Text) -> Int {
    let place = place(of: name)
    if place < sorted.count, all[Int(sorted[place])].utf8 == name.utf8 { return Int(sorted[place]) }
    sorted.insert(UInt32(truncatingIfNeeded: all.count), at: place)
    all.append(name)
    return all.count - 1
  }
}
