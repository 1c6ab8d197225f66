// SPDX-License-Identifier: Apache-2.0
// What the server thinks of a device's identity, as every answer says it.

/// How a device's own history compares with what the server knows of it.
public enum DeviceStanding: UInt8, Sendable {
  case ok
  /// The device's storage went back in time: it must take a new identity and offer again what it holds.
  case rolledBack
  /// The device knows more than the server, which was restored: the same remedy.
  case unknownHistory
  /// The device, or the changes it sends, belong to another user than the session.
  case foreign

  package var name: StaticString {
    switch self {
    case .ok: "ok"
    case .rolledBack: "rolledBack"
    case .unknownHistory: "unknownHistory"
    case .foreign: "foreign"
    }
  }
}
