// Voice activity measured: synthetic talk with exact labels in noise, through the front end and the badge's own code, beside
// WebRTC's detector and, where the user has its model, Silero.
import { createRequire } from "node:module";
import { TUNING_DEFAULT } from "@salestag/protocol";
import { OFFSET_BANDS, OFFSET_SPEECH } from "../../../firmware/src/front-end-frame";
import { BandEnergy, VoiceActivity } from "../../../firmware/src/vad";
import { HOP_SAMPLES, LOOK_AHEAD_HOPS } from "../../../firmware/voice-front-end/front-end";
import { framesOf } from "./hear";
import { LABEL_BLOCK, labelBlocks } from "./labels";
import { areaUnder, onsetDelays, pointAt, quantile, type RocPoint, recallAt, rocCurve } from "./metrics";
import { Seeded } from "./random";
import { sentence as sentenceText } from "./sentences";
import { activeRms, babbleNoise, joined, mixAt, NOISES, RATE_HZ, speak, toPcm } from "./sound";

/** A stretch of talk in one noise. */
export interface Stretch {
  noise: string;
  snrDb: number;
  samples: Int16Array;
  /** 1 where the hop is speech. */
  labels: Uint8Array;
}

const STRETCH_S = 50;
const SNRS_DB = [0, 5, 10, 20];
/** Detectors may be late or early as a whole by so many hops: each is judged at its best shift. */
const SHIFTS = [-3, -2, -1, 0, 1, 2, 3, 4, 5, 6];
const QUIET_HOPS = 10;

/** Makes all stretches: each noise at each level above it, levels from -42 to -14 dBFS. */
export async function vadStretches(
  cacheFolder: string,
  seed: number,
  seconds = STRETCH_S,
): Promise<Stretch[]> {
  const random = new Seeded(seed);
  const voices: Float32Array[] = [];
  for (let i = 0; i < 30; i++) voices.push(await speak(sentenceText(random), random, cacheFolder));
  const stretches: Stretch[] = [];
  for (const noise of [...Object.keys(NOISES), "babble"])
    for (const snrDb of SNRS_DB)
      stretches.push(await stretchOf(noise, snrDb, seconds, voices, random, cacheFolder));
  return stretches;
}

async function stretchOf(
  noise: string,
  snrDb: number,
  seconds: number,
  voices: Float32Array[],
  random: Seeded,
  cacheFolder: string,
): Promise<Stretch> {
  const parts: Float32Array[] = [];
  const blocks: Uint8Array[] = [];
  for (let made = 0; made < seconds * RATE_HZ; ) {
    const pause = new Float32Array(LABEL_BLOCK * Math.round(random.between(20, 250)));
    const spoken = await speak(sentenceText(random), random, cacheFolder);
    const sentence = joined([
      spoken,
      new Float32Array((LABEL_BLOCK - (spoken.length % LABEL_BLOCK)) % LABEL_BLOCK),
    ]);
    const gain = 0.1 / activeRms(sentence);
    parts.push(
      pause,
      sentence.map((sample) => sample * gain),
    );
    blocks.push(new Uint8Array(pause.length / LABEL_BLOCK), labelBlocks(sentence));
    made += pause.length + sentence.length;
  }
  const speech = joined(parts).subarray(0, seconds * RATE_HZ);
  const background =
    noise === "babble"
      ? babbleNoise(speech.length, random, voices)
      : NOISES[noise as keyof typeof NOISES](speech.length, random);
  const level = 10 ** (random.between(-42, -14) / 20) / 0.1;
  const mixed = mixAt(speech, 0.1, background, snrDb).map((sample) => sample * level);
  const cells = blocks.flatMap((list) => [...list]);
  const labels = Uint8Array.from({ length: Math.floor(speech.length / HOP_SAMPLES) }, (_, hop) =>
    cells[2 * hop] || cells[2 * hop + 1] ? 1 : 0,
  );
  return { noise, snrDb, samples: toPcm(mixed, random), labels };
}

/** Scores of every hop, by name of detector. */
export type Detector = (samples: Int16Array) => Promise<Float32Array> | Float32Array;

/** The badge's own: fused, and its bands alone, as a detector that looks ahead would place them. */
export function badgeDetector(withNetwork: boolean): Detector {
  return (samples) => {
    const energies = new BandEnergy();
    const vad = new VoiceActivity(TUNING_DEFAULT.onsetScore, TUNING_DEFAULT.releaseScore);
    const frames = framesOf(samples);
    return Float32Array.from({ length: frames.length - LOOK_AHEAD_HOPS }, (_, hop) => {
      const energy = energies.update(frames[hop], OFFSET_BANDS);
      if (!withNetwork) return energy;
      vad.update(energy, frames[hop + LOOK_AHEAD_HOPS][OFFSET_SPEECH]);
      return vad.score;
    });
  };
}

interface FvadModule {
  HEAP16: Int16Array;
  _malloc(bytes: number): number;
  _fvad_new(): number;
  _fvad_set_mode(detector: number, mode: number): number;
  _fvad_set_sample_rate(detector: number, hz: number): number;
  _fvad_process(detector: number, frame: number, samples: number): number;
}

