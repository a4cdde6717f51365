// The front end's fixed memory map: every buffer of every stage, reserved at compile time inside four 64 KB pages.
// Nothing is allocated at run time. Offsets are multiples of 8, so that each access is aligned.
// Rate 16 kHz mono, block (hop) 320 samples, analysis window 512 samples. Q formats are given with each buffer.

/** Samples in a hop: 20 ms at 16 kHz. */
export const HOP_SAMPLES: i32 = 320;
/** Samples in the analysis window: the last 32 ms that end with the hop. */
export const WINDOW_SAMPLES: i32 = 512;
/** Fraction bits of a sample after the DC block: 1 LSB of the microphone is 16 units. */
export const SAMPLE_FRACTION_BITS: i32 = 4;

/** Points of a full turn in the sine table. */
export const TURN_POINTS: i32 = 512;
/** Entries kept of the sine table: three quarters of a turn, so that the cosine is the sine a quarter later. */
export const SINE_ENTRIES: i32 = 385;

export const BAND_COUNT: i32 = 24;
/** Offset of the first band in the features: flags, level, harmonicity and opusLength come before. */
export const FEATURE_BANDS_OFFSET: usize = 4;
/** Bytes of a frame from its flags to the last posterior: 4, the bands, speech, tilt, contrast, a 0, 40 posteriors. */
export const FEATURE_BYTES: i32 = 4 + BAND_COUNT + 4 + 40;

/** Bytes of the body of network.bin; its parts are given in ../network.md. */
export const WEIGHTS_BYTES: i32 = 198364;
/** Offset of the class offsets in the body, after the start-up mean. */
export const WEIGHTS_OFFSETS_OFFSET: i32 = 48;
/** Offset of layer 0 in the body. */
export const WEIGHTS_LAYERS_OFFSET: i32 = 128;

/** Samples of the window after low-pass and decimation to 8 kHz. */
export const DECIMATED_SAMPLES: i32 = WINDOW_SAMPLES / 2 - 1;

/** i16 x 320, Q15: the hop's samples, written by the host. */
export const INPUT: usize = memory.data(320 * 2, 8);
/** u8 x 72: flags, level, harmonicity, opusLength (0), bands, speech, tilt, contrast, 0, posteriors, in the frame's byte order. */
export const FEATURES: usize = memory.data(72, 8);
/** Speech byte, in the features. */
export const SPEECH: usize = FEATURES + 28;
/** Tilt and contrast, in the features. */
export const CUES: usize = FEATURES + 29;
/** u8 x 40, in the features. */
export const POSTERIORS: usize = FEATURES + 32;
/** i32 x 512, Q15.4: the analysis window after the DC block, oldest sample first. */
export const WINDOW: usize = memory.data(512 * 4, 8);
/** i32 x 385, Q30: sine of 2 pi i / 512. */
export const SINE: usize = memory.data(385 * 4, 8);
/** i32 x 257, Q30: rising half of the periodic Hann window, which is symmetric about entry 256. */
export const HANN: usize = memory.data(257 * 4, 8);
/** i32 x 512, Q15.4 times bin gain: 256 complex values, real part first. */
export const SPECTRUM: usize = memory.data(512 * 4, 8);
/** i64 x 257: power of each bin, squared Q15.4 units shifted right by 8. */
export const POWER: usize = memory.data(257 * 8, 8);
/** i16 x 257, Q14: weight of each bin in the upper of its two mel bands; the lower one gets 1 minus it. */
export const BIN_WEIGHT: usize = memory.data(257 * 2, 8);
/** u8 x 257: number of the mel interval that each bin lies in. */
export const BIN_INTERVAL: usize = memory.data(257, 8);
/** i64 x 26: weighted power of each band; entry 0 and 25 take what lies outside the outer bands. */
export const BAND_POWER: usize = memory.data(26 * 8, 8);
/** i64 x 24: band power at which P * 2^20 is 1. */
export const BAND_UNIT: usize = memory.data(24 * 8, 8);
/** i32 x 255, block floating point, 11 bits and sign: the window at 8 kHz. */
export const DECIMATED: usize = memory.data(255 * 4, 8);
/** u8 x 16: levels of the last hops. */
export const LEVEL_HISTORY: usize = memory.data(16, 8);
/** i32 x 24, Q16: mean of each band over speech. */
export const BAND_MEAN: usize = memory.data(24 * 4, 8);
/** i8 x 24, 32 units are 1.0: the hop's input to the network. */
export const NETWORK_INPUT: usize = memory.data(24, 8);
/** i8 x 8 x 24: the last inputs, hop h in slot h mod 8. */
export const INPUT_HISTORY: usize = memory.data(8 * 24, 8);
/** u8 x 8 x 64: the last activations of layer 0, hop h in slot h mod 8. */
export const HOP_ACTIVATIONS: usize = memory.data(8 * 64, 8);
/** u8 x 4 x 8 x 128: the last activations of layers 1 to 4, pair k in slot k mod 8. */
export const PAIR_ACTIVATIONS: usize = memory.data(4 * 8 * 128, 8);
/** i32 x 42, 1/256 nat: the newest logits. */
export const LOGITS: usize = memory.data(42 * 4, 8);
/** u32 x 256, Q30: 2^(-i/256). */
export const EXP2: usize = memory.data(256 * 4, 8);
/** u8 x 198364: the body of network.bin, written by the host before the first hop. */
export const WEIGHTS: usize = memory.data(198364, 8);
