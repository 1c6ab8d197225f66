// SPDX-License-Identifier: Apache-2.0
// What an operator decides about a server, and the limits that protect it.

import AloftCore
import Logging

/// How a server listens and what it serves beside the data.
public struct ServerConfiguration: Sendable {
  public var host = "127.0.0.1"
  /// 0 takes any free port; `AloftServer.run` tells which.
  public var port = 8_080
  /// Folders of files, such as the app at "/" and the platform's modules at "/aloft/".
  public var folders: [StaticFolder] = []
  /// Files whose URL contains one of these may fail to load without keeping an update of the app from people's devices.
  public var optionalFiles = ["/icons/"]
  /// Whether browsers reach the server through TLS (by a proxy in front of it). The session cookie is then bound to TLS.
  public var isBehindTLS = false
  /// How often an idle live stream carries a comment.
  public var heartbeat: Duration = .seconds(20)
  /// How long deleted records can be restored, and how long a device may be away before it takes a scope anew.
  public var retention = Retention()
  public var logLevel: Logger.Level = .info

  public init() {}
}

/// Bounds on what one request or connection may cost.
enum ServerLimits {
  static let bodyBytesMax = 4 << 20
  /// About how many bytes of rows one answer carries; the client asks again for the rest.
  static let answerBytesMax = 1 << 20
  static let liveCountMax = 10_000
  static let idleSeconds: Int64 = 75
  static let headerBytesMax = 32 * 1_024
  static let readerThreadCount = 4
}
