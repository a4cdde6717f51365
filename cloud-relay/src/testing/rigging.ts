// What the relay's tests share: a folder for each test, badges, a relay in this process or in one of its own, a clock that is
// moved by hand, and a look into spool and folder.
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { addBadge, type ChunkRecord, decodeRecord } from "@salestag/protocol/host";
import type { Clock, Log } from "@salestag/protocol/service";
import { nodeDisk, parseListenAddress, type Relay, type RelayOptions, startRelay } from "../index";
import { readSegmentPart } from "../spool/reader";
import { recoverSpool } from "../spool/recovery";
import { BadgeClient } from "./badge-client";

export interface TestBadge {
  id: string;
  badgeId: Buffer;
  authKey: Buffer;
}

/** A folder with a registry, for one test. */
export class Bench {
  readonly directory = mkdtempSync(join(tmpdir(), "salestag-relay-"));
  readonly registry = join(this.directory, "registry.json");
  readonly spool = join(this.directory, "spool");
  readonly folder = join(this.directory, "out");
  readonly lines: string[] = [];
  readonly fatal: Error[] = [];
  private readonly relays: Relay[] = [];
  private readonly clients: BadgeClient[] = [];

  /** A log that keeps its lines as `level event {"field":...}`. */
  readonly log: Log = {
    info: (event, fields) => void this.lines.push(`info ${event} ${JSON.stringify(fields ?? {})}`),
    warn: (event, fields) => void this.lines.push(`warn ${event} ${JSON.stringify(fields ?? {})}`),
    error: (event, fields) => void this.lines.push(`error ${event} ${JSON.stringify(fields ?? {})}`),
  };

  /** Registers a new badge. */
  badge(): TestBadge {
    const badgeId = randomBytes(8);
    const badge = { id: badgeId.toString("hex"), badgeId, authKey: randomBytes(32) };
    addBadge(this.registry, { badge: badge.id, authKey: badge.authKey, label: "test", addedMs: 1 });
    return badge;
  }

  /** Starts a relay in this process on a port of the system's choice. */
  async relay(more: Partial<RelayOptions> = {}): Promise<Relay> {
    const relay = await startRelay({
      listen: [parseListenAddress("tcp://127.0.0.1:0")],
      registry: this.registry,
      spool: this.spool,
      sinks: [],
      log: this.log,
      onFatal: (error) => this.fatal.push(error),
      ...more,
    });
    this.relays.push(relay);
    return relay;
  }

  async connect(relay: { addresses: string[] }, badge: TestBadge): Promise<BadgeClient> {
    const client = await BadgeClient.connect({ address: relay.addresses[0], ...badge });
    this.clients.push(client);
    return client;
  }

  async end(): Promise<void> {
    for (const client of this.clients) await client.close();
    for (const relay of this.relays) await relay.close();
    rmSync(this.directory, { recursive: true });
  }
}

/** @returns every record of a spool folder that no relay has open, in order */
export async function recordsIn(spool: string, log: Log): Promise<ChunkRecord[]> {
  const records: ChunkRecord[] = [];
  const { segments } = await recoverSpool(spool, nodeDisk, log);
  for (const segment of segments) {
    let offset = 0;
    while (offset < segment.end) {
      const { entries, nextOffset } = await readSegmentPart(segment, offset, log);
      for (const { record } of entries) records.push(record);
      offset = nextOffset;
    }
  }
  return records;
}

/** @returns every record below a folder sink's folder, by path; fails on a file that is no record */
export function recordsInFolder(folder: string): ChunkRecord[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".chunk"))
    .sort()
    .map((name) => decodeRecord(readFileSync(join(folder, name))));
}

/** @returns `badge/epoch/index` of records, sorted */
export function namesOf(records: readonly ChunkRecord[]): string[] {
  return records.map(({ badge, epoch, index }) => `${badge}/${epoch}/${index}`).sort();
}

/** A clock that moves when the test says so. */
export class ManualClock implements Clock {
  private nowMs = 1_750_000_000_000;
  private readonly timers = new Set<{ atMs: number; run: () => void }>();

  unixMs(): number {
    return this.nowMs;
  }

  steadyMs(): number {
    return this.nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, run };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Moves on and runs what has become due, in order. */
  advance(ms: number): void {
    this.nowMs += ms;
    const due = [...this.timers].filter(({ atMs }) => atMs <= this.nowMs).sort((a, b) => a.atMs - b.atMs);
    for (const timer of due) if (this.timers.delete(timer)) timer.run();
  }
}

const LAUNCHER = fileURLToPath(new URL("../../bin/salestag-relay.mjs", import.meta.url));

/** A relay in a process of its own, started as an operator does. */
export class RelayChild {
  readonly notices: string[] = [];
  readonly output: string[] = [];
  readonly closed: Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  readonly addresses: string[] = [];

  constructor(
    args: string[],
    command: readonly string[] = [process.execPath],
    readonly child: ChildProcess = spawn(command[0], [...command.slice(1), LAUNCHER, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    }),
  ) {
    if (child.stdout === null || child.stderr === null) throw new Error("the child has no pipes");
    createInterface({ input: child.stderr }).on("line", (line) => {
      this.notices.push(line);
      child.emit("notice");
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.output.push(line);
      const url = /(tcp|tls):\/\/[^\s"]+/.exec(line)?.[0];
      if (url !== undefined) this.addresses.push(url);
      child.emit("listening");
    });
    this.closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  }

  /** Waits until it listens. */
  async listening(): Promise<this> {
    const ended = this.closed.then(([code]) => {
      throw new Error(`relay ended with ${code}: ${this.notices.join("\n")}`);
    });
    ended.catch(() => undefined); // it may end later, as the test wants
    if (this.addresses.length === 0) await Promise.race([once(this.child, "listening"), ended]);
    return this;
  }

  /** Waits until a line of its log matches. */
  async noticed(line: RegExp): Promise<void> {
    while (!this.notices.some((notice) => line.test(notice))) await once(this.child, "notice");
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}
