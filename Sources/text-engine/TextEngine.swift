// SPDX-License-Identifier: Apache-2.0
// Collaborative text alone as WebAssembly: shows that it compiles there, that it does the same, and how fast it is.
import AloftCore
import CAloftRuntime
import TextParity

/// The digest of a random session.
@_expose(wasm, "text_digest")
@_cdecl("text_digest")
public func textDigest(_ seed: UInt64, _ steps: UInt32) -> UInt64 {
  TextParity.digest(seed: seed, steps: Int(steps))
}

// WebAssembly without threads runs one call at a time.
nonisolated(unsafe) private var inputs: [[UInt8]] = []
nonisolated(unsafe) private var replay = TextReplay()
nonisolated(unsafe) private var output: [UInt8] = []

/// Gives a buffer for one more input of the next replay.
@_expose(wasm, "replay_buffer")
@_cdecl("replay_buffer")
public func replayBuffer(_ length: UInt32) -> UnsafeMutablePointer<UInt8>? {
  inputs.append([UInt8](repeating: 0, count: Int(length)))
  return inputs[inputs.count - 1].withUnsafeMutableBufferPointer { $0.baseAddress }
}

@_expose(wasm, "replay_forget")
@_cdecl("replay_forget")
public func replayForget() { inputs = [] }

/// Types the edits of the input (kind 1), merges it whole (2), merges all inputs one by one (3), or reads the input at its places (4).
/// Gives the length of the text, -1 when the engine refused.
@_expose(wasm, "replay_run")
@_cdecl("replay_run")
public func replayRun(_ kind: UInt32) -> Int32 {
  do throws(TextError) {
    switch kind {
    case 1: replay = try TextReplay.type(inputs[0], by: "author01")
    case 2: replay = try TextReplay.absorb(inputs[0])
    case 3: replay = try TextReplay.stream(inputs)
    default: replay = try TextReplay.read(inputs[0])
    }
    return Int32(truncatingIfNeeded: replay.document.byteCount)
  } catch { return -1 }
}

/// The text after the last replay.
@_expose(wasm, "replay_text")
@_cdecl("replay_text")
public func replayText() -> UnsafeMutablePointer<UInt8>? {
  output = replay.document.utf8
  return output.withUnsafeMutableBufferPointer { $0.baseAddress }
}
