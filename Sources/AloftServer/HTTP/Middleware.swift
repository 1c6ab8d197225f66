// SPDX-License-Identifier: Apache-2.0
// What every request passes: the last resort for errors, headers for every answer, and the checks against other sites.

import AloftCore
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Outermost: turns every error into one shape, logs each request, and never shows internals.
struct AnswerMiddleware: RouterMiddleware {
  func handle(
    _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    let started = ContinuousClock.now
    var response: Response
    do {
      response = try await next(request, context)
    } catch {
      response = answer(error, context).response(request: context.id)
    }
    response.headers[.requestID] = context.id
    response.headers[.xContentTypeOptions] = "nosniff"
    response.headers[.referrerPolicy] = "no-referrer"
    response.headers[.crossOriginOpenerPolicy] = "same-origin"
    response.headers[.crossOriginResourcePolicy] = "same-origin"
    if context.logger.logLevel <= .debug {
      context.logger.debug(
        "request",
        metadata: [
          "method": "\(request.method)", "path": "\(escaped(request.uri.path))", "status": "\(response.status.code)",
          "milliseconds": "\((ContinuousClock.now - started) / .milliseconds(1))",
        ])
    }
    return response
  }

  private func answer(_ error: any Error, _ context: ServerContext) -> Refusal {
    switch error {
    case let refusal as Refusal: return refusal
    case let error as WireError: return Refusal(error)
    case let error as StoreError:
      // Busy is ordinary; a full disk and damage need somebody.
      switch error {
      case .unavailable(let reason): context.logger.debug("store unavailable", metadata: ["reason": "\(reason.string)"])
      case .full: context.logger.error("store full")
      case .damaged(let reason): context.logger.error("store damaged", metadata: ["reason": "\(reason.string)"])
      }
      return Refusal(error)
    case is NIOTooManyBytesError: return .tooLarge(maximum: ServerLimits.bodyBytesMax)
    case let error as HTTPError:
      switch error.status {
      case .notFound: return .notFound
      default: return Refusal(.malformed, "The request could not be read.", status: error.status)
      }
    case is CancellationError: return .busy()
    default:
      context.logger.error("request failed", metadata: ["error": "\(escaped(String(reflecting: error)))"])
      return .internal
    }
  }

  /// Keeps line breaks and terminal controls of strangers out of the log.
  private func escaped(_ text: String) -> String {
    String(text.prefix(500).unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : Character($0) })
  }
}

/// Refuses requests that a page of another site made in the person's browser.
///
/// The marker header cannot be sent across sites without a preflight, which this server never answers; the two headers that
/// browsers add themselves are checked when they are there. An open server also checks the host name, since a site whose name
/// resolves to this machine would otherwise count as the same origin.
struct SameSiteMiddleware: RouterMiddleware {
  var loopbackHostsOnly: Bool

  func handle(
    _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    if loopbackHostsOnly, !isLoopback(request.head.authority) { throw Refusal.foreignHost }
    if request.method != .get, request.method != .head {
      guard request.headers[.xAloft] == "1" else { throw Refusal.noMarker }
      if let site = request.headers[.secFetchSite], site != "same-origin", site != "none" { throw Refusal.crossSite }
      if let origin = request.headers[.origin], !matches(origin, request.head.authority) { throw Refusal.crossSite }
    }
    return try await next(request, context)
  }

  private func matches(_ origin: String, _ authority: String?) -> Bool {
    guard let authority, let scheme = origin.range(of: "://") else { return false }
    return origin[scheme.upperBound...].lowercased() == authority.lowercased()
  }

  private func isLoopback(_ authority: String?) -> Bool {
    guard let authority else { return true }  // HTTP/1.0 without a host: not a browser
    let host =
      authority.hasPrefix("[")
      ? String(authority.prefix(while: { $0 != "]" })) + "]" : String(authority.prefix(while: { $0 != ":" }))
    return ["localhost", "127.0.0.1", "[::1]"].contains(host.lowercased())
  }
}
