// SPDX-License-Identifier: Apache-2.0
// From a seed to a plan. A bug that escapes the simulator is a defect of this file: what it never draws is never tried.

import AloftCore

extension Plan {
  /// The plan of a seed. The same seed and profile give the same plan on every platform.
  public static func generate(seed: UInt64, profile: Profile) -> Plan {
    var generator = PlanGenerator(seed: seed, profile: profile)
    return generator.make()
  }
}

/// The keys that were to be created in a collection.
private struct Created {
  var all: [Int] = []
  /// The few keys that many operations share.
  var hot: [Int] = []
  /// By device.
  var own: [[Int]] = []

  func count(by device: Int) -> Int { device < own.count ? own[device].count : 0 }

  mutating func add(_ key: Int, by device: Int) {
    all.append(key)
    if key < 4 { hot.append(key) }
    while own.count <= device { own.append([]) }
    own[device].append(key)
  }
}

private struct PlanGenerator {
  let profile: Profile
  var random: Random
  var plan: Plan
  /// Keys that some earlier operation tried to create, by collection.
  var created: [Created]
  /// The device whose operation is being drawn.
  var actor = 0
  /// The next code of a word that no other operation writes.
  var nextWord: Int64 = 100
  let schema: SimSchema

  init(seed: UInt64, profile: Profile) {
    self.profile = profile
    random = Random(seed: seed &* 0x9E37_79B9 &+ UInt64(profile.rawValue) &* 7919)
    schema = SimSchema(code: random.next() % 1_000_000)
    plan = Plan(seed: seed, profile: profile, schema: schema)
    created = [Created](repeating: Created(), count: schema.collectionCount)
  }

  private mutating func chance(_ percent: UInt64) -> Bool { random.below(100) < percent }
  private mutating func pick(_ count: Int) -> Int { Int(random.below(UInt64(count))) }
  private mutating func among(_ range: ClosedRange<UInt64>) -> UInt64 { range.lowerBound + random.below(range.upperBound - range.lowerBound + 1) }

  mutating func make() -> Plan {
    drawSettings()
    drawPeople()
    let length = drawOperations()
    drawFaults(until: length)
    plan.faults.sort { $0.from < $1.from }
    return plan
  }

  private mutating func drawSettings() {
    plan.settings.latency = [1, 20, 200, 2000][pick(4)]
    plan.settings.writeDelay = [0, 2, 20][pick(3)]
    plan.settings.groupDelay = [0, 2, 50][pick(3)]
    plan.settings.answerBytes = [200, 1500, 20_000, 1 << 20][pick(4)]
    plan.settings.requestMutations = [1, 5, 1000, 1000][pick(4)]
  }

  private mutating func drawPeople() {
    let users = 1 + pick(2) + (chance(25) ? 1 : 0)
    let spaces = 1 + pick(3)
    for user in 0..<users {
      // Everybody is in the first space with some role, so that people meet.
      plan.grants.append((0..<spaces).map { space in space == 0 ? 1 + UInt8(pick(2)) : UInt8([0, 1, 1, 2][pick(4)]) })
      plan.devices.append(device(of: user))
    }
    // Two devices find most of what there is to find; many are dear, so few runs have them.
    let more = chance(8) ? 2 + pick(9) : chance(30) ? 1 : 0
    for _ in 0..<more { plan.devices.append(device(of: pick(users))) }
    if plan.devices.count == 1 { plan.devices.append(device(of: 0)) }
  }

  private mutating func device(of user: Int) -> PlanDevice {
    var device = PlanDevice(user: user, clockOffset: 0, appVersion: 2)
    if profile == .clock || profile == .swarm && chance(30) {
      let year: Int64 = 365 * 86_400_000
      device.clockOffset = [0, 5_000, -5_000, 3_600_000, -3_600_000, 10 * year, -10 * year][pick(7)]
    }
    if profile == .upgrade || profile == .swarm && chance(20) { device.appVersion = 1 + pick(2) }
    return device
  }

  // MARK: operations

  private mutating func drawOperations() -> UInt64 {
    let count = chance(60) ? 2500 : 20 + pick(600)
    // Each request works out anew what waits behind it, so a long queue that is sent one by one is dear.
    if count > 1000 && plan.settings.requestMutations < 100 { plan.settings.requestMutations *= 20 }
    // Bursts and pauses: gaps differ a hundredfold within a run.
    let pace: UInt64 = [1, 1, 5, 30, 200, 2000][pick(6)]
    var at: UInt64 = 100
    var burst = 0
    for _ in 0..<count {
      if burst > 0 { burst -= 1 } else {
        at += random.below(pace * 2)
        if chance(25) { burst = pick(160) }
        if chance(1) { at += random.below(120_000) }
      }
      actor = pick(plan.devices.count)
      plan.ops.append(PlanOp(at: at, device: actor, tab: profile == .tabs || profile == .swarm ? pick(2) : 0, verb: verb()))
    }
    return at
  }

