// How long from a key phrase on the badge to the event at a subscriber: emulated badges in real time, the real relay with its webhook, the real memory, one
// reader of its live events. Prints a table; takes three minutes. `npm run bench:live -- --badges 8 --minutes 3`
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { phrasesOfSet } from "@salestag/host-tools";
import { conversationId } from "@salestag/memory";
import { watchLive } from "@salestag/memory/client";
import { FRAME_MS } from "@salestag/protocol";
import type { TraceEvent } from "@salestag/protocol/host";
import { startRelayTo } from "../e2e/memory.fixture";
import { repeated, sample } from "../e2e/support";
import { newBadgeState } from "../src/badge-state";
import { BENCH_DEFAULTS, Bench } from "../src/bench";
import { runAtPace } from "../src/emulator/pace-gate";
import { SiteMemory } from "../src/memory-process";
import { connect } from "../src/play";
import { Site } from "../src/site";

const { values } = parseArgs({
  options: { badges: { type: "string", default: "8" }, minutes: { type: "string", default: "3" } },
});
const badges = Number(values.badges);
const playedMs = Number(values.minutes) * 60_000;
/** Conversations of one badge that are looked for. */
const EPOCHS = 50;
/** What falls last has this long to arrive. */
const GRACE_MS = 5000;

type Phrase = Extract<TraceEvent, { word: "phrase" }>;

/** When phrases fell on one badge, and when the subscriber had them: real ms, in order. */
interface Times {
  fell: { atMs: number; phrase: Phrase }[];
  arrived: number[];
}

const site = await Site.create(join(mkdtempSync(join(tmpdir(), "salestag-live-")), "site"));
const memory = await SiteMemory.start(site);
const relay = await startRelayTo(site, memory);
const prepared = await sample();
const frames = repeated(prepared, Math.ceil(playedMs / prepared.durationMs) + 1);
const times = new Map<string, Times>();
const badgeOf = new Map<string, string>();

async function switchOn(number: number): Promise<() => Promise<void>> {
  const mine: Times = { fell: [], arrived: [] };
  const onTrace = (event: TraceEvent) => {
    if (event.word === "phrase") mine.fell.push({ atMs: performance.now(), phrase: event });
  };
  const state = newBadgeState(`01020304050607${number.toString(16).padStart(2, "0")}`);
  const bench = await Bench.open({ ...BENCH_DEFAULTS, seed: number + 1, state, onTrace });
  const badge = await site.provision(bench, relay.url, `badge ${number}`, phrasesOfSet("solar", 1));
  times.set(badge, mine);
  for (let epoch = 0; epoch < EPOCHS; epoch++) badgeOf.set(conversationId(badge, epoch), badge);
  await connect(bench);
  bench.plugFrontEnd((seq) => frames.frame(seq));
  const stop = runAtPace(bench.time);
  return async () => {
    await stop();
    bench.badge.powerOff();
  };
}

async function follow(signal: AbortSignal): Promise<void> {
  const { url, token } = memory;
  for await (const { type, data } of watchLive({ url, token: () => token, purpose: "quality", signal })) {
    const badge = type === "phrase" ? badgeOf.get(String(data.conversationId)) : undefined;
    if (badge !== undefined) times.get(badge)?.arrived.push(performance.now());
  }
}

const ending = new AbortController();
const followed = follow(ending.signal).catch((cause) => {
  if (!ending.signal.aborted) throw cause;
});
const offs: (() => Promise<void>)[] = [];
for (let number = 0; number < badges; number++) offs.push(await switchOn(number));
process.stderr.write(`${badges} badges hear the sample for ${values.minutes} minutes ...\n`);
await new Promise((resolve) => setTimeout(resolve, playedMs));
await new Promise((resolve) => setTimeout(resolve, GRACE_MS));
for (const off of offs) await off();
ending.abort();
await followed;
await relay.stop();
await memory.stop();

const all = [...times.values()].flatMap(({ fell, arrived }) =>
  arrived.map((atMs, n) => ({
    sinceToldMs: atMs - fell[n].atMs,
    sinceSaidMs: atMs - fell[n].atMs + (fell[n].phrase.atSeq - fell[n].phrase.toSeq) * FRAME_MS,
  })),
);
const fell = [...times.values()].reduce((sum, { fell }) => sum + fell.length, 0);
const at = (share: number, of: number[]) => {
  const sorted = of.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]?.toFixed(0) ?? "-";
};
const row = (name: string, of: number[]) => `| ${name} | ${at(0.5, of)} | ${at(0.95, of)} | ${at(1, of)} |`;
process.stdout.write(
  [
    `${badges} badges, ${fell} key phrases, ${all.length} told to the subscriber`,
    "",
    "| to the subscriber, from | p50 ms | p95 ms | most ms |",
    "|---|---:|---:|---:|",
    row(
      "the badge's hearing it",
      all.map(({ sinceToldMs }) => sinceToldMs),
    ),
    row(
      "the end of its last word",
      all.map(({ sinceSaidMs }) => sinceSaidMs),
    ),
    "",
  ].join("\n"),
);
