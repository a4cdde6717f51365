// The independent account of a simulation: which frames must have arrived, which may, which must not - from what was played and what the policy
// says, never from what the badges say. At the end it opens everything that the relay stored and compares.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { balance, entriesOf, type ToldEntry } from "@salestag/host-tools";
import {
  type ChunkHeader,
  ChunkKind,
  decodeChunkHeader,
  decodeEvents,
  EventKind,
  epochKeyOf,
  FRAME_MS,
  LossCause,
  nextChainKey,
  openChunk,
  unpackAudio,
} from "@salestag/protocol";
import { decodeRecord, nodeCrypto } from "@salestag/protocol/host";
import type { Session, SimulatedBadge } from "./badge";
import { type Packets, Sound } from "./scene";

/** A sentence about the first thing that is wrong with one badge, and where. */
export interface Divergence {
  badge: number;
  what: string;
}

/** What arrived, counted. */
export interface Findings {
  divergences: Divergence[];
  chunks: number;
  /** Frames that had to arrive. */
  mustFrames: number;
  arrivedFrames: number;
  /** ms of sound that badges told to be lost for want of room or by damage. */
  toldLostMs: number;
  /** Highest epoch that arrived of any badge; -1 for none. */
  newestEpoch: number;
  /** Of the spool's content. */
  digest: string;
}

/**
 * What was said in so many ms before a power cut may be lost: it was still in RAM. 2 s of a chunk at most, 0.2 s that the front end looks ahead, the time
 * to seal and write two chunks with an erasure in each, and as much again for a bus that stalls.
 */
const UNSAFE_MS = 4000;
/** Silence that ends a conversation, as provisioned by default. */
const GAP_FRAMES = 30_000 / FRAME_MS;
/** So many frames of silence around speech may be kept: pre-roll, hangover, and the time in which the detector lets go. */
const AROUND_FRAMES = 60;
/** A press counts for sure when the badge has asked for so long, and as long before it stops asking. */
const ASK_MARGIN_MS = 1500;
const SEGMENT_HEADER_BYTES = 4096;
/** A flipped bit may cost the record that it lies in and hide the one behind it; the badge tells of the first only. */
const FLIP_MS_MAX = 4000;
const FIRST_DIVERGENCES = 5;

/** Whether a stretch of speech may be kept. */
enum Verdict {
  Must = 0,
  May = 1,
  Never = 2,
}

interface Segment {
  from: number;
  to: number;
  verdict: Verdict;
}

const crypto = nodeCrypto();

/** Reads a relay's spool, as docs/spool-format.md has it, and every chunk in it. */
export function* storedChunks(
  folder: string,
): Generator<{ header: ChunkHeader; encoded: Buffer; sealed: Buffer }> {
  const names = readdirSync(folder).filter((name) => name.endsWith(".seg"));
  for (const name of names.sort()) {
    const bytes = readFileSync(join(folder, name));
    if (bytes.length < SEGMENT_HEADER_BYTES) continue;
    const salt = bytes.readUInt32LE(16);
    for (let at = SEGMENT_HEADER_BYTES; at + 12 <= bytes.length; ) {
      const payloadBytes = bytes.readUInt32LE(at + 4);
      const end = at + 12 + payloadBytes;
      const sum = end <= bytes.length ? crc32(bytes.subarray(at + 4, end), (salt ^ at) >>> 0) : 0;
      if (payloadBytes === 0 || end > bytes.length || sum !== bytes.readUInt32LE(at)) {
        at += 4;
        continue;
      }
      const { header: encoded, sealed } = decodeRecord(bytes.subarray(at + 12, end));
      yield { header: decodeChunkHeader(encoded), encoded, sealed };
      at = end + ((4 - (end % 4)) % 4);
    }
  }
}

/** Compares what lies in the spool with what was played. */
export function judge(badges: SimulatedBadge[], packets: Packets, spoolFolder: string): Findings {
  const hash = createHash("sha256");
  const byId = new Map(badges.map((badge) => [badge.badgeId.toString("hex"), new Ledger(badge, packets)]));
  const divergences: Divergence[] = [];
  let chunks = 0;
  for (const { header, encoded, sealed } of storedChunks(spoolFolder)) {
    chunks++;
    hash.update(encoded).update(sealed);
    const ledger = byId.get(header.badgeId.toString("hex"));
    if (ledger === undefined)
      divergences.push({
        badge: -1,
        what: `a chunk of the unknown badge ${header.badgeId.toString("hex")} is stored`,
      });
    else ledger.take(header, encoded, sealed);
  }
  let mustFrames = 0;
  let arrivedFrames = 0;
  let toldLostMs = 0;
  let newestEpoch = -1;
  for (const ledger of byId.values()) {
    ledger.compare();
    divergences.push(...ledger.wrong);
    mustFrames += ledger.mustFrames;
    arrivedFrames += ledger.arrivedFrames;
    toldLostMs += ledger.toldLostMs;
    newestEpoch = Math.max(newestEpoch, ledger.newestEpoch);
  }
  const digest = hash.digest("hex");
  return { divergences, chunks, mustFrames, arrivedFrames, toldLostMs, newestEpoch, digest };
}

