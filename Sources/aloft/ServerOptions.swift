// SPDX-License-Identifier: Apache-2.0
// Options that demo and serve share, and where the platform's own browser files are found.

import AloftCore
import AloftServer
import AloftSQLite
import AloftStore
import ArgumentParser
import Foundation
import Logging

struct ServerOptions: ParsableArguments {
  @Option(help: "The port to listen on; 0 takes any free one.")
  var port = 8080

  @Option(help: "The address to listen on. 0.0.0.0 lets other machines in.")
  var host = "127.0.0.1"

  @Option(help: ArgumentHelp("The folder with the platform's browser modules, served at /aloft/.", valueName: "folder"))
  var platform: String?

  @Option(help: ArgumentHelp("The engine for the browser, served as /aloft/aloft.wasm.", valueName: "file"))
  var wasm: String?

  @Option(
    help: ArgumentHelp(
      "Files whose URL contains this text may fail to load without stopping an update of the app (repeatable).", valueName: "text"))
  var optional: [String] = ["/icons/"]

  @Option(
    help: ArgumentHelp(
      "For how long a deleted record can be restored. A device that was away for longer fetches everything anew; its own changes stay.",
      valueName: "days"))
  var keepDeleted = 30

  @Flag(help: "Say that browsers come through TLS (a proxy in front of this server): cookies are then bound to it.")
  var behindTls = false

  @Flag(help: "Log every request.")
  var verbose = false

  func validate() throws {
    if !(1...36_500).contains(keepDeleted) { throw ValidationError("--keep-deleted must be 1 to 36500 days.") }
  }

  func configuration(app: [String], wasmNames: [String]) -> ServerConfiguration {
    var configuration = ServerConfiguration()
    configuration.host = host
    configuration.port = port
    configuration.isBehindTLS = behindTls
    configuration.optionalFiles = optional
    configuration.retention.keepMilliseconds = UInt64(keepDeleted) * 86_400_000
    configuration.logLevel = verbose ? .debug : .info
    let engines = wasm.map { [$0] } ?? Installation.find(wasmNames.flatMap { ["build/" + $0, "build/web/" + $0, "share/aloft/" + $0] })
    if let engine = engines.first { configuration.folders.append(StaticFolder(prefix: "/aloft/aloft.wasm", folder: engine)) }
    for folder in platform.map({ [$0] }) ?? Installation.modules {
      configuration.folders.append(StaticFolder(prefix: "/aloft/", folder: folder))
    }
    for folder in app { configuration.folders.append(StaticFolder(prefix: "/", folder: folder)) }
    return configuration
  }
}

/// Files that come with the program: beside it, in a folder above it, or in a folder above the current one.
enum Installation {
  /// Those of the relative paths that exist, in the order given, from the nearest root that has any.
  static func find(_ paths: [String]) -> [String] {
    for root in roots {
      let found = paths.map { root + "/" + $0 }.filter { FileManager.default.fileExists(atPath: $0) }
      if !found.isEmpty { return found }
    }
    return []
  }

  /// The folders with the platform's browser modules: a release alone, or the engine's folder and the sources.
  static var modules: [String] {
    let found = find(["build/web", "Web", "share/aloft/web"])
    guard let complete = found.firstIndex(where: { FileManager.default.fileExists(atPath: $0 + "/aloft.js") }) else { return found }
    return Array(found[...complete])
  }

  private static var roots: [String] {
    var roots: [String] = []
    var starts = [FileManager.default.currentDirectoryPath]
    if let program = Bundle.main.executablePath { starts.append((program as NSString).deletingLastPathComponent) }
    for start in starts {
      var folder = URL(fileURLWithPath: start).resolvingSymlinksInPath().path
      while folder != "/", !folder.isEmpty {
        if !roots.contains(folder) { roots.append(folder) }
        folder = (folder as NSString).deletingLastPathComponent
      }
    }
    return roots
  }
}

/// The files of a data folder.
struct DataFolder {
  let path: String

  var store: String { path + "/store.sqlite" }
  var sessions: String { path + "/sessions.sqlite" }
  /// The declaration that the folder was last served with.
  private var declaration: String { path + "/app.json" }

  /// Refuses a declaration that would not fit the data or older clients; otherwise remembers it.
  func adopt(_ app: App) throws {
    if FileManager.default.fileExists(atPath: declaration) {
      let breaks = app.incompatibilities(with: try readApp(declaration))
      guard breaks.isEmpty else {
        let lines = breaks.map { "\($0.path.string): \($0.message.string)" }.joined(separator: "\n  ")
        throw ValidationError("The declaration does not fit the data in \(path), which was served with another one:\n  \(lines)")
      }
    }
    do { try Data(app.json()).write(to: URL(fileURLWithPath: declaration), options: .atomic) } catch {
      throw ValidationError("Could not write \(declaration): \(error.localizedDescription)")
    }
  }

  /// The names of the collections by number, when the declaration is there.
  var collectionNames: [String] {
    guard let app = try? readApp(declaration) else { return [] }  // a folder without one is shown by numbers
    return app.collections.map(\.name.string)
  }

  /// Makes the folder, readable by its owner only.
  func make() throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw ValidationError("Could not make the data folder \(path): \(error.localizedDescription)")
    }
  }
}

/// Reads a declaration; problems name their path in the file.
func readApp(_ path: String) throws -> App {
  guard let data = FileManager.default.contents(atPath: path) else { throw ValidationError("Could not read \(path).") }
  do { return try App(json: Array(data)) } catch {
    let place = error.path.utf8.isEmpty ? path : "\(path): \(error.path.string)"
    throw ValidationError("\(place): \(error.message.string)")
  }
}

extension StoreError {
  /// The error as an operator should read it.
  var explanation: String {
    switch self {
    case .unavailable(let reason), .damaged(let reason): reason.string
    case .full: "No space is left on the disk of the data folder."
    }
  }
}

/// Opens what a data folder holds; failures are sentences for an operator.
func openStore(_ folder: DataFolder) throws -> SQLiteStore {
  try folder.make()
  do { return try SQLiteStore(path: folder.store) } catch { throw ValidationError("\(folder.path): \(error.explanation)") }
}

/// Writes a line to the terminal at once, also when the output is a pipe.
func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
