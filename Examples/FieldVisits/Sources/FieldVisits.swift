// SPDX-License-Identifier: Apache-2.0
// What Field Visits keeps, who may change it, and the one action it adds: closing a visit.
import AloftCore

/// The declaration of the demo app: representatives visit stores, managers keep the catalogue.
///
/// A team is a scope of its own, so a device holds the stores and visits of its person's teams and nothing of the others.
/// The catalogue is one scope that everybody reads.
public let fieldVisits: App = App("field-visits", version: 2) {
  Collection("teams") {
    Field("name", .string, required: true)
    Scopes("team:{id}")
    Allow(.read, to: "member")
    Allow(.read, .create, .update, to: "manager")
  }
  Collection("stores") {
    Field("team", .reference("teams"), .immutable, required: true)
    Field("name", .string, required: true)
    Field("city", .string)
    Field("address", .string)
    Field("phone", .string)
    Scopes("team:{team}")
    Allow(.read, .create, .update, to: "member")
    Allow(.read, .create, .update, .delete, to: "manager")
  }
  Collection("visits") {
    Field("team", .reference("teams"), .immutable, required: true)
    Field("store", .reference("stores"), required: true)
    Field("title", .string, required: true)
    // Guarded: closing a visit that somebody else has just reopened must ask, not overwrite.
    Field("status", .choice("open", "closed"), .guarded)
    Field("tags", .set(.string))
    Field("footfall", .counter(min: 0))
    // Several people write notes at once, offline too, and all their words stay.
    Field("notes", .text)
    // Manual: two people's words are never merged by a machine; both stay until a person chooses.
    Field("summary", .string, .manual)
    Field("planned", .timestamp)
    // The same as the notes, with bold, italic and links, for those who were not there.
    Field("report", .richText, since: 2)
    Scopes("team:{team}")
    Allow(.read, .create, .update, to: "member")
    Allow(.read, .create, .update, .delete, to: "manager")
  }
  Collection("products") {
    Field("name", .string, required: true, write: ["manager"])
    Field("sku", .string, write: ["manager"])
    Field("category", .string, write: ["manager"])
    // In cents.
    Field("price", .int, write: ["manager"])
    Field("stock", .counter(min: 0))
    Scopes("catalog")
    Allow(.read, .update, to: "member")
    Allow(.read, .create, .update, .delete, to: "manager")
  }
  closeVisit
}

/// Closes a visit with a summary. Runs on the device at once and again on the server, against what the server holds then.
///
/// Refused with `closed` when the visit is closed already, and with `invalid` when the summary is empty or only spaces.
public let closeVisit = Action(
  "closeVisit", [Parameter("visit", .reference("visits")), Parameter("summary", .string)]
) { arguments, context throws(Rejection) in
  let id = arguments.text("visit")
  let summary = arguments.text("summary")
  let visit = try context.read("visits", id)
  guard visit.exists else { throw Rejection("notFound", "There is no such visit.", path: "visit") }
  guard visit["status"] != "closed" else { throw Rejection("closed", "This visit is already closed.", path: "visit") }
  guard summary.utf8.contains(where: { $0 > 0x20 }) else {
    throw Rejection("invalid", "A visit needs a summary before it can be closed.", path: "summary")
  }
  try context.update("visits", id, ("status", "closed"), ("summary", .text(summary)))
}