/** One badge's side of the account. */
class Ledger {
  readonly wrong: Divergence[] = [];
  mustFrames = 0;
  arrivedFrames = 0;
  toldLostMs = 0;
  /** Highest epoch that arrived. */
  newestEpoch = -1;

  private readonly arrived = new Map<number, Set<number>>();
  private readonly taken = new Set<string>();
  private readonly last = new Map<number, { index: number; boot: number; seq: number }>();
  private readonly entries: ToldEntry[] = [];
  private readonly keys: Buffer[] = [];
  private chainKey: Buffer;
  /** ms of sound that had to arrive and did not, in the sessions so far. */
  private missingMs = 0;

  constructor(
    private readonly badge: SimulatedBadge,
    private readonly packets: Packets,
  ) {
    this.chainKey = badge.chainKey;
  }

  take(header: ChunkHeader, encoded: Buffer, sealed: Buffer): void {
    const { epoch, index, kind } = header;
    const name = `${epoch}/${index}`;
    this.newestEpoch = Math.max(this.newestEpoch, epoch);
    if (this.taken.has(name)) this.complain(`chunk ${name} is stored twice`);
    this.taken.add(name);
    const plaintext = openChunk(crypto, this.keyOf(epoch), encoded, sealed);
    if (plaintext === undefined) {
      this.complain(`chunk ${name} does not open with the key of its epoch`);
      return;
    }
    if (kind === ChunkKind.Events) {
      const events = decodeEvents(plaintext, header.startMs);
      const unread: string[] = [];
      this.entries.push(...entriesOf(events, epoch, index, unread));
      for (const what of unread) this.complain(what);
      for (const event of events)
        if (event.kind === EventKind.Loss && event.values[1] !== LossCause.Bus)
          this.toldLostMs += event.values[0];
      return;
    }
    for (const item of unpackAudio(plaintext))
      if (item.type === "packet") this.packet(name, header, item.packet);
  }

  compare(): void {
    for (const session of this.badge.sessions) this.session(session);
    this.account();
    const played = new Set(this.badge.sessions.map(({ boot }) => boot));
    for (const boot of this.arrived.keys())
      if (!played.has(boot)) this.complain(`frames of boot ${boot}, which never was, arrived`);
  }

  /** The badge's own account must be whole; where the flash was damaged or gave up what is oldest, entries may be gone with it. */
  private account(): void {
    const { problems } = balance(this.badge.badgeId, this.entries, [], () => undefined);
    const mayLack = this.badge.flippedBits > 0 || this.badge.parts.tuning.dropOldest === 1;
    for (const problem of problems)
      if (!problem.includes("of sound were sent") && !(mayLack && problem.includes("missing")))
        this.complain(`account: ${problem}`);
  }

  private packet(chunk: string, { epoch, index }: ChunkHeader, packet: Buffer): void {
    const mark = this.packets.markOf(packet);
    if (mark === undefined) {
      this.complain(`chunk ${chunk} holds a packet that nobody made`);
      return;
    }
    const { badge, boot, seq } = mark;
    if (badge !== this.badge.parts.number) this.complain(`chunk ${chunk} holds a packet of badge ${badge}`);
    const frames = this.arrived.get(boot) ?? new Set();
    this.arrived.set(boot, frames);
    if (frames.has(seq)) this.complain(`frame ${seq} of boot ${boot} arrived twice, again in chunk ${chunk}`);
    frames.add(seq);
    this.arrivedFrames++;
    const before = this.last.get(epoch);
    if (before !== undefined && (index < before.index || boot !== before.boot || seq <= before.seq))
      this.complain(
        `conversation ${epoch}: frame ${seq} of boot ${boot} in chunk ${index} after frame ${before.seq} of boot ${before.boot} in chunk ${before.index}`,
      );
    this.last.set(epoch, { index, boot, seq });
  }

