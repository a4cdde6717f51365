// The account of the day on the badge: where every ms since boot went, as entries that are chained by hash (protocol/src/shared/account.ts). An
// entry is closed, then kept in the journal, then sealed into a chunk, and forgotten when that chunk is stored: whatever fails in between, the same
// entry comes again after a start.
import { type AccountEntry, accountedMs, accountHash, type Crypto } from "@salestag/protocol";
import { emptyEntry, type StateStore, UNSENT_ENTRIES_MAX } from "./state";

/** Where time went. */
export enum Spent {
  Sent = 0,
  Silence = 1,
  Muted = 2,
  Paused = 3,
  Refused = 4,
  Unheard = 5,
  /** Kept, and nobody has consented yet: it becomes sent or refused. */
  Held = 6,
}

/** An entry on its way into a chunk. */
export interface ClosedEntry {
  entry: AccountEntry;
  hash: Buffer;
}

export class Account {
  private heldMs = 0;
  /** How many of the state's unsent entries were handed out, and the chunk of the oldest one. */
  private handedOut = 0;
  private chunks: { epoch: number; index: number }[] = [];

  constructor(
    private readonly store: StateStore,
    private readonly crypto: Crypto,
  ) {}

  /** Time went by. */
  add(spent: Spent, ms: number): void {
    const open = this.store.state.open;
    if (spent === Spent.Sent) open.sentMs += ms;
    else if (spent === Spent.Silence) open.silenceMs += ms;
    else if (spent === Spent.Muted) open.mutedMs += ms;
    else if (spent === Spent.Paused) open.pausedMs += ms;
    else if (spent === Spent.Refused) open.refusedMs += ms;
    else if (spent === Spent.Unheard) open.unheardMs += ms;
    else this.heldMs += ms;
  }

  /** What was held is decided on. */
  decided(consented: boolean): void {
    const ms = this.heldMs;
    this.heldMs = 0;
    this.add(consented ? Spent.Sent : Spent.Refused, ms);
  }

  /** Of what counts as sent so many ms are lost. */
  lost(ms: number): void {
    this.store.state.open.evictedMs += ms;
  }

  /** ms since boot up to which time is accounted for. */
  untilMs(): number {
    const open = this.store.state.open;
    return open.startMs + accountedMs(open) + this.heldMs;
  }

  /** ms that the open entry accounts for. */
  openMs(): number {
    return accountedMs(this.store.state.open);
  }

  /**
   * Closes the open entry and keeps it.
   * @returns false when that has to wait, because something is undecided or earlier entries are not stored yet
   * @throws Error when the flash fails
   */
  async close(): Promise<boolean> {
    const { state } = this.store;
    if (this.heldMs > 0 || state.unsent.length >= UNSENT_ENTRIES_MAX) return false;
    const { open } = state;
    if (accountedMs(open) === 0 && open.evictedMs === 0) return true;
    state.unsent.push(open);
    state.open = emptyEntry(open.seq + 1, open.boot, open.startMs + accountedMs(open));
    await this.store.save();
    return true;
  }

  /** @returns the next entry that is to be sealed into a chunk; undefined when there is none */
  next(): ClosedEntry | undefined {
    const { unsent, hash } = this.store.state;
    if (this.handedOut >= unsent.length) return undefined;
    let entryHash = hash;
    for (let i = 0; i <= this.handedOut; i++) entryHash = accountHash(this.crypto, entryHash, unsent[i]);
    return { entry: unsent[this.handedOut], hash: entryHash };
  }

  /** The entry that `next` gave is in this chunk. */
  handed(epoch: number, index: number): void {
    this.handedOut++;
    this.chunks.push({ epoch, index });
  }

  /** A chunk is in the log. The journal learns of it with the next save. */
  stored(epoch: number, index: number): void {
    const chunk = this.chunks[0];
    if (chunk === undefined || chunk.epoch !== epoch || chunk.index !== index) return;
    this.chunks.shift();
    this.handedOut--;
    const { state } = this.store;
    state.hash = accountHash(this.crypto, state.hash, state.unsent[0]);
    state.unsent.shift();
  }

  /** What was handed out did not get into the log: it is handed out again. */
  again(): void {
    this.handedOut = 0;
    this.chunks = [];
  }
}