  private mutating func verb() -> Verb {
    var collection = chance(60) ? 0 : pick(schema.collectionCount)
    if schema.isBossOnly(collection) && !dares() { collection = 0 }
    switch random.below(100) {
    case 0..<25: return create(collection)
    case 25..<66: return .update(collection, key(collection), changes(collection))
    case 66..<70: return .resolve(collection, key(collection), changes(collection))
    // What everybody works on is rarely deleted: little more would happen to it.
    case 70..<74 where schema.memberMayDelete(collection) || dares(): return .delete(collection, chance(20) ? key(collection) : coldKey(collection))
    case 76..<79: return .restore(collection, key(collection))
    case 79..<82: return .stamp(key(0), word())
    case 82..<86: return .pair(key(0), key(0), word())
    case 86..<89: return .retry(pick(3))
    case 89..<91: return .discard(pick(3))
    case 91..<94: return .tap
    case 94..<96: return .compact
    default: return session(collection)
    }
  }

  private mutating func session(_ collection: Int) -> Verb {
    let hasTabs = profile == .tabs || profile == .swarm
    let changesPeople = profile == .access || profile == .swarm
    switch pick(3) {
    case 0 where hasTabs: return .openTab
    case 1 where hasTabs && chance(40): return .closeTab
    case 2 where changesPeople: return chance(50) ? .signIn(pick(plan.grants.count)) : .signOut
    default: return .update(collection, key(collection), changes(collection))
    }
  }

  private mutating func create(_ collection: Int) -> Verb {
    // Mostly new records; sometimes one that exists, or that existed.
    let key = chance(85) ? 4 + pick(5000) : pick(4)
    created[collection].add(key, by: actor)
    var all: [SimChange] = [SimChange(field: .space, effect: .set(Int64(space())))]
    for field in schema.fields(collection) where field != .space && chance(45) {
      if let change = change(field, isCreate: true) { all.append(change) }
    }
    return .create(collection, key, all)
  }

  /// A hot record, or one that was created before: conflicts are common and caches overflow.
  private mutating func key(_ collection: Int) -> Int {
    if created[collection].all.isEmpty || chance(3) { return pick(4) }
    let hot = created[collection].hot.count
    if hot > 0 && chance(40) { return created[collection].hot[pick(hot)] }
    // What somebody else made may not have arrived here yet; most work is on what is at hand.
    let own = created[collection].count(by: actor)
    if own > 0 && chance(80) { return created[collection].own[actor][pick(own)] }
    return created[collection].all[pick(created[collection].all.count)]
  }

  /// A record that one device or two may know.
  private mutating func coldKey(_ collection: Int) -> Int {
    let own = created[collection].count(by: actor)
    return own > 0 ? created[collection].own[actor][pick(own)] : key(collection)
  }

  /// Whether the actor does what only a boss may: a boss does, others try at times. What is refused parks everything behind it.
  private mutating func dares() -> Bool { plan.grants[plan.devices[actor].user].contains(2) || chance(2) }

  /// Mostly a space in which the actor has a role.
  private mutating func space() -> Int {
    let drawn = pick(plan.spaceCount)
    if plan.grants[plan.devices[actor].user][drawn] > 0 || chance(8) { return drawn }
    return 0
  }

  private mutating func changes(_ collection: Int) -> [SimChange] {
    let fields = schema.fields(collection)
    var out: [SimChange] = []
    for _ in 0..<(1 + pick(3)) {
      let field = fields[pick(fields.count)]
      if out.contains(where: { $0.field == field }) { continue }
      if let change = change(field, isCreate: false) { out.append(change) }
    }
    return out
  }

  private mutating func word() -> Int64 {
    if chance(80) {
      nextWord += 1
      return nextWord
    }
    return chance(10) ? -1 - Int64(pick(4)) : Int64(pick(3))
  }

  private mutating func change(_ field: SimField, isCreate: Bool) -> SimChange? {
    switch field {
    case .space, .also: return isCreate || chance(25) ? SimChange(field: field, effect: .set(Int64(space()))) : nil
    case .hidden, .later: return SimChange(field: field, effect: .set(word()))
    case .price where !dares(): return nil
    case .price: return SimChange(field: field, effect: .set(number()))
    case .link: return SimChange(field: field, effect: .set(Int64(key(0))))
    case .latest, .guarded, .manual, .immutable, .server, .addWins, .counter, .maximum, .minimum, .text:
      for rule in Rule.allCases where SimField.standing(for: rule) == field { return change(field, by: rule, isCreate: isCreate) }
      return nil
    }
  }

