// One simulation: badges with the real program, the real relay, everything that can fail between and inside them, on one virtual clock. Its seed
// decides all of it: the same seed is the same run, bit for bit.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type BadgeSocket,
  type Clock,
  ExitCode,
  type Relay,
  RelayError,
  startRelay,
} from "@salestag/cloud-relay";
import { CONSENT_DEFAULT, type ConsentPolicy, type Tuning } from "@salestag/protocol";
import { readProgram } from "../bench";
import { Random } from "../emulator/random";
import { VirtualTime } from "../emulator/virtual-time";
import { SimulatedBadge } from "./badge";
import { type DiskHealth, VirtualDisk } from "./disk";
import { hostileBadge, hostileRelay, type Recorded } from "./hostile";
import { leaksIn, type Place, secretsOf } from "./leaks";
import { type Air, GOOD_AIR, VirtualNetwork } from "./link";
import { SealedOnce } from "./once";
import { type Findings, judge } from "./oracle";
import { Packets, type RecordedFrames, Scene, type SilenceRange } from "./scene";

export interface SimulationOptions {
  badges: number;
  hours: number;
  seed: number;
  /** Called about once a minute of virtual time. */
  onProgress?: (virtualMs: number) => void;
  /** Every line that a badge logs. */
  onLog?: (badge: number, atMs: number, line: string) => void;
  /** Front-end frames of a recording, which every second badge hears over and over instead of made ones. */
  recording?: RecordedFrames;
  /** No faults. */
  calm?: boolean;
  /** What every badge is told about consent; otherwise the seed decides. */
  consent?: ConsentPolicy;
  /** What every badge is tuned to, besides what the simulation sets. */
  tuning?: Partial<Tuning>;
  /** Seconds of silence between conversations, drawn from this range. */
  silenceS?: SilenceRange;
  /** ms on which the time in virtual machines is measured; performance.now() when left out. */
  realMs?: () => number;
  /** Called once every badge is switched on and has its settings. */
  onStart?: (badges: SimulatedBadge[], atMs: number) => void;
  /** Called for every write to and from a badge's socket. */
  onBytes?: (toRelay: boolean, bytes: number, atMs: number) => void;
  /** Called at the end, while the files are still there. */
  onEnd?: (end: { badges: SimulatedBadge[]; packets: Packets; spool: string }) => void;
}

export interface SimulationResult {
  seed: number;
  badgeHours: number;
  /** Faults that happened, by kind. */
  faults: Record<string, number>;
  findings: Findings;
  /** Sentences; none when all is as it must be. */
  failures: string[];
  heapPeakBytes: number;
  /** Real ms inside the badges' virtual machines. */
  vmMs: number;
  wallMs: number;
  /** Of everything that happened: wire, logs, what the relay stored. */
  digest: string;
}

/** 2026-06-01, 08:00 UTC. */
const EPOCH_UNIX_MS = Date.UTC(2026, 5, 1, 8);
const CHIP_SECTORS = 16384;
const SMALL_CHIP_SECTORS = 96;
/** After the day everything is well again: the badges have so long to tell the rest. */
const QUIET_MS = 120_000;
const REST_MS_MAX = 3_600_000;
/** Every third badge leaves the relay between uploads. */
const REST_EVERY_MS = 60_000;
const RELAY_DOWN_MS = 60_000;
const RELAY_AGAIN_MS = 5000;
const PROGRESS_MS = 30_000;