/** WebRTC's detector: how many of its four modes call the hop speech. */
export async function webRtcDetector(): Promise<Detector> {
  const name: string = "@echogarden/fvad-wasm"; // it brings no types
  const { default: start } = (await import(name)) as { default: () => Promise<FvadModule> };
  const fvad = await start();
  const at = fvad._malloc(2 * HOP_SAMPLES);
  return (samples) => {
    const scores = new Float32Array(Math.floor(samples.length / HOP_SAMPLES));
    for (const mode of [0, 1, 2, 3]) {
      const detector = fvad._fvad_new();
      if (fvad._fvad_set_mode(detector, mode) !== 0 || fvad._fvad_set_sample_rate(detector, RATE_HZ) !== 0)
        throw new Error(`WebRTC's detector refuses mode ${mode} at ${RATE_HZ} Hz`);
      scores.forEach((_, hop) => {
        fvad.HEAP16.set(samples.subarray(hop * HOP_SAMPLES, (hop + 1) * HOP_SAMPLES), at >> 1);
        scores[hop] += fvad._fvad_process(detector, at, HOP_SAMPLES) === 1 ? 1 : 0;
      });
    }
    return scores;
  };
}

const SILERO_SAMPLES = 512;
const SILERO_CONTEXT = 64;

/** Silero's model at a path, through onnxruntime-web, which is used only here and not installed with the project. */
export async function sileroDetector(modelPath: string): Promise<Detector> {
  // biome-ignore lint/suspicious/noExplicitAny: a package that is not installed with the project has no types here
  let ort: any;
  try {
    ort = createRequire(import.meta.url)("onnxruntime-web");
  } catch (cause) {
    throw new Error(
      "--silero needs onnxruntime-web; install it for this run: npm install --no-save onnxruntime-web@1.30.0",
      {
        cause,
      },
    );
  }
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(modelPath);
  return async (samples) => {
    const rate = new ort.Tensor("int64", BigInt64Array.of(16000n), []);
    let state = new ort.Tensor("float32", new Float32Array(256), [2, 1, 128]);
    let context = new Float32Array(SILERO_CONTEXT);
    const scores = new Float32Array(Math.floor(samples.length / HOP_SAMPLES));
    for (let start = 0; start < samples.length; start += SILERO_SAMPLES) {
      const input = new Float32Array(SILERO_CONTEXT + SILERO_SAMPLES);
      input.set(context);
      samples.subarray(start, start + SILERO_SAMPLES).forEach((sample, i) => {
        input[SILERO_CONTEXT + i] = sample / 32768;
      });
      context = input.slice(-SILERO_CONTEXT);
      const output = await session.run({
        input: new ort.Tensor("float32", input, [1, input.length]),
        state,
        sr: rate,
      });
      state = output.stateN;
      // A hop takes the probability of the window that holds its middle.
      const [from, to] = [start, start + SILERO_SAMPLES].map((at) =>
        Math.ceil((at - HOP_SAMPLES / 2) / HOP_SAMPLES),
      );
      scores.fill(output.output.data[0], Math.max(0, from), Math.max(0, to));
    }
    return scores;
  };
}

export interface VadResult {
  curve: RocPoint[];
  area: number;
  /** Constant shift, in hops, at which the detector agrees best. */
  shift: number;
  recallAt10: number;
  onsetMedianMs: number;
  onsetP90Ms: number;
  /** Area for each noise and level, at the same shift. */
  areas: Map<string, number>;
}

/** Judges a detector on all stretches together; onsets at the threshold of 10% false positives, or at a given one. */
export async function judge(
  stretches: Stretch[],
  detector: Detector,
  threshold?: number,
): Promise<VadResult> {
  const scores: Float32Array[] = [];
  for (const { samples } of stretches) scores.push(await detector(samples));
  const shifted = (list: Float32Array, shift: number) =>
    list.map((_, hop) => list[Math.max(0, Math.min(list.length - 1, hop + shift))]);
  const labels = stretches.flatMap((stretch) => [...stretch.labels]);
  const curves = SHIFTS.map((shift) => {
    const curve = rocCurve(
      scores.flatMap((list) => [...shifted(list, shift)]),
      labels,
    );
    return { shift, curve, area: areaUnder(curve) };
  });
  const best = curves.reduce((a, b) => (b.area > a.area ? b : a));
  const at10 = pointAt(best.curve, 0.1);
  const delays = stretches.flatMap((stretch, i) =>
    onsetDelays(scores[i], stretch.labels, threshold ?? at10.threshold, QUIET_HOPS),
  );
  const areas = new Map(
    stretches.map(({ noise, snrDb, labels: own }, i) => [
      `${noise} ${snrDb}`,
      areaUnder(rocCurve(shifted(scores[i], best.shift), own)),
    ]),
  );
  return {
    ...best,
    recallAt10: recallAt(best.curve, 0.1),
    onsetMedianMs: 20 * quantile(delays, 0.5),
    onsetP90Ms: 20 * quantile(delays, 0.9),
    areas,
  };
}
