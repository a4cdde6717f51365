// The ring of frames: two counters that only grow, each written by one side.
#include "frame_ring.h"

#include <stddef.h>

frame_t *frame_ring_free(frame_ring_t *ring) {
  uint32_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
  uint32_t dropped = atomic_load_explicit(&ring->dropped, memory_order_acquire);
  return written - dropped == FRAME_RING_FRAMES ? NULL : &ring->frames[written % FRAME_RING_FRAMES];
}

void frame_ring_put(frame_ring_t *ring) {
  atomic_fetch_add_explicit(&ring->written, 1u, memory_order_release);
}

const frame_t *frame_ring_next(frame_ring_t *ring) {
  uint32_t dropped = atomic_load_explicit(&ring->dropped, memory_order_relaxed);
  uint32_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
  return written == dropped ? NULL : &ring->frames[dropped % FRAME_RING_FRAMES];
}

void frame_ring_drop(frame_ring_t *ring) {
  atomic_fetch_add_explicit(&ring->dropped, 1u, memory_order_release);
}
