// Opens chunks as they come: nothing of a conversation is written before its consent event is here; then its key phrases are, at once, and at its end all of it.
import type { ChunkRecord } from "@salestag/protocol/host";
import type { Clock, Log } from "@salestag/protocol/service";
import { messageOf } from "@salestag/protocol/service";
import { nameOf, type Place } from "../ingest/archive";
import type { Live } from "../live";
import { conversationId } from "../model/conversation-id";
import { EPOCHS_LOOKED_AT } from "./boot-clocks";
import { Epoch, type HeardPhrase } from "./epoch";
import { type FinalParts, makeFinal } from "./final";
import type { Problems } from "./problems";
import { isErased, type Whose, whoseIs, writeOpen } from "./rows";
import { Turns } from "./turns";

export interface OpenerOptions extends FinalParts {
  clock: Clock;
  log: Log;
  live: Live;
  problems: Problems;
  /** A conversation is final when nothing came for so long. */
  quietMs: number;
  /** Chunks whose consent did not come are deleted when nothing came for so long. */
  consentWaitMs: number;
  /** Told of each conversation that was written anew. */
  onFinal: (id: string, transcribedBy: string) => void;
}

/** Conversations that are worked on at the same time: each is in memory as a whole while it is made final. */
const AT_ONCE = 4;
/** How often it is looked for what is over, and tried again what failed. */
const SWEEP_MS = 30_000;

export class Opener {
  private readonly epochs = new Map<string, Epoch>();
  private readonly arrived = new Map<string, ChunkRecord[]>();
  /** Places whose chunks do not open, or could not be written, now. */
  private readonly stuck = new Set<string>();
  private readonly places = new Map<string, Place>();
  private readonly turns: Turns;
  private readonly discarding = new Set<Promise<void>>();
  private cancelSweep: () => void = () => undefined;

  constructor(private readonly options: OpenerOptions) {
    this.turns = new Turns(AT_ONCE, (name) => this.work(name));
  }

  /** Opens what waits in the archive: all whose row does not follow from just these chunks. */
  async start(): Promise<void> {
    const { archive, database } = this.options;
    const rows = await database.system((session) =>
      session.query<{ badge: string; epoch: number; chunks: number }>(
        "select badge_id as badge, epoch, chunks from salestag.conversation where state = 'final'",
      ),
    );
    const standing = new Map(rows.map((row) => [nameOf(row), row.chunks]));
    for (const place of archive.places())
      if (standing.get(nameOf(place)) !== archive.count(place)) this.again(place);
    this.sweepLater();
  }

  /** Takes a chunk that is durable in the archive. */
  take(record: ChunkRecord): void {
    const name = nameOf(record);
    const list = this.arrived.get(name) ?? [];
    list.push(record);
    this.arrived.set(name, list);
    this.again(record);
  }

  /** Tries again all that did not open: the vault may have changed. */
  retry(): void {
    for (const name of this.stuck) this.turns.add(name);
  }

  /** Forgets a conversation that is being erased; nothing is done with it any more when it resolves. */
  async forget(place: Place): Promise<void> {
    const name = nameOf(place);
    await this.turns.leave(name);
    this.drop(name);
  }

  /** @returns conversations that chunks are missing of, and such as wait for their consent or key */
  get waiting(): number {
    return this.epochs.size + this.stuck.size;
  }

  /** Waits until everything that is here is opened as far as it can be. */
  async idle(): Promise<void> {
    await Promise.all(this.discarding);
    await this.turns.idle();
  }

  async close(): Promise<void> {
    this.cancelSweep();
    await Promise.all(this.discarding);
    await this.turns.close();
  }

  private again({ badge, epoch }: Place): void {
    const name = nameOf({ badge, epoch });
    this.places.set(name, { badge, epoch });
    this.turns.add(name);
  }

  private drop(name: string): void {
    this.epochs.delete(name);
    this.arrived.delete(name);
    this.stuck.delete(name);
    this.places.delete(name);
    this.options.problems.clear(name);
  }

  private async work(name: string): Promise<void> {
    const place = this.places.get(name);
    if (place === undefined) return;
    try {
      await this.advance(name, place);
      this.stuck.delete(name);
    } catch (cause) {
      this.stuck.add(name);
      // Whole anew the next time: it may be anywhere in between.
      this.epochs.delete(name);
      this.options.problems.note(name, messageOf(cause));
    }
  }

  private async advance(name: string, place: Place): Promise<void> {
    const epoch = await this.grow(name, place);
    if (epoch.consent === undefined) {
      if (epoch.isInterlude) this.settle(name);
      return;
    }
    if (epoch.isWhole || this.isQuiet(epoch)) await this.finish(name, place);
    else await this.writeOpen(epoch);
  }

  /** @returns what is known of the conversation, with what arrived since */
  private async grow(name: string, place: Place): Promise<Epoch> {
    const { archive, keyring, clock, problems, clocks } = this.options;
    const arrived = this.arrived.get(name) ?? [];
    this.arrived.delete(name);
    const key = await keyring.epochKey(place);
    const known = this.epochs.get(name);
    const epoch = known ?? new Epoch(place);
    const records = known === undefined ? archive.read(place).records : arrived;
    const arrivalUnixMs =
      known === undefined && arrived.length === 0 ? archive.lastArrivalUnixMs(place) : clock.unixMs();
    for (const record of records) epoch.add(record, key, arrivalUnixMs);
    if (epoch.unopened.length > 0) problems.note(name, epoch.unopened.join("; "));
    else problems.clear(name);
    this.epochs.set(name, epoch);
    if (clocks.learn(place, epoch.events)) await this.dateAround(place);
    return epoch;
  }

