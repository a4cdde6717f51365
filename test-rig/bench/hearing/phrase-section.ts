// Key phrases: the badge's decoder beside PocketSphinx on the same streams, clean and in two noises; then as the badge decides.
import type { Phrase } from "@salestag/protocol";
import { framesOf } from "./hear";
import { quantile } from "./metrics";
import {
  CONDITIONS,
  judgeDecoder,
  judgePocketSphinx,
  makeStream,
  missCurve,
  type PhraseResult,
  type Sounds,
} from "./phrases";
import type { Series } from "./plot";
import type { PocketSphinx } from "./pocketsphinx";
import { mean, percent, picture, say, table } from "./report";
import { hearTogether, type Together } from "./together";

/** False alarms an hour at which misses are told. */
const RATES = [1, 5];
const RATE_PLOTTED_MIN = 0.5;
const RATE_PLOTTED_MAX = 50;
const SCORE_SHARES = [0.02, 0.05, 0.25, 0.5, 0.75, 0.95];

export interface PhraseOptions {
  title: string;
  /** Of the picture. */
  fileName: string;
  note: string;
  sounds: Sounds;
  seed: number;
  /** With the thresholds that `salestag phrases` sets for 1 false alarm an hour. */
  phrases: Phrase[];
  sphinx: PocketSphinx | undefined;
  /** Leave PocketSphinx out of the noises, which is most of the time. */
  isQuick: boolean;
}

interface Measured {
  name: string;
  ours: PhraseResult[];
  theirs: PhraseResult[] | undefined;
  together: Together;
}

const missedMean = (results: PhraseResult[], rate: number): number =>
  mean(results.map(({ missed }) => missed[rate]));

/** @returns the section */
export function measurePhrases(options: PhraseOptions): string {
  const { title, sounds, seed, sphinx, isQuick, phrases } = options;
  const measured = CONDITIONS.map((condition, i): Measured => {
    const stream = makeStream(sounds, condition, seed + i);
    const frames = framesOf(stream.pcm);
    const ours = judgeDecoder(stream, frames, sounds.words, RATES);
    tell(`${title}, ${condition.name}: badge`, ours);
    const together = hearTogether(stream, frames, phrases);
    const withSphinx = sphinx !== undefined && (!isQuick || condition.noise === undefined);
    const theirs = withSphinx ? judgePocketSphinx(sphinx, stream, sounds.words, RATES) : undefined;
    if (theirs !== undefined) tell(`${title}, ${condition.name}: PocketSphinx`, theirs);
    return { name: condition.name, ours, theirs, together };
  });
  return sectionOf(options, measured);
}

function tell(what: string, results: PhraseResult[]): void {
  const [at1, at5] = [0, 1].map((rate) => percent(missedMean(results, rate)));
  say(`  ${what} misses ${at1} at 1/h, ${at5} at 5/h`);
}

function sectionOf({ title, fileName, note, phrases }: PhraseOptions, measured: Measured[]): string {
  const [clean] = measured;
  const hours = mean(clean.ours.map((result) => result.hours));
  const scores = clean.ours.flatMap(({ positives }) => positives);
  const allowed = RATES.map((rate) => Math.max(1, Math.round(rate * hours)));
  return [
    `## Key phrases: ${title}`,
    "",
    `${note} A phrase has ${hours.toFixed(2)} hours of other sound in each condition, so ${RATES[0]} and ${RATES[1]} false alarms an hour mean ${allowed[0]} and ${allowed[1]} in all. The noise lies 10 dB under each clip's own speech (its loudest 30%); babble is six voices at once. PocketSphinx gets each clip as an utterance of its own; the badge gets one stream.`,
    "",
    table(
      ["missed, mean", "badge at 1/h", "badge at 5/h", "PocketSphinx at 1/h", "PocketSphinx at 5/h"],
      measured.map(({ name, ours, theirs }) => [
        name,
        ...[ours, theirs].flatMap((one) => RATES.map((_, rate) => percent(one && missedMean(one, rate)))),
      ]),
    ),
    "",
    picture(fileName, {
      title: `Key phrases: ${title}`,
      x: {
        label: "false alarms an hour and phrase",
        from: RATE_PLOTTED_MIN,
        to: RATE_PLOTTED_MAX,
        ticks: [0.5, 1, 2, 5, 10, 20, 50],
        log: true,
      },
      y: { label: "share of utterances missed", from: 0, to: 0.8, ticks: [0, 0.2, 0.4, 0.6, 0.8] },
      series: measured.flatMap(seriesOf),
    }),
    "",
    table(
      [
        "clean, missed",
        "phones",
        "utterances",
        "badge at 1/h",
        "badge at 5/h",
        "PocketSphinx at 1/h",
        "at 5/h",
      ],
      clean.ours.map(({ phrase, phones, positives, missed }, i) => [
        phrase,
        phones,
        positives.length,
        ...missed.map(percent),
        ...RATES.map((_, rate) => percent(clean.theirs?.[i].missed[rate])),
      ]),
    ),
    "",
    `Scores of the clean utterances, in nats: ${SCORE_SHARES.map((share) => `${percent(share)} below ${quantile(scores, share).toFixed(2)}`).join(", ")}.`,
    "",
    `As the badge decides: all ${phrases.length} phrases at once, with the thresholds that \`salestag phrases\` sets for 1 false alarm an hour each. The delay runs from the clip's last sound to the event; the front end's look-ahead of 200 ms is in it.`,
    "",
    table(
      ["condition", "found", "false alarms an hour, all phrases together", "delay median", "delay 90%"],
      measured.map(({ name, together: { found, spoken, falseAlarms, hours, delaysMs } }) => [
        name,
        percent(found / spoken),
        (falseAlarms / hours).toFixed(1),
        `${quantile(delaysMs, 0.5).toFixed(0)} ms`,
        `${quantile(delaysMs, 0.9).toFixed(0)} ms`,
      ]),
    ),
  ].join("\n");
}

function seriesOf({ name, ours, theirs }: Measured): Series[] {
  const curve = (results: PhraseResult[]) => missCurve(results, RATE_PLOTTED_MIN, RATE_PLOTTED_MAX);
  const badge = { name: `badge, ${name}`, points: curve(ours) };
  return theirs === undefined
    ? [badge]
    : [badge, { name: `PocketSphinx, ${name}`, points: curve(theirs), isDashed: true }];
}
