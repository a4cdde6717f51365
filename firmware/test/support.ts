// What the host tests of the badge's logic share: front-end frames made by hand, a recorder with everything around it, and
// the opening of what it sealed.
import {
  type AudioItem,
  type BadgeEvent,
  type ChunkHeader,
  ChunkKind,
  decodeChunkHeader,
  decodeEvents,
  FRAME_MS,
  openChunk,
  PHONE_CLASSES,
  type Phrase,
  TUNING_DEFAULT,
  type Tuning,
  unpackAudio,
} from "@salestag/protocol";
import { nodeCrypto } from "@salestag/protocol/host";
import {
  FRAME_LAYOUT,
  OFFSET_LAYOUT,
  OFFSET_OPUS_LENGTH,
  OFFSET_POSTERIORS,
  OFFSET_SPEECH,
} from "../src/front-end-frame";
import { Outbox } from "../src/outbox";
import { Phrases } from "../src/phrases";
import { Recorder } from "../src/recorder";
import { Trace } from "../src/trace";

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

/** A recorder on a bench: time moves with the frames, epochs are at hand, chunks stay in the outbox. */
export class Bench {
  readonly outbox = new Outbox();
  readonly lines: string[] = [];
  readonly recorder: Recorder;
  nowMs = 0;
  epochs = 0;
  /** While false, no epoch is ready. */
  epochReady = true;

  constructor(tuning: Partial<Tuning> = {}, phrases: Phrase[] = []) {
    const ports = {
      crypto,
      badgeId: Buffer.alloc(8, 7),
      outbox: this.outbox,
      trace: new Trace((line) => this.lines.push(line)),
      phrases: new Phrases(phrases),
      nowMs: () => this.nowMs,
      takeEpoch: () => {
        if (!this.epochReady) return undefined;
        const number = this.epochs++;
        return { number, key: Buffer.alloc(32, number) };
      },
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

  /** @returns everything in the outbox, opened, and takes it out */
  open(): Opened[] {
    const opened: Opened[] = [];
    for (let place = 0; place < this.outbox.count(); place++) {
      const chunk = this.outbox.at(place)!;
      const header = decodeChunkHeader(chunk.header);
      const plaintext = openChunk(crypto, Buffer.alloc(32, chunk.epoch), chunk.header, chunk.sealed);
      if (plaintext === undefined) throw new Error(`chunk ${chunk.epoch}/${chunk.index} does not open`);
      const audio = header.kind === ChunkKind.Audio;
      opened.push({
        header,
        items: audio ? unpackAudio(plaintext) : [],
        events: audio ? [] : decodeEvents(plaintext, header.startMs),
      });
    }
    this.outbox.forgetBefore(4294967295, 0);
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
