// The Jacdac service runtime vitals (../services/runtime-vitals.md) on the runtime's own device.
#pragma once

#include <stdint.h>

#include "runtime_heap.h"

// What the service asks of the runtime it runs in.
typedef struct {
  // @returns the first chunk of the program's heap; NULL while no program runs
  const heap_chunk_t *(*heap)(void);
  // @returns microseconds that the runtime's task has run, modulo 2^32
  uint32_t (*busy_us)(void);
} vitals_source_t;

// Adds the service. Called by app_init_services().
void vitals_service_init(const vitals_source_t *source);
