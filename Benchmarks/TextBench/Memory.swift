// SPDX-License-Identifier: Apache-2.0
// Memory as the allocator sees it: every block with its usable size.
import Allocations

enum Memory {
  /// What work allocates: how many blocks, by how many bytes the memory in use grows, and by how many at most meanwhile. Nil where
  /// that cannot be counted. What the work makes must outlive it to be counted as held.
  static func of(_ work: () -> Void) -> (blocks: Int, held: Int, peak: Int)? {
    allocations_start()
    work()
    allocations_stop()
    // The counter counts: one block must be seen.
    let result = (allocations_count(), allocations_bytes(), allocations_peak())
    return canCount ? result : nil
  }

  private static let canCount: Bool = {
    allocations_start()
    let probe = [UInt8](repeating: UInt8.random(in: 0...255), count: 100)
    allocations_stop()
    return withExtendedLifetime(probe) { allocations_count() > 0 }
  }()
}
