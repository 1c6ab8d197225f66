// SPDX-License-Identifier: Apache-2.0
// One long insertion, cut into pieces by what others typed while it was being typed.
import Testing

@testable import AloftCore

@Suite struct LongRunTests {
  /// Letters of one byte, and of one to four bytes.
  private static let narrow = ["a", "b", "c", "d"].map { Array($0.utf8) }
  private static let wide = ["a", "é", "€", "😀"].map { Array($0.utf8) }

  private static func type(_ letters: [[UInt8]], _ count: Int, by agent: String, in document: inout TextDocument) throws {
    for index in 0..<count { try document.insert(letters[index % 4], at: document.count, by: Text(agent)) }
  }

  /// What one author types, and after each `step` letters of it a letter of somebody else who had seen these only.
  private static func messages(_ letters: [[UInt8]], _ steps: Int, of step: Int) throws -> (author: [UInt8], others: [[UInt8]]) {
    var author = TextDocument()
    var others: [[UInt8]] = []
    for index in 0..<steps {
      try type(letters, step, by: "author", in: &author)
      var other = author
      try other.insert(letters[index % 4], at: other.count, by: Text("other-\(index * 7_919 % 10_007)"))
      others.append(other.encode(since: author.version))
    }
    return (author.encode(), others)
  }

  /// Which letters a text has.
  private static func indices(_ text: [UInt8], _ letters: [[UInt8]]) -> [Int?] {
    String(decoding: text, as: UTF8.self).unicodeScalars.map { scalar in letters.firstIndex(of: Array(String(scalar).utf8)) }
  }

  @Test(arguments: [61, 500, 4_096])
  func `it reads alike whether its letters take one byte or several, in both orders of arrival, whole and in parts`(
    step: Int
  ) throws {
    let steps = 12_288 / step
    var results: [[Int?]] = []
    for letters in [Self.narrow, Self.wide] {
      let (author, others) = try Self.messages(letters, steps, of: step)
      for order in [others, others.reversed()] {
        var document = TextDocument()
        for message in [author] + order { try document.absorb(message) }
        results.append(Self.indices(document.utf8, letters))
        let whole = document.encode()
        var copy = TextDocument()
        try copy.absorb(whole)
        let isSame = copy.utf8 == document.utf8 && copy.encode() == whole
        #expect(isSame)
        let isSameAgain = try TextDocument(saved: document.save()).encode() == whole
        #expect(isSameAgain)
      }
    }
    #expect(results[0].count == steps * (step + 1))
    // Not compared inside #expect, which would spell out how such long lists differ.
    let isSame = results.allSatisfy { $0 == results[0] }
    #expect(isSame)
  }

  @Test func `what follows a refused message is read as if that had never come`() throws {
    var author = TextDocument()
    try Self.type(Self.wide, 9_000, by: "author", in: &author)
    var expected = author
    // Somebody whose copy of the author's next letters differs types where there is no text.
    var document = author
    try document.delete(8_000, at: 0, by: Text("author"))
    try Self.type(Self.wide, 8_000, by: "author", in: &author)
    let seen = author.version
    try Self.type(Array(Self.wide.reversed()), 9_000, by: "other", in: &author)
    let refused = author.encode(since: seen)
    #expect(throws: TextError.outOfBounds) { try document.absorb(refused) }

    try expected.delete(8_000, at: 0, by: Text("author"))
    for index in 0..<50 {
      var other = expected
      let version = other.version
      try Self.type(Self.wide, 200, by: "third-\(index)", in: &other)
      let message = other.encode(since: version)
      if index % 2 == 0 { expected = other } else { try expected.absorb(message) }
      try document.absorb(message)
    }
    let isSame = document.encode() == expected.encode() && document.utf8 == expected.utf8
    #expect(isSame)
  }
}
