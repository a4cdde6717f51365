// The outbox: sealed chunks between capture and the relay's ack, oldest first, in the flash log. Chunks wait in RAM only until they are
// written, one after the other. What was stored without consent is not sent before a chunk of its conversation follows that was stored
// with it, and is shredded when consent is refused.
import { ChunkKind, LossCause } from "@salestag/protocol";
import { EVICT_RESERVE_SECTORS, QUEUE_BYTES_MAX } from "./config";
import { FLASH_SECTOR_BYTES } from "./flash/flash-chip";
import { type FlashLog, type LogRecord, SECTOR_HEADER_BYTES } from "./flash/log";

/** One sealed chunk on its way. */
export interface SealedChunk {
  epoch: number;
  index: number;
  /** A ChunkKind. */
  kind: number;
  /** Nobody has consented yet. */
  held: boolean;
  durationMs: number;
  /** What comes before the sealed bytes in the body of a chunk frame. */
  start: Buffer;
  sealed: Buffer;
}

/** What takes the chunks that conversations are made into. */
export interface ChunkSink {
  /** True when a chunk of `bytes` may be put in. @param urgent events may use what audio must leave free */
  hasRoom(bytes: number, urgent: boolean): boolean;
  /** Takes a chunk; rising order of (epoch, index). */
  put(chunk: SealedChunk): void;
  /** Nobody consented: every chunk of the conversation is dropped, and shredded where it is stored already. */
  refuse(epoch: number): void;
}

/** A chunk that is to be sent. */
export interface OutgoingChunk {
  epoch: number;
  index: number;
  /** Body of its chunk frame. */
  body: Buffer;
}

/** What the outbox tells of. */
export interface OutboxListener {
  /** There is work to do. */
  work: () => void;
  /** A chunk is in the flash for good. */
  stored: (record: LogRecord) => void;
  /** A chunk could not be stored; a sentence says why. */
  failed: (why: string) => void;
  /** So many ms of sound that had been taken are lost. */
  lost: (durationMs: number, cause: LossCause) => void;
}

interface InFlight {
  epoch: number;
  index: number;
  endAddress: number;
  counted: boolean;
}

/** A record in the log takes so much more than its chunk, at worst. */
const RECORD_EXTRA_BYTES = 384;
const STORE_TRIES = 2;
/** Longest stretch that lies there without consent: five minutes at 32 kbit/s are 300 sectors. */
const HELD_SECTORS_MAX = 320;
const NONE = -1;

export class Outbox implements ChunkSink {
  private queue: SealedChunk[] = [];
  private queueBytes = 0;
  private inFlight: InFlight[] = [];
  private sendAddress: number;
  /** Grows with every connection: what was being read for an earlier one is not sent. */
  private generation = 0;
  private ackedEpoch = 0;
  private ackedIndex = 0;
  /** Conversation without consent so far, and where its first chunk lies. */
  private heldEpoch = NONE;
  private heldAddress = NONE;
  private refusedEpoch = NONE;
  /** Chunks that were stored since the start and are not acked; what lies before `startAddress` is not counted. */
  private stored = 0;
  private readonly startAddress: number;

  /**
   * @param log mounted
   * @param dropOldest give up what is oldest when there is no room, instead of refusing what is new
   */
  constructor(
    private readonly log: FlashLog,
    public dropOldest: boolean,
    private readonly listener: OutboxListener,
  ) {
    this.sendAddress = log.tailAddress;
    this.startAddress = log.endAddress;
  }

  /**
   * Shreds what an interrupted conversation left without consent. To be called once, before anything else: such chunks can only be the last
   * ones in the log.
   */
  async settle(): Promise<void> {
    let epoch = NONE;
    let at = Math.max(this.log.tailAddress, this.log.endAddress - HELD_SECTORS_MAX * FLASH_SECTOR_BYTES);
    for (;;) {
      const record = await this.log.recordAt(at);
      if (record === undefined) break;
      if (!record.held) epoch = NONE;
      else if (record.epoch !== epoch) {
        epoch = record.epoch;
        this.heldAddress = record.address;
      }
      at = record.endAddress;
    }
    if (epoch !== NONE) await this.shred(epoch);
    this.heldAddress = NONE;
  }

  hasRoom(bytes: number, urgent: boolean): boolean {
    if (this.queueBytes + bytes > QUEUE_BYTES_MAX && !urgent) return false;
    return this.dropOldest || this.fits(bytes, urgent);
  }

