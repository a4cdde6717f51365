// Seals what a conversation keeps: Opus packets become audio chunks of at most 2 s, events become event chunks, both numbered
// in one row and put into the outbox. When the outbox is full the chunk is dropped and the loss becomes an event.
import {
  AudioPacker,
  type BadgeEvent,
  CHUNK_FRAMES_MAX,
  CHUNK_HEADER_BYTES_MAX,
  CHUNK_TAG_BYTES,
  ChunkCodec,
  type ChunkHeader,
  ChunkKind,
  type Crypto,
  EventKind,
  encodeChunkHeader,
  encodeEvents,
  FRAME_MS,
  GapCause,
  LossCause,
  sealChunk,
} from "@salestag/protocol";
import { EVENTS_FLUSH_MS, EVENTS_PENDING_MAX } from "./config";
import { OFFSET_OPUS_LENGTH, opusOffset } from "./front-end-frame";
import type { Outbox } from "./outbox";
import type { Trace } from "./trace";

/** Key and number of one conversation. */
export interface Epoch {
  number: number;
  key: Buffer;
}

/** Turns one conversation into sealed chunks. Made anew for each. */
export class Sealer {
  private index = 0;
  private packer = new AudioPacker();
  private chunkStartMs = 0;
  private chunkStartSeq = 0;
  private events: BadgeEvent[] = [];

  constructor(
    private readonly crypto: Crypto,
    private readonly badgeId: Buffer,
    private readonly epoch: Epoch,
    private readonly outbox: Outbox,
    private readonly trace: Trace,
  ) {}

  /**
   * Keeps one front-end frame.
   * @param seq its number, higher than that of the frame before
   * @param lostFrames how many of the frames between it and the last kept one were lost
   * @param startMs its start, ms since boot
   */
  keep(frame: Buffer, seq: number, lostFrames: number, startMs: number): void {
    const packetBytes = frame[OFFSET_OPUS_LENGTH];
    if (packetBytes === 0) return; // the encoder had nothing for this hop: it shows as a gap
    let gapFrames = this.packer.packets > 0 ? seq - this.chunkStartSeq - this.packer.frames : 0;
    if (
      this.packer.packets > 0 &&
      (this.packer.frames + gapFrames >= CHUNK_FRAMES_MAX || !this.packer.fits(packetBytes))
    ) {
      this.closeChunk();
      gapFrames = 0;
    }
    if (this.packer.packets === 0) {
      this.chunkStartSeq = seq;
      this.chunkStartMs = startMs;
    }
    if (gapFrames > 0) {
      const lost = Math.min(lostFrames, gapFrames);
      if (gapFrames > lost) this.packer.gap(gapFrames - lost, GapCause.Silence);
      if (lost > 0) this.packer.gap(lost, GapCause.Lost);
    }
    this.packer.packet(frame, opusOffset(frame), packetBytes);
    if (this.packer.frames >= CHUNK_FRAMES_MAX) this.closeChunk();
  }

  /** Adds an event. Times rise from event to event or are sorted when the chunk is made. */
  event(kind: EventKind, atMs: number, values: number[], text?: string): void {
    const event: BadgeEvent = { kind, atMs, values };
    if (text !== undefined) event.text = text;
    this.events.push(event);
    if (this.events.length >= EVENTS_PENDING_MAX) this.closeEvents();
  }

  /** Called with every frame, kept or not: closes what has waited long enough. @param nowSeq number of the newest frame */
  tick(nowSeq: number, nowMs: number): void {
    if (this.packer.packets > 0 && nowSeq - this.chunkStartSeq >= CHUNK_FRAMES_MAX) this.closeChunk();
    if (this.events.length > 0 && nowMs - this.events[0].atMs >= EVENTS_FLUSH_MS) this.closeEvents();
  }

  /** Seals all that is left. The sealer must not be used afterwards. */
  end(): void {
    this.closeChunk();
    this.closeEvents();
  }

  private closeChunk(): void {
    const packets = this.packer.packets;
    if (packets === 0) return;
    const durationMs = this.packer.frames * FRAME_MS;
    const startMs = this.chunkStartMs;
    const stored = this.put(
      ChunkKind.Audio,
      ChunkCodec.OpusItems,
      startMs,
      durationMs,
      packets,
      this.packer.take(),
    );
    if (!stored) this.event(EventKind.Loss, startMs, [durationMs, LossCause.OutboxFull]);
  }

  private closeEvents(): void {
    const events = this.events;
    if (events.length === 0) return;
    this.events = [];
    // A stretch of speech is known at its end and dated at its start: put the list in order of time again.
    events.sort((a, b) => a.atMs - b.atMs);
    const startMs = events[0].atMs;
    const durationMs = events[events.length - 1].atMs - startMs;
    const plaintext = encodeEvents(events, startMs);
    this.put(ChunkKind.Events, ChunkCodec.CborEvents, startMs, durationMs, events.length, plaintext);
  }

  private put(
    kind: ChunkKind,
    codec: ChunkCodec,
    startMs: number,
    durationMs: number,
    count: number,
    plaintext: Buffer,
  ): boolean {
    const bytes = CHUNK_HEADER_BYTES_MAX + plaintext.length + CHUNK_TAG_BYTES;
    if (!this.outbox.hasRoom(bytes, kind === ChunkKind.Events)) {
      this.trace.refused(this.epoch.number, kind, durationMs);
      return false;
    }
    const index = this.index++;
    const header: ChunkHeader = {
      badgeId: this.badgeId,
      epoch: this.epoch.number,
      index,
      kind,
      startMs,
      durationMs,
      codec,
      count,
    };
    const encoded = encodeChunkHeader(header);
    const sealed = sealChunk(this.crypto, this.epoch.key, encoded, plaintext);
    this.trace.chunk(this.epoch.number, index, kind, count, encoded.length + sealed.length);
    this.outbox.put({ epoch: this.epoch.number, index, header: encoded, sealed });
    return true;
  }
}
