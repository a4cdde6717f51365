// Runs the front end over a recording, for comparing and counting: standard input is the length of network.bin in bytes (u32), network.bin,
// then hops of 320 i16 samples; for every hop one write of 73 bytes to standard output: how many features there are (u8),
// then 72 bytes of them. Ends with 0 when the input ends between two hops, 1 when it ends within one, 2 for a bad network.
#include <stdint.h>

#include "../front_end.h"
#include "system.h"

#define NETWORK_BYTES_MAX (256u * 1024u)
#define STDIN 0
#define STDOUT 1

static uint8_t network[NETWORK_BYTES_MAX];

// @returns bytes read; fewer than asked for only at the end of the input
static size_t read_all(void *bytes, size_t length) {
  size_t done = 0;
  while (done < length) {
    long got = read(STDIN, (uint8_t *)bytes + done, length - done);
    if (got <= 0) break;
    done += (size_t)got;
  }
  return done;
}

static int replay(void) {
  uint32_t network_bytes = 0;
  if (read_all(&network_bytes, sizeof network_bytes) != sizeof network_bytes) return 2;
  if (network_bytes > NETWORK_BYTES_MAX || read_all(network, network_bytes) != network_bytes) return 2;
  if (!front_end_start(network, network_bytes)) return 2;
  for (;;) {
    int16_t hop[HOP_SAMPLES];
    size_t got = read_all(hop, sizeof hop);
    if (got == 0) return 0;
    if (got != sizeof hop) return 1;
    uint8_t line[1 + FEATURE_BYTES_MAX];
    line[0] = (uint8_t)front_end_process(hop);
    __builtin_memcpy(line + 1, front_end_features(), FEATURE_BYTES_MAX);
    if (write(STDOUT, line, sizeof line) != (long)sizeof line) return 1;
  }
}

int main(void) {
  _exit(replay());
}
