// SPDX-License-Identifier: Apache-2.0
// A plan as text, for the corpus in Tests/SimPlans and for people.
//
//   seed 8114
//   profile lossy
//   schema 4711
//   settings latency=20 write-delay=4 group-delay=2 answer-bytes=1048576 request-mutations=1000 server-version=2
//   user u0 s0=boss s1=none
//   device d0 u0 clock=0 app=2
//   100ms d0.0 create c0/12 space=0 counter=1
//   fault 850ms..1200ms drop-response d0 900
//   850ms d0.0 update c0/12 counter+3
//
// Lines that begin with # are remarks. Operations and faults stand in the order of their times.

import AloftCore

extension Plan {
  /// A time that no plan reaches, in milliseconds: about 30 years.
  fileprivate static let timeMax: Int64 = 1_000_000_000_000
  fileprivate static let roles: [StaticString] = ["none", "member", "boss"]

  // MARK: printing

  /// The plan as text; `Plan(text:)` reads it back.
  public var text: String {
    var lines = ["seed \(seed)", "profile \(Text(profile.name).string)", "schema \(schema.code)", settings.text]
    for (user, roles) in grants.enumerated() {
      lines.append("user u\(user)" + roles.enumerated().map { " s\($0.offset)=\(Text(Self.roles[Int($0.element)]).string)" }.joined())
    }
    for (number, device) in devices.enumerated() {
      lines.append("device d\(number) u\(device.user) clock=\(device.clockOffset) app=\(device.appVersion)")
    }
    var next = 0
    for op in ops {
      while next < faults.count, faults[next].from <= op.at {
        lines.append(faults[next].text)
        next += 1
      }
      lines.append("\(op.at)ms d\(op.device).\(op.tab) \(op.verb.text)")
    }
    for fault in faults[next...] { lines.append(fault.text) }
    return lines.joined(separator: "\n") + "\n"
  }

  // MARK: reading

  /// Reads what `text` prints.
  /// - Throws: the first line that cannot be read, and what was expected there.
  public init(text: String) throws(PlanError) {
    var lines = PlanLines(text)
    var line = try lines.next(beginning: "seed")
    let seed = try line.magnitude("a seed")
    try line.end()
    line = try lines.next(beginning: "profile")
    let profile = try Profile(&line)
    try line.end()
    line = try lines.next(beginning: "schema")
    self.init(seed: seed, profile: profile, schema: SimSchema(code: try line.magnitude("a schema's code")))
    try line.end()
    line = try lines.next(beginning: "settings")
    settings = try PlanSettings(&line)
    try line.end()
    repeat { grants.append(try Self.roles(try lines.next(beginning: "user"), number: grants.count, spaces: grants.first?.count)) } while lines.continue(with: "user")
    repeat {
      line = try lines.next(beginning: "device")
      devices.append(try PlanDevice(&line, number: devices.count, in: self))
      try line.end()
    } while lines.continue(with: "device")
    while var line = lines.next() {
      if line.take("fault") {
        faults.append(try PlanFault(&line, in: self))
      } else {
        ops.append(try PlanOp(&line, in: self))
      }
      try line.end()
    }
  }

  private static func roles(_ line: PlanLine, number: Int, spaces: Int?) throws(PlanError) -> [UInt8] {
    var line = line
    var granted: [UInt8] = []
    try line.pass("u")
    _ = try line.number("user u\(number)", in: Int64(number)...Int64(number))
    while !line.isAtEnd || granted.isEmpty || granted.count < spaces ?? 0 {
      try line.space()
      try line.pass("s")
      // A fault names a space with one digit.
      _ = try line.number("a space", in: Int64(granted.count)...Int64(min(granted.count, (spaces ?? 10) - 1)))
      try line.pass("=")
      let before = line
      let name = line.word()
      guard let role = roles.firstIndex(where: { Text($0) == name }) else { throw before.error("none, member or boss") }
      granted.append(UInt8(role))
    }
    return granted
  }
}

/// The lines that are not remarks.
private struct PlanLines {
  private let bytes: [UInt8]
  private var position = 0
  private var number = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  mutating func next() -> PlanLine? {
    while position < bytes.count {
      let end = bytes[position...].firstIndex(of: 0x0A) ?? bytes.count
      number += 1
      let line = PlanLine(Array(bytes[position..<end]), number: number)
      position = end + 1
      if !line.isAtEnd { return line }
    }
    return nil
  }

