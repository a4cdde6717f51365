// Frames on their way from the task that hears to the task that runs the bus: one writes, one reads, neither waits for the other.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

// Bytes of the longest frame (../services/voice-front-end.md): what one Jacdac packet holds.
#define FRAME_BYTES_MAX 236u
// Frames that may wait, 160 ms; a power of two.
#define FRAME_RING_FRAMES 8u

typedef struct {
  uint32_t length_bytes;
  uint8_t bytes[FRAME_BYTES_MAX];
} frame_t;

typedef struct {
  _Atomic uint32_t written;  // frames ever put; the writer's
  _Atomic uint32_t dropped;  // frames ever taken; the reader's
  frame_t frames[FRAME_RING_FRAMES];
} frame_ring_t;

// @returns where the writer may make its next frame; NULL while the ring is full
frame_t *frame_ring_free(frame_ring_t *ring);
// Hands the frame at frame_ring_free() to the reader.
void frame_ring_put(frame_ring_t *ring);
// @returns the oldest frame that waits; NULL if none does
const frame_t *frame_ring_next(frame_ring_t *ring);
// Gives the place of frame_ring_next() back to the writer.
void frame_ring_drop(frame_ring_t *ring);
