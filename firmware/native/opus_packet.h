// The hop's Opus packet (RFC 6716) by libopus: 16 kHz mono, 20 ms, voice, 16 kbit/s variable, complexity 0, no DTX, no in-band FEC:
// what test-rig/src/audio/opus.ts takes for the badge.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Bytes of the longest packet that a frame carries.
#define OPUS_PACKET_BYTES_MAX 160u

// Makes the encoder, once. False: there is no memory for it, or this libopus takes not these settings; frames then carry no packets.
bool opus_packet_start(void);

// @returns bytes of the packet of one hop, written to `packet`, which has OPUS_PACKET_BYTES_MAX; 0: there is none
uint32_t opus_packet_encode(const int16_t *samples, uint8_t *packet);
