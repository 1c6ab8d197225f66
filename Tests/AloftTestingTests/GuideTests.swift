// SPDX-License-Identifier: Apache-2.0
// The examples of docs/testing.md. Whoever changes one changes the other.
import AloftCore
import AloftTesting
import Testing

private let shopping = App("shopping") {
  Collection("items") {
    Field("list", .string, .immutable, required: true)
    Field("name", .string, required: true)
    Field("state", .choice("open", "bought"), .guarded)
    Field("amount", .counter(min: 0))
    Scopes("list:{list}")
    Allow(.read, .create, .update, to: "member")
    Allow(.delete, to: "owner")
  }
}

@Suite("Shopping")
struct GuideTests {
  @Test("every scenario of the field holds", arguments: Scenario.allCases)
  func scenario(_ scenario: Scenario) throws { try Scenarios(for: shopping).run(scenario) }

  @Test("two people buy the same thing: the second is asked")
  func bothBuy() throws {
    let lab = Lab(shopping)
    let ann = lab.device(user: "ann", roles: ["member": "list:home"])
    let ben = lab.device(user: "ben", roles: ["member": "list:home"])
    let milk = try ann.create("items", ["list": "home", "name": "Milk", "state": "open"])
    try lab.settle()

    ann.goOffline()
    try ann.update("items", milk, ["state": "bought", "amount": ["$increment": 2]])
    try ben.update("items", milk, ["state": "bought"])
    try ben.update("items", milk, ["state": "open"])
    try lab.settle()
    ann.goOnline()
    try lab.settle()

    #expect(ann.status.conflicts == 1)
    #expect(ann.record("items", milk)?["state"] == "open")
    try ann.retry(ann.tray[0])
    try lab.settle()
    #expect(ben.record("items", milk)?["state"] == "bought")
    #expect(lab.server.record("items", milk)?["amount"] == 2)
  }
}
