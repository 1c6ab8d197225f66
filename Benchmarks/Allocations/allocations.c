// SPDX-License-Identifier: Apache-2.0
// Blocks are counted with their usable size, which is what they take from the heap. For programs of one thread.
#include "allocations.h"
#include <limits.h>

static long count, bytes, peak;

#ifdef __GLIBC__
#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <string.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static int is_counting;

void allocations_start(void) {
  count = bytes = peak = 0;
  is_counting = 1;
}

void allocations_stop(void) { is_counting = 0; }

static void *gained(void *block) {
  if (is_counting && block) {
    count++;
    bytes += (long)malloc_usable_size(block);
    if (bytes > peak) peak = bytes;
  }
  return block;
}

static void lost(void *block) {
  if (is_counting && block) bytes -= (long)malloc_usable_size(block);
}

void *malloc(size_t size) { return gained(__libc_malloc(size)); }
void *calloc(size_t items, size_t size) { return gained(__libc_calloc(items, size)); }
void *memalign(size_t alignment, size_t size) { return gained(__libc_memalign(alignment, size)); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **block, size_t alignment, size_t size) {
  void *found = memalign(alignment, size);
  if (!found) return ENOMEM;
  *block = found;
  return 0;
}

void *realloc(void *block, size_t size) {
  long before = block ? (long)malloc_usable_size(block) : 0;
  void *moved = __libc_realloc(block, size);
  if (!moved && size) return moved;
  if (is_counting) bytes -= before;
  return gained(moved);
}

void free(void *block) {
  lost(block);
  __libc_free(block);
}

void allocations_keep(void) {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  // Touched once, a stretch of this size is there for all that follows.
  size_t size = 64 << 20;
  void *block = __libc_malloc(size);
  if (block) memset(block, 1, size);
  __libc_free(block);
}
#else
void allocations_start(void) { count = -1; }
void allocations_stop(void) {}
void allocations_keep(void) {}
#endif

long allocations_count(void) { return count; }
long allocations_bytes(void) { return bytes; }
long allocations_peak(void) { return peak; }