  /** True when every chunk is in the flash that ever will be. */
  isWritten(): boolean {
    return this.queue.length === 0;
  }

  /** True when less than half of the flash is free. */
  isHalfFull(): boolean {
    return this.log.freeSectors() * 2 < this.log.sectors;
  }

  /** True when the flash has room for a chunk of audio of `bytes` without giving up anything. */
  hasRoomInFlash(bytes: number): boolean {
    return this.fits(bytes, false);
  }

  private fits(bytes: number, urgent: boolean): boolean {
    const sectors = this.log.freeSectors() - (urgent ? 0 : this.reserveSectors());
    const room = sectors * (FLASH_SECTOR_BYTES - SECTOR_HEADER_BYTES);
    const waiting = this.queueBytes + this.queue.length * RECORD_EXTRA_BYTES;
    return waiting + bytes + RECORD_EXTRA_BYTES <= room;
  }

  put(chunk: SealedChunk): void {
    this.queue.push(chunk);
    this.queueBytes += chunk.start.length + chunk.sealed.length;
    if (chunk.held) this.heldEpoch = chunk.epoch;
    this.listener.work();
  }

  refuse(epoch: number): void {
    const kept: SealedChunk[] = [];
    let bytes = 0;
    for (const chunk of this.queue)
      if (chunk.epoch !== epoch) {
        kept.push(chunk);
        bytes += chunk.start.length + chunk.sealed.length;
      }
    this.queue = kept;
    this.queueBytes = bytes;
    this.refusedEpoch = epoch;
    this.listener.work();
  }

  /**
   * Stores the oldest chunk that waits, or shreds what was refused.
   * @returns false when there was nothing to do
   */
  async work(): Promise<boolean> {
    if (this.refusedEpoch !== NONE) {
      await this.shred(this.refusedEpoch);
      this.refusedEpoch = NONE;
      return true;
    }
    const chunk = this.queue[0];
    if (chunk === undefined) return false;
    const bytes = chunk.start.length + chunk.sealed.length;
    await this.makeRoom(bytes, chunk.kind === ChunkKind.Events);
    const record = await this.store(chunk);
    // Refused while it was being written: the queue is another one by now, and the shredding comes next.
    if (this.queue[0] === chunk) {
      this.queue.shift();
      this.queueBytes -= bytes;
    }
    if (record === undefined) return true;
    this.stored++;
    if (record.held && this.heldAddress === NONE) this.heldAddress = record.address;
    if (!record.held && record.epoch === this.heldEpoch) this.endHold();
    this.listener.stored(record);
    return true;
  }

  /** Number of chunks that wait for an ack; those of earlier boots, which are not counted, are one. */
  count(): number {
    return this.queue.length + this.stored + (this.log.tailAddress < this.startAddress ? 1 : 0);
  }

  /** Number of chunks that were handed out on this connection and are not acked. */
  inFlightCount(): number {
    return this.inFlight.length;
  }

  /** A new connection: everything that is not acked is sent again. */
  rewind(): void {
    this.generation++;
    this.inFlight = [];
    this.sendAddress = this.log.tailAddress;
  }

  /** @returns the next chunk to send; undefined when there is none that may be sent now */
  async next(): Promise<OutgoingChunk | undefined> {
    const generation = this.generation;
    for (;;) {
      const record = await this.log.recordAt(this.sendAddress);
      if (generation !== this.generation) return undefined;
      if (record === undefined) {
        this.skipTo(this.log.endAddress);
        return undefined;
      }
      if (record.held && !record.voided && record.epoch === this.heldEpoch) return undefined;
      if (record.voided || this.isAcked(record)) {
        if (!record.voided) this.uncount(record);
        this.skipTo(record.endAddress);
        continue;
      }
      const body = await this.log.payload(record);
      if (generation !== this.generation) return undefined;
      if (record.address < this.log.tailAddress) continue; // given up in between
      if (body === undefined) {
        this.listener.lost(record.kind === ChunkKind.Audio ? record.durationMs : 0, LossCause.Storage);
        await this.log.shred(record); // it is reported once
        this.uncount(record);
        continue;
      }
      const { epoch, index, endAddress } = record;
      this.inFlight.push({ epoch, index, endAddress, counted: record.address >= this.startAddress });
      this.sendAddress = endAddress;
      return { epoch, index, body };
    }
  }