  /// A change that exercises a rule. A new rule does not compile until it has a case here.
  private mutating func change(_ field: SimField, by rule: Rule, isCreate: Bool) -> SimChange? {
    switch rule {
    // It takes no second value; a few try.
    case .immutable where !isCreate && chance(85): return nil
    case .latest, .guarded, .manual, .immutable:
      return SimChange(field: field, effect: chance(5) ? .clear : .set(word()))
    // No device may write it; a few try.
    case .server: return chance(4) ? SimChange(field: field, effect: .set(word())) : nil
    case .maximum, .minimum: return SimChange(field: field, effect: .set(number()))
    case .counter: return SimChange(field: field, effect: isCreate ? .set(start()) : .add(amount()))
    // A text costs as much as all other fields together; those that are typed in are typed in often enough.
    case .text where chance(65): return nil
    case .text: return SimChange(field: field, effect: .type(Int64(random.below(1 << 24))))
    case .addWins:
      let add = (0..<pick(3)).map { _ in Int64(pick(4)) }
      let remove = isCreate ? [] : (0..<pick(3)).map { _ in Int64(pick(4)) }
      if isCreate { return SimChange(field: field, effect: .alter(add: unique(add), remove: [])) }
      return SimChange(field: field, effect: .alter(add: unique(add), remove: unique(remove)))
    }
  }

  private func unique(_ codes: [Int64]) -> [Int64] {
    var out: [Int64] = []
    for code in codes where !out.contains(code) { out.append(code) }
    return out
  }

  private mutating func number() -> Int64 {
    chance(10) ? [0, 1, -1, 1 << 31, Value.intMax, -Value.intMax][pick(6)] : Int64(pick(1000)) - 500
  }

  /// A counter's first value: sometimes the upper bound itself.
  private mutating func start() -> Int64 {
    let drawn = pick(20)
    return drawn == 19 ? 60 : Int64(drawn)
  }

  private mutating func amount() -> Int64 { chance(4) ? [0, Value.intMax, -Value.intMax][pick(3)] : Int64(pick(9)) - 3 }

  // MARK: faults

  private mutating func drawFaults(until end: UInt64) {
    let kinds = profile.faults
    if kinds.isEmpty { return }
    // Swarm testing: each run has some kinds only, so that rare ones are not drowned by the others.
    var chosen: [FaultKind] = []
    for kind in kinds where profile != .swarm || chance(25) { chosen.append(kind) }
    if chosen.isEmpty { chosen = [kinds[pick(kinds.count)]] }
    for _ in 0..<(1 + pick(3) + Int(end / 20_000)) {
      let kind = chosen[pick(chosen.count)]
      let from = random.below(end)
      let length = [500, 5_000, 60_000][pick(3)]
      let device = pick(plan.devices.count)
      plan.faults.append(
        PlanFault(from: from, to: kind.isWindow ? from + random.below(UInt64(length)) : from, kind: kind, device: device, value: value(kind)))
      if kind == .rollBack || kind == .clone { plan.faults.append(PlanFault(from: from / 2, to: from / 2, kind: .image, device: device, value: 0)) }
      if kind == .expire { plan.faults.append(PlanFault(from: from / 2, to: from / 2, kind: .expire, device: 0, value: plan.faults.last!.value)) }
      if kind == .restoreBackup { plan.faults.append(PlanFault(from: from / 2, to: from / 2, kind: .backup, device: 0, value: 0)) }
    }
  }

  private mutating func value(_ kind: FaultKind) -> Int64 {
    switch kind {
    case .dropRequest, .dropResponse, .duplicate, .truncate, .staleAnswer, .portal, .serverError, .tooMany: return Int64([100, 300, 900][pick(3)])
    case .slow: return Int64([500, 5_000, 40_000][pick(3)])
    case .clockJump: return [-3_600_000, -500, 500, 3_600_000, 86_400_000][pick(5)]
    case .serverClockJump: return [-5_000, -100, 100, 5_000][pick(4)]
    case .grant: return Int64(pick(plan.grants.count) * 100 + pick(plan.spaceCount) * 10 + 1 + pick(2))
    case .revoke: return Int64(pick(plan.grants.count) * 100 + pick(plan.spaceCount) * 10)
    case .upgrade: return Int64(1 + pick(2))
    case .slowDisk: return Int64([50, 1_000, 20_000][pick(3)])
    case .expire: return Int64([0, 2_000, 30_000][pick(3)])
    // Nobody is signed in, or somebody: the same person or another.
    case .signedOut: return Int64(plan.faults.count % (plan.grants.count + 1))
    case .offline, .freeze, .diskFull, .crash, .powerCut, .wipe, .image, .rollBack, .clone, .tear, .serverCrash, .backup,
      .restoreBackup:
      return 0
    }
  }
}