  private session(session: Session): void {
    const { boot, frames, lost, sceneFrom, cutMs } = session;
    const arrived = this.arrived.get(boot) ?? new Set<number>();
    const { scene } = this.badge.parts;
    const speech = (seq: number) => seq >= 0 && scene.soundAt(sceneFrom + seq) !== Sound.Silence;
    const segments = this.segments(session, speech);
    const safeUntil = cutMs === undefined ? frames : Math.floor((cutMs - UNSAFE_MS) / FRAME_MS) - sceneFrom;
    let missing = 0;
    let firstMissing = -1;
    for (const { from, to, verdict } of segments) {
      for (let seq = from; seq <= to; seq++) {
        if (!speech(seq) || lost.has(seq)) continue;
        if (verdict === Verdict.Never && arrived.has(seq))
          this.complain(`frame ${seq} of boot ${boot} (${timeOf(session, seq)}) arrived without consent`);
        const paused = this.badge.pausedAt((sceneFrom + seq) * FRAME_MS);
        if (paused === true && arrived.has(seq))
          this.complain(
            `frame ${seq} of boot ${boot} (${timeOf(session, seq)}) arrived, and the badge was paused`,
          );
        if (verdict !== Verdict.Must || seq >= safeUntil || paused !== false) continue;
        this.mustFrames++;
        if (arrived.has(seq)) continue;
        missing++;
        if (firstMissing < 0) firstMissing = seq;
      }
    }
    this.missingMs += missing * FRAME_MS;
    // What the badge told excuses as much, once, over all its sessions.
    if (missing > 0 && this.missingMs > this.toldLostMs + this.badge.flippedBits * FLIP_MS_MAX)
      this.complain(
        `frame ${firstMissing} of boot ${boot} (${timeOf(session, firstMissing)}) and ${missing - 1} more are missing, ${this.missingMs} ms in all; the badge told of ${this.toldLostMs} ms lost`,
      );
    this.checkSilence(session, arrived, speech);
  }

  /** What is far from any speech must not be there. */
  private checkSilence(session: Session, arrived: Set<number>, speech: (seq: number) => boolean): void {
    if (this.badge.parts.scene.recording !== undefined) return;
    let spoken = Number.NEGATIVE_INFINITY;
    const near = new Set<number>();
    for (let seq = 0; seq < session.frames; seq++) {
      if (speech(seq)) {
        for (let back = Math.max(0, seq - AROUND_FRAMES); back < seq && !speech(seq - 1); back++)
          near.add(back);
        spoken = seq;
      }
      if (seq - spoken <= AROUND_FRAMES) near.add(seq);
    }
    for (const seq of arrived)
      if (!near.has(seq)) {
        this.complain(
          `frame ${seq} of boot ${session.boot} (${timeOf(session, seq)}) arrived, and nobody had spoken`,
        );
        return;
      }
  }

  /** Stretches of speech with no silence in them that would end a conversation, and what may be done with each. */
  private segments(session: Session, speech: (seq: number) => boolean): Segment[] {
    const segments: Segment[] = [];
    for (let seq = 0; seq < session.frames; seq++) {
      if (!speech(seq)) continue;
      const current = segments.at(-1);
      if (current !== undefined && seq - current.to < GAP_FRAMES - AROUND_FRAMES) current.to = seq;
      else if (current !== undefined && seq - current.to < GAP_FRAMES + AROUND_FRAMES) {
        current.to = seq; // it may be one conversation or two
        current.verdict = Verdict.May;
      } else segments.push({ from: seq, to: seq, verdict: Verdict.Must });
    }
    for (const segment of segments)
      if (segment.verdict === Verdict.Must) segment.verdict = this.verdict(session, segment);
    return segments;
  }

  private verdict(session: Session, segment: Segment): Verdict {
    const { consent } = this.badge.parts;
    if (consent.policy === "off") return Verdict.Never;
    if (consent.policy === "announce") return this.best();
    const msOf = (seq: number) => (session.sceneFrom + seq) * FRAME_MS;
    const askedMs = msOf(segment.from);
    const endMs = msOf(segment.to) + GAP_FRAMES * FRAME_MS;
    const presses = this.badge.presses.filter(
      ({ atMs, boot }) =>
        boot === session.boot && atMs > askedMs - ASK_MARGIN_MS && atMs < endMs + ASK_MARGIN_MS,
    );
    if (presses.length === 0) return Verdict.Never;
    const [press] = presses;
    const sure =
      press.atMs > askedMs + ASK_MARGIN_MS &&
      press.atMs < Math.min(endMs, askedMs + consent.withinMs) - ASK_MARGIN_MS &&
      presses.length === 1;
    if (!sure) return Verdict.May;
    if (press.what !== "yes") return Verdict.Never;
    return session.cutMs !== undefined && session.cutMs < press.atMs + UNSAFE_MS ? Verdict.May : this.best();
  }

  /** Of a recording nobody knows for sure what is speech. */
  private best(): Verdict {
    return this.badge.parts.scene.recording === undefined ? Verdict.Must : Verdict.May;
  }

  private keyOf(epoch: number): Buffer {
    while (this.keys.length <= epoch) {
      this.keys.push(epochKeyOf(crypto, this.chainKey));
      this.chainKey = nextChainKey(crypto, this.chainKey);
    }
    return this.keys[epoch];
  }

  private complain(what: string): void {
    if (this.wrong.length < FIRST_DIVERGENCES) this.wrong.push({ badge: this.badge.parts.number, what });
  }
}

function timeOf(session: Session, seq: number): string {
  return `${(((session.sceneFrom + seq) * FRAME_MS) / 1000).toFixed(2)} s`;
}
