// What the host tests of the badge's logic share: front-end frames made by hand, a recorder with everything around it, and
// the opening of what it sealed.
import {
  type AudioItem,
  type BadgeEvent,
  type ChunkHeader,
  ChunkKind,
  CONSENT_DEFAULT,
  type ConsentPolicy,
  decodeChunkFrame,
  decodeChunkHeader,
  decodeEvents,
  FRAME_MS,
  firstAccountHash,
  joinBytes,
  openChunk,
  PHONE_CLASSES,
  type Phrase,
  TUNING_DEFAULT,
  type Tuning,
  unpackAudio,
} from "@salestag/protocol";
import { nodeCrypto } from "@salestag/protocol/host";
import { Account } from "../src/account";
import { BadgeClock } from "../src/clock";
import { FLASH_SECTOR_BYTES, type FlashChip } from "../src/flash/flash-chip";
import { Journal } from "../src/flash/journal";
import {
  FRAME_LAYOUT,
  OFFSET_LAYOUT,
  OFFSET_OPUS_LENGTH,
  OFFSET_POSTERIORS,
  OFFSET_SPEECH,
} from "../src/front-end-frame";
import { ConsentGate } from "../src/gate";
import type { ChunkSink, SealedChunk } from "../src/outbox";
import { Phrases } from "../src/phrases";
import { Recorder } from "../src/recorder";
import { type BadgeState, emptyEntry, StateStore } from "../src/state";
import { Trace } from "../src/trace";
import { chipOf, NorFlash } from "./nor-flash";

export const crypto = nodeCrypto();

/** A front-end frame whose 24 bands all have `level` and whose packet tells its seq; the network says nothing. */
export function makeFrame(seq: number, level: number, packetBytes = 38): Buffer {
  const frame = Buffer.alloc(OFFSET_POSTERIORS + packetBytes, level);
  frame.writeUInt32LE(seq, 0);
  frame[OFFSET_LAYOUT] = FRAME_LAYOUT << 4;
  frame[OFFSET_OPUS_LENGTH] = packetBytes;
  frame.fill(0, OFFSET_SPEECH, OFFSET_POSTERIORS);
  frame[OFFSET_POSTERIORS] = 0x48;
  if (packetBytes >= 5) frame.writeUInt32LE(seq, OFFSET_POSTERIORS + 1);
  return frame;
}

/**
 * The frame with the network's word on the frame 10 before, and, if its number is even, posteriors in which one class stands out.
 * @param phone that class; none when below 0
 */
export function withPosteriors(frame: Buffer, speechByte: number, phone: number): Buffer {
  const isEven = frame[0] % 2 === 0;
  const posteriors = Buffer.alloc(isEven ? PHONE_CLASSES : 0, 26);
  if (isEven && phone >= 0) posteriors[phone] = 6;
  const whole = Buffer.concat([
    frame.subarray(0, OFFSET_POSTERIORS),
    posteriors,
    frame.subarray(OFFSET_POSTERIORS),
  ]);
  whole[OFFSET_SPEECH] = speechByte;
  if (isEven) whole[OFFSET_LAYOUT] |= 1 << 2;
  return whole;
}

/** A chunk that came out of the recorder, opened. */
export interface Opened {
  header: ChunkHeader;
  items: AudioItem[];
  events: BadgeEvent[];
}

export const BADGE_ID = Buffer.alloc(8, 7);

/** @returns numbers of a fixed sequence, 0 to 2^32 - 1 (xorshift, Marsaglia 2003) */
export function seeded(seed: number): () => number {
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state;
  };
}

/** @returns a new chip */
export function newNor(sectors: number, seed = 1): NorFlash {
  return new NorFlash({ sectors, random: seeded(seed) });
}

/** @returns the state of a badge at its first boot */
export function newState(): BadgeState {
  return {
    badgeId: BADGE_ID,
    epoch: 0,
    chainKey: Buffer.alloc(32, 1),
    inboxKey: Buffer.alloc(32, 2),
    boot: 1,
    paused: false,
    nudgeId: 0,
    unixMs: 0,
    hash: firstAccountHash(crypto, BADGE_ID),
    unsent: [],
    open: emptyEntry(0, 1, 0),
  };
}

/** @returns a journal of four sectors with this state in it, on a chip of its own */
export function newStore(chip: FlashChip = chipOf(newNor(4)), state = newState()): StateStore {
  return new StateStore(new Journal(chip, crypto, 0, 4), state);
}

