// SPDX-License-Identifier: Apache-2.0
// The scenarios must fit any sound declaration: here is one of every shape.
import AloftCore
import AloftTesting
import Testing

/// Every type, every rule, and every kind of scope.
private let everything = App("everything", version: 3) {
  Collection("things") {
    Field("title", .string, required: true)
    Field("size", .int)
    Field("weight", .double)
    Field("isOpen", .bool)
    Field("due", .timestamp)
    Field("key", .bytes)
    Field("kind", .choice("a", "b", "c"))
    Field("parent", .reference("things"))
    Field("state", .choice("open", "closed"), .guarded)
    Field("price", .double, .guarded)
    Field("text", .string, .manual)
    Field("labels", .set(.int))
    Field("count", .counter(min: -3, max: 4))
    Field("best", .int, .maximum)
    Field("first", .timestamp, .minimum)
    Field("origin", .string, .immutable)
    Field("approved", .bool, .server)
    Field("secret", .string, write: ["boss"], read: ["boss"])
    Field("later", .string, since: 2)
    Field("latest", .set(.string), since: 3)
    Allow(.read, .create, .update, .delete, to: "member")
    Allow(.read, to: "boss")
  }
  Collection("lines") {
    Field("thing", .reference("things"), required: true)
    Field("year", .int, .immutable, required: true)
    Field("region", .string, .immutable, required: true)
    Field("owner", .string)
    Field("text", .string)
    Scopes("year:{year}/{region}", "user:{owner}")
    OnConcurrentUpdate(.updateWins)
    Allow(.read, .create, .update, .delete, to: "member")
  }
  Collection("notices") {
    Field("text", .string, required: true)
    Scopes("notice:{id}")
    Allow(.read, to: "anyone")
    Allow(.create, .update, to: "boss")
  }
  Collection("audit") {
    Field("text", .string)
    Allow(.read, to: "boss")
  }
}

@Suite("The scenarios fit any declaration")
struct ShapesTests {
  @Test("with people that follow from the declaration", arguments: Scenario.allCases)
  func derived(_ scenario: Scenario) throws { try Scenarios(for: everything).run(scenario) }

  @Test("with one person who may do everything everywhere", arguments: Scenario.allCases)
  func star(_ scenario: Scenario) throws {
    let root = Person("root", ["member": "*", "boss": "*"])
    try Scenarios(for: everything, people: [root]).run(scenario)
  }

  @Test("what nobody may create is left out with the reason")
  func leftOut() throws {
    let report = try Scenarios(for: everything).run(.offline)
    #expect(report.covered == ["things", "lines", "notices"])
    #expect(report.skipped == ["audit: nobody here may create records with all their required fields"])
  }

  @Test("values and arguments come from the author where the types do not suffice")
  func hooks() throws {
    let app = App("codes") {
      Collection("codes") { Field("code", .string, required: true); Field("isChecked", .bool); Allow(.read, .create, .update, to: "member") }
      Action("check", [Parameter("code", .reference("codes")), Parameter("pin", .string)]) { arguments, context throws(Rejection) in
        let code = try context.read("codes", arguments.text("code"))
        guard arguments.text("pin") == "1234", code["code"] != "code 0" else { throw Rejection("invalid", "wrong pin", path: "pin") }
        try context.update("codes", arguments.text("code"), ("isChecked", true))
      }
    }
    var scenarios = Scenarios(for: app)
    #expect(try scenarios.run(.offline).skipped.count == 1)
    scenarios.values["codes.code"] = { "C-\($0)" }
    scenarios.arguments["check"] = { ["code": $0, "pin": "1234"] }
    let report = try scenarios.run(.offline)
    #expect(report.covered == ["codes", "check"])
    #expect(report.skipped.isEmpty)
  }
}
