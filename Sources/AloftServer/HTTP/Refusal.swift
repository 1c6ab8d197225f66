// SPDX-License-Identifier: Apache-2.0
// Every answer that says no: one shape, a code from one table, a message that tells the next step, and no internals.

import AloftCore
import HTTPTypes
import Hummingbird

/// Why a request was not answered as asked. Thrown by routes; the outermost middleware turns it into
/// `{"aloft":1,"error":{"code","message","path"?,"request"}}`.
public struct Refusal: Error, Equatable {
  public var code: ErrorCode
  /// The HTTP status; the code's own unless a finer one exists.
  public var status: HTTPResponse.Status
  /// A sentence for people that tells the next step; never contains data or internals.
  public var message: String
  /// Where in the request the fault lies.
  public var path: String?
  /// When the same request may succeed.
  public var retryAfterSeconds: Int?

  public init(
    _ code: ErrorCode, _ message: String, path: String? = nil, status: HTTPResponse.Status? = nil, retryAfterSeconds: Int? = nil
  ) {
    self.code = code
    self.status = status ?? HTTPResponse.Status(code: code.status)
    self.message = message
    self.path = path
    self.retryAfterSeconds = retryAfterSeconds
  }

  static let signedOut = Refusal(.signIn, "Sign in first: POST /session with user and password.")
  static let wrongPassword = Refusal(.signIn, "The user or the password is wrong.")
  static let notFound = Refusal(.notFound, "Nothing lives at this address.")
  static let noMarker = Refusal(.forbidden, "Requests that change something need the header X-Aloft: 1.")
  static let crossSite = Refusal(.forbidden, "Requests from pages of other sites are refused.")
  static let foreignHost = Refusal(
    .forbidden, "An open server answers on this machine's own addresses only: use 127.0.0.1 or localhost.")
  static let wrongType = Refusal(.invalid, "Send application/cbor or application/json.", path: "Content-Type", status: .unsupportedMediaType)
  static let `internal` = Refusal(.internal, "The server failed. Try again later.", retryAfterSeconds: 30)

  static func method(allowed: String) -> Refusal { Refusal(.method, "This address takes \(allowed) only.") }

  static func tooLarge(maximum: Int) -> Refusal {
    Refusal(.tooLarge, "The body is larger than \(maximum) bytes. Send it in several requests.")
  }

  static func newerSchema(_ device: UInt64, server: Int) -> Refusal {
    Refusal(
      .schemaVersion, "The device runs version \(device) of the app and the server version \(server). Update the server; the device keeps trying.",
      path: "schema", retryAfterSeconds: 60)
  }

  static let tooOften = Refusal(
    .busy, "Too many messages in one second. Send the newest only.", status: .tooManyRequests, retryAfterSeconds: 1)
  // The same for what is not there and for what may not be read.
  static let noText = Refusal(.notFound, "There is no such text.", path: "id")

  static func busy(seconds: Int = 2) -> Refusal {
    Refusal(.busy, "The server is busy. Try again in \(seconds) s.", retryAfterSeconds: seconds)
  }

  static func throttled(seconds: Int) -> Refusal {
    Refusal(
      .busy, "Too many failed sign-ins. Try again in \(seconds) s.", status: .tooManyRequests, retryAfterSeconds: seconds)
  }

  init(_ error: WireError) {
    self.init(error.code, error.message.string, path: error.path.utf8.isEmpty ? nil : error.path.string)
  }

  /// What a caller may know of a store's failure: whether trying again helps.
  init(_ error: StoreError) {
    switch error {
    case .unavailable: self = .busy()
    case .full: self.init(.full, "The server has no space left. Nothing was changed; try again later.", retryAfterSeconds: 60)
    case .damaged: self.init(.internal, "The server's data needs an operator. Nothing was changed.", retryAfterSeconds: 300)
    }
  }

  /// The answer, with the id under which the server's log has the details.
  func response(request: String) -> Response {
    var error: [(String, JSONText)] = [("code", .text(code.name.string)), ("message", .text(message))]
    if let path { error.append(("path", .text(path))) }
    error.append(("request", .text(request)))
    var response = Response(json: .object([("aloft", .number(1)), ("error", .object(error))]), status: status)
    if let retryAfterSeconds { response.headers[.retryAfter] = String(retryAfterSeconds) }
    return response
  }
}

/// The few JSON shapes that the server writes itself. Everything about records is written by AloftCore.
indirect enum JSONText {
  case text(String)
  case number(Int)
  case bool(Bool)
  case null
  case array([JSONText])
  case object([(String, JSONText)])

  var string: String {
    switch self {
    case .text(let text): Self.quoted(text)
    case .number(let number): String(number)
    case .bool(let bool): bool ? "true" : "false"
    case .null: "null"
    case .array(let items): "[" + items.map(\.string).joined(separator: ",") + "]"
    case .object(let members):
      "{" + members.map { Self.quoted($0.0) + ":" + $0.1.string }.joined(separator: ",") + "}"
    }
  }

  private static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}

extension Response {
  init(json: JSONText, status: HTTPResponse.Status = .ok) {
    self.init(
      status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
      body: .init(byteBuffer: ByteBuffer(string: json.string)))
  }
}

extension HTTPField.Name {
  static let xAloft = HTTPField.Name("X-Aloft")!
  static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
  static let requestID = HTTPField.Name("X-Request-Id")!
  static let serviceWorkerAllowed = HTTPField.Name("Service-Worker-Allowed")!
  static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
  static let crossOriginOpenerPolicy = HTTPField.Name("Cross-Origin-Opener-Policy")!
  static let crossOriginResourcePolicy = HTTPField.Name("Cross-Origin-Resource-Policy")!
}
