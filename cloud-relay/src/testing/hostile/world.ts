// A relay with its real spool in a temporary folder and badges that reach it in memory; and what must hold whatever these send: nothing fails
// inside the relay, nothing is delivered but what a badge with the key sent, each chunk once, and every acked one in the end.
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { addBadge, removeBadge } from "@salestag/protocol/host";
import type { Log, LogFields } from "@salestag/protocol/service";
import type { BadgeSocket } from "../../connection";
import { type Disk, nodeDisk } from "../../disk";
import { type Relay, startRelay } from "../../relay";
import type { Sink } from "../../sinks/sink";
import { comparePositions, type Position, START } from "../../spool/position";
import { SPOOL_BYTES_MIN } from "../../spool/spool";
import type { Random } from "../random";
import { Bench, ManualClock, type TestBadge } from "../rigging";

/** A registered badge and what is known of its chunks. */
export interface KnownBadge extends TestBadge {
  /** Sent with a right MAC on a connection that was in order, not known to be stored yet: `epoch/index` and the hashes of what was sent under it. */
  sent: Map<string, Set<string>>;
  /** Acked and not delivered yet. */
  owed: Set<string>;
  /** Behind the highest chunk that it ever sent: a badge does not go back. */
  reached: Position;
  /** Behind the last chunk that was delivered. */
  delivered: Position;
}

const BADGES = 8;
/** So small that segments are sealed, deleted and waited for all the time. */
const SPOOL_BYTES_MAX = SPOOL_BYTES_MIN;
const EPOCH_LAST = 4294967295;
/** The error that the relay may log, because it is made on purpose. */
const ERROR_EXPECTED = "spool is full: badges are told to hold until there is room";
/** How many of 100 commits find no room on the disk, and when the relay tries them again. */
const NO_ROOM_PERCENT = 2;
const NO_ROOM_MS = 1000;

export class World {
  readonly clock = new ManualClock();
  /** Connections that the relay refused, by the error's code. */
  readonly refusals = new Map<string, number>();
  /** Lines that the relay logged about connections. */
  logged = 0;
  delivered = 0;

  private readonly bench = new Bench();
  private readonly badges: KnownBadge[] = [];
  private readonly wrong: string[] = [];
  private relay: Relay | undefined;
  private takeIn: (socket: BadgeSocket) => void = () => {};

  private constructor(private readonly random: Random) {}

  static async open(random: Random): Promise<World> {
    const world = new World(random);
    for (let count = 0; count < BADGES; count++) world.badges.push(world.register());
    world.relay = await startRelay({
      listen: [],
      doors: [(accept) => world.door(accept)],
      registry: world.bench.registry,
      spool: world.bench.spool,
      sinks: [world.sink()],
      spoolBytesMax: SPOOL_BYTES_MAX,
      disk: world.disk(),
      log: world.log(),
      clock: world.clock,
      random: (lengthBytes) => random.bytes(lengthBytes),
      onFatal: (error) => world.wrong.push(`the relay ended: ${error.message}`),
    });
    return world;
  }

  /** Hands a connection to the relay. */
  accept(socket: BadgeSocket): void {
    this.takeIn(socket);
  }

  /** @returns a badge that can still send; one that has used up its epochs is replaced by a new one */
  badge(random: Random): KnownBadge {
    const at = random.below(BADGES);
    const badge = this.badges[at];
    if (badge.reached.epoch < EPOCH_LAST || badge.owed.size > 0) return badge;
    removeBadge(this.bench.registry, badge.id);
    this.badges[at] = this.register();
    return this.badges[at];
  }

  /** @throws Error with what went wrong since the last call */
  check(): void {
    if (this.wrong.length > 0) throw new Error(this.wrong.splice(0).join("; "));
  }

  /** Ends the relay. @throws Error when it did not deliver all that it had acked */
  async close(): Promise<void> {
    await this.relay?.close();
    rmSync(this.bench.directory, { recursive: true });
    this.check();
    const owed = this.badges.flatMap(({ id, owed }) => [...owed].map((name) => `${id}/${name}`));
    if (owed.length > 0) throw new Error(`acked and never delivered: ${owed.slice(0, 5).join(", ")}`);
  }

