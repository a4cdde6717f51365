// Answers what the runtime's heap and time are; asks for the heap when a client does, for the time once a second.
#include "vitals_service.h"

#include "services/jd_services.h"

#define RUNTIME_VITALS_CLASS 0x1b8d3f62
#define REG_HEAP_SIZE 0x180
#define REG_HEAP_USED 0x181
#define REG_HEAP_FREE_BLOCK 0x182
#define REG_LOAD 0x183
#define SECOND_US 1000000u
#define PER_MILLE_MAX 0xffffu

struct srv_state {
  SRV_COMMON;
  uint16_t load_per_mille;
  uint32_t second_start_us;
  uint32_t busy_before_us;
  const vitals_source_t *source;
};

static void runtime_vitals_process(srv_t *state) {
  uint32_t passed_us = now - state->second_start_us;
  if (passed_us < SECOND_US) return;
  uint32_t busy_us = state->source->busy_us();
  uint64_t per_mille = (uint64_t)(busy_us - state->busy_before_us) * 1000u / passed_us;
  state->load_per_mille = per_mille < PER_MILLE_MAX ? (uint16_t)per_mille : PER_MILLE_MAX;
  state->busy_before_us = busy_us;
  state->second_start_us = now;
}

// A heap that is not there, or not as we know it, is not answered for.
static void answer_heap(srv_t *state, jd_packet_t *packet) {
  heap_t heap;
  if (!runtime_heap_look(state->source->heap(), &heap)) return;
  switch (packet->service_command) {
    case JD_GET(REG_HEAP_SIZE):
      jd_respond_u32(packet, heap.size_bytes);
      break;
    case JD_GET(REG_HEAP_USED):
      jd_respond_u32(packet, heap.used_bytes);
      break;
    default:
      jd_respond_u32(packet, heap.free_block_bytes);
  }
}

static void runtime_vitals_handle_packet(srv_t *state, jd_packet_t *packet) {
  switch (packet->service_command) {
    case JD_GET(REG_HEAP_SIZE):
    case JD_GET(REG_HEAP_USED):
    case JD_GET(REG_HEAP_FREE_BLOCK):
      answer_heap(state, packet);
      break;
    case JD_GET(REG_LOAD):
      jd_respond_u16(packet, state->load_per_mille);
      break;
    default:
      jd_send_not_implemented(packet);
  }
}

SRV_DEF(runtime_vitals, RUNTIME_VITALS_CLASS);

void vitals_service_init(const vitals_source_t *source) {
  SRV_ALLOC(runtime_vitals);
  state->source = source;
  state->second_start_us = now;
  state->busy_before_us = source->busy_us();
}
