// SPDX-License-Identifier: Apache-2.0
// The engine of Field Visits for the browser, with the app's own actions compiled in.
import AloftCore
import AloftWeb
import FieldVisits

/// Called by the page once, before `configure`. The declaration itself comes from the server; only the bodies must be compiled in.
@_expose(wasm, "aloft_setup")
@_cdecl("aloft_setup")
public func aloftSetup() { compiledActions = [closeVisit] }
