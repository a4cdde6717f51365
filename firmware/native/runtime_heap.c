// Walks the blocks of the heap. Run between two calls of the garbage collector only, that is, on the runtime's own task.
#include "runtime_heap.h"

#include <stddef.h>

#define TAG_FREE 0x01u
#define TAG_MASK 0x0fu
#define TAG_SHIFT (8u * (sizeof(uintptr_t) - 1u))
#define SIZE_MASK 0xffffffu

static bool look_at_chunk(const heap_chunk_t *chunk, heap_t *heap) {
  const uintptr_t *block = (const uintptr_t *)(chunk + 1);
  while (block < chunk->end) {
    uint32_t words = (uint32_t)(*block & SIZE_MASK);
    uint32_t bytes = words * (uint32_t)sizeof(uintptr_t);
    if (words == 0 || words > (size_t)(chunk->end - block)) return false;
    if ((*block >> TAG_SHIFT & TAG_MASK) != TAG_FREE)
      heap->used_bytes += bytes;
    else if (bytes > heap->free_block_bytes)
      heap->free_block_bytes = bytes;
    block += words;
  }
  heap->size_bytes += (uint32_t)((const uint8_t *)chunk->end - (const uint8_t *)chunk);
  return true;
}

bool runtime_heap_look(const heap_chunk_t *first, heap_t *heap) {
  *heap = (heap_t){0};
  for (const heap_chunk_t *chunk = first; chunk != NULL; chunk = chunk->next)
    if (!look_at_chunk(chunk, heap)) return false;
  return first != NULL;
}
