// Host of the translated WASM: its memory, its network, its calls. What front-end.ts is in Node.
#include "front_end.h"

#include "front.h"  // made by wasm2c at build time
#include "wasm-rt.h"

#ifndef FRONT_END_MEMORY_PLACE
#define FRONT_END_MEMORY_PLACE  // the chip's build puts an attribute here: EXT_RAM_BSS_ATTR
#endif

#define NETWORK_VERSION 1u

FRONT_END_MEMORY_PLACE uint8_t front_end_memory[FRONT_END_MEMORY_BYTES] __attribute__((aligned(16)));

static Z_front_instance_t front;

_Noreturn void front_end_trap(void) {
  __builtin_trap();
}

static uint32_t word_at(const uint8_t *bytes, uint32_t offset) {
  return bytes[offset] | (uint32_t)bytes[offset + 1] << 8 | (uint32_t)bytes[offset + 2] << 16 |
         (uint32_t)bytes[offset + 3] << 24;
}

static bool is_network(const uint8_t *network, uint32_t network_bytes, uint32_t weights_bytes) {
  return network_bytes == NETWORK_HEAD_BYTES + weights_bytes && __builtin_memcmp(network, "STNN", 4) == 0 &&
         word_at(network, 4) == NETWORK_VERSION && word_at(network, 8) == weights_bytes;
}

bool front_end_start(const uint8_t *network, uint32_t network_bytes) {
  Z_front_init_module();
  Z_front_instantiate(&front);
  uint32_t weights_bytes = Z_frontZ_weightsBytes(&front);
  if (!is_network(network, network_bytes, weights_bytes)) return false;
  __builtin_memcpy(front_end_memory + Z_frontZ_weights(&front), network + NETWORK_HEAD_BYTES, weights_bytes);
  Z_frontZ_reset(&front);
  return true;
}

uint32_t front_end_process(const int16_t *samples) {
  __builtin_memcpy(front_end_memory + Z_frontZ_input(&front), samples, HOP_SAMPLES * sizeof(int16_t));
  return Z_frontZ_process(&front);
}

const uint8_t *front_end_features(void) {
  return front_end_memory + Z_frontZ_features(&front);
}
