// SPDX-License-Identifier: Apache-2.0
// The engine of Field Visits for the browser, with the app's own actions compiled in.
import AloftCore
import AloftWeb
import FieldVisits

/// Called by the page once, before `configure`.
@_expose(wasm, "aloft_setup")
@_cdecl("aloft_setup")
public func aloftSetup() { compiledActions = fieldVisits.actions }
