// libopus with the badge's settings.
#include "opus_packet.h"

#include <opus.h>
#include <stddef.h>

#include "front_end.h"

#define RATE_HZ 16000
#define BITRATE_BPS 16000

static OpusEncoder *encoder;

bool opus_packet_start(void) {
  int error = OPUS_OK;
  encoder = opus_encoder_create(RATE_HZ, 1, OPUS_APPLICATION_VOIP, &error);
  if (error != OPUS_OK) return false;
  return opus_encoder_ctl(encoder, OPUS_SET_BITRATE(BITRATE_BPS)) == OPUS_OK &&
         opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(0)) == OPUS_OK &&
         opus_encoder_ctl(encoder, OPUS_SET_VBR(1)) == OPUS_OK &&
         opus_encoder_ctl(encoder, OPUS_SET_DTX(0)) == OPUS_OK &&
         opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(0)) == OPUS_OK;
}

uint32_t opus_packet_encode(const int16_t *samples, uint8_t *packet) {
  if (encoder == NULL) return 0;
  opus_int32 length = opus_encode(encoder, samples, HOP_SAMPLES, packet, OPUS_PACKET_BYTES_MAX);
  return length > 0 ? (uint32_t)length : 0;
}
