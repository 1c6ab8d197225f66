// SPDX-License-Identifier: Apache-2.0
// Passwords as slow digests, and session tokens as fast ones: what is stored cannot be used to sign in.

import Crypto
import Foundation
import _CryptoExtras

/// A password's PBKDF2-SHA256 digest with its salt and number of rounds. 600,000 rounds take about 60 ms of one core.
struct PasswordDigest: Equatable, Sendable {
  static let roundsDefault = 600_000

  var rounds: Int
  var salt: [UInt8]
  var digest: [UInt8]

  init(rounds: Int, salt: [UInt8], digest: [UInt8]) {
    self.rounds = rounds
    self.salt = salt
    self.digest = digest
  }

  /// Digests a password under a new salt.
  init(password: String, rounds: Int) throws {
    let salt = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
    self.init(rounds: rounds, salt: salt, digest: try Self.derive(password, salt, rounds))
  }

  /// Whether this is the password. Takes the same time whichever it is.
  func matches(_ password: String) throws -> Bool {
    let found = try Self.derive(password, salt, rounds)
    var difference = UInt8(truncatingIfNeeded: found.count ^ digest.count)
    for (a, b) in zip(found, digest) { difference |= a ^ b }
    return difference == 0
  }

  private static func derive(_ password: String, _ salt: [UInt8], _ rounds: Int) throws -> [UInt8] {
    let key = try KDF.Insecure.PBKDF2.deriveKey(
      from: Array(password.utf8), salt: salt, using: .sha256, outputByteCount: 32, unsafeUncheckedRounds: rounds)
    return key.withUnsafeBytes { Array($0) }
  }
}

/// A session's secret: 256 random bits as base64url. Only its SHA-256 digest is stored.
enum SessionToken {
  static func make() -> String {
    var generator = SystemRandomNumberGenerator()
    let bytes = (0..<4).flatMap { _ in withUnsafeBytes(of: generator.next() as UInt64) { Array($0) } }
    return Data(bytes).base64EncodedString()
      .replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
  }

  static func digest(_ token: String) -> [UInt8] { Array(SHA256.hash(data: Array(token.utf8))) }
}
