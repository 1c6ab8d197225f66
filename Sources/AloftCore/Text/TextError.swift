// SPDX-License-Identifier: Apache-2.0
// What can be wrong with an edit or with the bytes of events, each case with the one who must act.

/// Why an edit or a message was refused. The document is as it was before.
public enum TextError: UInt8, Error, Sendable {
  /// The bytes end too early, hold a number out of range, or go on after the end. The sender must be mended.
  case malformed = 1
  /// The bytes are of a later format. This program must be updated.
  case unknownFormat = 2
  /// The inserted text is not well-formed UTF-8. The sender must be mended.
  case notUTF8 = 3
  /// An agent's events begin after a number that is not known yet. Ask for the events in between and merge them first.
  case missingEvents = 4
  /// Events stand on others that nobody has sent. Ask for all events since this document's version.
  case missingParents = 5
  /// A message names an agent by a number that this session does not have. Send the agent's id.
  case unknownAgent = 6
  /// A place is outside the text as its author saw it. The sender must be mended.
  case outOfBounds = 7
  /// More events, agents or deletions than a document may have, or branches that would take too long to merge. Begin a new document.
  case tooLarge = 8
  /// The checksum of a saved document does not fit. Restore it from another copy.
  case damaged = 9
  /// An agent's id is empty or longer than 64 bytes.
  case badAgent = 10
  /// The message or the saved document has marks, and this document is plain text. Open it as a `RichTextDocument`.
  case hasMarks = 11
  /// The text holds U+FDD0 or U+FDD1, which stand for the ends of marks in rich text. Leave them out.
  case reserved = 12
  /// The key of a mark is empty or longer than 64 bytes, its value is longer than 4096 bytes, or they are not UTF-8.
  case badMark = 13
  /// The message has the places of its events, which are taken from trusted writers only. Send it without, or read it as trusted.
  case hasPlaces = 14
}