  mutating func next(beginning word: StaticString) throws(PlanError) -> PlanLine {
    guard var line = next() else { throw PlanLine([], number: number + 1).error("'" + Text(word).string + "'") }
    try line.pass(word)
    try line.space()
    return line
  }

  /// Whether the next line begins with the word.
  func `continue`(with word: StaticString) -> Bool {
    var rest = self
    guard var line = rest.next() else { return false }
    return line.take(word)
  }
}

// MARK: parts of a line

extension Profile {
  fileprivate init(_ line: inout PlanLine) throws(PlanError) {
    let before = line
    guard let profile = Profile.named(line.word()) else { throw before.error("the name of a profile") }
    self = profile
  }
}

extension PlanSettings {
  fileprivate var text: String {
    "settings latency=\(latency) write-delay=\(writeDelay) group-delay=\(groupDelay) answer-bytes=\(answerBytes)"
      + " request-mutations=\(requestMutations) server-version=\(serverVersion)"
  }

  fileprivate init(_ line: inout PlanLine) throws(PlanError) {
    self.init()
    latency = UInt64(try line.setting("latency=", in: 0...Plan.timeMax))
    try line.space()
    writeDelay = UInt64(try line.setting("write-delay=", in: 0...Plan.timeMax))
    try line.space()
    groupDelay = UInt64(try line.setting("group-delay=", in: 0...Plan.timeMax))
    try line.space()
    answerBytes = Int(try line.setting("answer-bytes=", in: 1...1 << 30))
    try line.space()
    requestMutations = Int(try line.setting("request-mutations=", in: 1...1_000))
    try line.space()
    serverVersion = Int(try line.setting("server-version=", in: 1...2))
  }
}

extension PlanDevice {
  fileprivate init(_ line: inout PlanLine, number: Int, in plan: Plan) throws(PlanError) {
    try line.pass("d")
    _ = try line.number("device d\(number)", in: Int64(number)...Int64(number))
    try line.space()
    try line.pass("u")
    user = try line.index("a user", below: plan.grants.count)
    try line.space()
    clockOffset = try line.setting("clock=", in: -Plan.timeMax...Plan.timeMax)
    try line.space()
    appVersion = Int(try line.setting("app=", in: 1...2))
  }
}

extension PlanOp {
  fileprivate init(_ line: inout PlanLine, in plan: Plan) throws(PlanError) {
    at = try line.time()
    try line.space()
    try line.pass("d")
    device = try line.index("a device", below: plan.devices.count)
    try line.pass(".")
    tab = Int(try line.number("a tab", in: 0...1))
    try line.space()
    verb = try Verb(&line, in: plan)
  }
}

extension PlanFault {
  fileprivate var text: String {
    "fault \(from)ms" + (to == from ? "" : "..\(to)ms") + " \(Text(kind.name).string) d\(device) \(value)"
  }

  fileprivate init(_ line: inout PlanLine, in plan: Plan) throws(PlanError) {
    try line.space()
    from = try line.time()
    to = line.take("..") ? try line.time() : from
    try line.space()
    let before = line
    let name = line.word()
    guard let kind = FaultKind.allCases.first(where: { Text($0.name) == name }) else { throw before.error("the name of a fault") }
    self.kind = kind
    if to != from && !kind.isWindow || to < from { throw before.error("one time, or two in order for what lasts, before the name") }
    try line.space()
    try line.pass("d")
    device = try line.index("a device", below: plan.devices.count)
    try line.space()
    value = try line.number("the fault's value", in: kind == .upgrade ? 1...2 : -Plan.timeMax...Plan.timeMax)
  }
}

extension PlanLine {
  /// Such as `850ms`.
  fileprivate mutating func time() throws(PlanError) -> UInt64 {
    let time = UInt64(try number("a time", in: 0...Plan.timeMax))
    try pass("ms")
    return time
  }

  fileprivate mutating func setting(_ name: StaticString, in range: ClosedRange<Int64>) throws(PlanError) -> Int64 {
    try pass(name)
    return try number("a number", in: range)
  }
}