  /** Conversations that ended before their badge knew the time are dated anew when it is known. */
  private async dateAround(place: Place): Promise<void> {
    const rows = await this.options.database.system((session) =>
      session.query<Place>(
        `select badge_id as badge, epoch from salestag.conversation
          where badge_id = $1 and epoch between $2 and $3 and epoch <> $4 and state = 'final' and started_source <> 'badge clock'`,
        [place.badge, place.epoch - EPOCHS_LOOKED_AT, place.epoch + EPOCHS_LOOKED_AT, place.epoch],
      ),
    );
    for (const row of rows) this.again(row);
  }

  private async writeOpen(epoch: Epoch): Promise<void> {
    const { consent, phrases, place } = epoch;
    if (consent === undefined || (epoch.written && phrases.length === epoch.phrasesWritten)) return;
    const { keyring, clocks, database, teamId } = this.options;
    const label = await keyring.labelOf(place.badge);
    const start = epoch.startUnixMs((boot) => clocks.known(place.badge, boot));
    const id = conversationId(place.badge, place.epoch);
    const told = await database.system(async (session) => {
      if (await isErased(session, id)) return undefined;
      const whose = await whoseIs(session, place.badge, start.unixMs, { teamId, label });
      const row = {
        place,
        startUnixMs: start.unixMs,
        startSource: start.source,
        durationMs: epoch.durationMs,
        consent,
        phrases,
        chunks: epoch.chunks,
      };
      return { whose, ...(await writeOpen(session, row, whose)) };
    });
    epoch.written = true;
    epoch.phrasesWritten = phrases.length;
    if (told === undefined) return;
    if (told.isNew) this.publishState(id, told.whose, "open");
    this.publishPhrases(id, told.whose, told.fresh);
  }

  private async finish(name: string, place: Place): Promise<void> {
    const epoch = this.epochs.get(name);
    // What it has not told yet of its phrases is told before it is replaced.
    if (epoch !== undefined) await this.writeOpen(epoch);
    const outcome = await makeFinal(this.options, place);
    this.settle(name);
    if (outcome.kind !== "written") return;
    this.publishState(outcome.id, outcome.whose, "final");
    this.options.onFinal(outcome.id, outcome.transcribedBy);
  }

  /** Nothing more is expected; should something come, it is read from the archive again. */
  private settle(name: string): void {
    if ((this.arrived.get(name)?.length ?? 0) > 0) return;
    this.epochs.delete(name);
    this.places.delete(name);
  }

  private publishState(conversationId: string, whose: Whose, state: "open" | "final"): void {
    const atUnixMs = this.options.clock.unixMs();
    this.options.live.publish({ type: "conversation", state, conversationId, ...whose, atUnixMs });
  }

  private publishPhrases(conversationId: string, whose: Whose, phrases: HeardPhrase[]): void {
    const atUnixMs = this.options.clock.unixMs();
    for (const { text, startMs } of phrases)
      this.options.live.publish({ type: "phrase", text, startMs, conversationId, ...whose, atUnixMs });
  }

  private isQuiet(epoch: Epoch): boolean {
    return this.options.clock.unixMs() - epoch.lastArrivalUnixMs >= this.options.quietMs;
  }

  private sweepLater(): void {
    this.cancelSweep = this.options.clock.after(SWEEP_MS, () => {
      this.sweep();
      this.sweepLater();
    });
  }

  private sweep(): void {
    this.retry();
    for (const [name, epoch] of this.epochs) {
      if (epoch.consent !== undefined && this.isQuiet(epoch)) this.turns.add(name);
      if (epoch.consent === undefined && this.isForgotten(epoch)) this.discardLater(name, epoch.place);
    }
  }

  private isForgotten(epoch: Epoch): boolean {
    const sinceMs = this.options.clock.unixMs() - epoch.lastArrivalUnixMs;
    // Among chunks that do not open may be the one with the consent.
    return epoch.unopened.length === 0 && sinceMs >= this.options.consentWaitMs;
  }

  private discardLater(name: string, place: Place): void {
    const done = this.discard(name, place).finally(() => this.discarding.delete(done));
    this.discarding.add(done);
  }

  private async discard(name: string, place: Place): Promise<void> {
    const { archive, log, problems } = this.options;
    await this.turns.leave(name);
    const epoch = this.epochs.get(name);
    if (epoch === undefined || epoch.consent !== undefined || !this.isForgotten(epoch)) return;
    try {
      // Only these: one that comes now may hold the consent.
      if (!(await archive.removeIf(place, epoch.chunks))) return;
      this.epochs.delete(name);
      log.warn("chunks deleted: nobody consented to the conversation", { about: name, chunks: epoch.chunks });
    } catch (cause) {
      problems.note(name, `chunks without consent cannot be deleted: ${messageOf(cause)}`);
    }
  }
}
