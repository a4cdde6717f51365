// Sends the listener's frames, one for each hop, as long as a client asks for them; a hop that nobody asks for passes unsent.
#include "voice_service.h"

#include <stddef.h>

#include "listener.h"
#include "services/jd_services.h"

#define VOICE_FRONT_END_CLASS 0x1f5a7c3e
#define HOP_MS 20u
// The runtime's queue towards its own program has 2 KB (JD_RX_QUEUE_SIZE); the runtime comes by every 10 ms at the latest.
#define FRAMES_AT_A_TIME 4

struct srv_state {
  SRV_COMMON;
  uint8_t samples_left;
  bool listening;
  void (*listen)(void);
};

static void voice_front_end_process(srv_t *state) {
  for (int i = 0; i < FRAMES_AT_A_TIME; i++) {
    const frame_t *frame = frame_ring_next(&listener_frames);
    if (frame == NULL) return;
    if (state->samples_left > 0) {
      state->samples_left--;
      jd_send(state->service_index, JD_GET(JD_REG_READING), frame->bytes, frame->length_bytes);
    }
    frame_ring_drop(&listener_frames);
  }
}

static void stream(srv_t *state, jd_packet_t *packet) {
  if (packet->service_size == 0) return;
  state->samples_left = packet->data[0];
  if (state->listening || state->samples_left == 0) return;
  state->listening = true;
  state->listen();
}

static void voice_front_end_handle_packet(srv_t *state, jd_packet_t *packet) {
  switch (packet->service_command) {
    case JD_SET(JD_REG_STREAMING_SAMPLES):
      stream(state, packet);
      break;
    case JD_GET(JD_REG_STREAMING_SAMPLES):
      jd_respond_u8(packet, state->samples_left);
      break;
    case JD_GET(JD_REG_STREAMING_INTERVAL):
      jd_respond_u32(packet, HOP_MS);
      break;
    case JD_SET(JD_REG_STREAMING_INTERVAL):  // a hop is a hop, whatever is asked for
    case JD_GET(JD_REG_READING):             // a frame is sent once, when its hop has passed
      break;
    default:
      jd_send_not_implemented(packet);
  }
}

SRV_DEF(voice_front_end, VOICE_FRONT_END_CLASS);

void voice_service_init(void (*listen)(void)) {
  SRV_ALLOC(voice_front_end);
  state->listen = listen;
}
