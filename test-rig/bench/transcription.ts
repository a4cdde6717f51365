// What transcription does to the bundled sample, through badge and relay: word errors and word times of a real recogniser, and how many words get their
// speaker by the badge's turns. Also what the path itself costs, with a server that knows the sample by heart.
//
//   npm run bench:transcription                       the stand-in, and pocketsphinx where it is installed
//   npm run bench:transcription -- SETTING ...        also these transcribers (docs/transcribers.md)
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { OpenedConversation } from "@salestag/host-tools";
import { startTranscriptionServer } from "../../memory/src/testing/transcription-server";
import { wordErrors } from "../../memory/src/testing/word-errors";
import { type Heard, transcriberOf, transcriptOf } from "../../memory/src/transcribe";
import { knownRecording, type SaidWord, saidWords } from "../src/known-recording";
import { prepareRecording } from "../src/recording";
import { replay } from "../src/replay";

const SAMPLE = fileURLToPath(new URL("../samples/solar-sale.flac", import.meta.url));
const POCKETSPHINX = fileURLToPath(
  new URL("../../memory/src/testing/pocketsphinx-words.mjs", import.meta.url),
);
const COLUMNS = ["words", "errors", "rep", "other", "time p50", "time p95", "speaker", "unsure", "real time"];

function row(cells: string[]): string {
  const [first, ...rest] = cells;
  return first.padEnd(32) + rest.map((cell) => cell.padStart(10)).join("");
}

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
const textsOf = (words: readonly { text: string }[]) => words.map(({ text }) => text);

function quantile(values: number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];
}

/** @param startMs of the conversation in the recording */
function measure(
  heard: Heard,
  said: SaidWord[],
  { timeline }: OpenedConversation,
  startMs: number,
): string[] {
  const { rate, right } = wordErrors(textsOf(said), textsOf(heard.words));
  const transcript = transcriptOf(heard, timeline.turns, "bench", timeline.durationMs);
  const speakers = transcript.turns.flatMap(({ speaker, words }) => words.map(() => speaker));
  const latesMs = right.map((pair) =>
    Math.abs(heard.words[pair.heard].startMs + startMs - said[pair.said].startMs),
  );
  const rightSpeaker = right.filter((pair) => speakers[pair.heard] === said[pair.said].speaker).length;
  const unsure = right.filter((pair) => speakers[pair.heard] === "unsure").length;
  const found = (speaker: string) => {
    const all = said.filter((word) => word.speaker === speaker).length;
    return percent(right.filter((pair) => said[pair.said].speaker === speaker).length / all);
  };
  return [
    String(heard.words.length),
    percent(rate),
    found("rep"),
    found("other"),
    `${quantile(latesMs, 0.5)} ms`,
    `${quantile(latesMs, 0.95)} ms`,
    percent(rightSpeaker / right.length),
    percent(unsure / right.length),
  ];
}

const server = await startTranscriptionServer([await knownRecording(SAMPLE)]);
const said = saidWords(SAMPLE);
const { frames } = await prepareRecording(SAMPLE, undefined);
const { conversations, conversationStarts } = await replay({ frames });
const [conversation] = conversations;
const speech = { packets: conversation.packets, durationMs: conversation.timeline.durationMs };
const transcribers: [string, string][] = [["stand-in, by heart", `openai+${server.url}?model=by-heart`]];
if (spawnSync("which", ["pocketsphinx_continuous"]).status === 0)
  transcribers.push([
    "pocketsphinx 5prealpha",
    `command:${JSON.stringify([process.execPath, POCKETSPHINX, "{audio}"])}`,
  ]);
else console.log("pocketsphinx is left out: install pocketsphinx and pocketsphinx-en-us to see it");
for (const setting of process.argv.slice(2))
  transcribers.push([transcriberOf(setting, Date.now).name, setting]);

console.log(
  `${said.length} words said; rep, other: words of each that were heard right; time: of words heard right, off by`,
);
console.log(row(["transcriber", ...COLUMNS]));
for (const [name, setting] of transcribers) {
  const begunMs = performance.now();
  const heard = await transcriberOf(setting, Date.now).transcribe(speech, new AbortController().signal);
  const tookMs = performance.now() - begunMs;
  const speed = `${((speech.packets.length * 20) / tookMs).toFixed(1)} x`;
  console.log(row([name, ...measure(heard, said, conversation, conversationStarts[0] * 20), speed]));
}
await server.close();
