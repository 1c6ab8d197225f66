// SPDX-License-Identifier: Apache-2.0
// A check that must fail: proof that a broken promise is found, shrunk and reported, so that silence is never mistaken for health.

import AloftCore

extension World {
  /// The promise that nobody ever deletes a record, which every longer plan breaks.
  mutating func checkCanary() {
    for key in oracle.keys where oracle.records[key]?.isDeleted == true {
      return fail("canary", "\(key.id.string) is deleted, as the canary waits for")
    }
  }
}