/** Takes chunks until it is full, and keeps them. */
export class Shelf implements ChunkSink {
  chunks: SealedChunk[] = [];
  refused: number[] = [];

  constructor(private readonly bytesMax = 20 * FLASH_SECTOR_BYTES) {}

  hasRoom(bytes: number, urgent: boolean): boolean {
    const used = this.chunks.reduce((sum, { start, sealed }) => sum + start.length + sealed.length, 0);
    return used + bytes <= this.bytesMax + (urgent ? 768 : 0);
  }

  put(chunk: SealedChunk): void {
    this.chunks.push(chunk);
  }

  refuse(epoch: number): void {
    this.refused.push(epoch);
    this.chunks = this.chunks.filter((chunk) => chunk.epoch !== epoch);
  }
}

/** What a recorder may be told besides the frames. */
export interface BenchOptions {
  tuning?: Partial<Tuning>;
  phrases?: Phrase[];
  consent?: Partial<ConsentPolicy>;
  shelfBytes?: number;
}

/** A recorder on a bench: time moves with the frames, epochs are at hand, chunks stay on the shelf. */
export class Bench {
  readonly shelf: Shelf;
  readonly lines: string[] = [];
  readonly recorder: Recorder;
  readonly store = newStore();
  readonly account = new Account(this.store, crypto);
  readonly clock = new BadgeClock(0);
  readonly gate: ConsentGate;
  readonly nudges: number[] = [];
  nowMs = 0;
  epochs = 0;
  /** While false, no epoch is ready. */
  epochReady = true;

  constructor({ tuning, phrases = [], consent, shelfBytes }: BenchOptions = {}) {
    this.shelf = new Shelf(shelfBytes);
    this.gate = new ConsentGate({ ...CONSENT_DEFAULT, ...consent });
    const ports = {
      crypto,
      badgeId: BADGE_ID,
      boot: 1,
      outbox: this.shelf,
      trace: new Trace((line) => this.lines.push(line)),
      phrases: new Phrases(phrases),
      gate: this.gate,
      account: this.account,
      clock: this.clock,
      nowMs: () => this.nowMs,
      takeEpoch: () => {
        if (!this.epochReady) return undefined;
        const number = this.epochs++;
        return { number, key: Buffer.alloc(32, number) };
      },
      onNudge: (cause: number) => this.nudges.push(cause),
    };
    this.recorder = new Recorder(ports, { ...TUNING_DEFAULT, ...tuning });
  }

  /** Plays frames `from` to `to - 1` with one level. */
  play(from: number, to: number, level: number): void {
    for (let seq = from; seq < to; seq++) {
      this.nowMs = (seq + 1) * FRAME_MS;
      this.recorder.frame(makeFrame(seq, level));
    }
  }

  /** @returns everything on the shelf, opened, and takes it off */
  open(): Opened[] {
    const opened: Opened[] = [];
    for (const { epoch, index, start, sealed } of this.shelf.chunks) {
      const chunk = decodeChunkFrame(joinBytes([start, sealed]));
      const header = decodeChunkHeader(chunk.header);
      const plaintext = openChunk(crypto, Buffer.alloc(32, epoch), chunk.header, chunk.sealed);
      if (plaintext === undefined) throw new Error(`chunk ${epoch}/${index} does not open`);
      const audio = header.kind === ChunkKind.Audio;
      opened.push({
        header,
        items: audio ? unpackAudio(plaintext) : [],
        events: audio ? [] : decodeEvents(plaintext, header.startMs),
      });
    }
    this.shelf.chunks = [];
    return opened;
  }

  /** @returns the arguments of every trace line of this word, as numbers */
  traced(word: string): number[][] {
    return this.lines
      .filter((line) => line.startsWith(`@${word} `))
      .map((line) => line.split(" ").slice(1).map(Number));
  }
}

/** @returns seq numbers of all packets, in the order of the chunks, each checked against its chunk's time */
export function keptSeqs(opened: Opened[]): number[] {
  const seqs: number[] = [];
  for (const { header, items } of opened)
    for (const item of items) {
      if (item.type !== "packet") continue;
      const seq = item.packet.readUInt32LE(1);
      if (header.startMs + item.atFrame * FRAME_MS !== seq * FRAME_MS)
        throw new Error(`packet of frame ${seq} is at ${header.startMs + item.atFrame * FRAME_MS} ms`);
      seqs.push(seq);
    }
  return seqs;
}

/** @returns the numbers from `from` to `to - 1` */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
