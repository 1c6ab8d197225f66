// SPDX-License-Identifier: Apache-2.0
// Memory for the WebAssembly engine: a size-class allocator and the memory functions that compilers call.
//
// Why our own: the module has no C library. Blocks are rounded up to one of four steps for each power of two (at most 25 % waste)
// and freed blocks wait in a list of their class, so that allocating and freeing cost a few instructions. Memory is never
// given back: WebAssembly memory cannot shrink.
#if defined(__wasm__)
#include <stddef.h>
#include <stdint.h>

typedef struct Block {
  struct Block *next;
} Block;

// Stands before every allocation.
typedef struct {
  uint32_t class_index;
  uint32_t offset; // from the start of the block to the caller's pointer
} Header;

enum { CLASS_COUNT = 128, GRANULE = 16, WASM_PAGE = 65536 };

extern unsigned char __heap_base;
static Block *free_lists[CLASS_COUNT];
static uintptr_t arena_next, arena_end;

static uint32_t class_of(size_t size) {
  if (size <= 64) return (uint32_t)((size + 15) / 16); // 1..4: 16, 32, 48, 64
  uint32_t power = 31 - (uint32_t)__builtin_clz((uint32_t)(size - 1));
  uint32_t step = (uint32_t)((size - 1) >> (power - 2)) & 3;
  return 5 + (power - 6) * 4 + step;
}

static size_t size_of(uint32_t class_index) {
  if (class_index <= 4) return class_index * 16;
  uint32_t power = 6 + (class_index - 5) / 4, step = (class_index - 5) % 4;
  return ((size_t)(step + 5)) << (power - 2);
}

static void *take(size_t size) {
  if (arena_next == 0) {
    arena_next = ((uintptr_t)&__heap_base + GRANULE - 1) & ~(uintptr_t)(GRANULE - 1);
    arena_end = __builtin_wasm_memory_size(0) * (uintptr_t)WASM_PAGE;
  }
  // The host may have made room ahead.
  if (size > arena_end - arena_next) arena_end = __builtin_wasm_memory_size(0) * (uintptr_t)WASM_PAGE;
  if (size > arena_end - arena_next) {
    // Grow by at least a half, so that growing stays rare: browsers answer it with a full collection of their JavaScript heap.
    // What is not used yet costs address space only.
    size_t missing = size - (arena_end - arena_next), half = arena_end / 2;
    size_t pages = ((missing > half ? missing : half) + WASM_PAGE - 1) / WASM_PAGE;
    if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) {
      pages = (missing + WASM_PAGE - 1) / WASM_PAGE;
      if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) return NULL;
    }
    arena_end = __builtin_wasm_memory_size(0) * (uintptr_t)WASM_PAGE;
  }
  void *block = (void *)arena_next;
  arena_next += size;
  return block;
}

int posix_memalign(void **out, size_t alignment, size_t size) {
  size_t extra = alignment > GRANULE ? alignment : 0;
  size_t total = size + sizeof(Header) + 8 + extra;
  if (total < size || total > 0x7fffffff) return 12;
  uint32_t index = class_of(total);
  Block *block = free_lists[index];
  if (block) {
    free_lists[index] = block->next;
  } else {
    block = take(size_of(index));
    if (!block) return 12;
  }
  uintptr_t address = (uintptr_t)block + GRANULE;
  if (extra) address = (address + alignment - 1) & ~(uintptr_t)(alignment - 1);
  Header *header = (Header *)(address - sizeof(Header));
  header->class_index = index;
  header->offset = (uint32_t)(address - (uintptr_t)block);
  *out = (void *)address;
  return 0;
}

void free(void *pointer) {
  if (!pointer) return;
  Header *header = (Header *)((uintptr_t)pointer - sizeof(Header));
  uint32_t index = header->class_index;
  Block *block = (Block *)((uintptr_t)pointer - header->offset);
  block->next = free_lists[index];
  free_lists[index] = block;
}

