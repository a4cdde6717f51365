// Looks at the DeviceScript runtime's heap as it lies in memory: a chain of chunks, each a row of blocks, each with a word of its tag
// (8 bits, at the top) and its size in words (24 bits), the last one marked as final (runtime/devicescript/gc_alloc.c, 2.16.4).
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Head of a chunk; its blocks follow.
typedef struct heap_chunk {
  const struct heap_chunk *next;
  const uintptr_t *end;
} heap_chunk_t;

typedef struct {
  uint32_t size_bytes;
  // Taken by what lives, and by what waits to be collected.
  uint32_t used_bytes;
  uint32_t free_block_bytes;
} heap_t;

// @returns false if there is no chunk, or a block without a size: the heap is not as this knows it, and nothing is said about it
bool runtime_heap_look(const heap_chunk_t *first, heap_t *heap);
