// SPDX-License-Identifier: Apache-2.0
// What an edit says, for a person to read: an edit that was refused must not be bytes only.

extension TextMerge {
  /// The letters that an edit inserts, in the order in which they were typed, UTF-8; nil when it is damaged.
  public static func words(of edit: [UInt8]) -> [UInt8]? {
    do throws(TextError) {
      if edit.first != RichTextMessage.format { return try TextEvents(edit, session: []).operations.text }
      return TextAnchor.stripped(try RichTextMessage(edit, session: []).events.operations.text)
    } catch { return nil }
  }
}
