// SPDX-License-Identifier: Apache-2.0
// The simulated world: the shipped engines, with time, disks, network, clocks and people under the plan's hand.
//
// It is a value: a copy is a fork that goes its own way. Nothing in it reads a clock or a random source; what has to be drawn is a
// hash of the seed, the purpose, the actor and the moment, so that taking one operation out of a plan leaves the rest as it was.

import AloftCore

/// What a draw is for; each purpose is a stream of its own.
enum Purpose: UInt64 {
  case entropy = 1, latency, writeDelay, drop, dropAnswer, duplicate, portal, failure, truncate, stale, powerCut, crashInside, check, hint, damage, serverCrash
}

/// One tab, or one life of it.
struct SimTab {
  var engine: ClientEngine? { didSet { look() } }
  var life = 0
  /// The last log row that the engine has applied or asked for.
  var known: UInt64 = 0
  /// Events of older timers, writes and sends are void.
  var timer = 0
  var timerIsSet = false
  var write = 0
  var pending: (first: UInt64, rows: [[UInt8]], isStrict: Bool)?
  var conflictAt: UInt64 = 0
  var send = 0
  var isSending = false
  var saveFailures: UInt64 = 0
  var retrySaveIsSet = false
  /// The server asked to be left alone until then.
  var quietUntil: UInt64 = 0
  /// From the handles of this life to issues.
  var issues: [UInt64: Int] = [:]
  /// The newest issue of each record whose outcome this tab does not know.
  var lanes: [RecordKey: Int] = [:]
  /// Who follows queries here.
  var observers: [SimObserver] = []
  /// As whom its person types in each record, and the number that they go on with.
  var agents: [RecordKey: (id: Text, next: Int)] = [:]

  // Where the engine stands since its last event. To ask it through the array of tabs would copy it, all its tables' references included.

  private(set) var isOpen = false
  /// Whether its engine has something to say or to hear.
  private(set) var isDue = false
  /// The last log row that is applied; nil while something waits to be written.
  private(set) var settledRow: UInt64?
  private(set) var device: DeviceID?
  private(set) var shownState: ClientStatus.State?

  private mutating func look() {
    isOpen = engine != nil
    isDue = engine?.isDue ?? false
    settledRow = engine?.settledRow
    device = engine?.device
    shownState = engine?.shownState
  }

  /// Whether nothing is under way and everything up to the last row in storage is applied.
  func isAtRest(_ lastRow: UInt64) -> Bool {
    !isOpen || !isSending && pending == nil && !retrySaveIsSet && known == lastRow && !isDue && settledRow == known
  }
}

struct SimDevice {
  var appVersion: Int
  /// Whose session the cookie holds.
  var session: Int?
  /// Whose data the tabs show.
  var user: Int
  var disks: [SimDisk]
  var families: [Int]
  var images: [DiskImage?]
  var tabs = [SimTab(), SimTab()]
  /// How far the device's clock is off.
  var clockOffset: Int64
  var isDown = false
  /// The tab that has the right to sync.
  var lease: ContextID?
  /// For each kind of fault, how many windows are open, and the value of the newest.
  var windows = [Int](repeating: 0, count: FaultKind.allCases.count)
  var values = [Int64](repeating: 0, count: FaultKind.allCases.count)
  /// Moments of failed rounds since the last good one, for the bound on retries.
  var failures: [UInt64] = []

  func isIn(_ kind: FaultKind) -> Bool { windows[Int(kind.rawValue)] > 0 }
  func value(_ kind: FaultKind) -> Int64 { values[Int(kind.rawValue)] }
}

/// A request on its way, and later its answer.
struct SimMessage {
  var from: ContextID
  var send: Int
  var user: Int?
  var body: [UInt8]
  var status = 0
  var retryAfter: UInt32 = 0
  /// Nobody waits for it: a copy that the network made.
  var isEcho = false

  /// Tells apart what is drawn for two messages in one moment. It does not count messages: a draw must not depend on what came before.
  var salt: UInt64 { UInt64(from.tab) << 1 | (isEcho ? 1 : 0) }
}

/// When a device dies, whatever the plan says.
struct Doom {
  var effect: Int
  /// Takes what was not flushed to the disk as well.
  var isPowerCut: Bool
}

/// A broken invariant.
public struct Violation: Sendable {
  /// Such as "S03".
  public var invariant: StaticString
  public var text: Text
  /// Milliseconds since the run began.
  public var at: UInt64
}

/// What a run was made of.
public struct Tally: Sendable {
  public var operations = 0
  public var refusedLocally = 0
  public var events = 0
  public var requests = 0
  public var judged = 0
  public var bytes = 0
  public var checks = 0

  public init() {}
}

public struct World {
  /// Simulated time begins here, in milliseconds since 1970.
  static let epoch: UInt64 = 1_800_000_000_000

