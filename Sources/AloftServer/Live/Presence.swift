// SPDX-License-Identifier: Apache-2.0
// Who has a cursor in which text: kept in memory for half a minute, never on disk, and told only to people who may read the field.

import AloftCore
import Synchronization

/// What a page tells of its person's cursor.
struct Presence: Sendable {
  static let seconds: Double = 30

  /// The session that tells it, as a digest; nil on an open server, which has no sessions.
  var owner: [UInt8]?
  var collection: Text
  var id: Text
  var field: Text
  /// A random name of the open text, since one person may have several.
  var session: String
  var user: String
  var name: String
  /// In UTF-16 units of the text as its sender sees it; nil when the person has left.
  var cursor: Int?
  var anchor: Int

  var key: String { user + " " + session }

  var json: String {
    JSONText.object([
      ("collection", .text(collection.string)), ("id", .text(id.string)), ("field", .text(field.string)), ("session", .text(session)),
      ("user", .text(user)), ("name", .text(name)), ("cursor", cursor.map { .number($0) } ?? .null), ("anchor", .number(anchor)),
    ]).string
  }
}

/// Everybody's last word, for those who come later. Bounded: at most 16 open texts for each person, 20,000 in all.
final class PresenceTable: Sendable {
  static let personMax = 16
  static let countMax = 20_000

  private struct Entry {
    var presence: Presence
    /// As it was when the presence was told.
    var place: FieldPlace
    var endsAt: Double
  }

  private let entries = Mutex<[String: Entry]>([:])

  /// False when there is no room.
  func put(_ presence: Presence, at place: FieldPlace, now: Double) -> Bool {
    entries.withLock { entries in
      guard presence.cursor != nil else {
        entries[presence.key] = nil
        return true
      }
      if entries[presence.key] == nil {
        let old = entries.filter { $0.value.endsAt <= now }
        for key in old.keys { entries[key] = nil }
        guard entries.count < Self.countMax, entries.count(where: { $0.value.presence.user == presence.user }) < Self.personMax else { return false }
      }
      entries[presence.key] = Entry(presence: presence, place: place, endsAt: now + Presence.seconds)
      return true
    }
  }

  /// What somebody could read when it was told and is not too old, without what the asker told itself.
  func current(for principal: Principal, except owner: [UInt8]?, now: Double) -> [Presence] {
    entries.withLock { entries in
      entries.values.filter { $0.endsAt > now && (owner == nil || $0.presence.owner != owner) && $0.place.isReadable(by: principal) }
        .map(\.presence)
    }
  }
}

/// Counts what each sender tells in windows of one second.
final class PresenceThrottle: Sendable {
  static let countMax = 20

  private struct Window {
    var count = 0
    var endsAt = 0.0
  }

  private let windows = Mutex<[String: Window]>([:])

  func allows(_ sender: String, now: Double) -> Bool {
    windows.withLock { windows in
      if windows.count > 10_000 { windows = windows.filter { $0.value.endsAt > now } }
      var window = windows[sender] ?? Window()
      if window.endsAt <= now { window = Window(endsAt: now + 1) }
      window.count += 1
      windows[sender] = window
      return window.count <= Self.countMax
    }
  }
}
