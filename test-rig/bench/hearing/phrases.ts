// Key phrases measured: streams of clips in which each phrase falls, through the front end and the badge's own decoder, beside
// PocketSphinx. A miss is an utterance whose best score does not exceed the threshold that allows the given false alarms an hour.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { PHONE_CLASSES, PronunciationPaths, TICK_MS } from "@salestag/protocol";
import { hasPosteriors, OFFSET_POSTERIORS } from "../../../firmware/src/front-end-frame";
import { encodePhones } from "../../../host-tools/src/phrases/phones";
import { pronounce } from "../../../host-tools/src/phrases/pronounce";
import { AudioFileError } from "../../src/audio/audio-file-error";
import { speechEnd } from "./labels";
import { highestPeaks, missedAtRate } from "./metrics";
import type { PocketSphinx } from "./pocketsphinx";
import { Seeded } from "./random";
import { sentence } from "./sentences";
import { activeRms, babbleNoise, joined, NOISES, RATE_HZ, readFloats, rms, speak, toPcm } from "./sound";

/** A stretch of a stream. */
export interface Clip {
  /** What is said in it, if that is a phrase. */
  phrase: string | undefined;
  firstSample: number;
  samples: number;
  /** Of these, up to the last that is speech. */
  speechSamples: number;
}

export interface Stream {
  pcm: Int16Array;
  clips: Clip[];
}

export interface Condition {
  name: string;
  noise: "babble" | "pink" | undefined;
  snrDb: number;
}

export const CONDITIONS: Condition[] = [
  { name: "clean", noise: undefined, snrDb: 0 },
  { name: "babble 10 dB", noise: "babble", snrDb: 10 },
  { name: "pink 10 dB", noise: "pink", snrDb: 10 },
];

/** Phrases of twelve phones and more, for the synthesised stream: none of them was tuned on. */
export const LONG_PHRASES = [
  "schedule a product demo",
  "email me the brochure",
  "book a follow up meeting",
  "add this to my notes",
  "please remember this lead",
  "customer wants a price list",
  "what does the warranty include",
  "how long until it pays off",
  "can we do it next spring",
  "send me the paperwork tonight",
  "is the inspection really free",
  "who else in the street has it",
];
const LONG_UTTERANCES = 14;

/** A tick's worth of samples. */
const TICK_SAMPLES = (TICK_MS * RATE_HZ) / 1000;
/** A phrase may end so many ticks after its clip: the front end looks ahead, and scores settle. */
const LATE_TICKS = 10;
const APART_TICKS = 25;
const PEAKS_MAX = 600;

/** What a stream is made of. */
export interface Sounds {
  /** The phrases that are spoken. */
  words: string[];
  sounds: { phrase: string | undefined; samples: Float32Array }[];
  /** Talk that babble is made of. */
  voices: Float32Array[];
  unreadable: number;
}

/** Clips one after the other with short pauses, mixed with a noise below each clip's own level. */
function streamOf({ sounds, voices }: Sounds, { noise, snrDb }: Condition, random: Seeded): Stream {
  const clips: Clip[] = [];
  const parts: Float32Array[] = [];
  let length = 0;
  for (const { phrase, samples } of sounds) {
    clips.push({ phrase, firstSample: length, samples: samples.length, speechSamples: speechEnd(samples) });
    parts.push(samples, new Float32Array(Math.round(random.between(0.1, 0.5) * RATE_HZ)));
    length += samples.length + parts[parts.length - 1].length;
  }
  const mixed = joined(parts);
  if (noise !== undefined) {
    const background = noise === "babble" ? babbleNoise(length, random, voices) : NOISES.pink(length, random);
    const gain = 10 ** (-snrDb / 20) / rms(background);
    clips.forEach(({ firstSample }, i) => {
      const clipGain = gain * activeRms(sounds[i].samples);
      const end = clips[i + 1]?.firstSample ?? length;
      for (let at = firstSample; at < end; at++) mixed[at] += clipGain * background[at];
    });
  }
  return { pcm: toPcm(mixed, random), clips };
}

/** The recordings of real people, each with its folder's word. @param step takes one of so many recordings */
export async function realSounds(audioFolder: string, random: Seeded, step: number): Promise<Sounds> {
  const words = ["alexa", "computer", "jarvis"];
  const sounds: { phrase: string | undefined; samples: Float32Array }[] = [];
  let unreadable = 0;
  for (const word of words) {
    const names = readdirSync(join(audioFolder, "keywords", word)).sort();
    for (const name of names.filter((_, i) => i % step === 0)) {
      try {
        sounds.push({ phrase: word, samples: await readFloats(join(audioFolder, "keywords", word, name)) });
      } catch (error) {
        if (!(error instanceof AudioFileError)) throw error;
        unreadable++;
      }
    }
  }
  const voices: Float32Array[] = [];
  for (const name of readdirSync(join(audioFolder, "speech")).filter((file) => file.endsWith(".wav"))) {
    const talk = await readFloats(join(audioFolder, "speech", name));
    const piece = 3 * RATE_HZ;
    for (let at = 0; at + piece <= talk.length; at += piece / 2) voices.push(talk.subarray(at, at + piece));
    for (let at = 0; at < talk.length; at += 20 * RATE_HZ)
      sounds.push({ phrase: undefined, samples: talk.subarray(at, at + 20 * RATE_HZ) });
  }
  return { words, sounds: random.shuffled(sounds), voices, unreadable };
}

