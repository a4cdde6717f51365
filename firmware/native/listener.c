// From hop to frame: number, features, flags, Opus packet.
#include "listener.h"

#include <string.h>

#include "front_end.h"
#include "opus_packet.h"

#define FEATURES_OFFSET 4u
#define FLAGS_OFFSET 4u
#define OPUS_LENGTH_OFFSET 7u
#define FLAG_MUTED 1u

frame_ring_t listener_frames;

// Number of the next hop.
static uint32_t seq;

bool listener_start(const uint8_t *network, uint32_t network_bytes) {
  seq = 0;
  bool started = front_end_start(network, network_bytes);
  return opus_packet_start() && started;
}

static void write_word(uint8_t *bytes, uint32_t value) {
  for (unsigned i = 0; i < 4; i++) bytes[i] = (uint8_t)(value >> (8 * i));
}

static void write_frame(frame_t *frame, uint32_t feature_bytes, bool muted, const uint8_t *packet,
                        uint32_t packet_bytes) {
  write_word(frame->bytes, seq);
  memcpy(frame->bytes + FEATURES_OFFSET, front_end_features(), feature_bytes);
  if (muted) frame->bytes[FLAGS_OFFSET] |= FLAG_MUTED;
  frame->bytes[OPUS_LENGTH_OFFSET] = (uint8_t)packet_bytes;
  memcpy(frame->bytes + FEATURES_OFFSET + feature_bytes, packet, packet_bytes);
  frame->length_bytes = FEATURES_OFFSET + feature_bytes + packet_bytes;
}

void listener_hear(int16_t *samples, bool muted) {
  if (muted) memset(samples, 0, HOP_SAMPLES * sizeof samples[0]);
  uint32_t feature_bytes = front_end_process(samples);
  uint8_t packet[OPUS_PACKET_BYTES_MAX];
  uint32_t packet_bytes = opus_packet_encode(samples, packet);
  frame_t *frame = frame_ring_free(&listener_frames);
  if (frame != NULL) {
    write_frame(frame, feature_bytes, muted, packet, packet_bytes);
    frame_ring_put(&listener_frames);
  }
  seq++;
}

void listener_lost(uint32_t hops) {
  seq += hops;
}
