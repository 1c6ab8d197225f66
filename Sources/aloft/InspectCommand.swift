// SPDX-License-Identifier: Apache-2.0
// aloft inspect: looks into a data folder, also while a server is using it.

import AloftCore
import AloftSQLite
import ArgumentParser
import Foundation

struct InspectCommand: ParsableCommand {
  enum Subject: String, ExpressibleByArgument, CaseIterable { case devices, scopes, records, log }

  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Look into a data folder.",
    discussion: """
      devices   who syncs, how many mutations were judged, when they were last seen
      scopes    the logs, their heads and how many records they hold
      records   each record with its version, its scopes and its size
      log       what changed in each scope, newest first

      Reads only; a server may be running. --json prints one JSON object a line.
      """)

  @Argument(help: "The data folder.")
  var data: String

  @Argument(help: "devices, scopes, records or log.")
  var subject: Subject = .scopes

  @Option(help: "The most lines to print.")
  var limit = 200

  @Flag(help: "Print JSON lines for programs.")
  var json = false

  func run() throws {
    let folder = DataFolder(path: data)
    guard FileManager.default.fileExists(atPath: folder.store) else {
      throw ValidationError("\(data) is not a data folder: it holds no store.sqlite.")
    }
    let table: Table
    do {
      let store = try SQLiteStore.inspect(path: folder.store)
      let names = folder.collectionNames
      table = try store.read { (reader) throws(StoreError) in try rows(&reader, names) }
    } catch { throw ValidationError("\(data): \(error.explanation)") }
    for line in json ? table.jsonLines : table.lines { print(line) }
  }

  private func rows(_ reader: inout SQLiteReader, _ names: [String]) throws(StoreError) -> Table {
    func collection(_ number: Int) -> String { number < names.count ? names[number] : String(number) }
    switch subject {
    case .devices:
      var table = Table(columns: ["device", "user", "mutations", "acknowledged", "seen"], numeric: [2, 3])
      for (id, state) in try reader.allDevices(limit: limit) {
        table.rows.append([
          Base64URL.encode(id.bytes).string, state.user.string, String(state.head), String(state.acknowledged), date(state.seen),
        ])
      }
      return table
    case .scopes:
      var table = Table(columns: ["scope", "sequence", "records", "floor", "checksum"], numeric: [1, 2, 3])
      for (name, state, count) in try reader.allScopes().prefix(limit) {
        let checksum = String(state.checksum, radix: 16)
        table.rows.append([name.string, String(state.sequence), String(count), String(state.floor), checksum])
      }
      return table
    case .records:
      var table = Table(columns: ["collection", "id", "version", "state", "bytes", "scopes"], numeric: [2, 4])
      for (key, record) in try reader.allRecords(limit: limit) {
        let row = try? Row(bytes: record.row)  // a row of a newer version is listed without its version
        let state = row.map { $0.isDeleted ? "deleted" : "live" } ?? "unreadable"
        let scopes = record.placements.map { "\($0.scope.string)@\($0.sequence)" }.joined(separator: " ")
        table.rows.append([
          collection(key.collection), key.id.string, row.map { String($0.version) } ?? "", state, String(record.row.count), scopes,
        ])
      }
      return table
    case .log:
      var table = Table(columns: ["scope", "sequence", "entry", "collection", "id"], numeric: [1])
      for entry in try reader.newestEntries(limit: limit) {
        table.rows.append([
          entry.scope.string, String(entry.sequence), entry.isPresent ? "changed" : "left", collection(entry.key.collection),
          entry.key.id.string,
        ])
      }
      return table
    }
  }

  private func date(_ milliseconds: UInt64) -> String {
    Date(timeIntervalSince1970: Double(milliseconds) / 1_000).formatted(.iso8601)
  }
}

/// Rows of text under column names.
private struct Table {
  var columns: [String]
  /// Columns that hold numbers: right-aligned for people, bare in JSON.
  var numeric: Set<Int>
  var rows: [[String]] = []

  init(columns: [String], numeric: Set<Int>) {
    self.columns = columns
    self.numeric = numeric
  }

  var lines: [String] {
    let widths = columns.indices.map { column in ([columns] + rows).map { $0[column].count }.max() ?? 0 }
    return ([columns] + rows).map { row in
      var line = row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return numeric.contains(column) ? padding + printable(row[column]) : printable(row[column]) + padding
      }.joined(separator: "  ")
      while line.hasSuffix(" ") { line.removeLast() }
      return line
    }
  }

  var jsonLines: [String] {
    rows.map { row in
      let members = row.indices.map { column in
        let value = numeric.contains(column) && !row[column].isEmpty ? row[column] : quoted(row[column])
        return "\"\(columns[column])\":\(value)"
      }
      return "{" + members.joined(separator: ",") + "}"
    }
  }

  /// Names come from strangers: no terminal controls.
  private func printable(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : $0 }))
  }

  private func quoted(_ text: String) -> String {
    // Encoding one string cannot fail.
    String(decoding: (try? JSONEncoder().encode(text)) ?? Data(), as: UTF8.self)
  }
}
