// SPDX-License-Identifier: Apache-2.0
// Moves bytes in blocks.
//
// Why by hand: compiled for browsers, the copies of the standard library (a range as an array, an append, initialize(from:count:)) are
// loops of one byte a turn. Before the browser optimises them, such loops were half of a bulk write and most of a first answer.

/// Copies bytes to where they are not yet. A block move costs browsers a call, so what is no longer than a line of text goes by words.
@inline(never)
func copyBlock(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ count: Int) {
  if count > 64 { return target.copyMemory(from: source, byteCount: count) }
  var index = 0
  while index + 8 <= count {
    target.storeBytes(of: source.loadUnaligned(fromByteOffset: index, as: UInt64.self), toByteOffset: index, as: UInt64.self)
    index += 8
  }
  while index < count {
    target.storeBytes(of: source.load(fromByteOffset: index, as: UInt8.self), toByteOffset: index, as: UInt8.self)
    index += 1
  }
}

extension Array where Element == UInt8 {
  /// Appends a byte, out of line: an append takes twenty times the room of a call, and encoders are full of them.
  @inline(never)
  mutating func put(_ byte: UInt8) { append(byte) }

  /// Appends the lowest 32 bits of a number as four bytes, the lowest first.
  @inline(never)
  package mutating func putWord(_ word: Int) {
    for shift in stride(from: 0, to: 32, by: 8) { append(UInt8(truncatingIfNeeded: word >> shift)) }
  }

  /// Appends a block.
  @inline(never)
  mutating func put(_ block: UnsafeBufferPointer<UInt8>) {
    guard let source = block.baseAddress, !block.isEmpty else { return }
    append(addingCapacity: block.count) { room in
      room.withUnsafeMutableBufferPointer { target, count in
        copyBlock(source, to: target.baseAddress! + count, block.count)
        count += block.count
      }
    }
  }

  package mutating func put(_ bytes: [UInt8]) { bytes.withUnsafeBufferPointer { put($0) } }

  /// Appends a part of other bytes.
  mutating func put(_ bytes: [UInt8], from start: Int, to end: Int) {
    precondition(start >= 0 && start <= end && end <= bytes.count, "range outside the bytes")
    bytes.withUnsafeBufferPointer { put(UnsafeBufferPointer(rebasing: $0[start..<end])) }
  }

  /// A copy of a part: one allocation and one block move.
  package func bytes(from start: Int, to end: Int) -> [UInt8] {
    precondition(start >= 0 && start <= end && end <= count, "range outside the bytes")
    #if hasFeature(Embedded)
    return withUnsafeBytes { bytes in
      [UInt8](unsafeUninitializedCapacity: end - start) { target, written in
        written = end - start
        if written > 0 { copyBlock(bytes.baseAddress! + start, to: target.baseAddress!, written) }
      }
    }
    #else
    // As a collection, not by an initializer that fills uninitialized memory: that one asks the runtime for the type each time.
    return withUnsafeBufferPointer { [UInt8](UnsafeBufferPointer(rebasing: $0[start..<end])) }
    #endif
  }
}
