// SPDX-License-Identifier: Apache-2.0
// Everything that happens in the field happens to Field Visits here.
import AloftTesting
import FieldVisits
import Testing

@Suite("Field Visits in the field")
struct ScenarioTests {
  @Test("every scenario holds", arguments: Scenario.allCases)
  func scenario(_ scenario: Scenario) throws { try Scenarios(for: fieldVisits).run(scenario) }

  @Test("the scenarios reach every collection, every field that two people may write, and the action")
  func coverage() throws {
    let covered = try Scenarios.all(for: fieldVisits).flatMap(\.covered)
    for part in ["teams", "stores", "visits", "products", "closeVisit", "visits.status (guarded)", "visits.notes (text)", "products.stock (counter)"] {
      #expect(covered.contains(part))
    }
  }
}
