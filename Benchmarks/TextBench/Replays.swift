// SPDX-License-Identifier: Apache-2.0
// The inputs of `TextReplay` as files, for the same work in WebAssembly: <trace>.<kind>, inputs as u32 length, bytes.
import AloftCore
import TextParity
import TextTraces

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

enum Replays {
  static func write(_ folder: String, _ sequential: [String], _ concurrent: [String], to target: String) {
    for name in sequential {
      let edits = Trace.load("\(folder)/\(name).gz")[0].edits
      let document = try! TextReplay.type(edits, by: "author01").document
      write([edits], "\(target)/\(name).1")
      write([document.encode()], "\(target)/\(name).2")
    }
    for name in concurrent {
      let trace = Trace.load("\(folder)/\(name).gz")[0]
      let whole = trace.message(Array(trace.transactions.indices))
      let document = try! TextReplay.absorb(whole).document
      write([document.encode()], "\(target)/\(name).2")
      write(trace.transactions.indices.map { trace.message([$0]) }, "\(target)/\(name).3")
      write([try! document.encodePlaced()], "\(target)/\(name).4")
    }
  }

  private static func write(_ inputs: [[UInt8]], _ path: String) {
    guard let file = fopen(path, "wb") else { fail("cannot write \(path)") }
    for input in inputs {
      let length = (0..<4).map { UInt8(input.count >> (8 * $0) & 255) }
      fwrite(length, 1, 4, file)
      fwrite(input, 1, input.count, file)
    }
    fclose(file)
  }
}
