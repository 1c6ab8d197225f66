// SPDX-License-Identifier: Apache-2.0
// What may be written as a field's value, an argument or a condition, so that calls look as they do in an app.
import AloftCore

/// Text, numbers, truth values, lists, and `["$increment": 1]` or `["$add": ["x"]]` where a rule takes changes.
public protocol FieldInput {
  func write(to out: inout CBORWriter)
}

extension String: FieldInput {
  public func write(to out: inout CBORWriter) { out.text(Text(self)) }
}

extension Int: FieldInput {
  public func write(to out: inout CBORWriter) { out.int(Int64(self)) }
}

extension Double: FieldInput {
  public func write(to out: inout CBORWriter) { out.double(self) }
}

extension Bool: FieldInput {
  public func write(to out: inout CBORWriter) { out.bool(self) }
}

extension Value: FieldInput {
  public func write(to out: inout CBORWriter) { encode(to: &out) }
}

extension Array: FieldInput where Element: FieldInput {
  public func write(to out: inout CBORWriter) {
    out.array(count)
    for element in self { element.write(to: &out) }
  }
}

extension Dictionary: FieldInput where Key == String, Value: FieldInput {
  public func write(to out: inout CBORWriter) { self.mapValues { $0 as any FieldInput }.writeMap(to: &out) }
}

/// An object whose values are of several kinds.
struct FieldObject: FieldInput {
  let members: [String: any FieldInput]

  func write(to out: inout CBORWriter) { members.writeMap(to: &out) }
}

/// A list whose elements are of several kinds.
struct FieldList: FieldInput {
  let elements: [any FieldInput]

  func write(to out: inout CBORWriter) {
    out.array(elements.count)
    for element in elements { element.write(to: &out) }
  }
}

extension [String: any FieldInput] {
  fileprivate func writeMap(to out: inout CBORWriter) {
    out.map(count)
    for key in keys.sorted() {
      out.text(Text(key))
      self[key]!.write(to: &out)
    }
  }
}
