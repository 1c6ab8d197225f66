// SPDX-License-Identifier: Apache-2.0
// A failure that explains itself: what was expected, what came, and what happened before it.

/// Thrown by the lab and by the scenarios.
public struct LabFailure: Error, CustomStringConvertible, Sendable {
  public var expected: String
  public var got: String
  /// Where it happened, such as the scenario and the collection; empty in a lab of one's own.
  public var place = ""
  /// The last lines of the lab's journal.
  public var lines: [String]

  public var description: String {
    (place.isEmpty ? "" : place + "\n") + "expected: \(expected)\ngot:      \(got)\n" + lines.map { "  " + $0 }.joined(separator: "\n")
  }
}
