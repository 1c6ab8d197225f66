// SPDX-License-Identifier: Apache-2.0
// The seven things that happen to every app in the field, ready to happen to yours in a test.
import AloftCore

/// One of the scenarios.
public enum Scenario: String, CaseIterable, Sendable, CustomStringConvertible {
  /// A day without a network: everything done meanwhile shows at once, survives closing the app, and arrives.
  case offline
  /// Two people on two devices see the same in the end, and edits of different fields both stand.
  case twoDevices
  /// The device dies while 50 records are on their way: each arrives exactly once.
  case crash
  /// Two people write the same field without knowing: each declared rule does what it says.
  case conflict
  /// Nobody sees or does more than the declaration allows, not even with a forged request, and a revoked role takes the data along.
  case permissions
  /// 1,000 changes in ten seconds against a rate limit.
  case rateLimit
  /// Devices and server run different versions of the app.
  case schema

  public var description: String {
    switch self {
    case .offline: "offline, then reconnect"
    case .twoDevices: "two devices"
    case .crash: "crash while 50 records are on their way"
    case .conflict: "conflict"
    case .permissions: "permission boundary"
    case .rateLimit: "1,000 changes in ten seconds"
    case .schema: "schema mismatch"
    }
  }
}

/// What a scenario did.
public struct ScenarioReport: Sendable, CustomStringConvertible {
  public var scenario: Scenario
  /// What was checked, such as a collection or a field.
  public var covered: [String] = []
  /// What the declaration gave no way to check, with the reason.
  public var skipped: [String] = []

  public var description: String {
    "\(scenario): \(covered.joined(separator: ", "))" + skipped.map { "\n  left out: \($0)" }.joined()
  }
}

/// A role that must not be able to do something, in the author's own words rather than the declaration's.
public struct Denial: Sendable {
  public var role: String
  public var operation: AloftCore.Operation
  public var collection: String

  public init(_ role: String, _ operation: AloftCore.Operation, _ collection: String) {
    self.role = role
    self.operation = operation
    self.collection = collection
  }
}

/// The scenarios for one app.
///
/// ```swift
/// @Test(arguments: Scenario.allCases)
/// func scenario(_ scenario: Scenario) throws { try Scenarios(for: myApp).run(scenario) }
/// ```
/// Records, people and edits are generated from the declaration. Where it does not suffice, set the properties below.
public struct Scenarios {
  public let app: App
  /// Who uses the app. Empty: two people with every declared role in one scope of each template.
  public var people: [Person]
  /// Who must see and change nothing. Empty: somebody with every role in other scopes.
  public var strangers: [Person] = []
  /// What the server runs, when that differs from the devices' app.
  public var server: App?
  /// The version that is in the field now: the schema scenario checks against it. Nil: a version is derived by taking newer fields
  /// away, or by adding one.
  public var older: App?
  /// The limit of the rate-limit scenario.
  public var rateLimit = RateLimit(5, per: .seconds(10))
  /// Values for fields that the types alone do not describe, by `collection.field`; the number tells records apart.
  public var values: [String: (Int) -> any FieldInput] = [:]
  /// Arguments for the app's own actions, by name. The id is that of a record made for the parameter that is a reference.
  public var arguments: [String: (_ id: String) -> [String: any FieldInput]] = [:]
  /// Collections and actions that the scenarios leave alone.
  public var leaveOut: Set<String> = []
  /// What must never be possible, beside what the declaration says.
  public var denials: [Denial] = []
  /// Runs before each part of a scenario, to fill the server or to change the lab.
  public var prepare: (Lab) throws -> Void = { _ in }

  public init(for app: App, people: [Person] = []) {
    self.app = app
    self.people = people
  }

  /// Runs all scenarios.
  /// - Throws: the first `LabFailure`.
  @discardableResult
  public func all() throws -> [ScenarioReport] { try Scenario.allCases.map { try run($0) } }

  /// Runs all scenarios against an app.
  @discardableResult
  public static func all(for app: App, people: [Person] = []) throws -> [ScenarioReport] { try Scenarios(for: app, people: people).all() }

  /// Runs one scenario.
  /// - Throws: a `LabFailure` that says what was expected, what came and what happened before.
  @discardableResult
  public func run(_ scenario: Scenario) throws -> ScenarioReport {
    let problems = app.check()
    guard problems.isEmpty else {
      throw LabFailure(
        expected: "a sound declaration", got: problems.map { "\($0.path.string) \($0.message.string)" }.joined(separator: "; "),
        place: "\(scenario)", lines: [])
    }
    let run = ScenarioRun(self, scenario)
    switch scenario {
    case .offline: try run.offline()
    case .twoDevices: try run.twoDevices()
    case .crash: try run.crash()
    case .conflict: try run.conflict()
    case .permissions: try run.permissions()
    case .rateLimit: try run.rateLimit()
    case .schema: try run.schema()
    }
    return try run.finish()
  }
}
