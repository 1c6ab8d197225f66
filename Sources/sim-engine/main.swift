// SPDX-License-Identifier: Apache-2.0
// The simulator for WebAssembly: shows that the engines do the same there, event by event. See Scripts/sim-parity.mjs.
import AloftSim
import CAloftRuntime

/// Runs the plan of a seed and gives the digest of everything that happened.
@_expose(wasm, "sim_digest")
@_cdecl("sim_digest")
public func simDigest(_ seed: UInt64, _ profile: UInt32) -> UInt64 {
  guard let profile = Profile(rawValue: UInt8(truncatingIfNeeded: profile)) else { return 0 }
  var world = World(plan: .generate(seed: seed, profile: profile))
  world.run()
  return world.trace.digest
}
