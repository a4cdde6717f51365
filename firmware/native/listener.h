// Turns hops of samples into frames (../services/voice-front-end.md), numbered from the first hop on. Hops that the microphone's DMA lost
// and frames that found no place are missing numbers, as everything lost is. Called by the task that captures.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "frame_ring.h"

// Where the frames go. Read by the task that runs the bus.
extern frame_ring_t listener_frames;

// Starts the front end and the encoder, from number 0. False: the network is none for this front end, or there is no encoder.
bool listener_start(const uint8_t *network, uint32_t network_bytes);

// Takes HOP_SAMPLES samples; muted, they are taken for zeros, and the frame says so.
void listener_hear(int16_t *samples, bool muted);

// Counts hops that were captured and lost before they could be heard.
void listener_lost(uint32_t hops);
