// SPDX-License-Identifier: Apache-2.0
// The generic engine for the browser: built-in actions only. Its exports are in AloftWeb.
import AloftWeb
