// Stands in for jacdac-c's header of this name, so that the services compile and run here: only what they use of it, with the same
// names, numbers and layouts (jacdac-c a1bcc47). Not built into the runtime, which brings the real one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define JD_GET(reg) (0x1000 | (reg))
#define JD_SET(reg) (0x2000 | (reg))
#define JD_REG_STREAMING_SAMPLES 0x3
#define JD_REG_STREAMING_INTERVAL 0x4
#define JD_REG_READING 0x101

typedef struct {
  uint16_t crc;
  uint8_t _size;
  uint8_t flags;
  uint64_t device_identifier;
  uint8_t service_size;
  uint8_t service_index;
  uint16_t service_command;
  uint8_t data[];
} __attribute__((__packed__, aligned(4))) jd_packet_t;

typedef struct srv_state srv_t;
typedef struct {
  uint32_t service_class;
  uint16_t state_size;
  void (*process)(srv_t *state);
  void (*handle_pkt)(srv_t *state, jd_packet_t *packet);
} srv_vt_t;

#define SRV_COMMON    \
  const srv_vt_t *vt; \
  uint8_t service_index; \
  uint8_t srv_flags;

#define SRV_DEF(id, service_cls)     \
  static const srv_vt_t id##_vt = {  \
      .service_class = service_cls,  \
      .state_size = sizeof(srv_t),   \
      .process = id##_process,       \
      .handle_pkt = id##_handle_packet, \
  }
#define SRV_ALLOC(id) srv_t *state = jd_allocate_service(&id##_vt);

// Microseconds since the start, modulo 2^32, as of the present round of the runtime's loop.
extern uint32_t now;

srv_t *jd_allocate_service(const srv_vt_t *vt);
int jd_send(unsigned service_index, unsigned service_command, const void *data, unsigned length_bytes);
int jd_respond_u8(jd_packet_t *packet, uint8_t value);
int jd_respond_u16(jd_packet_t *packet, uint16_t value);
int jd_respond_u32(jd_packet_t *packet, uint32_t value);
int jd_send_not_implemented(jd_packet_t *packet);
