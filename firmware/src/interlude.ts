// What is told between conversations: entries of the account, the time, losses. Each telling takes an epoch of its own, because chunks are sent in
// rising order of epochs and that of the last conversation is over. While a conversation runs that may be kept, the account is told within it.
import { type AudioPacker, accountEvent, type BadgeEvent, type Crypto, EventKind } from "@salestag/protocol";
import type { Account, ClosedEntry } from "./account";
import type { BadgeClock } from "./clock";
import type { ChunkSink } from "./outbox";
import { type Epoch, Sealer } from "./sealer";
import type { Trace } from "./trace";

/** What it needs from the rest of the badge; see RecorderPorts. */
export interface InterludePorts {
  crypto: Crypto;
  badgeId: Buffer;
  boot: number;
  outbox: ChunkSink;
  trace: Trace;
  account: Account;
  clock: BadgeClock;
  nowMs: () => number;
  takeEpoch: () => Epoch | undefined;
}

/** Events that wait for the next telling at most; more are not worth an epoch, and the account has the sums. */
const LOOSE_MAX = 16;

export class Interlude {
  private loose: BadgeEvent[] = [];
  /** The team can tell the time of conversations that ended before the badge learned it. */
  private clockDue = false;

  constructor(
    private readonly ports: InterludePorts,
    private readonly packer: AudioPacker,
  ) {}

  /** Something happened outside of any conversation. */
  note(event: BadgeEvent): void {
    if (this.loose.length < LOOSE_MAX) this.loose.push(event);
  }

  /** The time is known now. */
  clockSet(): void {
    this.clockDue = true;
  }

  /** Tells what waits, in an epoch of its own. Outside of conversations only. */
  tell(): void {
    const { account, boot } = this.ports;
    const closed = account.next();
    if (closed === undefined && this.loose.length === 0 && !this.clockDue) return;
    const epoch = this.ports.takeEpoch();
    if (epoch === undefined) return;
    const { crypto, badgeId, outbox, trace } = this.ports;
    const sealer = new Sealer(crypto, badgeId, epoch, outbox, trace, this.packer);
    const nowMs = this.ports.nowMs();
    sealer.event(EventKind.Boot, nowMs, [boot]);
    const unixMs = this.ports.clock.unixMs(nowMs);
    if (unixMs !== undefined) {
      sealer.event(EventKind.Clock, nowMs, [unixMs]);
      this.clockDue = false;
    }
    for (const event of this.loose) sealer.event(event.kind, event.atMs, event.values);
    this.loose = [];
    if (closed !== undefined) this.entry(sealer, closed);
    sealer.end();
  }

  /** Tells the account within a conversation. */
  tellWithin(sealer: Sealer): void {
    const closed = this.ports.account.next();
    if (closed !== undefined) this.entry(sealer, closed);
  }

  private entry(sealer: Sealer, { entry, hash }: ClosedEntry): void {
    const event = accountEvent(entry, hash, this.ports.nowMs());
    sealer.event(event.kind, event.atMs, event.values);
    const index = sealer.flushEvents();
    if (index < 0) return; // no room: it is tried again
    this.ports.account.handed(sealer.epoch.number, index);
    this.ports.trace.account(entry.seq, sealer.epoch.number);
  }
}