  /** Everything before (nextEpoch, nextIndex) is durable at the relay. @returns how many chunks that lets the outbox forget */
  acked(nextEpoch: number, nextIndex: number): number {
    if (nextEpoch < this.ackedEpoch || (nextEpoch === this.ackedEpoch && nextIndex < this.ackedIndex))
      return 0;
    this.ackedEpoch = nextEpoch;
    this.ackedIndex = nextIndex;
    let forgotten = 0;
    while (this.inFlight.length > 0 && this.isAcked(this.inFlight[0])) {
      const chunk = this.inFlight[0];
      this.inFlight.shift();
      if (chunk.counted) this.stored--;
      this.log.tailAddress = this.inFlight.length > 0 ? chunk.endAddress : this.sendAddress;
      forgotten++;
    }
    return forgotten;
  }

  /** True when everything before (nextEpoch, nextIndex) was handed out on this connection, or is acked already. */
  wasSent(nextEpoch: number, nextIndex: number): boolean {
    const count = this.inFlight.length;
    const epoch = count > 0 ? this.inFlight[count - 1].epoch : this.ackedEpoch;
    const index = count > 0 ? this.inFlight[count - 1].index + 1 : this.ackedIndex;
    return nextEpoch < epoch || (nextEpoch === epoch && nextIndex <= index);
  }

  private isAcked(chunk: { epoch: number; index: number }): boolean {
    return (
      chunk.epoch < this.ackedEpoch || (chunk.epoch === this.ackedEpoch && chunk.index < this.ackedIndex)
    );
  }

  private uncount(record: LogRecord): void {
    if (record.address >= this.startAddress) this.stored--;
  }

  private skipTo(address: number): void {
    this.sendAddress = address;
    if (this.inFlight.length === 0) this.log.tailAddress = address;
  }

  private async store(chunk: SealedChunk): Promise<LogRecord | undefined> {
    const { epoch, index, kind, held, durationMs } = chunk;
    for (let tries = 1; ; tries++)
      try {
        return await this.log.append({
          epoch,
          index,
          kind,
          held,
          durationMs,
          parts: [chunk.start, chunk.sealed],
        });
      } catch (error) {
        if (tries < STORE_TRIES) continue;
        this.listener.failed((error as Error).message);
        this.listener.lost(kind === ChunkKind.Audio ? durationMs : 0, LossCause.Storage);
        return undefined;
      }
  }

  /** Gives up the oldest sectors until a chunk of `bytes` fits, if the policy says so. */
  private async makeRoom(bytes: number, urgent: boolean): Promise<void> {
    if (!this.dropOldest) return;
    const reserve = urgent ? 0 : this.reserveSectors();
    while (this.log.freeSectors() - reserve < this.log.sectorsFor(bytes)) {
      const until = (Math.floor(this.log.tailAddress / FLASH_SECTOR_BYTES) + 1) * FLASH_SECTOR_BYTES;
      if (until >= this.log.endAddress) return;
      let lostMs = 0;
      let at = this.log.tailAddress;
      for (;;) {
        const record = await this.log.recordAt(at);
        if (record === undefined || record.address >= until) break;
        at = record.endAddress;
        if (record.address < this.log.tailAddress) continue; // acked in between
        if (record.voided) continue;
        this.uncount(record);
        if (record.kind === ChunkKind.Audio) lostMs += record.durationMs;
      }
      this.giveUpBefore(Math.max(until, at));
      this.listener.lost(lostMs, LossCause.Evicted);
    }
  }

  private giveUpBefore(address: number): void {
    if (this.log.tailAddress < address) this.log.tailAddress = address;
    if (this.sendAddress < address) this.sendAddress = address;
    while (this.inFlight.length > 0 && this.inFlight[0].endAddress <= address) this.inFlight.shift();
  }

  private async shred(epoch: number): Promise<void> {
    let at = this.heldAddress === NONE ? this.log.endAddress : this.heldAddress;
    for (;;) {
      const record = await this.log.recordAt(at);
      if (record === undefined) break;
      if (record.epoch === epoch && !record.voided) {
        await this.log.shred(record);
        this.uncount(record);
      }
      at = record.endAddress;
    }
    if (this.heldEpoch === epoch) this.endHold();
  }

  private endHold(): void {
    this.heldEpoch = NONE;
    this.heldAddress = NONE;
    this.listener.work();
  }

  private reserveSectors(): number {
    return Math.min(EVICT_RESERVE_SECTORS, this.log.sectors >> 3);
  }
}
