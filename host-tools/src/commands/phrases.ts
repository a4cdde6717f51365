// `salestag phrases`: the team's list of key phrases, how they sound, how sure they are, and onto badges with them.

import { ExitCode, ToolError } from "@salestag/protocol/team";
import type { Command } from "commander";
import { adviceOn, spelledOut } from "../phrases/advice";
import { storedBackground } from "../phrases/background";
import { calibrate, missedAt } from "../phrases/calibrate";
import type { WordSounds } from "../phrases/dictionary";
import {
  CATEGORIES,
  FALSE_ALARMS_PER_HOUR_MAX,
  FALSE_ALARMS_PER_HOUR_MIN,
  type ListedPhrase,
  readPhraseList,
  readPhrasesForBadge,
  writePhraseList,
} from "../phrases/phrase-list";
import { normalise } from "../phrases/phrase-text";
import { readSet, setNames } from "../phrases/sets";
import { writePhrases } from "../provision/settings";
import { BadgePort } from "../usb/badge-port";
import { resolveBadge } from "../usb/resolve-badge";
import { jsonOr, type Output } from "./output";
import { badgeOption } from "./values";

const FILE_DEFAULT = "phrases.json";
const RATE_DEFAULT = "1";
const PROGRESS_MS = 1000;

interface Flags {
  file: string;
  falseAlarms: string;
  category: string;
  say?: string[];
  json: boolean;
}

const HELP = `
Examples:
  salestag phrases add "that's too expensive"            # how it sounds, how often it will be missed
  salestag phrases add "solaredge battery" --say "S OW L ER EH JH B AE T ER IY"
  salestag phrases sets                                  # the ready sets: ${setNames().join(", ")}
  salestag phrases use solar                             # puts one of them into the list
  salestag phrases list
  salestag phrases remove "solar battery"
  salestag phrases calibrate --false-alarms 2            # all of them; after an update of the front end too
  salestag phrases write --badge tcp:127.0.0.1:4001      # into a badge`;

