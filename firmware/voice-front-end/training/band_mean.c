/* The front end's speech-gated mean of each band (../network.md), over a whole stream at once.
 * bands: hops x 24 bytes; mean: 24 in Q16, state: floor (-1: none yet) and count; input: hops x 24, the network's. */
#include <stdint.h>
#define BANDS 24

void band_mean(const uint8_t *bands, int hops, int32_t *mean, int32_t *state, int8_t *input) {
  for (int hop = 0; hop < hops; hop++, bands += BANDS, input += BANDS) {
    int32_t sum = 0;
    for (int b = 0; b < BANDS; b++) sum += bands[b];
    sum <<= 8;
    if (state[0] < 0) state[0] = sum;
    else if (sum < state[0]) state[0] += (sum - state[0]) >> 2;
    else state[0] += 369;
    if (sum > state[0] + (384 << 8)) {
      if (state[1] < 100) state[1]++;
      for (int b = 0; b < BANDS; b++) mean[b] += (((int32_t)bands[b] << 16) - mean[b]) / state[1];
    }
    for (int b = 0; b < BANDS; b++) {
      int32_t value = bands[b] - ((mean[b] + 32768) >> 16);
      input[b] = value > 127 ? 127 : value < -127 ? -127 : value;
    }
  }
}
