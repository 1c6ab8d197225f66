// SPDX-License-Identifier: Apache-2.0
// What goes wrong, and when it stops going wrong.

import AloftCore

extension World {
  mutating func begin(_ fault: PlanFault) {
    if isHealed { return }
    let device = min(fault.device, devices.count - 1)
    trace.line("\(now) fault \(Text(fault.kind.name).string) d\(device) \(fault.value)")
    trace.note(UInt64(fault.kind.rawValue), now, UInt64(device))
    switch fault.kind {
    case .offline, .dropRequest, .dropResponse, .duplicate, .slow, .portal, .serverError, .tooMany, .truncate, .signedOut, .staleAnswer,
      .freeze, .diskFull, .slowDisk:
      devices[device].windows[Int(fault.kind.rawValue)] += 1
      devices[device].values[Int(fault.kind.rawValue)] = fault.value
      if fault.kind == .offline { wakeTabs(device, .offline) }
    case .crash: die(device, isPowerCut: false)
    case .powerCut: die(device, isPowerCut: true)
    case .wipe: replaceDisk(device, by: DiskImage())
    case .image: devices[device].images[devices[device].user] = devices[device].disks[devices[device].user].image
    case .rollBack: if let image = devices[device].images[devices[device].user] { replaceDisk(device, by: image) }
    case .clone: clone(device)
    case .clockJump:
      devices[device].clockOffset += fault.value
      for tab in devices[device].tabs.indices { devices[device].tabs[tab].quietUntil = 0 }
    case .tear: tear(device)
    case .serverCrash: if server.isUp { crashServer() }
    case .serverClockJump:
      server.clockOffset += fault.value
      server.clockDoubt += fault.value.magnitude
    case .backup: server.backup = (server.image, oracle)
    case .restoreBackup: restoreBackup()
    case .grant, .revoke:
      let (user, space, role) = (Int(fault.value / 100), Int(fault.value / 10 % 10), UInt8(fault.value % 10))
      if user < plan.grants.count, space < plan.spaceCount { oracle.setGrant(user, space, role) }
    case .upgrade: upgrade(Int(fault.value))
    case .expire: expire(UInt64(fault.value))
    }
  }

  mutating func end(_ fault: PlanFault) {
    let device = min(fault.device, devices.count - 1)
    guard devices[device].windows[Int(fault.kind.rawValue)] > 0 else { return }
    devices[device].windows[Int(fault.kind.rawValue)] -= 1
    if fault.kind == .offline && !devices[device].isIn(.offline) { wakeTabs(device, .online) }
    if fault.kind == .signedOut && !devices[device].isIn(.signedOut) { wakeTabs(device, .signedIn) }
  }

  mutating func wakeTabs(_ device: Int, _ reason: WakeReason) {
    for tab in devices[device].tabs.indices where devices[device].tabs[tab].isOpen {
      wake(ContextID(device: device, tab: tab, life: devices[device].tabs[tab].life), reason)
    }
  }

  // MARK: devices

  mutating func die(_ device: Int, isPowerCut: Bool) {
    crash(device)
    guard isPowerCut else { return }
    for user in devices[device].disks.indices { devices[device].disks[user].cutPower(keeping: draw(.powerCut, device, UInt64(user))) }
  }

  /// Every tab dies. What was being written is on the disk or not.
  private mutating func crash(_ device: Int) {
    for tab in devices[device].tabs.indices where devices[device].tabs[tab].isOpen {
      note(device, tab, 30, 0, "crashes")
      if let pending = devices[device].tabs[tab].pending, draw(.crashInside, device, UInt64(tab)) % 2 == 0, !devices[device].isIn(.diskFull) {
        let user = devices[device].user
        if devices[device].disks[user].isFree(pending.first) {
          devices[device].disks[user].write(.append(first: pending.first, rows: pending.rows), isStrict: false)
        }
      }
      closeTab(device, tab)
    }
    if !devices[device].isDown {
      devices[device].isDown = true
      heap.add(.reopen(device: device), at: now + 100 + draw(.crashInside, device) % 3_000)
    }
  }

  mutating func reopenDevice(_ device: Int) {
    devices[device].isDown = false
    openTab(device, 0)
  }

  /// The storage of the person who is shown becomes another.
  private mutating func replaceDisk(_ device: Int, by image: DiskImage) {
    crash(device)
    let user = devices[device].user
    exempt(devices[device].families[user])
    devices[device].disks[user].replace(by: image)
  }

  /// What a family of storages held may be missing from now on: one of them went back in time.
  private mutating func exempt(_ family: Int) {
    stepsBack[family, default: 0] += 1
    for index in issues.indices where issues[index].family == family { issues[index].isExempt = true }
  }

  /// The image is copied to a new device; both go on.
  private mutating func clone(_ device: Int) {
    let user = devices[device].user
    guard devices.count < 12, let image = devices[device].images[user] else { return }
    exempt(devices[device].families[user])
    var copy = SimDevice(
      appVersion: devices[device].appVersion, session: user, user: user,
      disks: [SimDisk](repeating: SimDisk(), count: plan.grants.count), families: plan.grants.indices.map { familyCount + $0 },
      images: [DiskImage?](repeating: nil, count: plan.grants.count), clockOffset: devices[device].clockOffset)
    familyCount += plan.grants.count
    copy.families[user] = devices[device].families[user]
    copy.disks[user].replace(by: image)
    devices.append(copy)
    openTab(devices.count - 1, 0)
  }

  private mutating func tear(_ device: Int) {
    crash(device)
    devices[device].disks[devices[device].user].damage(draw(.damage, device))
  }

  // MARK: the server

  /// Another release takes over, as a restart does.
  private mutating func upgrade(_ version: Int) {
    if server.isUp && !isHealed { crashServer() }
    server.version = version
    server.app = apps[version - 1]
    server.judge = Judge(app: server.app)
  }

  /// The server forgets what was deleted long ago. Only that may go; cursors from before must then be given everything anew.
  private mutating func expire(_ keepMilliseconds: UInt64) {
    guard server.isUp else { return }
    var retention = Retention()
    retention.keepMilliseconds = keepMilliseconds
    retention.markMilliseconds = keepMilliseconds / 4
    do throws(StoreError) {
      // The first time marks how far the logs reach; when nothing is to be kept, the second forgets up to there.
      for _ in 0..<2 { _ = try server.judge.forget(retention, now: serverClock, in: &server.image) }
    } catch { return fail("S19", "the store refuses to forget") }
    for key in oracle.keys {
      guard let record = oracle.records[key], server.image.record(key) == nil else { continue }
      tally.checks += 1
      let age = serverClock &- (oracle.storedAt[key] ?? 0)
      if !record.isDeleted { return fail("S19", "the server has forgotten \(key.id.string), which is alive") }
      if age + server.clockDoubt < keepMilliseconds { return fail("S19", "the server has forgotten \(key.id.string) after \(age) ms") }
      oracle.forget(key)
    }
  }

  // MARK: healing

  /// Ends all faults and gives every device what it needs to come to rest.
  mutating func heal() {
    isHealed = true
    trace.line("\(now) heals")
    server.isUp = true
    if server.version == 1 { upgrade(2) }
    for device in devices.indices {
      for kind in devices[device].windows.indices { devices[device].windows[kind] = 0 }
      devices[device].session = devices[device].user
      devices[device].failures = []
      if !devices[device].isDown { openTab(device, 0) }
      wakeTabs(device, .signedIn)
      wakeTabs(device, .online)
      wakeTabs(device, .retrySave)
    }
  }
}
