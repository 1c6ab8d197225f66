// SPDX-License-Identifier: Apache-2.0
// Collaborative text for the browser, a module of its own: only apps that declare a text field load it. The border is bytes and numbers.
import AloftCore
import CAloftRuntime

// WebAssembly without threads runs one call at a time.
nonisolated(unsafe) private var module = TextModule()
nonisolated(unsafe) private var input: [UInt8] = []
nonisolated(unsafe) private var output: [UInt8] = []

/// Gives a buffer of at least `length` bytes for the input of the next call.
@_expose(wasm, "text_buffer")
@_cdecl("text_buffer")
public func textBuffer(_ length: UInt32) -> UnsafeMutablePointer<UInt8>? {
  input = [UInt8](unsafeUninitializedCapacity: max(Int(length), 8)) { $1 = $0.count }
  return input.withUnsafeMutableBufferPointer { $0.baseAddress }
}

/// Runs an operation on an open text, a place, a count, and the first `length` bytes of the buffer. Below zero when refused.
@_expose(wasm, "text_run")
@_cdecl("text_run")
public func textRun(_ operation: UInt32, _ handle: Int32, _ place: Int32, _ count: Int32, _ length: UInt32) -> Int32 {
  var bytes: [UInt8] = []
  swap(&bytes, &input)
  // A length beyond the buffer is the host's mistake; what was not given does not exist.
  bytes.removeLast(bytes.count - min(Int(length), bytes.count))
  output = []
  return module.run(operation, Int(handle), at: Int(place), Int(count), bytes, &output)
}

@_expose(wasm, "text_output")
@_cdecl("text_output")
public func textOutput() -> UnsafeMutablePointer<UInt8>? { output.withUnsafeMutableBufferPointer { $0.baseAddress } }

@_expose(wasm, "text_output_length")
@_cdecl("text_output_length")
public func textOutputLength() -> UInt32 { UInt32(output.count) }
