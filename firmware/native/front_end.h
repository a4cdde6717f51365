// The voice front end's own stages as one call: 320 samples in, the frame's bytes from its flags to its posteriors out.
// The arithmetic is ../voice-front-end's, translated from its WASM when this is built. One front end to a program.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Samples of one hop: 20 ms at 16 kHz.
#define HOP_SAMPLES 320u
// Bytes of features without and with posteriors (bytes 4..35 and 4..75 of a frame, ../services/voice-front-end.md).
#define FEATURE_BYTES 32u
#define FEATURE_BYTES_MAX 72u
// Bytes of the head of network.bin, before its weights.
#define NETWORK_HEAD_BYTES 16u

// Starts the front end, or starts it again, with the contents of network.bin.
// False: that is no network file for this front end; only its head and size are looked at. Nothing may be processed then.
bool front_end_start(const uint8_t *network, uint32_t network_bytes);

// Takes one hop of HOP_SAMPLES samples, full scale 32768, into account.
// @returns how many bytes of front_end_features() hold: FEATURE_BYTES or FEATURE_BYTES_MAX
uint32_t front_end_process(const int16_t *samples);

// The features of the last hop, overwritten by the next.
const uint8_t *front_end_features(void);
