// Plays a recording's frames into the badge on the bench and sees it through: until the conversation has ended and the relay
// has acknowledged everything, or until it is plain that it will not.
import { FRAME_MS } from "@salestag/protocol";
import type { Bench, DropRule } from "./bench";
import { RigError } from "./errors";

/** Frames of the front end by number; silence after the recording's end. */
export interface Frames {
  recordedFrames: number;
  frame(seq: number): Buffer;
}

export interface PlayOptions {
  frames: Frames;
  drop?: DropRule;
  /** Called about ten times a second of virtual time. */
  onProgress?: (playedMs: number) => void;
  /** Called before each frame; virtual time waits until it is done. */
  atFrame?: (seq: number) => Promise<void>;
  /** Called when the last frame of the recording was played. */
  onPlayed?: () => void;
}

/** What a replay cost and did. */
export interface PlayReport {
  recordedMs: number;
  /** Real time from the first frame to the last ack. */
  wallMs: number;
  /** Of that, inside the badge's virtual machine. */
  vmMs: number;
  /** Virtual time from the first frame to the last ack. */
  virtualMs: number;
  heapPeakBytes: number;
  heapBytes: number;
  /** Frames that the program missed. */
  lostFrames: number;
  /** Bytes from badge to relay, before TLS and TCP, and back. */
  sentBytes: number;
  receivedBytes: number;
  chunks: number;
  /** Chunks that did not fit into the outbox. */
  refusedChunks: number;
}

/** The relay must be reached within this time, on virtual time. */
const CONNECT_MS = 30_000;
const CONNECT_TRIES = 3;
/** After the recording: the longest silence that ends a conversation, then time for the last acks. */
const END_MS = 60_000;
const FLUSH_MS = 180_000;
/** Then the badge gives account of it. */
const ACCOUNT_MS = 4000;
const PROGRESS_FRAMES = 5;

/**
 * Waits until badge and relay have proved themselves to each other.
 * @throws RigError that says why they cannot
 */
export async function connect(bench: Bench): Promise<void> {
  const settled = () => bench.traced("up").length > 0 || bench.traced("down").length >= CONNECT_TRIES;
  await bench.until(settled, CONNECT_MS);
  if (bench.traced("up").length > 0) return;
  if (bench.traced("ready").length === 0)
    throw new RigError("This badge is not provisioned: run 'salestag provision' for it first.");
  throw new RigError(explainDown(bench.traced("down").at(-1)?.why ?? "nothing happened", relayOf(bench)));
}

/** @returns what the reason of a `down` line means to the user, in one sentence with what to do */
export function explainDown(why: string, relayUrl: string): string {
  const at = `The relay at ${relayUrl}`;
  if (why.startsWith("relay-not-proved"))
    return `${at} does not have this badge's key (a wrong key in its registry, or not your relay): compare its registry, or provision the badge again.`;
  if (why.startsWith("refused 3"))
    return `${at} does not know this badge: provision the badge with this relay's registry file.`;
  if (why.startsWith("refused 4"))
    return `${at} did not accept this badge's proof: provision the badge again.`;
  if (why.startsWith("refused 6"))
    return `${at} cannot store anything now (${why.slice(11)}): make room on its disk; what was acknowledged is safe.`;
  if (why.includes("ECONNREFUSED"))
    return `Nothing listens at ${relayUrl}: start the relay there, or give its address when provisioning.`;
  if (why.includes("ENOTFOUND") || why.includes("EAI_AGAIN"))
    return `The host of ${relayUrl} has no address: check the name.`;
  return `${at} cannot be used: ${why}.`;
}

/**
 * Plays all frames and waits for the end.
 * @throws RigError when chunks are left that the relay does not take
 */
export async function play(bench: Bench, options: PlayOptions): Promise<PlayReport> {
  const { frames, drop, onProgress, atFrame, onPlayed } = options;
  const network = { ...pick(bench) };
  const vmStartMs = bench.badge.cpuMs;
  const wallStartMs = performance.now();
  const virtualStartMs = bench.time.nowMs();
  const frontEnd = bench.plugFrontEnd((seq) => {
    if (atFrame !== undefined) bench.time.hold(atFrame(seq));
    if (seq % PROGRESS_FRAMES === 0) onProgress?.(Math.min(seq, frames.recordedFrames) * FRAME_MS);
    return frames.frame(seq);
  }, drop);
  const recordedMs = frames.recordedFrames * FRAME_MS;
  const played = () => frontEnd.seq >= frames.recordedFrames;
  if (!(await bench.until(played, recordedMs + END_MS)))
    throw new RigError("The badge program does not ask for sound: it did not start, see its log with --log.");
  onPlayed?.();
  await bench.until(() => !bench.inConversation && bench.waitingChunks === 0, END_MS);
  await bench.until(() => false, ACCOUNT_MS);
  if (bench.waitingChunks > 0) await bench.until(() => bench.waitingChunks === 0, FLUSH_MS);
  onProgress?.(recordedMs);
  const after = pick(bench);
  const left = bench.waitingChunks;
  if (left > 0) {
    throw new RigError(`${left} chunks were not stored. ${explainWaiting(bench)}`);
  }
  return {
    recordedMs,
    wallMs: performance.now() - wallStartMs,
    vmMs: bench.badge.cpuMs - vmStartMs,
    virtualMs: bench.time.nowMs() - virtualStartMs,
    heapPeakBytes: bench.badge.heap.peakBytes,
    heapBytes: bench.badge.heap.sizeBytes,
    lostFrames: bench.traced("lost").reduce((sum, { fromSeq, toSeq }) => sum + toSeq - fromSeq, 0),
    sentBytes: after.sentBytes - network.sentBytes,
    receivedBytes: after.receivedBytes - network.receivedBytes,
    chunks: bench.traced("chunk").length,
    refusedChunks: bench.traced("refused").length,
  };
}

function pick(bench: Bench): { sentBytes: number; receivedBytes: number } {
  return { sentBytes: bench.network.sentBytes, receivedBytes: bench.network.receivedBytes };
}

/** Why chunks are left that the relay did not acknowledge: what happened last says it. */
function explainWaiting(bench: Bench): string {
  const last = bench.trace.filter(({ word }) => word === "held" || word === "down" || word === "up").at(-1);
  if (last?.word === "down") return explainDown(last.why, relayOf(bench));
  const at = `The relay at ${relayOf(bench)}`;
  return last?.word === "held"
    ? `${at} has no room: make some on its disk or raise --spool-bytes-max; what was acknowledged is safe.`
    : `${at} does not acknowledge: see its log.`;
}

/** Where the badge on the bench looks for its relay. */
function relayOf(bench: Bench): string {
  return bench.traced("ready").at(-1)?.relay ?? "an unknown address";
}