void *malloc(size_t size) {
  void *pointer = NULL;
  return posix_memalign(&pointer, 8, size) == 0 ? pointer : NULL;
}

// memory.copy is fast for blocks and slow to call, and nearly all copies here are shorter than a line of text: those go by words.
// The asm keeps the compiler from calling the very function that it is compiling.
typedef uint64_t __attribute__((aligned(1), may_alias)) Word;

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
  unsigned char *target = to;
  const unsigned char *source = from;
  if (count < 8) {
    for (size_t index = 0; index < count; index++) ((volatile unsigned char *)target)[index] = source[index];
    return to;
  }
  if (count <= 64) {
    // The last word overlaps what came before it, so no tail is left over.
    Word last = *(const Word *)(source + count - 8);
    for (size_t index = 0; index + 8 < count; index += 8) *(volatile Word *)(target + index) = *(const Word *)(source + index);
    *(Word *)(target + count - 8) = last;
    return to;
  }
  __asm__ volatile("local.get %0\nlocal.get %1\nlocal.get %2\nmemory.copy 0, 0" ::"r"(to), "r"(from), "r"(count) : "memory");
  return to;
}

void *memmove(void *to, const void *from, size_t count) {
  // The ranges may overlap: all is read before anything is written.
  if (count >= 8 && count <= 32) {
    const unsigned char *source = from;
    unsigned char *target = to;
    size_t second = count > 16 ? 8 : 0, third = count > 16 ? count - 16 : 0;
    Word a = *(const Word *)source, b = *(const Word *)(source + second), c = *(const Word *)(source + third);
    Word d = *(const Word *)(source + count - 8);
    *(Word *)target = a;
    *(Word *)(target + second) = b;
    *(Word *)(target + third) = c;
    *(Word *)(target + count - 8) = d;
    return to;
  }
  __asm__ volatile("local.get %0\nlocal.get %1\nlocal.get %2\nmemory.copy 0, 0" ::"r"(to), "r"(from), "r"(count) : "memory");
  return to;
}

void *memset(void *to, int value, size_t count) {
  __asm__ volatile("local.get %0\nlocal.get %1\nlocal.get %2\nmemory.fill 0" ::"r"(to), "r"(value), "r"(count) : "memory");
  return to;
}

int memcmp(const void *a, const void *b, size_t count) {
  const unsigned char *x = a, *y = b;
  while (count >= 8 && *(const Word *)x == *(const Word *)y) {
    x += 8;
    y += 8;
    count -= 8;
  }
  for (size_t index = 0; index < count; index++) {
    if (x[index] != y[index]) return x[index] < y[index] ? -1 : 1;
  }
  return 0;
}

// Swift seeds its hash tables with this. The engine never lets their order show, so a fixed stream keeps runs repeatable.
void arc4random_buf(void *buffer, size_t count) {
  static uint32_t state = 0x9e3779b9;
  unsigned char *bytes = buffer;
  for (size_t index = 0; index < count; index++) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    bytes[index] = (unsigned char)state;
  }
}

// 128-bit product of two 64-bit numbers, in 32-bit parts; the compiler calls it for wide multiplications.
typedef struct {
  uint64_t low, high;
} Wide;

Wide __multi3(uint64_t a_low, uint64_t a_high, uint64_t b_low, uint64_t b_high) {
  uint64_t a0 = (uint32_t)a_low, a1 = a_low >> 32, b0 = (uint32_t)b_low, b1 = b_low >> 32;
  uint64_t p00 = a0 * b0, p01 = a0 * b1, p10 = a1 * b0, p11 = a1 * b1;
  uint64_t middle = (p00 >> 32) + (uint32_t)p01 + (uint32_t)p10;
  Wide product;
  product.low = (middle << 32) | (uint32_t)p00;
  product.high = p11 + (p01 >> 32) + (p10 >> 32) + (middle >> 32) + a_low * b_high + a_high * b_low;
  return product;
}
#endif