  public let plan: Plan
  /// When the plan is over.
  let chaosEnd: UInt64
  let apps: [App]
  /// Fields by number, for each collection.
  let fields: [[SimField]]
  public internal(set) var now: UInt64 = 0
  var heap = EventHeap()
  var devices: [SimDevice] = []
  var server: SimServer
  var messages: [SimMessage] = []
  var oracle: Oracle
  var issues: [Issue] = []
  /// From an issue's identity to the newest issue that has it.
  var issueIndex: [UInt64: Int] = [:]
  /// What the user's view was when a snapshot of the server stood at these cursors.
  var views: [UInt64: UInt64] = [:]
  /// The whole oracle at those moments, kept by strict runs to say what differs.
  var pastOracles: [UInt64: Oracle] = [:]
  var hintsUnderWay = 0
  /// How often a storage of each family was put back in time, copied or emptied.
  var stepsBack: [Int: Int] = [:]
  var familyCount = 0
  /// The storage family behind each identity that was ever used.
  var familyOf: [DeviceID: Int] = [:]
  public internal(set) var violation: Violation?
  /// The run came to a point from which its outcome cannot be foretold; it ends there.
  public internal(set) var isInconclusive = false
  public internal(set) var tally = Tally()
  public internal(set) var trace = Trace()
  /// How many effects hosts have begun to execute.
  public internal(set) var effectCount = 0
  /// How many names people have typed under, and how many characters.
  var agentCount = 0
  var characterCount: UInt32 = 0
  /// The effect before which its device dies.
  var doom: Doom?
  /// No more faults and no more operations: what is left must come to rest.
  var isHealed = false
  /// Compares with the oracle at each step, rather than at every fourth.
  var isStrict: Bool
  /// Checks something that is not promised.
  let hasCanary: Bool

  /// - Parameters:
  ///   - isTracing: keeps the newest lines of what happens.
  ///   - isStrict: makes every check at every step, not at a sample of them.
  ///   - hasCanary: also makes the check that must fail.
  public init(plan: Plan, isTracing: Bool = false, isStrict: Bool = false, hasCanary: Bool = false) {
    self.isStrict = isStrict
    self.hasCanary = hasCanary
    self.plan = plan
    chaosEnd = max(plan.ops.last?.at ?? 0, plan.faults.map { $0.to }.max() ?? 0) + 1_000
    apps = [plan.schema.app(version: 1), plan.schema.app(version: 2)]
    fields = (0..<plan.schema.collectionCount).map { plan.schema.fields($0) }
    oracle = Oracle(schema: plan.schema, grants: plan.grants)
    server = SimServer(app: apps[plan.settings.serverVersion - 1], version: plan.settings.serverVersion)
    trace.isKept = isTracing
    for device in plan.devices {
      devices.append(
        SimDevice(
          appVersion: device.appVersion, session: device.user, user: device.user,
          disks: [SimDisk](repeating: SimDisk(), count: plan.grants.count), families: plan.grants.indices.map { familyCount + $0 },
          images: [DiskImage?](repeating: nil, count: plan.grants.count), clockOffset: device.clockOffset))
      familyCount += plan.grants.count
    }
    for index in plan.ops.indices { heap.add(.op(index), at: plan.ops[index].at) }
    for index in plan.faults.indices {
      heap.add(.faultBegins(index), at: plan.faults[index].from)
      if plan.faults[index].kind.isWindow { heap.add(.faultEnds(index), at: plan.faults[index].to) }
    }
    for device in devices.indices { openTab(device, 0) }
  }

  // MARK: time and chance

  /// A draw for a purpose, an actor and a moment.
  func draw(_ purpose: Purpose, _ actor: Int, _ salt: UInt64 = 0) -> UInt64 {
    Hash64.mix(plan.seed ^ Hash64.mix(purpose.rawValue << 32 ^ UInt64(actor) ^ Hash64.mix(now &* 0x9E37_79B9_7F4A_7C15 &+ salt)))
  }

  func clock(_ device: Int) -> Instant { UInt64(max(1, Int64(Self.epoch + now) + devices[device].clockOffset)) }

  var serverClock: Instant { UInt64(Int64(Self.epoch + now) + server.clockOffset) }

  mutating func fail(_ invariant: StaticString, _ text: String) {
    // What cannot be foretold cannot be wrong.
    if violation == nil && !isInconclusive { violation = Violation(invariant: invariant, text: Text(text), at: now) }
  }

  // MARK: running

  /// Handles the next event. False when there is none, or a promise was broken.
  public mutating func step() -> Bool {
    guard violation == nil, !isInconclusive, let (time, happening) = heap.pop() else { return false }
    now = max(now, time)
    tally.events += 1
    switch happening {
    case .op(let index): act(plan.ops[index])
    case .faultBegins(let index): begin(plan.faults[index])
    case .faultEnds(let index): end(plan.faults[index])
    case .reopen(let device): reopenDevice(device)
    case .timer(let id, let number): timer(id, number)
    case .written(let id, let number): written(id, number)
    case .requestArrives(let message): arrive(message)
    case .requestGivenUp(let id, let number): fail(id, number, .timeout)
    case .answerArrives(let message): answerArrived(message)
    case .sendFails(let id, let number, let failure): fail(id, number, TransportFailure(rawValue: failure) ?? .unreachable)
    case .commit(let life):
      commit(life)
      if hasCanary { checkCanary() }
    case .serverStarts: startServer()
    case .follow(let id): follow(id)
    case .hint(let id, let space, let sequence): hint(id, space, sequence)
    case .retrySave(let id): retrySave(id)
    case .compactionDue(let id): compactionDue(id)
    }
    return violation == nil && !isInconclusive
  }

  /// Whether this life of a tab still runs.
  func isAlive(_ id: ContextID) -> Bool { devices[id.device].tabs[id.tab].life == id.life && devices[id.device].tabs[id.tab].isOpen }

  /// Puts an event off while the tab's page is frozen; true when it was put off.
  mutating func isFrozen(_ id: ContextID, _ happening: Happening) -> Bool {
    guard devices[id.device].isIn(.freeze), id.tab == 0 else { return false }
    heap.add(happening, at: now + 250)
    return true
  }
}
