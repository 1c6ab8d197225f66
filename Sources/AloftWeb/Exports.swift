// SPDX-License-Identifier: Apache-2.0
// The wasm border: bytes in, bytes out. docs/protocol.md has the table of operations.
import AloftCore

// A module instance serves one database, and WebAssembly without threads runs one call at a time.
nonisolated(unsafe) private var engine = WebEngine()
nonisolated(unsafe) private var input: [UInt8] = []
nonisolated(unsafe) private var output: [UInt8] = []

/// Bodies of the actions that this build has compiled in. Set by the module's `aloft_setup` before anything is configured.
nonisolated(unsafe) public var compiledActions: [Action] = []

/// Gives a buffer of at least `length` bytes for the input of the next call.
@_expose(wasm, "aloft_buffer")
@_cdecl("aloft_buffer")
public func aloftBuffer(_ length: UInt32) -> UnsafeMutablePointer<UInt8>? {
  // The host fills it; what it leaves is whatever was there, and the call is told how much counts.
  input = [UInt8](unsafeUninitializedCapacity: max(Int(length), 8)) { $1 = $0.count }
  return input.withUnsafeMutableBufferPointer { $0.baseAddress }
}

/// Runs an operation on the first `length` bytes of the buffer at `now` milliseconds. 0 when done, 1 when refused.
@_expose(wasm, "aloft_call")
@_cdecl("aloft_call")
public func aloftCall(_ operation: UInt32, _ length: UInt32, _ now: Double) -> Int32 {
  var bytes: [UInt8] = []
  swap(&bytes, &input)
  // A length beyond the buffer is the host's mistake; what was not given does not exist.
  let count = min(Int(length), bytes.count)
  bytes.removeLast(bytes.count - count)
  output = []
  let instant: UInt64 = now >= 0 && now < 9e15 ? UInt64(now) : 0
  do {
    output = try engine.call(operation, bytes, now: instant)
    return 0
  } catch {
    output = error.json
    return 1
  }
}

@_expose(wasm, "aloft_output")
@_cdecl("aloft_output")
public func aloftOutput() -> UnsafeMutablePointer<UInt8>? { output.withUnsafeMutableBufferPointer { $0.baseAddress } }

@_expose(wasm, "aloft_output_length")
@_cdecl("aloft_output_length")
public func aloftOutputLength() -> UInt32 { UInt32(output.count) }
