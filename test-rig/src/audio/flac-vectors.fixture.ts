// FLAC files as the reference encoder (flac 1.4.2) writes them, with the integer formulas of their samples.
// Together they hold all stereo modes, constant, fixed and linear predictors, Rice coding and wasted bits.

/** A file and what it must decode to. */
export interface FlacVector {
  name: string;
  file: Buffer;
  channels: number;
  bitsPerSample: number;
  frames: number;
  /** Sample `i` of a channel, in units of the file's depth. */
  sample(i: number, channel: number): number;
}

/** Triangle wave around 0, all integers. */
function triangle(i: number, period: number, amplitude: number): number {
  return amplitude - Math.floor((Math.abs(2 * (i % period) - period) * 2 * amplitude) / period);
}

/** A damped resonance excited by noise, in integers. */
const RESONANCE: number[] = [];
for (let i = 0, before = 0, last = 0, state = 1; i < 384; i++) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  const next = Math.floor((1850 * last - 1000 * before) / 1024) + (state >>> 26) * 8 - 252;
  [before, last] = [last, next];
  RESONANCE.push(next);
}

export const FLAC_VECTORS: FlacVector[] = [
  {
    name: "linear prediction, left/side and right/side stereo",
    channels: 2,
    bitsPerSample: 16,
    frames: 384,
    sample: (i, channel) => RESONANCE[i] + channel * (((i * i) % 7) - 3),
    file: Buffer.from(
      "ZkxhQ4AAACIAwADAAAFBAAFDA+gC8AAAAYClLqWoeoLZAH/q3BZfPDB+//gViAD2Qv98/s1itcoD16qGGsXZoCvQzbzco2maPoZl" +
        "y+tooR2h3i7D9n5fd+ReAzJjcD4kZBckUuMA/ghGjFlE5ZI2ZEgnOFmZBVmQJfNFWqRMujnOvWK4II2xOjeNCG20QLogKa7O8xGs" +
        "jPTSE7+xAkkeUCtGAE1gS3mEbEbCv6yeU4uUGujraphmatJn4+gvEhXhmGk1p+uHe+loGKK25CTioayyjXfgSBzeB0euoIJ+rCWr" +
        "BAhKzJRH+MkXjRQq5yXskSLGLvfUhJYox1kJ0xlIpKokF+wEeo6ZgE8E4LSfGwUKUCDDhDBtRMywgAIi0shFpZCLSyEWlkItLIRa" +
        "WQi0shFpZCLSyEWlkItLIRaWQi0shFpZCLSyEWlkItLIRaWQi0shFpZCLSyEWlkItLIRaWQi0shFpZCLSyEWR9//+BWYAaYQAFLI" +
        "RaWQi0shFpZCLSyEWlkItLIRaWQi0shFpZCLSyEWlkItLIRaWQi0shFpZCLSyEWlkItLIRaWQi0shFpZCLSyEWlkItLIRaWQi0sh" +
        "FpaF9aP8/sVzhAc3sNjHKsvuOEOFmOclnrJ3rZiAkCz6xEZ0w6jS9doR9MKManqmVqcLl4RQOw+W1pSCdKbVtmjsoJZIlpd3A+ia" +
        "CAOAJTHSi5J3NWtFXmycwsygO0TUMQZobJQKRMrEznUO9RZYmiH4X0E81jsnDay5M7XMRx1RvOSxYjJcAiCfn/gTKSd57D+SEGcg" +
        "6sN0m7CJROLdH4Q3zYEAK6xCGVqZapcBXnO8Go1Nq0NZBeb+uzUNkmIAabxRFKLHJM5bB1B9O5WP0xWVCiBDPJR6jIHBU20UlkbU" +
        "JgKfMYAc6pL826w=",
      "base64",
    ),
  },
  {
    name: "constant blocks, mid/side stereo",
    channels: 2,
    bitsPerSample: 16,
    frames: 384,
    sample: (i, channel) =>
      i < 192 ? 0 : triangle(i, 90, 9000) + (1 - 2 * channel) * (((i * i * 7) % 61) - 30),
    file: Buffer.from(
      "ZkxhQ4AAACIAwADAAAAOAADeA+gC8AAAAYCY9ehDEy2oJZ879F6PY9xl//gVGAAXAAAAAAAAbuX/+BWoAV8VPfPxKKHh+H4fh+sE" +
        "EEAE8Afh+H4fh+H4frABRBBBAH4fh+H4fh+sEEEAE8Afh+H4fh+H4frABRBBBAH4fh+IwEXiIU3Ax0uVuJes0fc0oNSZZkNKacPt" +
        "W8JXKl+mIboIRXRQNnjQvM6NnZi5o8bQRXiIU3Ax0uVuJes0fc0oNSZZkNKacPtW8JXKl+mIboIRXRQNnjQvM6NnZi5o8bQRXiIU" +
        "3Ax0uVuJes0fc0oNSZZkNKacPtW8JXKl+mIboIRXRQNnjQvM6NnZi5o8bQRXiIU3Ax0ulbY=",
      "base64",
    ),
  },
  {
    name: "fixed prediction, wasted bits, 24 bits",
    channels: 1,
    bitsPerSample: 24,
    frames: 200,
    sample: (i) => 256 * triangle(i, 50, 3000),
    file: Buffer.from(
      "ZkxhQ4AAACIAwADAAAARAABSA+gBcAAAAMhnO2agRulrRF/LSzTCLjci//gVDAAUFQA+ifU4oeH4fh+kIALwhAPw/D9IQgAxCAfh" +
        "+H6QhCAC8A/D8P0hCEIAMB+H4fh+gC8IQhAPw/D9IAMQhCAfh+H6QgAvCEA/D8A81//4ZQwBB14VAD95+tgB+FTW",
      "base64",
    ),
  },
];
