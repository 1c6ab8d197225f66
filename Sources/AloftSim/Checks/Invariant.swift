// SPDX-License-Identifier: Apache-2.0
// The promises by their names, and how far runs check each. docs/simulator.md has the same list with where each is checked.

/// A promise of the platform.
public struct Invariant: Sendable {
  public enum Standing: Sendable {
    case checked
    /// Checked but for what the words say.
    case partly(StaticString)
    /// Not checked, for the reason given.
    case notYet(StaticString)
  }

  /// Such as "S03".
  public var id: StaticString
  public var standing: Standing

  private init(_ id: StaticString, _ standing: Standing = .checked) {
    self.id = id
    self.standing = standing
  }

  public static var all: [Invariant] {
    [
      Invariant("S01"), Invariant("S02"), Invariant("S03"), Invariant("S04"),
      Invariant("S05", .partly("storage is compared at each cursor, single batches are not taken apart")),
      Invariant("S06"),
      Invariant("S07", .partly("rows, ids and hidden fields; not counts and error texts")),
      Invariant("S08"), Invariant("S09"), Invariant("S10"), Invariant("S11"), Invariant("S12"), Invariant("S13"), Invariant("S14"),
      Invariant("S15"),
      Invariant("S16", .partly("what the author wrote; other observers only by S06")),
      Invariant("S17"),
      Invariant("S18", .partly("the restored server's records; not that all lost changes are offered again")),
      Invariant("S19"),
      Invariant("S20", .partly("a field that one version lacks; no other change of a schema")),
      Invariant("S21", .notYet("there is no end-to-end encryption")),
      Invariant("S22", .partly("request sizes and retries; not memory")),
      Invariant("S23", .partly("that synced is true; not how soon trouble is shown")),
      Invariant("S24", .notYet("there are no blobs")),
      Invariant("S25"),
      Invariant("S26"),
      Invariant("S27", .partly("frames of our own; hostile bytes have tests of their own")),
      Invariant("L1"), Invariant("L2"), Invariant("L3"),
      Invariant("L4", .partly("that events end; not memory")),
    ]
  }
}
