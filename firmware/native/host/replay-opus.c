// Encodes a recording with the badge's Opus settings, for counting: standard input is hops of 320 i16 samples; for every hop one write to
// standard output: the packet's length (u8) and 160 bytes of room for it. Ends with 0 when the input ends between two hops, 2 if there is no encoder.
#include <stdint.h>
#include <stdlib.h>

#include "../front_end.h"
#include "../opus_packet.h"
#include "system.h"

#define HEAP_BYTES (64u * 1024u)

static uint8_t heap[HEAP_BYTES] __attribute__((aligned(16)));
static size_t heap_taken;

// The encoder is made once and never freed.
void *malloc(size_t length) {
  size_t rounded = (length + 15u) & ~(size_t)15u;
  if (rounded > HEAP_BYTES - heap_taken) return NULL;
  heap_taken += rounded;
  return heap + heap_taken - rounded;
}

void free(void *bytes) {
  (void)bytes;
}

_Noreturn void abort(void) {
  _exit(3);
}

static size_t read_all(void *bytes, size_t length) {
  size_t done = 0;
  while (done < length) {
    long got = read(0, (uint8_t *)bytes + done, length - done);
    if (got <= 0) break;
    done += (size_t)got;
  }
  return done;
}

int main(void) {
  int16_t hop[HOP_SAMPLES];
  if (!opus_packet_start()) _exit(2);
  while (read_all(hop, sizeof hop) == sizeof hop) {
    uint8_t line[1 + OPUS_PACKET_BYTES_MAX] = {0};
    line[0] = (uint8_t)opus_packet_encode(hop, line + 1);
    if (write(1, line, sizeof line) != (long)sizeof line) _exit(1);
  }
  _exit(0);
}
