// SPDX-License-Identifier: Apache-2.0
// Decimal to binary floating point, correctly rounded, the same on every platform (no libc).

/// Turns mantissa × 10^exponent into the nearest double.
enum DecimalParser {
  private static let exactPowers: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
  ]

  /// No double needs more significant digits than 767 to be told from its neighbours; what follows only breaks ties.
  private static let digitsMax = 800

  static func double(mantissa: UInt64, exponent: Int) -> Double {
    if mantissa == 0 { return 0 }
    // Clinger's fast path: both operands are exact, so one correctly rounded operation gives the answer.
    if mantissa < 1 << 53, exponent >= -22, exponent <= 22 {
      let value = Double(mantissa)
      return exponent < 0 ? value / exactPowers[-exponent] : value * exactPowers[exponent]
    }
    return slow(BigUInt(mantissa), exponent, digits: 20, sticky: false)
  }

  /// A number with more digits than a word holds. `digits` are ASCII, without leading zeros.
  static func double(digits: [UInt8], exponent: Int) -> Double {
    var mantissa = BigUInt(0)
    let kept = min(digits.count, digitsMax)
    for index in 0..<kept { mantissa.multiplyByTen(adding: UInt32(digits[index] - 0x30)) }
    var sticky = false
    for index in kept..<digits.count where digits[index] != 0x30 { sticky = true }
    return slow(mantissa, exponent + digits.count - kept, digits: kept, sticky: sticky)
  }

  /// Exact big-integer arithmetic: value = numerator / denominator, then 64 quotient bits with a sticky bit.
  private static func slow(_ mantissa: BigUInt, _ exponent: Int, digits: Int, sticky dropped: Bool) -> Double {
    if exponent > 310 { return .infinity }
    if exponent < -345 - digits { return 0 }
    var numerator = mantissa
    var denominator = BigUInt(1)
    if exponent >= 0 { numerator.multiplyByPowerOfTen(exponent) } else { denominator.multiplyByPowerOfTen(-exponent) }
    // Scale so that the quotient has 65 or 66 bits.
    let shift = 65 - (numerator.bitWidth - denominator.bitWidth)
    if shift > 0 { numerator.shiftLeft(shift) } else { denominator.shiftLeft(-shift) }
    var quotientHigh: UInt64 = 0
    var quotientLow: UInt64 = 0
    // Shift-and-subtract division, one bit a step; rare enough that simplicity wins.
    denominator.shiftLeft(67)
    for _ in 0...67 {
      quotientHigh = quotientHigh << 1 | quotientLow >> 63
      quotientLow <<= 1
      if !(numerator < denominator) {
        numerator.subtract(denominator)
        quotientLow |= 1
      }
      denominator.shiftRightOne()
    }
    var sticky = dropped || !numerator.isZero
    var binaryExponent = -shift
    while quotientHigh != 0 {
      sticky = sticky || quotientLow & 1 == 1
      quotientLow = quotientLow >> 1 | quotientHigh << 63
      quotientHigh >>= 1
      binaryExponent += 1
    }
    return round(quotientLow, binaryExponent, sticky)
  }

  /// Rounds a 64-bit significand to 53 bits (fewer below the normal range), ties to even.
  private static func round(_ significand: UInt64, _ exponent: Int, _ sticky: Bool) -> Double {
    let leading = significand.leadingZeroBitCount
    var bits = significand << UInt64(leading)
    let top = exponent + 63 - leading
    var drop = 11
    if top < -1022 { drop += -1022 - top }
    if top > 1023 { return .infinity }
    if drop > 64 { return 0 }
    let lost: UInt64 = drop == 64 ? bits : bits & (1 << UInt64(drop) - 1)
    let half: UInt64 = 1 << UInt64(drop - 1)
    bits = drop == 64 ? 0 : bits >> UInt64(drop)
    if lost > half || lost == half && (sticky || bits & 1 == 1) { bits += 1 }
    // `bits` is at most 2^53, exact as a double; scaling by a power of two is exact in the normal range, and below it
    // the bits were already cut to what a subnormal holds.
    return scale(Double(bits), max(top, -1022) - 52)
  }

  private static func scale(_ value: Double, _ exponent: Int) -> Double {
    if exponent > 971 { return value * Double(sign: .plus, exponent: 971, significand: 1) * Double(sign: .plus, exponent: exponent - 971, significand: 1) }
    if exponent < -1022 { return value * 0x1p-1022 * Double(sign: .plus, exponent: exponent + 1022, significand: 1) }
    return value * Double(sign: .plus, exponent: exponent, significand: 1)
  }
}

/// The few operations on large naturals that exact rounding needs.
private struct BigUInt {
  private var words: [UInt32]

  init(_ value: UInt64) {
    words = [UInt32(truncatingIfNeeded: value), UInt32(value >> 32)]
    trim()
  }

  var isZero: Bool { words.isEmpty }
  var bitWidth: Int { words.isEmpty ? 0 : words.count * 32 - words[words.count - 1].leadingZeroBitCount }

  private mutating func trim() { while words.last == 0 { words.removeLast() } }

  mutating func multiplyByPowerOfTen(_ power: Int) {
    for _ in 0..<power { multiplyByTen(adding: 0) }
  }

  mutating func multiplyByTen(adding digit: UInt32) {
    var carry = UInt64(digit)
    for index in 0..<words.count {
      let product = UInt64(words[index]) * 10 + carry
      words[index] = UInt32(truncatingIfNeeded: product)
      carry = product >> 32
    }
    if carry > 0 { words.append(UInt32(carry)) }
  }

  mutating func shiftLeft(_ count: Int) {
    let (whole, part) = (count / 32, UInt32(count % 32))
    if part > 0 {
      var carry: UInt32 = 0
      for index in 0..<words.count {
        let word = words[index]
        words[index] = word << part | carry
        carry = word >> (32 - part)
      }
      if carry > 0 { words.append(carry) }
    }
    if !words.isEmpty { words.insert(contentsOf: [UInt32](repeating: 0, count: whole), at: 0) }
  }

  mutating func shiftRightOne() {
    var carry: UInt32 = 0
    var index = words.count - 1
    while index >= 0 {
      let word = words[index]
      words[index] = word >> 1 | carry
      carry = word << 31
      index -= 1
    }
    trim()
  }

  mutating func subtract(_ other: BigUInt) {
    var borrow: Int64 = 0
    for index in 0..<words.count {
      var difference = Int64(words[index]) - borrow - (index < other.words.count ? Int64(other.words[index]) : 0)
      borrow = difference < 0 ? 1 : 0
      if difference < 0 { difference += 1 << 32 }
      words[index] = UInt32(difference)
    }
    trim()
  }

  static func < (a: BigUInt, b: BigUInt) -> Bool {
    if a.words.count != b.words.count { return a.words.count < b.words.count }
    var index = a.words.count - 1
    while index >= 0 {
      if a.words[index] != b.words[index] { return a.words[index] < b.words[index] }
      index -= 1
    }
    return false
  }
}
