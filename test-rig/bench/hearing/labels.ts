// Which 10 ms of a clean utterance are speech. The rule: the 10 ms have more energy than the loudest 10 ms of the same utterance
// less 40 dB, and gaps of at most 80 ms between such stretches are closed. Exact, since it is computed before any noise comes in.

export const SAMPLE_RATE_HZ = 16_000;
/** Samples in one 10 ms step of the labels. */
export const LABEL_SAMPLES = 160;
export const LABEL_MS = 10;

const BELOW_PEAK = 1e-4; // -40 dB in energy
const GAP_STEPS_MAX = 8;

/**
 * @param clean an utterance without noise, 16 kHz, any scale
 * @returns 1 for each 10 ms that is speech; a last part of fewer than 160 samples has no label
 */
export function speechLabels(clean: Float32Array): Uint8Array {
  const steps = Math.floor(clean.length / LABEL_SAMPLES);
  const energies = new Float64Array(steps);
  for (let step = 0; step < steps; step++) {
    for (let i = step * LABEL_SAMPLES; i < (step + 1) * LABEL_SAMPLES; i++) energies[step] += clean[i] ** 2;
  }
  const floor = energies.reduce((peak, energy) => Math.max(peak, energy), 0) * BELOW_PEAK;
  const labels = Uint8Array.from(energies, (energy) => (energy > floor ? 1 : 0));
  closeGaps(labels);
  return labels;
}

/** Fills gaps between speech that are not too long; silence at the ends stays. */
function closeGaps(labels: Uint8Array): void {
  let last = -1;
  for (let step = 0; step < labels.length; step++) {
    if (!labels[step]) continue;
    if (last >= 0 && step - last - 1 <= GAP_STEPS_MAX) labels.fill(1, last + 1, step);
    last = step;
  }
}

/** RMS of the samples that are labelled as speech; 0 if none are. */
export function activeRms(clean: Float32Array, labels = speechLabels(clean)): number {
  let energy = 0;
  let steps = 0;
  for (let step = 0; step < labels.length; step++) {
    if (!labels[step]) continue;
    steps++;
    for (let i = step * LABEL_SAMPLES; i < (step + 1) * LABEL_SAMPLES; i++) energy += clean[i] ** 2;
  }
  return steps === 0 ? 0 : Math.sqrt(energy / (steps * LABEL_SAMPLES));
}
