// Seals what a conversation keeps: Opus packets become audio chunks of at most 2 s, events become event chunks, both numbered
// in one row and put into the outbox, with or without consent. When the outbox is full the chunk is dropped and the loss becomes an event.
import {
  type AudioPacker,
  type BadgeEvent,
  CHUNK_FRAMES_MAX,
  CHUNK_HEADER_BYTES_MAX,
  CHUNK_TAG_BYTES,
  ChunkCodec,
  type ChunkHeader,
  ChunkKind,
  type Crypto,
  EventKind,
  encodeChunkBodyStart,
  encodeChunkHeader,
  encodeEvents,
  FRAME_MS,
  GapCause,
  LossCause,
  sealChunk,
} from "@salestag/protocol";
import { EVENTS_FLUSH_MS, EVENTS_PENDING_MAX } from "./config";
import { OFFSET_OPUS_LENGTH, opusOffset } from "./front-end-frame";
import type { ChunkSink } from "./outbox";
import type { Trace } from "./trace";

/** Key and number of one conversation. */
export interface Epoch {
  number: number;
  key: Buffer;
}

/** Turns one conversation into sealed chunks. Made anew for each. */
export class Sealer {
  /** Nobody has consented yet: the outbox keeps chunks to itself. */
  held = false;
  /** ms of audio that did not get into the outbox. */
  refusedMs = 0;

  private index = 0;
  private chunkStartMs = 0;
  private chunkStartSeq = 0;
  private events: BadgeEvent[] = [];

  constructor(
    private readonly crypto: Crypto,
    private readonly badgeId: Buffer,
    readonly epoch: Epoch,
    private readonly outbox: ChunkSink,
    private readonly trace: Trace,
    /** Empty; one for all conversations, because it is the largest thing in the heap. */
    private readonly packer: AudioPacker,
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

  /** Seals the events that wait, without company. @returns index of their chunk, -1 when there were none or no room */
  flushEvents(): number {
    return this.closeEvents();
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

  /** Nothing more is sealed with this key. The sealer must not be used afterwards. */
  destroy(): void {
    const { key } = this.epoch;
    for (let i = 0; i < key.length; i++) key[i] = 0;
    this.events = [];
    this.packer.take();
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
    if (stored >= 0) return;
    this.refusedMs += packets * FRAME_MS;
    this.event(EventKind.Loss, startMs, [durationMs, LossCause.OutboxFull]);
  }

  private closeEvents(): number {
    const events = this.events;
    if (events.length === 0) return -1;
    this.events = [];
    // A stretch of speech is known at its end and dated at its start: put the list in order of time again.
    events.sort((a, b) => a.atMs - b.atMs);
    const startMs = events[0].atMs;
    const durationMs = events[events.length - 1].atMs - startMs;
    const plaintext = encodeEvents(events, startMs);
    return this.put(ChunkKind.Events, ChunkCodec.CborEvents, startMs, durationMs, events.length, plaintext);
  }

  private put(
    kind: ChunkKind,
    codec: ChunkCodec,
    startMs: number,
    durationMs: number,
    count: number,
    plaintext: Buffer,
  ): number {
    const bytes = CHUNK_HEADER_BYTES_MAX + plaintext.length + CHUNK_TAG_BYTES;
    if (!this.outbox.hasRoom(bytes, kind === ChunkKind.Events)) {
      this.trace.refused(this.epoch.number, kind, durationMs);
      return -1;
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
    const start = encodeChunkBodyStart(encoded, sealed.length);
    const { held } = this;
    this.outbox.put({ epoch: this.epoch.number, index, kind, held, durationMs, start, sealed });
    return index;
  }
}
