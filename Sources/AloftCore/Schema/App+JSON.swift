// SPDX-License-Identifier: Apache-2.0
// The declaration as JSON: what a JavaScript developer writes by hand and what the server serves.

extension App {
  /// Reads and checks a declaration.
  /// - Throws: the first problem, with its path. Unknown keys are problems too: a typo must not be silence.
  public init(json: [UInt8]) throws(SchemaError) {
    let cbor: [UInt8]
    do { cbor = try JSONCodec.cbor(fromJSON: json) } catch { throw SchemaError(path: "", message: Text("is not valid JSON: " + error.message.string)) }
    try self.init(checked: cbor)
    if let problem = check().first { throw problem }
  }

  /// Reads a declaration that a server has checked and that was transcoded to CBOR. Types and keys are still verified; names and
  /// references are not, which saves a browser the code for it: what does not resolve is refused when it is used.
  public init(checked cbor: [UInt8]) throws(SchemaError) {
    var tree = DeclarationReader(cbor)
    self = try tree.app()
    finish()
  }

  /// The declaration as JSON, fields in the order of their numbers. `App(json:)` of it gives the same numbers.
  public func json() -> [UInt8] {
    var out = JSONObjectWriter()
    out.key("app")
    out.text(name)
    out.key("version")
    out.int(Int64(version))
    out.key("collections")
    out.array(collections) { out, collection in write(collection, to: &out) }
    if !actions.isEmpty {
      out.key("actions")
      out.array(actions) { out, action in
        out.open()
        out.key("name")
        out.text(action.name)
        out.key("args")
        out.array(action.parameters) { out, parameter in
          out.open()
          out.key("name")
          out.text(parameter.name)
          write(parameter.type, to: &out)
          out.close()
        }
        out.close()
      }
    }
    return out.finish()
  }

  private func write(_ collection: Collection, to out: inout JSONObjectWriter) {
    out.open()
    out.key("name")
    out.text(collection.name)
    out.key("fields")
    out.array(collection.fields) { out, field in
      out.open()
      out.key("name")
      out.text(field.name)
      write(field.type, to: &out)
      out.key("rule")
      out.text(Text(field.rule.name))
      if field.since != 1 {
        out.key("since")
        out.int(Int64(field.since))
      }
      if field.isRequired {
        out.key("required")
        out.bool(true)
      }
      if !field.writers.isEmpty {
        out.key("write")
        out.array(field.writers) { out, role in out.text(role) }
      }
      if !field.readers.isEmpty {
        out.key("read")
        out.array(field.readers) { out, role in out.text(role) }
      }
      out.close()
    }
    out.key("scopes")
    out.array(collection.scopes) { out, template in out.text(template.source) }
    if collection.onConcurrentUpdate == .updateWins {
      out.key("onConcurrentUpdate")
      out.text("updateWins")
    }
    out.key("allow")
    out.array(collection.permissions) { out, permission in
      out.open()
      out.key("do")
      out.array(permission.operations) { out, operation in out.text(Text(operation.name)) }
      out.key("to")
      out.text(permission.role)
      out.close()
    }
    out.close()
  }

  private func write(_ type: FieldType, to out: inout JSONObjectWriter) {
    out.key("type")
    out.text(Text(type.name))
    switch type {
    case .choice(let choices):
      out.key("choices")
      out.array(choices) { out, choice in out.text(choice) }
    case .reference(let target):
      out.key("to")
      out.text(target)
    case .set(let element):
      // An element that carries details of its own is written as an object.
      out.key("of")
      switch element {
      case .choice, .reference:
        out.open()
        write(element, to: &out)
        out.close()
      default: out.text(Text(element.name))
      }
    case .counter(let low, let high):
      if let low {
        out.key("min")
        out.int(low)
      }
      if let high {
        out.key("max")
        out.int(high)
      }
    default: break
    }
  }
}

/// Writes JSON objects key by key; commas are its business.
struct JSONObjectWriter {
  private(set) var bytes: [UInt8] = [0x7B]

  mutating func finish() -> [UInt8] {
    bytes.put(0x7D)
    return bytes
  }

  @inline(never)
  private mutating func separate() {
    if let last = bytes.last, last != 0x7B, last != 0x5B, last != 0x3A { bytes.put(0x2C) }
  }

  @inline(never)
  mutating func open() {
    separate()
    bytes.put(0x7B)
  }

  @inline(never)
  mutating func close() { bytes.put(0x7D) }

  @inline(never)
  mutating func key(_ name: StaticString) {
    separate()
    bytes.put(0x22)
    JSONCodec.literal(name, to: &bytes)
    bytes.put(0x22)
    bytes.put(0x3A)
  }

  @inline(never)
  mutating func keyText(_ name: Text) {
    separate()
    JSONCodec.appendText(name, to: &bytes)
    bytes.put(0x3A)
  }

  @_disfavoredOverload
  @inline(never)
  mutating func text(_ value: Text) {
    separate()
    JSONCodec.appendText(value, to: &bytes)
  }

  @inline(never)
  mutating func text(_ value: StaticString) { text(Text(value)) }

  @inline(never)
  mutating func int(_ value: Int64) {
    separate()
    appendDecimal(value, to: &bytes)
  }

  @inline(never)
  mutating func bool(_ value: Bool) {
    separate()
    JSONCodec.literal(value ? "true" : "false", to: &bytes)
  }

  @inline(never)
  mutating func null() {
    separate()
    JSONCodec.literal("null", to: &bytes)
  }

  @inline(never)
  mutating func value(_ value: Value) {
    separate()
    JSONCodec.append(value, to: &bytes)
  }

  /// Appends JSON that was written elsewhere.
  @inline(never)
  mutating func raw(_ json: [UInt8]) {
    separate()
    bytes.append(contentsOf: json)
  }

  mutating func array<Element>(_ elements: [Element], _ write: (inout JSONObjectWriter, Element) -> Void) {
    separate()
    bytes.put(0x5B)
    for element in elements { write(&self, element) }
    bytes.put(0x5D)
  }
}
