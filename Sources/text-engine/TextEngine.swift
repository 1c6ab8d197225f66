// SPDX-License-Identifier: Apache-2.0
// Collaborative text alone as WebAssembly: shows that it compiles there, how large it is, and that it does the same.
import CAloftRuntime
import TextParity

/// The digest of a random session.
@_expose(wasm, "text_digest")
@_cdecl("text_digest")
public func textDigest(_ seed: UInt64, _ steps: UInt32) -> UInt64 {
  TextParity.digest(seed: seed, steps: Int(steps))
}
