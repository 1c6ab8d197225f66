// SPDX-License-Identifier: Apache-2.0
// Counts what a program allocates, by standing before the C library's own functions. Swift's arrays and objects come from there as well.
#pragma once

/// Counts from zero on, until `allocations_stop`.
void allocations_start(void);
void allocations_stop(void);
/// How many blocks were allocated since; below zero where nothing can be counted.
long allocations_count(void);
/// By how many bytes the memory in use has grown since, and by how many at most.
long allocations_bytes(void);
long allocations_peak(void);
/// From now on memory that was freed stays with the program, so that the kernel's work of handing out pages is not measured.
void allocations_keep(void);
