// A whole replay: keys, relay, badge, recording, and at the end the proof that what was heard arrived. What `rig replay`, the
// demonstration, the benchmark and the end-to-end tests run.
import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ListedPhrase, OpenedConversation } from "@salestag/host-tools";
import type { ConsentPolicy, Tuning } from "@salestag/protocol";
import type { TraceEvent } from "@salestag/protocol/host";
import { type BadgeState, hardwareIdOf, loadBadgeState, newBadgeState, saveBadgeState } from "./badge-state";
import { BENCH_DEFAULTS, Bench, type DropRule } from "./bench";
import { PaceGate } from "./emulator/pace-gate";
import { connect, type Frames, type PlayReport, play } from "./play";
import type { RelayProcess } from "./relay-process";
import { Site } from "./site";
import { type Verification, verify } from "./verify";

export interface ReplayOptions {
  frames: Frames;
  /** Folder of a provisioned badge to use. */
  badge?: string;
  /** Folder for keys, spool and results; a temporary one when left out. */
  folder?: string;
  /** What the badge listens for; only where keys and badge are made for the replay. */
  phrases?: ListedPhrase[];
  /** What the badge is told about consent; only where it is made for the replay. */
  consent?: Partial<ConsentPolicy>;
  /** What the badge is tuned to; only where it is made for the replay. */
  tuning?: Partial<Tuning>;
  seed?: number;
  latencyMs?: number;
  /** Real ms after which a silent relay no longer holds virtual time. */
  patienceMs?: number;
  /** Virtual seconds for each real one at most; as fast as possible when left out. */
  speed?: number;
  drop?: DropRule;
  /** Fault: true makes the badge's socket refuse a write because its queue is full. */
  queueFull?: () => boolean;
  onTrace?: (event: TraceEvent, atMs: number) => void;
  onLog?: (line: string, atMs: number) => void;
  onProgress?: (playedMs: number) => void;
  /** Called before each frame is played; virtual time waits for it. Only where relay and badge are made for the replay. */
  atFrame?: (seq: number, hands: ReplayHands) => Promise<void>;
  /** Called when keys and folders are made, and nothing runs yet. Only where they are made for the replay. */
  onSite?: (site: Site) => void;
  /** Called when all is done and compared, with a badge that is still on and a relay that is stopped. Only where they are made for the replay. */
  after?: (result: ReplayResult, bench: Bench, hands: ReplayHands) => Promise<void>;
}

/** What a test may lay hands on while a replay runs. */
export interface ReplayHands {
  /** The relay that runs now. */
  relay: RelayProcess;
  /** Starts a relay in the place of one that was killed, at the same address. */
  restart: () => Promise<void>;
}

/** One ms in the virtual machine on this class of machine stands for as many on an ESP32-S3 at 240 MHz (measured once). */
export const ESP32_SLOWER = 36;

export interface ReplayResult {
  folder: string;
  /** True when what arrived was opened and compared. */
  opened: boolean;
  report: PlayReport;
  verification: Verification;
  conversations: OpenedConversation[];
  /** Frame with which each conversation began. */
  conversationStarts: number[];
  /** Times faster than real time: all time that was played, with the silence that ends a conversation, over wall time. */
  speed: number;
  /** Bytes sent beyond the Opus payload, as a share of it. */
  overhead: number;
  /** Share of an ESP32-S3 that the badge program would need: an estimate from the time in the virtual machine. */
  load: number;
}

/**
 * Plays a recording through a badge. Without `badge`, keys, relay and badge are made for this replay, and what arrived is opened
 * and compared; with it, that badge and the relay that it knows are used, and all is well when every chunk was acknowledged.
 * @throws RigError when something on the way fails
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  return options.badge === undefined ? await replayAlone(options) : await replayBadge(options, options.badge);
}

async function replayAlone(options: ReplayOptions): Promise<ReplayResult> {
  const site = await Site.create(options.folder ?? mkdtempSync(join(tmpdir(), "salestag-")));
  options.onSite?.(site);
  const bench = await openBench(options, newBadgeState(hardwareIdOf(randomBytes(8))));
  let relay = await site.startRelay();
  const hands: ReplayHands = {
    get relay() {
      return relay;
    },
    restart: async () => {
      relay = await site.startRelay(relay.url);
    },
  };
  try {
    await site.provision(bench, relay.url, "rig", options.phrases);
    if (options.consent !== undefined) await site.setConsent(bench, options.consent);
    if (options.tuning !== undefined) await site.setTuning(bench, options.tuning);
    const { atFrame } = options;
    const report = await playThrough(bench, options, atFrame && ((seq) => atFrame(seq, hands)));
    await relay.stop();
    const heard = bench.traced("conversation").length > 0;
    const conversations = heard ? await site.open() : [];
    const verification = verify(bench, options.frames, conversations);
    const measured = measure(bench, report, verification);
    const result = { folder: site.folder, opened: true, conversations, ...measured };
    await options.after?.(result, bench, hands);
    return result;
  } finally {
    bench.badge.powerOff();
    await relay.stop();
  }
}

async function replayBadge(options: ReplayOptions, folder: string): Promise<ReplayResult> {
  // Kept at every write: a replay that is cut off must not bring back a key that was used.
  const bench = await openBench(options, loadBadgeState(folder), (state) => saveBadgeState(folder, state));
  try {
    const report = await playThrough(bench, options);
    const spoken = bench.traced("speech").reduce((sum, { fromSeq, toSeq }) => sum + toSeq - fromSeq, 0);
    const verification = { problems: [], speechFrames: spoken, keptFrames: 0, opusBytes: 0 };
    return { folder, opened: false, conversations: [], ...measure(bench, report, verification) };
  } finally {
    bench.badge.powerOff();
  }
}

function openBench(
  { seed, latencyMs, patienceMs, queueFull, onTrace, onLog }: ReplayOptions,
  state: BadgeState,
  onState?: (state: BadgeState) => void,
): Promise<Bench> {
  return Bench.open({
    seed: seed ?? BENCH_DEFAULTS.seed,
    latencyMs: latencyMs ?? BENCH_DEFAULTS.latencyMs,
    patienceMs: patienceMs ?? BENCH_DEFAULTS.patienceMs,
    state,
    queueFull,
    onState,
    onTrace,
    onLog,
  });
}

async function playThrough(
  bench: Bench,
  options: ReplayOptions,
  atFrame?: (seq: number) => Promise<void>,
): Promise<PlayReport> {
  await connect(bench);
  const { frames, drop, onProgress, speed } = options;
  const pace = speed === undefined ? undefined : new PaceGate(bench.time, () => performance.now(), speed);
  return await play(bench, { frames, drop, onProgress, atFrame, onPlayed: () => pace?.open() });
}

function measure(bench: Bench, report: PlayReport, verification: Verification) {
  return {
    report,
    conversationStarts: bench.traced("conversation").map(({ seq }) => seq),
    verification,
    speed: report.virtualMs / report.wallMs,
    overhead: report.sentBytes / verification.opusBytes - 1,
    load: (report.vmMs * ESP32_SLOWER) / report.virtualMs,
  };
}