  /** Leaves a relay in which something went wrong as it is, but for its folder. */
  abandon(): void {
    rmSync(this.bench.directory, { recursive: true, force: true });
  }

  private register(): KnownBadge {
    const badgeId = this.random.bytes(8);
    const badge = { id: badgeId.toString("hex"), badgeId, authKey: this.random.bytes(32) };
    addBadge(this.bench.registry, { badge: badge.id, authKey: badge.authKey, label: "hostile", addedMs: 1 });
    return { ...badge, sent: new Map(), owed: new Set(), reached: START, delivered: START };
  }

  private door(accept: (socket: BadgeSocket) => void) {
    this.takeIn = accept;
    return { url: "memory:", close: async () => undefined };
  }

  private log(): Log {
    const count = (event: string, { code }: LogFields): void => {
      if (event.startsWith("spool ")) return;
      this.logged++;
      if (event === "connection refused")
        this.refusals.set(String(code), (this.refusals.get(String(code)) ?? 0) + 1);
    };
    return {
      info: (event, fields = {}) => count(event, fields),
      warn: (event, fields = {}) => count(event, fields),
      error: (event, fields = {}) => {
        count(event, fields);
        if (event !== ERROR_EXPECTED)
          this.wrong.push(`the relay logged an error: ${event} ${JSON.stringify(fields)}`);
      },
    };
  }

  /** The real disk, without room at times. */
  private disk(): Disk {
    const open: Disk["open"] = async (path, flags, mode) => {
      const file = await nodeDisk.open(path, flags, mode);
      return {
        write: async (bytes, offset) => {
          if (path.endsWith(".seg") && offset > 0 && this.random.chance(NO_ROOM_PERCENT))
            throw Object.assign(new Error("no room, on purpose"), { code: "ENOSPC" });
          await file.write(bytes, offset);
        },
        dataSync: () => file.dataSync(),
        // A commit that failed is cut off; then the relay waits until it is tried again.
        truncate: async (lengthBytes) => {
          await file.truncate(lengthBytes);
          setImmediate(() => this.clock.advance(NO_ROOM_MS));
        },
        close: () => file.close(),
      };
    };
    return { ...nodeDisk, open };
  }

  private sink(): Sink {
    return {
      name: "check",
      deliver: async (entries) => {
        for (const { record } of entries) {
          const badge = this.badges.find(({ id }) => id === record.badge);
          if (badge !== undefined) this.take(badge, record, hashOf(record.header, record.sealed));
        }
      },
    };
  }

  private take(badge: KnownBadge, chunk: Position, hash: string): void {
    this.delivered++;
    const name = nameOf(chunk);
    if (!badge.sent.get(name)?.has(hash))
      this.wrong.push(`delivered and never sent in this form: chunk ${name} of badge ${badge.id}`);
    if (comparePositions(chunk, badge.delivered) < 0)
      this.wrong.push(`delivered twice, or out of order: chunk ${name} of badge ${badge.id}`);
    badge.delivered = { epoch: chunk.epoch, index: chunk.index + 1 };
    badge.owed.delete(name);
    // Whatever lies before it is durable or will never be taken.
    for (const other of badge.sent.keys())
      if (comparePositions(positionOf(other), badge.delivered) < 0) badge.sent.delete(other);
  }
}

/** @returns a chunk's name among those of its badge */
export function nameOf({ epoch, index }: Position): string {
  return `${epoch}/${index}`;
}

/** @returns what tells one chunk's content from another's */
export function hashOf(header: Buffer, sealed: Buffer): string {
  return createHash("sha256").update(header).update(sealed).digest("base64");
}

/** @returns the position of the chunk with this name */
export function positionOf(name: string): Position {
  const [epoch, index] = name.split("/").map(Number);
  return { epoch, index };
}
