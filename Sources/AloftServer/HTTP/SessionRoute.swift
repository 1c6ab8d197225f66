// SPDX-License-Identifier: Apache-2.0
// POST, GET and DELETE /session: sign in, who am I, sign out.

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

struct SessionRoute: Sendable {
  private static let bodyBytesMax = 4_096

  private struct Credentials: Decodable {
    var user: String
    var password: String
  }

  let identity: any Identity
  /// Whether browsers reach the server over TLS: then the cookie is bound to this host and to TLS.
  let isSecure: Bool

  private var cookieName: String { isSecure ? "__Host-aloft_session" : "aloft_session" }

  /// The session token that a request carries.
  func token(of request: Request) -> String? { request.cookies[cookieName]?.value }

  func signIn(_ request: Request, _ context: ServerContext) async throws -> Response {
    let body: ByteBuffer
    do { body = try await request.body.collect(upTo: Self.bodyBytesMax) } catch is NIOTooManyBytesError {
      throw Refusal.tooLarge(maximum: Self.bodyBytesMax)
    }
    let credentials: Credentials
    do { credentials = try JSONDecoder().decode(Credentials.self, from: Data(body.readableBytesView)) } catch {
      throw Refusal(.invalid, "Send {\"user\":\"…\",\"password\":\"…\"}.")
    }
    let signedIn: (token: String, person: SignedIn)
    do {
      signedIn = try await identity.signIn(user: credentials.user, password: credentials.password, address: context.address)
    } catch let refusal as Refusal {
      context.logger.info("sign-in refused", metadata: ["address": "\(context.address)", "status": "\(refusal.status.code)"])
      throw refusal
    }
    context.logger.info("signed in", metadata: ["user": "\(signedIn.person.principal.user.string.debugDescription)"])
    var response = describe(signedIn.person)
    if !identity.isOpen { response.headers[.setCookie] = cookie(signedIn.token, seconds: Int(PasswordIdentity.sessionSeconds)) }
    return response
  }

  func describe(_ person: SignedIn) -> Response {
    Response(
      json: .object([
        ("aloft", .number(1)), ("user", .text(person.principal.user.string)), ("name", .text(person.name)),
        ("roles", .array(person.roles.map { .text($0) })),
      ]))
  }

  /// Ends the session, if there is one, and removes the cookie. Also answers when nobody was signed in.
  func signOut(_ request: Request, _ context: ServerContext) async throws -> Response {
    if let token = token(of: request) { try await identity.signOut(token: token) }
    var response = Response(status: .noContent, headers: [.cacheControl: "no-store"])
    response.headers[.setCookie] = cookie("", seconds: 0)
    return response
  }

  private func cookie(_ token: String, seconds: Int) -> String {
    "\(cookieName)=\(token); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=Lax" + (isSecure ? "; Secure" : "")
  }
}
