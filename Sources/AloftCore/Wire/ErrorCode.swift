// SPDX-License-Identifier: Apache-2.0
// The one table of errors that answer a request as a whole: name, HTTP status, who must act.

/// Why a request was refused as a whole. (What becomes of a single mutation is its `Outcome`.)
public enum ErrorCode: UInt8, CaseIterable, Sendable {
  case malformed = 1
  case invalid
  case tooLarge
  case signIn
  case forbidden
  case notFound
  case method
  case protocolVersion
  case busy
  case full
  case `internal`
  case schemaVersion

  /// The stable word in answers.
  public var name: Text {
    switch self {
    case .malformed: Text("malformed")
    case .invalid: Text("invalid")
    case .tooLarge: Text("tooLarge")
    case .signIn: Text("signIn")
    case .forbidden: Text("forbidden")
    case .notFound: Text("notFound")
    case .method: Text("method")
    case .protocolVersion: Text("protocolVersion")
    case .busy: Text("busy")
    case .full: Text("full")
    case .internal: Text("internal")
    case .schemaVersion: Text("schemaVersion")
    }
  }

  /// The HTTP status that carries it.
  public var status: Int {
    switch self {
    case .malformed, .invalid: 400
    case .signIn: 401
    case .forbidden: 403
    case .notFound: 404
    case .method: 405
    case .tooLarge: 413
    case .protocolVersion: 426
    case .busy, .schemaVersion: 503
    case .full: 507
    case .internal: 500
    }
  }
}

/// A refusal of a request, with the path to the problem in the request.
public struct WireError: Error, Equatable, Sendable {
  public var code: ErrorCode
  public var path: Text
  public var message: Text

  public init(_ code: ErrorCode, path: String = "", _ message: String) {
    self.code = code
    self.path = Text(path)
    self.message = Text(message)
  }
}

/// The two encodings of the same messages.
public enum WireFormat: Sendable { case cbor, json }
