// Which 10 ms of a clean sentence are speech: exact, because no noise has been added yet.

/** Samples of a block of 10 ms at 16 kHz. */
export const LABEL_BLOCK = 160;

/** A block is speech when it is within so much (40 dB) of its sentence's loudest one, or in a hole of up to 80 ms between two such. */
const RANGE = 10 ** (-40 / 10);
const HOLE_BLOCKS_MAX = 8;

/** @param clean a sentence without noise, any scale @returns 1 for each block that is speech */
export function labelBlocks(clean: Float32Array): Uint8Array {
  const powers = Array.from({ length: Math.ceil(clean.length / LABEL_BLOCK) }, (_, b) =>
    clean.subarray(b * LABEL_BLOCK, (b + 1) * LABEL_BLOCK).reduce((sum, sample) => sum + sample * sample, 0),
  );
  const loudest = powers.reduce((most, power) => Math.max(most, power), 0);
  const labels = Uint8Array.from(powers, (power) => (power > loudest * RANGE ? 1 : 0));
  let last = -1;
  labels.forEach((label, b) => {
    if (!label) return;
    if (last >= 0 && b - last - 1 <= HOLE_BLOCKS_MAX) labels.fill(1, last, b);
    last = b;
  });
  return labels;
}

/** @returns the sample with which the last speech of a clean sentence ends */
export function speechEnd(clean: Float32Array): number {
  return Math.min(clean.length, (labelBlocks(clean).lastIndexOf(1) + 1) * LABEL_BLOCK);
}