/** Runs a simulation to its end. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const world = new World(options);
  try {
    return await world.run();
  } finally {
    await world.close();
  }
}

class World {
  private readonly time = new VirtualTime(() => performance.now());
  private readonly random: Random;
  private readonly folder: string;
  private readonly badges: SimulatedBadge[] = [];
  private readonly networks: VirtualNetwork[] = [];
  private readonly airs: Air[] = [];
  private readonly faults: Record<string, number> = {};
  private readonly packets: Packets;
  private readonly hash = createHash("sha256");
  /** What passed, by connection and way: plaintext may be cut across writes. */
  private readonly wire = new Map<string, Buffer[]>();
  private readonly recorded = new Map<number, Recorded>();
  private readonly once = new SealedOnce();
  private connections = 0;
  private lastBytesMs = 0;
  private readonly diskHealth: DiskHealth = { full: false, slowMs: 0 };
  private disk: VirtualDisk;
  private relay: Relay | undefined;
  private door: ((socket: BadgeSocket) => void) | undefined;
  private hostileUntilMs = 0;
  private clockSkewMs = 0;
  private relayEnded = "";
  private readonly startedMs = performance.now();
  private readonly dayMs: number;

  constructor(private readonly options: SimulationOptions) {
    this.random = new Random(options.seed);
    this.packets = new Packets(options.seed);
    this.folder = mkdtempSync(join(tmpdir(), "salestag-sim-"));
    this.dayMs = Math.round(options.hours * 3_600_000);
    this.disk = this.newDisk();
  }

  async run(): Promise<SimulationResult> {
    for (let number = 0; number < this.options.badges; number++) this.addBadge(number);
    this.writeRegistry();
    await this.startRelay();
    for (const badge of this.badges) await badge.provision();
    this.options.onStart?.(this.badges, this.time.nowMs());
    if (!this.options.calm) this.planFaults();
    this.tellProgress();
    await this.until(this.dayMs);
    await this.heal();
    const end = () => this.failed() !== "" || this.time.nowMs() - this.lastBytesMs > QUIET_MS;
    await this.time.run(this.time.nowMs() + REST_MS_MAX, end);
    for (const badge of this.badges) badge.powerOff();
    await this.settled();
    return this.result();
  }

  async close(): Promise<void> {
    for (const badge of this.badges) badge.powerOff();
    this.crashRelay();
    rmSync(this.folder, { recursive: true, force: true });
  }

  // ---- the players ----

  private addBadge(number: number): void {
    const { time } = this;
    const random = new Random(this.random.uint32());
    const air = { ...GOOD_AIR };
    const network = new VirtualNetwork({
      time,
      air,
      acceptor: () => this.acceptor(),
      tap: { bytes: (connection, toRelay, bytes) => this.tap(connection, toRelay, bytes) },
      settle: () => this.settle(),
      nextConnection: () => this.connections++,
    });
    this.airs.push(air);
    this.networks.push(network);
    const small = random.uint32() % 6 === 0 && !this.options.calm;
    const tuning: Partial<Tuning> = {
      ...(small ? { dropOldest: random.uint32() % 2 } : {}),
      ...(number % 3 === 2 ? { uploadEveryMs: REST_EVERY_MS } : {}),
      ...this.options.tuning,
    };
    this.badges.push(
      new SimulatedBadge({
        number,
        time,
        random,
        network,
        program: readProgram(),
        scene: new Scene(random, this.dayMs, {
          recording: number % 2 === 1 ? this.options.recording : undefined,
          silenceS: this.options.silenceS,
        }),
        packets: this.packets,
        consent: this.options.consent ?? policyOf(random),
        tuning,
        chipSectors: small ? SMALL_CHIP_SECTORS : CHIP_SECTORS,
        realMs: this.options.realMs ?? (() => performance.now()),
        onLog: (line) => this.log(number, line),
      }),
    );
    if (small) this.count("small chip");
  }

  private writeRegistry(): void {
    const badges = Object.fromEntries(
      this.badges.map(({ badgeId, authKey, parts }) => [
        badgeId.toString("hex"),
        { authKey: authKey.toString("hex"), label: `badge ${parts.number}`, addedMs: EPOCH_UNIX_MS },
      ]),
    );
    writeFileSync(join(this.folder, "registry.json"), JSON.stringify({ version: 1, badges }), {
      mode: 0o600,
    });
    mkdirSync(join(this.folder, "spool"), { recursive: true });
  }

  // ---- the relay ----

  private newDisk(): VirtualDisk {
    return new VirtualDisk(this.time, this.random, () => this.settle(), this.diskHealth);
  }

  /** Starts a relay; its disk takes no time meanwhile, and virtual time stands still. */
  private async startRelay(): Promise<void> {
    const disk = this.newDisk();
    this.disk = disk;
    disk.instant = true;
    rmSync(join(this.folder, "spool", "lock"), { force: true }); // left by the crash of a relay of this very process
    this.relay = await startRelay({
      listen: [],
      doors: [
        (accept) => {
          this.door = accept;
          return { url: "virtual://relay", close: async () => undefined };
        },
      ],
      registry: join(this.folder, "registry.json"),
      spool: join(this.folder, "spool"),
      sinks: [],
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      clock: this.clock(),
      disk,
      random: (lengthBytes) => this.random.bytes(lengthBytes),
      onFatal: (error) => {
        if (this.disk === disk && this.relay !== undefined) this.relayEnded = error.message;
      },
    });
    disk.instant = false;
  }

  private clock(): Clock {
    const { time } = this;
    return {
      unixMs: () => EPOCH_UNIX_MS + Math.floor(time.nowMs()) + this.clockSkewMs,
      steadyMs: () => time.nowMs(),
      after: (delayMs, run) => {
        let cancelled = false;
        time.at(time.nowMs() + delayMs, () => {
          if (cancelled) return;
          run();
          this.settle();
        });
        return () => {
          cancelled = true;
        };
      },
    };
  }

  private acceptor(): ((socket: BadgeSocket) => void) | undefined {
    if (this.time.nowMs() < this.hostileUntilMs)
      return (socket) =>
        this.count(`hostile relay: ${hostileRelay(socket, this.random, [...this.recorded.values()])}`);
    return this.door;
  }

  private crashRelay(): void {
    this.door = undefined;
    if (this.relay === undefined) return;
    this.relay = undefined;
    this.disk.crash();
    for (const network of this.networks) network.breakAll();
  }

  // ---- time ----

  /** The relay's code runs in Node's own turns: virtual time waits until there is nothing left to do in them. */
  private settle(): void {
    this.time.hold(turns());
  }

  private async settled(): Promise<void> {
    await turns();
  }

  private async until(atMs: number): Promise<void> {
    await this.time.run(atMs, () => this.failed() !== "");
  }

  private failed(): string {
    for (const badge of this.badges) {
      badge.checkAlive();
      if (badge.failure !== "") return `badge ${badge.parts.number}: ${badge.failure}`;
    }
    return this.relayEnded === "" ? "" : `the relay ended: ${this.relayEnded}`;
  }

  // ---- what goes wrong ----

  private planFaults(): void {
    for (const [number, badge] of this.badges.entries()) {
      const network = this.networks[number];
      const air = this.airs[number];
      this.often("power cut", 15, () => badge.on && this.cutPower(badge));
      this.often("power cut in the flash", 12, () => {
        if (!badge.on) return false;
        badge.chip.cutPowerAfter(this.draw(1, 200));
        return true;
      });
      this.often("connection reset", 10, () => {
        network.breakAll();
        return true;
      });
      this.often("half-open link", 20, () =>
        this.forAWhile(
          5,
          120,
          () => {
            air.dead = true;
          },
          () => {
            air.dead = false;
          },
        ),
      );
      this.often("no network", 20, () =>
        this.forAWhile(
          5,
          400,
          () => {
            air.down = true;
            network.breakAll();
          },
          () => {
            air.down = false;
          },
        ),
      );
      this.often("slow link", 15, () =>
        this.forAWhile(
          20,
          200,
          () => {
            air.latencyMs = 600;
            air.bytesPerS = 3000;
          },
          () => Object.assign(air, { latencyMs: GOOD_AIR.latencyMs, bytesPerS: GOOD_AIR.bytesPerS }),
        ),
      );
      this.often("bus loss", 8, () => {
        badge.busLossUntilMs = this.time.nowMs() + this.draw(200, 4000);
        return true;
      });
      this.often("flash reads badly", 20, () =>
        this.forAWhile(
          10,
          120,
          () => badge.chip.disturbReads(300),
          () => badge.chip.disturbReads(0),
        ),
      );
      this.often("flash bit flips for good", 40, () => badge.flipBit());
      this.often("hostile badge", 15, () => {
        if (this.door === undefined) return false;
        const recorded = [...this.recorded.values()];
        this.count(
          `hostile badge: ${hostileBadge(this.door, this.badges, this.random, recorded, this.time, () => this.settle())}`,
        );
        return true;
      });
      this.watchPower(badge);
      this.planPresses(badge);
    }
    this.often("relay crash", 12, () => {
      if (this.relay === undefined) return false;
      this.crashRelay();
      this.time.at(this.time.nowMs() + this.draw(200, RELAY_DOWN_MS), () => this.restartRelay());
      return true;
    });
    const { diskHealth } = this;
    this.often("relay disk full", 25, () =>
      this.forAWhile(
        5,
        90,
        () => {
          diskHealth.full = true;
        },
        () => {
          diskHealth.full = false;
        },
      ),
    );
    this.often("relay disk slow", 15, () => {
      const begin = () => {
        diskHealth.slowMs = this.draw(200, 6000);
      };
      const end = () => {
        diskHealth.slowMs = 0;
      };
      // A slow disk shows what it does to a badge that comes back meanwhile.
      const { time } = this;
      for (const atMs of [3000, 9000])
        time.at(time.nowMs() + atMs, () => this.networks[this.draw(0, this.networks.length)].breakAll());
      return this.forAWhile(10, 60, begin, end);
    });
    this.often("relay clock jump", 25, () =>
      this.forAWhile(
        10,
        300,
        () => {
          this.clockSkewMs = (this.draw(0, 2) * 2 - 1) * this.draw(70_000, 7_200_000);
        },
        () => {
          this.clockSkewMs = 0;
        },
      ),
    );
    this.often("hostile relay", 25, () => {
      this.hostileUntilMs = this.time.nowMs() + this.draw(5000, 60_000);
      for (const network of this.networks) network.breakAll();
      return true;
    });
  }

  /** A relay that finds no room at its start ends, and is started again, as a service manager does. */
  private restartRelay(): void {
    if (this.relay !== undefined) return;
    const start = async () => {
      try {
        await this.startRelay();
      } catch (cause) {
        if (!(cause instanceof RelayError) || cause.exitCode !== ExitCode.Disk || !this.diskHealth.full)
          throw cause;
        this.count("relay found its disk full at its start");
        this.time.at(this.time.nowMs() + RELAY_AGAIN_MS, () => this.restartRelay());
      }
    };
    this.time.hold(start());
  }

  private cutPower(badge: SimulatedBadge): boolean {
    badge.powerOff();
    return true;
  }

  /** Switches a badge on again some time after its power was cut, however that came. */
  private watchPower(badge: SimulatedBadge): void {
    let offSinceMs = -1;
    let onAtMs = 0;
    const look = () => {
      const nowMs = this.time.nowMs();
      if (!badge.on && offSinceMs < 0) {
        offSinceMs = nowMs;
        onAtMs = nowMs + this.draw(500, 60_000);
      }
      if (!badge.on && nowMs >= onAtMs) {
        offSinceMs = -1;
        this.time.hold(badge.boot());
      }
      if (nowMs < this.dayMs + REST_MS_MAX) this.time.at(nowMs + 500, look);
    };
    look();
  }

  /** Where consent is asked for, somebody gives it, or not, or says no. */
  private planPresses(badge: SimulatedBadge): void {
    const { consent, scene } = badge.parts;
    if (consent.policy === "announce") this.planPauses(badge);
    if (consent.policy !== "verbal") return;
    for (const { from } of scene.conversations) {
      const answer = this.draw(0, 10);
      if (answer < 3) continue;
      const atMs = from * 20 + this.draw(2500, 30_000);
      this.time.at(atMs, () => {
        if (badge.on && scene.inConversation(Math.floor(atMs / 20))) badge.press("yes");
      });
    }
  }

  /** Some conversations are nobody's business: the wearer pauses the badge before them and lets it go on after. */
  private planPauses(badge: SimulatedBadge): void {
    let pressed = false;
    const press = () => {
      if (!badge.listens()) return;
      badge.press("pause");
      pressed = !pressed;
      this.count("pause pressed");
    };
    for (const { from, to } of badge.parts.scene.conversations) {
      if (this.draw(0, 5) > 0) continue;
      this.time.at(from * 20 - 8000, () => {
        if (!pressed) press();
      });
      this.time.at(to * 20 + 8000, () => {
        if (pressed) press();
      });
    }
  }

  private often(kind: string, everyMinutes: number, fault: () => boolean): void {
    const next = () => {
      const inMs = Math.round(-Math.log(1 - this.random.uint32() / 2 ** 32) * everyMinutes * 60_000);
      const atMs = this.time.nowMs() + Math.max(1000, inMs);
      if (atMs >= this.dayMs) return;
      this.time.at(atMs, () => {
        if (this.time.nowMs() < this.dayMs && fault()) this.count(kind);
        next();
      });
    };
    next();
  }

  private forAWhile(minS: number, maxS: number, begin: () => void, end: () => void): boolean {
    begin();
    this.time.at(this.time.nowMs() + this.draw(minS * 1000, maxS * 1000), end);
    return true;
  }

  private tellProgress(): void {
    this.options.onProgress?.(this.time.nowMs());
    this.time.at(this.time.nowMs() + PROGRESS_MS, () => this.tellProgress());
  }

  private async heal(): Promise<void> {
    for (const [number, badge] of this.badges.entries()) {
      Object.assign(this.airs[number], GOOD_AIR);
      badge.busLossUntilMs = 0;
      badge.chip.cutPowerAfter(Number.POSITIVE_INFINITY);
      badge.chip.disturbReads(0);
    }
    this.hostileUntilMs = 0;
    this.clockSkewMs = 0;
    Object.assign(this.diskHealth, { full: false, slowMs: 0 });
    if (this.relay === undefined) this.restartRelay();
    this.lastBytesMs = this.time.nowMs() + QUIET_MS;
  }

  private draw(min: number, max: number): number {
    return min + (this.random.uint32() % (max - min));
  }

  private count(kind: string): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1;
  }

  // ---- what is seen ----

  private tap(connection: number, toRelay: boolean, bytes: Buffer): void {
    this.hash.update(`${connection} ${toRelay} ${this.time.nowMs()}`).update(bytes);
    const stream = `${connection}, to the ${toRelay ? "relay" : "badge"}`;
    const earlier = this.wire.get(stream);
    if (earlier === undefined) this.wire.set(stream, [bytes]);
    else earlier.push(bytes);
    if (toRelay) this.once.bytes(connection, bytes);
    this.options.onBytes?.(toRelay, bytes.length, this.time.nowMs());
    if (bytes.length > 100) this.lastBytesMs = Math.max(this.lastBytesMs, this.time.nowMs());
    let recorded = this.recorded.get(connection);
    if (recorded === undefined) {
      recorded = { toRelay: [], toBadge: [] };
      this.recorded.set(connection, recorded);
    }
    const side = toRelay ? recorded.toRelay : recorded.toBadge;
    if (side.length < 12) side.push(bytes);
  }

  private log(badge: number, line: string): void {
    const atMs = this.time.nowMs();
    this.hash.update(`${badge} ${atMs} ${line}\n`);
    this.options.onLog?.(badge, atMs, line);
  }

  private result(): SimulationResult {
    const spool = join(this.folder, "spool");
    const findings = judge(this.badges, this.packets, spool);
    this.options.onEnd?.({ badges: this.badges, packets: this.packets, spool });
    const failed = this.failed();
    const failures = failed === "" ? [] : [failed];
    for (const { badge, what } of findings.divergences) failures.push(`badge ${badge}: ${what}`);
    failures.push(...this.once.wrong, ...this.leaks(spool, findings.newestEpoch));
    return {
      seed: this.options.seed,
      badgeHours: (this.options.badges * this.time.nowMs()) / 3_600_000,
      faults: this.faults,
      findings,
      failures,
      heapPeakBytes: Math.max(...this.badges.map((badge) => badge.heapPeakBytes)),
      vmMs: this.badges.reduce((sum, badge) => sum + badge.cpuMs, 0),
      wallMs: performance.now() - this.startedMs,
      digest: this.hash.update(findings.digest).digest("hex"),
    };
  }

  /** Looks for plaintext and keys where they must not be. */
  private leaks(spool: string, newestEpoch: number): string[] {
    const places: Place[] = [...this.wire].map(([stream, parts]) => ({
      where: `on the wire of connection ${stream}`,
      bytes: Buffer.concat(parts),
    }));
    for (const file of readdirSync(spool, { recursive: true, withFileTypes: true }))
      if (file.isFile())
        places.push({
          where: `in the relay's file ${file.name}`,
          bytes: readFileSync(join(file.parentPath, file.name)),
        });
    // The epoch after the newest that arrived is the one that a badge stands in.
    const secrets = this.badges.flatMap((badge) => secretsOf(badge, newestEpoch + 1));
    const found = leaksIn(places, this.packets, secrets);
    for (const badge of this.badges)
      found.push(...badge.oldKeys().map((what) => `badge ${badge.parts.number}: ${what}`));
    return found;
  }
}

function policyOf(random: Random): ConsentPolicy {
  const drawn = random.uint32() % 10;
  if (drawn < 5) return CONSENT_DEFAULT;
  if (drawn < 9) return { ...CONSENT_DEFAULT, policy: "verbal" };
  return { ...CONSENT_DEFAULT, policy: "off" };
}

/** Enough turns of Node's loop for everything that waits for nothing but other code. */
async function turns(): Promise<void> {
  for (let i = 0; i < 4; i++) await nextTurn();
}
