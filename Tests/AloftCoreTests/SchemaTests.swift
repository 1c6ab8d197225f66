// SPDX-License-Identifier: Apache-2.0
// Declarations: read, checked, compared with older versions.
import FieldVisits
import Testing

@testable import AloftCore

@Suite("Declarations")
struct SchemaTests {
  static let sound = #"{"app":"todo","version":1,"collections":[{"name":"todos","fields":[{"name":"title","type":"string"}]}]}"#

  @Test("a declaration written in Swift and read back from its JSON has the same numbers")
  func roundTrip() throws {
    for app in [fieldVisits, todoApp] {
      let again = try App(json: app.json())
      #expect(again.json() == app.json())
      #expect(again.incompatibilities(with: app).isEmpty)
    }
  }

  @Test("a problem in a declaration is named by its path", arguments: [
    (#"[]"#, ""), (#"{}"#, "app"), (#"{"app":"a","collections":[]}"#, "collections"), (#"{"app":"a b","collections":[{"name":"x"}]}"#, "app"),
    (#"{"app":"a","collections":[{"name":"x","fields":[{"name":"f"}]}]}"#, "collections[0].fields[0]"),
    (#"{"app":"a","collections":[{"name":"x","fields":[{"name":"f","type":"strin"}]}]}"#, "collections[0].fields[0]"),
    (#"{"app":"a","collections":[{"name":"x","fields":[{"name":"f","type":"string","rule":"counter"}]}]}"#, "collections[0].fields[0].rule"),
    (#"{"app":"a","collections":[{"name":"x","fields":[{"name":"f","type":"string","ruel":"latest"}]}]}"#, "collections[0].fields[0].ruel"),
    (#"{"app":"a","collections":[{"name":"x","fields":[{"name":"f","type":"reference","to":"y"}]}]}"#, "collections[0].fields[0].type"),
    (#"{"app":"a","collections":[{"name":"x","scopes":["s:{f}"]}]}"#, "collections[0].scopes"),
    (#"{"app":"a","collections":[{"name":"x","scopes":["s:{f"]}]}"#, "collections[0].scopes"),
    (#"{"app":"a","collections":[{"name":"x"},{"name":"x"}]}"#, "collections[1].name"),
    (#"{"app":"a","collections":[{"name":"x"}],"actions":[{"name":"create"}]}"#, "actions[0].name"),
    (#"{"app":"a","collections":[{"name":"x","allow":[{"do":["reed"],"to":"y"}]}]}"#, "collections[0].allow[0].do"),
    (#"{"app":"a","app":"b"}"#, "app"),
  ])
  func problems(text: String, path: String) {
    do {
      _ = try App(json: Array(text.utf8))
      Issue.record("accepted: \(text)")
    } catch { #expect(error.path == Text(path), "\(error.message)") }
  }

  @Test("additions keep older clients working; removals, renames, moves and changes of type or rule do not")
  func additive() throws {
    let older = try App(json: Array(Self.sound.utf8))
    let added = Self.sound.replacing(#"{"name":"title""#, with: #"{"name":"due","type":"int","since":2},{"name":"title""#).replacing(#""version":1"#, with: #""version":2"#)
    #expect(try App(json: Array(added.utf8)).incompatibilities(with: older).isEmpty)
    for (from, to, path) in [
      (#""name":"title""#, #""name":"tittle""#, "collections[0].fields[0]"), (#""type":"string""#, #""type":"int""#, "collections[0].fields[0].type"),
      (#""type":"string""#, #""type":"string","rule":"manual""#, "collections[0].fields[0].rule"), (#""name":"todos""#, #""name":"tasks""#, "collections[0]"),
      (#"{"name":"title""#, #"{"name":"first","type":"int"},{"name":"title""#, "collections[0].fields[0]"),
    ] {
      let changed = try App(json: Array(Self.sound.replacing(from, with: to).utf8))
      #expect(changed.incompatibilities(with: older).map { $0.path.string } == [path], "\(to)")
    }
  }

  @Test("arguments are refused with the path of the mistake before anything runs", arguments: [
    (#"{"action":"create","args":{"collection":"items","fields":{"list":"l1","best":"x"}}}"#, "mutations[0].args.fields.best"),
    (#"{"action":"create","args":{"collection":"items","fields":{"nope":1}}}"#, "mutations[0].args.fields.nope"),
    (#"{"action":"create","args":{"collection":"nope","fields":{}}}"#, "mutations[0].args.collection"),
    (#"{"action":"update","args":{"collection":"items","id":"i1"}}"#, "mutations[0].args.changes"),
    (#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"likes":{"$increment":"a"}}}}"#, "mutations[0].args.changes.likes.$increment"),
    (#"{"action":"update","args":{"collection":"items","id":"i1","changes":{"best":{"$add":[1]}}}}"#, "mutations[0].args.changes.best.$add"),
    (#"{"action":"create","args":{"collection":"items","id":"a b","fields":{}}}"#, "mutations[0].args.id"),
    (#"{"action":"create","args":{"collection":"items","fields":{"likes":9007199254740993}}}"#, "mutations[0].args.fields.likes"),
    (#"{"action":"explode","args":{}}"#, "mutations[0].args.action"),
  ])
  func arguments(text: String, path: String) {
    let device = TestDevice("mia", roles: [("member", "list:l1")], seed: 1)
    do {
      try device.mutate(text)
      Issue.record("accepted: \(text)")
    } catch let error as Rejection { #expect(error.path == Text(path)) } catch { Issue.record("\(error)") }
    #expect(device.engine.status.queued == 0)
  }
}