export function addPhrases(parent: Command, output: Output): void {
  const phrases = parent
    .command("phrases")
    .description("The key phrases that badges listen for. Nobody has to train them.")
    .addHelpText("after", HELP);
  const command = (usage: string, description: string) =>
    phrases
      .command(usage)
      .description(description)
      .option("--file <file>", "the team's list of phrases", FILE_DEFAULT)
      .option("--json", "print the result as JSON", false);
  const rate = ["--false-alarms <rate>", "false alarms to allow in an hour of talk", RATE_DEFAULT] as const;

  command("add <text>", "Add a phrase, or make it anew.")
    .option(...rate)
    .option("--category <name>", CATEGORIES.join(", "), "other")
    .option("--say <phones>", "how it sounds, in the CMU dictionary's phones; once for each way", collect)
    .action((text: string, flags: Flags) => add(output, text, flags));
  command("use <set>", `Add a ready set: ${setNames().join(", ")}.`)
    .option(...rate)
    .action((name: string, flags: Flags) => use(output, name, flags));
  phrases
    .command("sets")
    .description("List the ready sets and their phrases.")
    .option("--json", "print the result as JSON", false)
    .action((flags: Pick<Flags, "json">) => sets(output, flags));
  command("list", "List the phrases, with what is to be known about them.").action((flags: Flags) =>
    list(output, flags),
  );
  command("remove <text>", "Take a phrase out.").action((text: string, flags: Flags) =>
    remove(output, text, flags),
  );
  command("calibrate", "Find all thresholds anew, as after an update of the front end.")
    .option("--false-alarms <rate>", "for every phrase; else each keeps its own")
    .action((flags: Flags) => calibrateAll(output, flags));
  command("write", "Write the list into a badge.")
    .addOption(badgeOption())
    .action((flags: Flags & { badge?: string }) => write(output, flags));
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/** Loaded with the dictionary's 134,000 words, only where words become phones. */
const phraseMaker = async () => (await import("../phrases/make-phrase")).makePhrase;

function rateOf(text: string): number {
  const rate = Number(text);
  if (!(rate >= FALSE_ALARMS_PER_HOUR_MIN && rate <= FALSE_ALARMS_PER_HOUR_MAX))
    throw new ToolError(
      ExitCode.Usage,
      `'${text}' is no rate of false alarms; write a number of them an hour from ${FALSE_ALARMS_PER_HOUR_MIN} to ${FALSE_ALARMS_PER_HOUR_MAX}.`,
    );
  return rate;
}

/** The list with a phrase put in, in the place of one of the same text. */
function withPhrase(phrases: ListedPhrase[], phrase: ListedPhrase): ListedPhrase[] {
  const place = phrases.findIndex(({ text }) => text === phrase.text);
  return place < 0 ? [...phrases, phrase] : phrases.with(place, phrase);
}

function describe(phrase: ListedPhrase, others: ListedPhrase[]) {
  return {
    ...phrase,
    pronunciations: spelledOut(phrase),
    missedShare: Number(missedAt(phrase.threshold).toFixed(2)),
    advice: adviceOn(phrase, others),
  };
}

function linesOf(
  output: Output,
  phrase: ListedPhrase,
  others: ListedPhrase[],
  words: WordSounds[],
): string[] {
  const { pronunciations, missedShare, advice } = describe(phrase, others);
  const guesses = words
    .filter(({ source }) => source !== "dictionary")
    .map(({ word, source }) =>
      source === "compound"
        ? `"${word}" is not in the dictionary; it was put together from two words that are.`
        : `"${word}" is in no dictionary; how it sounds was guessed from its spelling. Correct it with --say.`,
    );
  return [
    `${output.colors.bold(phrase.text)}  ${phrase.category}, ${phrase.falseAlarmsPerHour} false alarms an hour, about ${Math.round(missedShare * 100)}% missed`,
    ...pronunciations.map((phones) => `  ${phones}`),
    ...[...guesses, ...advice].map((sentence) => `  ${output.colors.yellow("!")} ${sentence}`),
  ];
}

function others(phrases: ListedPhrase[], phrase: ListedPhrase): ListedPhrase[] {
  return phrases.filter(({ text }) => text !== phrase.text);
}

async function add(output: Output, text: string, flags: Flags): Promise<void> {
  const makePhrase = await phraseMaker();
  const before = readPhraseList(flags.file);
  const rate = rateOf(flags.falseAlarms);
  const { category, say } = flags;
  const { phrase, words } = makePhrase(text, { category, falseAlarmsPerHour: rate, say });
  const phrases = withPhrase(before, phrase);
  writePhraseList(flags.file, phrases);
  const rest = others(phrases, phrase);
  jsonOr(output, flags.json, { ...describe(phrase, rest), words }, linesOf(output, phrase, rest, words));
}

async function use(output: Output, name: string, flags: Flags): Promise<void> {
  const set = readSet(name);
  const makePhrase = await phraseMaker();
  let phrases = readPhraseList(flags.file);
  const rate = rateOf(flags.falseAlarms);
  const progress = progressOf(output, set.phrases.length);
  for (const [text, category] of set.phrases) {
    phrases = withPhrase(phrases, makePhrase(text, { category, falseAlarmsPerHour: rate }).phrase);
    progress();
  }
  writePhraseList(flags.file, phrases);
  print(output, flags, phrases);
}

function sets(output: Output, flags: Pick<Flags, "json">): void {
  const all = setNames().map(readSet);
  const linesOfSet = ({ name, title, phrases }: (typeof all)[number]) => [
    `${output.colors.bold(name)}  ${title}, ${phrases.length} phrases`,
    ...phrases.map(([text, category]) => `  ${text}  (${category})`),
  ];
  jsonOr(output, flags.json, all, all.flatMap(linesOfSet));
}

function list(output: Output, flags: Flags): void {
  const phrases = readPhraseList(flags.file);
  if (phrases.length === 0 && !flags.json)
    output.notice(`'${flags.file}' has no phrases yet; add some: salestag phrases use solar`);
  print(output, flags, phrases);
}

function print(output: Output, flags: Flags, phrases: ListedPhrase[]): void {
  jsonOr(
    output,
    flags.json,
    phrases.map((phrase) => describe(phrase, others(phrases, phrase))),
    phrases.flatMap((phrase) => linesOf(output, phrase, others(phrases, phrase), [])),
  );
}

function remove(output: Output, text: string, flags: Flags): void {
  const phrases = readPhraseList(flags.file);
  const clean = normalise(text);
  const rest = phrases.filter((phrase) => phrase.text !== clean);
  if (rest.length === phrases.length)
    throw new ToolError(
      ExitCode.Usage,
      `'${flags.file}' has no phrase "${clean}"; see 'salestag phrases list'.`,
    );
  writePhraseList(flags.file, rest);
  jsonOr(output, flags.json, { removed: clean, left: rest.length }, [
    `removed "${clean}"; ${rest.length} phrases are left`,
  ]);
}

function calibrateAll(output: Output, flags: Flags): void {
  const background = storedBackground();
  const phrases = readPhraseList(flags.file);
  const progress = progressOf(output, phrases.length);
  const calibrated = phrases.map((phrase) => {
    const rate = flags.falseAlarms === undefined ? phrase.falseAlarmsPerHour : rateOf(flags.falseAlarms);
    const { threshold } = calibrate(phrase.pronunciations, background, rate);
    progress();
    return { ...phrase, falseAlarmsPerHour: rate, threshold };
  });
  writePhraseList(flags.file, calibrated);
  print(output, flags, calibrated);
}

async function write(output: Output, flags: Flags & { badge?: string }): Promise<void> {
  const phrases = readPhrasesForBadge(flags.file);
  const port = await BadgePort.open(await resolveBadge(flags.badge));
  try {
    const deviceId = await writePhrases(port.client, phrases);
    jsonOr(output, flags.json, { deviceId, phrases: phrases.length }, [
      `${phrases.length} phrases are on badge ${deviceId}`,
    ]);
  } finally {
    await port.close();
  }
}

/** @returns to be called after each phrase: says how far it is, about once a second */
function progressOf(output: Output, total: number): () => void {
  let done = 0;
  let saidMs = performance.now();
  return () => {
    done++;
    if (performance.now() - saidMs < PROGRESS_MS) return;
    saidMs = performance.now();
    output.notice(`${done} of ${total} phrases`);
  };
}
