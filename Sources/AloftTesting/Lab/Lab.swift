// SPDX-License-Identifier: Apache-2.0
// The lab: a server and devices in one process, joined by a network under the test's hand, in a time that passes only when told to.
import AloftCore

/// A server in memory, devices, and virtual time.
///
/// ```swift
/// let lab = Lab(app)
/// let ann = lab.device(user: "ann", roles: ["member": "team:1"])
/// ann.goOffline()
/// let visit = try ann.create("visits", ["team": "1", "store": "s1", "title": "First"])
/// ann.goOnline()
/// try lab.settle()
/// #expect(lab.server.record("visits", visit)?["title"] == "First")
/// ```
/// The engines, the judge and the wire are the shipped ones. Two runs of the same test do the same, to the byte.
public final class Lab {
  public let server: LabServer
  public private(set) var devices: [Device] = []
  /// What happened, one line for each event.
  public private(set) var journal: [String] = []
  /// How long a message travels in one direction.
  public var latency: Duration = .milliseconds(20)
  /// How long a device's disk takes for a write. What is not written when a device crashes is lost.
  public var writeDelay: Duration = .milliseconds(2)
  /// How many rows a disk forgets in a crash although it had said *saved*. An honest disk forgets none.
  public var diskForgets = 0
  /// Milliseconds since 1970, by the server's clock.
  public private(set) var now: Instant = Lab.start

  static let start: Instant = 1_800_000_000_000

  let app: App
  let seed: UInt64
  private var events: [Event] = []

  private struct Event {
    var time: Instant
    /// A wait, which `settle` does not sit out for its own sake.
    var isTimer: Bool
    var body: () -> Void
  }

  /// - Parameters:
  ///   - server: what the server runs, when it differs from what the devices run.
  ///   - seed: record ids and retry delays come from it.
  public init(_ app: App, server: App? = nil, seed: UInt64 = 1) {
    self.app = app
    self.seed = seed
    self.server = LabServer(server ?? app)
    self.server.lab = self
  }

  // MARK: devices

  /// A new device, switched on, online and signed in. One person may have several.
  /// - Parameter app: the version that the device runs, when it differs from the lab's.
  @discardableResult
  public func device(of person: Person, app: App? = nil) -> Device {
    server.set(person)
    let count = devices.filter { $0.user == person.user }.count
    let device = Device(
      name: count == 0 ? person.user : "\(person.user) \(count + 1)", user: person.user, app: app ?? self.app, number: devices.count, lab: self)
    devices.append(device)
    device.open()
    return device
  }

  @discardableResult
  public func device(user: String, roles: KeyValuePairs<String, String>, app: App? = nil) -> Device {
    device(of: Person(user, roles), app: app)
  }

  // MARK: time

  /// Lets time pass.
  public func advance(by duration: Duration) {
    let end = now + duration.wholeMilliseconds
    while let next = events.last, next.time <= end { step() }
    now = end
  }

  /// Lets time pass until everything that can arrive has arrived: every change is stored, and every device that has a network has
  /// said and heard all. Devices without a network keep what waits.
  /// - Throws: when that does not happen within the given time, with what each device still waits for.
  public func settle(within limit: Duration = .seconds(3600)) throws {
    try run(within: limit, "everything settles") { self.isAtRest }
  }

  /// Lets time pass until the condition holds.
  /// - Throws: when it does not hold within the given time.
  public func run(until words: String, within limit: Duration = .seconds(3600), _ condition: () -> Bool) throws {
    try run(within: limit, words, condition)
  }

  private func run(within limit: Duration, _ words: String, _ condition: () -> Bool) throws {
    let end = now + limit.wholeMilliseconds
    while !condition() {
      guard let next = events.last, next.time <= end else {
        throw failure(expected: "\(words) within \(limit)", got: devices.map { "\($0.name): \($0.stateWords)" }.joined(separator: "; "))
      }
      step()
    }
  }

  private var isAtRest: Bool { !events.contains { !$0.isTimer } && devices.allSatisfy(\.isAtRest) }

  private func step() {
    let event = events.removeLast()
    now = max(now, event.time)
    event.body()
  }

  func schedule(after duration: Duration, isTimer: Bool = false, _ body: @escaping () -> Void) {
    let time = now + duration.wholeMilliseconds
    // The next event is last. Of two at one moment the one that was scheduled first comes first.
    var low = 0
    var high = events.count
    while low < high {
      let middle = (low + high) / 2
      if events[middle].time > time { low = middle + 1 } else { high = middle }
    }
    events.insert(Event(time: time, isTimer: isTimer, body: body), at: low)
  }

  /// Tells every device with a live channel that a scope's log has grown.
  func publish(_ placement: Placement) {
    for device in devices where server.person(device.user).principal.holds(placement.scope) {
      device.hear(placement, after: latency)
    }
  }

  // MARK: words

  func note(_ who: String, _ words: String) {
    let milliseconds = now - Lab.start
    let fraction = String(milliseconds % 1000 + 1000).dropFirst()
    journal.append("\(milliseconds / 1000).\(fraction)s \(who): \(words)")
  }

  /// A failure with the last lines of the journal.
  public func failure(expected: String, got: String) -> LabFailure {
    LabFailure(expected: expected, got: got, lines: journal.suffix(30))
  }
}

extension Duration {
  /// Whole milliseconds, as the engines count.
  var wholeMilliseconds: UInt64 { UInt64(max(0, components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000)) }
}