/** Long phrases by many voices among other synthesised talk. */
export async function longSounds(random: Seeded, talkMinutes: number, cacheFolder: string): Promise<Sounds> {
  const sounds: { phrase: string | undefined; samples: Float32Array }[] = [];
  for (const phrase of LONG_PHRASES)
    for (let i = 0; i < LONG_UTTERANCES; i++)
      sounds.push({ phrase, samples: await speak(phrase, random, cacheFolder) });
  const voices: Float32Array[] = [];
  for (let made = 0; made < talkMinutes * 60 * RATE_HZ; ) {
    const samples = await speak(sentence(random), random, cacheFolder);
    sounds.push({ phrase: undefined, samples });
    if (voices.length < 40) voices.push(samples);
    made += samples.length;
  }
  return { words: LONG_PHRASES, sounds: random.shuffled(sounds), voices, unreadable: 0 };
}

export function makeStream(sounds: Sounds, condition: Condition, seed: number): Stream {
  return streamOf(sounds, condition, new Seeded(seed));
}

/** The posterior vectors among frames; vector k is about hops 2k and 2k + 1. */
function posteriorsOf(frames: Buffer[]): Buffer {
  return Buffer.concat(frames.filter(hasPosteriors).map((frame) => frame.subarray(OFFSET_POSTERIORS)));
}

/** Best score of any pronunciation at each tick, nats; -Infinity where no path has ended. */
function scoresOf(text: string, vectors: Buffer): Float32Array {
  const paths = new PronunciationPaths(pronounce(text).pronunciations.map(encodePhones));
  const count = pronounce(text).pronunciations.length;
  return Float32Array.from({ length: vectors.length / PHONE_CLASSES }, (_, tick) => {
    let best = Number.NEGATIVE_INFINITY;
    for (let p = 0; p < count; p++)
      if (paths.step(p, vectors, tick * PHONE_CLASSES, tick)) best = Math.max(best, paths.score(p) / 1024);
    return best;
  });
}

export interface PhraseResult {
  phrase: string;
  phones: number;
  /** Misses at each of the given rates. */
  missed: number[];
  /** Scores of its utterances. */
  positives: number[];
  /** Scores of the false alarms, highest first, and the hours that they were heard in. */
  peaks: number[];
  hours: number;
}

/** How the badge's decoder does on a stream. @param rates false alarms an hour */
export function judgeDecoder(
  stream: Stream,
  frames: Buffer[],
  words: string[],
  rates: number[],
): PhraseResult[] {
  const vectors = posteriorsOf(frames);
  return words.map((phrase) => {
    const scores = scoresOf(phrase, vectors);
    const positives: number[] = [];
    let own = 0;
    for (const { phrase: said, firstSample, samples } of stream.clips) {
      if (said !== phrase) continue;
      const from = Math.floor(firstSample / TICK_SAMPLES);
      const to = Math.ceil((firstSample + samples) / TICK_SAMPLES) + LATE_TICKS;
      positives.push(Math.max(...scores.subarray(from, to)));
      scores.fill(Number.NEGATIVE_INFINITY, from, to);
      own += to - from;
    }
    const hours = ((scores.length - own) * TICK_MS) / 3_600_000;
    const peaks = highestPeaks(scores, APART_TICKS, PEAKS_MAX);
    const missed = rates.map((rate) => missedAtRate(positives, peaks, hours, rate).missed);
    const phones = pronounce(phrase).pronunciations[0].length;
    return { phrase, phones, missed, positives, peaks, hours };
  });
}

/** How PocketSphinx does on the same stream, each clip an utterance of its own. */
export function judgePocketSphinx(
  sphinx: PocketSphinx,
  stream: Stream,
  words: string[],
  rates: number[],
): PhraseResult[] {
  const sounds = new Map(
    words.flatMap((text) =>
      pronounce(text).words.map(({ word, pronunciations }) => [word, pronunciations[0].join(" ")]),
    ),
  );
  const tail = RATE_HZ / 10;
  const utterances = stream.clips.map(({ firstSample, samples }) => ({
    firstSample,
    samples: Math.min(samples + tail, stream.pcm.length - firstSample),
  }));
  const found = sphinx.detect(stream.pcm, utterances, words, sounds);
  const totalHours = stream.pcm.length / RATE_HZ / 3600;
  return words.map((phrase) => {
    const isOwn = (i: number) => stream.clips[i].phrase === phrase;
    const scores = found.map((best) => best.get(phrase) ?? Number.NEGATIVE_INFINITY);
    const positives = scores.filter((_, i) => isOwn(i));
    const peaks = scores.filter((score, i) => !isOwn(i) && Number.isFinite(score)).sort((a, b) => b - a);
    const ownHours =
      stream.clips.reduce((sum, { samples }, i) => sum + (isOwn(i) ? samples : 0), 0) / RATE_HZ / 3600;
    const hours = totalHours - ownHours;
    const missed = rates.map((rate) => missedAtRate(positives, peaks, hours, rate).missed);
    return { phrase, phones: pronounce(phrase).pronunciations[0].length, missed, positives, peaks, hours };
  });
}

const CURVE_POINTS = 60;

/** Mean share of misses of all phrases at rates of false alarms in even steps of their logarithm, for a plot. */
export function missCurve(
  results: PhraseResult[],
  perHourMin: number,
  perHourMax: number,
): [perHour: number, missed: number][] {
  return Array.from({ length: CURVE_POINTS + 1 }, (_, i) => {
    const perHour = perHourMin * (perHourMax / perHourMin) ** (i / CURVE_POINTS);
    const missed = results.map(
      ({ positives, peaks, hours }) => missedAtRate(positives, peaks, hours, perHour).missed,
    );
    return [perHour, missed.reduce((sum, share) => sum + share, 0) / missed.length];
  });
}
