// SPDX-License-Identifier: Apache-2.0
// The few functions of a C library that Embedded Swift expects; supplied for WebAssembly only.
#pragma once
