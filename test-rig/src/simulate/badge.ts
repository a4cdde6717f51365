// One badge of a simulation: the virtual machine with the real program, its flash chip, front end and button, and somebody who talks, presses and
// pulls the battery. Keeps what was played, for the oracle; what the badge says of itself is only logged.
import { NorFlash } from "@salestag/firmware/nor-flash";
import {
  BADGE_ID_BYTES,
  type ConsentPolicy,
  FRAME_MS,
  KEY_BYTES,
  nextChainKey,
  type Tuning,
} from "@salestag/protocol";
import { nodeCrypto } from "@salestag/protocol/host";
import {
  BadgeSettings,
  JacdacClient,
  JD_CLASS_DEVICESCRIPT_MANAGER,
  JD_CLASS_SETTINGS,
  setProgramRunning,
} from "@salestag/protocol/jacdac";
import { hardwareIdOf } from "../badge-state";
import { EmulatedBadge } from "../emulator/badge";
import { PlayedButton } from "../emulator/button";
import { PlayedFlash } from "../emulator/flash-chip";
import type { Network } from "../emulator/network";
import type { Random } from "../emulator/random";
import type { VirtualTime } from "../emulator/virtual-time";
import { VoiceFrontEnd } from "../emulator/voice-front-end";
import { frameOf, type Packets, recordedFrameOf, type Scene, speechByteOf } from "./scene";

const CLIENT_ID = "5a1e57a600000001";
const FRONT_END_ID = "5a1e57a600000002";
const FLASH_CHIP_ID = "5a1e57a600000003";
const BUTTON_ID = "5a1e57a600000004";
const CLIENT_TICK_MS = 100;
const BOOT_MS = 1000;
const LOOK_AHEAD_FRAMES = 10;
/** A double press: two of this length, so far apart. */
const PRESS_MS = 120;
const TWICE_MS = 300;
const LONG_PRESS_MS = 1300;
/** A program that was started so long ago is ready. */
const LISTENS_AFTER_MS = 10_000;
/** A press is done, seen and kept after so long; and nothing of it is known as long before. */
const PRESS_KNOWN_MS = 5000;
const SECTOR_BYTES = 4096;
/** The journal lies in the first sectors, of a chip of 64 MB these. Damage there costs a copy, and two at once the badge. */
const JOURNAL_SECTORS_MAX = 128;
/** More conversations than any simulated day has. */
const EPOCHS_MAX = 600;

/** One time that the front end streamed: from a start of the program to the end of power. */
export interface Session {
  boot: number;
  /** Frame of the scene that its frame 0 is. */
  sceneFrom: number;
  /** Frames that were made. */
  frames: number;
  /** Frames that the bus lost. */
  lost: Set<number>;
  /** Virtual ms of the power cut; undefined while the badge is on. */
  cutMs: number | undefined;
}

/** Something that the wearer did. */
export interface Press {
  atMs: number;
  boot: number;
  what: "yes" | "no" | "pause";
}

export interface SimulatedBadgeParts {
  number: number;
  time: VirtualTime;
  random: Random;
  network: Network;
  program: Buffer;
  scene: Scene;
  packets: Packets;
  consent: ConsentPolicy;
  tuning: Partial<Tuning>;
  chipSectors: number;
  realMs: () => number;
  onLog: (line: string) => void;
}

export class SimulatedBadge {
  readonly badgeId: Buffer;
  readonly authKey: Buffer;
  readonly chainKey: Buffer;
  readonly chip: NorFlash;
  readonly sessions: Session[] = [];
  readonly presses: Press[] = [];
  cpuMs = 0;
  heapPeakBytes = 0;
  boots = 0;
  /** When it was switched on last, virtual ms. */
  onSinceMs = 0;
  /** Bits of the outbox that were flipped for good. */
  flippedBits = 0;
  /** While above the present time, the bus loses frames. */
  busLossUntilMs = 0;
  /** Why the simulation must end; empty while all is well. */
  failure = "";

  private flash: Buffer = Buffer.alloc(0);
  private running: EmulatedBadge | undefined;
  private frontEnd: VoiceFrontEnd | undefined;
  private button: PlayedButton | undefined;
  private played: PlayedFlash | undefined;
  private client: JacdacClient | undefined;
  private readonly deviceId: string;

  constructor(readonly parts: SimulatedBadgeParts) {
    const { random } = parts;
    this.badgeId = random.bytes(BADGE_ID_BYTES);
    this.authKey = random.bytes(KEY_BYTES);
    this.chainKey = random.bytes(KEY_BYTES);
    this.deviceId = hardwareIdOf(random.bytes(8));
    this.chip = new NorFlash({ sectors: parts.chipSectors, random: () => random.uint32() });
    this.chip.onPowerCut = () => this.powerOff();
  }

  get on(): boolean {
    return this.running !== undefined;
  }

  /** Real ms inside its virtual machine so far. */
  vmMs(): number {
    return this.cpuMs + (this.running?.cpuMs ?? 0);
  }

  /** Switches it on for the first time and gives it keys and settings. */
  async provision(): Promise<void> {
    const { time, consent, tuning } = this.parts;
    await this.boot();
    const client = new JacdacClient(CLIENT_ID, (frame) => this.running?.receive(frame));
    this.client = client;
    const tick = () => {
      client.tick(time.nowMs());
      if (this.client === client) time.at(time.nowMs() + CLIENT_TICK_MS, tick);
    };
    tick();
    await this.drive(async () => {
      const manager = await client.find(JD_CLASS_DEVICESCRIPT_MANAGER, 5000);
      const service = client
        .servicesOf(JD_CLASS_SETTINGS)
        .find(({ deviceId }) => deviceId === manager.deviceId);
      if (service === undefined) throw new Error("the badge has no settings");
      await setProgramRunning(client, manager, false);
      const settings = new BadgeSettings(client, service);
      const entries = {
        authKey: this.authKey.toString("hex"),
        chain: { n: 0, k: this.chainKey.toString("hex") },
        relay: "tcp://relay:1",
        consent,
        tuning,
        badge: this.badgeId.toString("hex"),
      };
      for (const [key, value] of Object.entries(entries))
        await settings.write(key, Buffer.from(JSON.stringify(value)));
      await setProgramRunning(client, manager, true);
    });
    this.client = undefined;
  }

  /** Switches it on. */
  async boot(): Promise<void> {
    const { time, random, network, program, realMs } = this.parts;
    this.boots++;
    this.onSinceMs = time.nowMs();
    this.chip.powerOn();
    const badge = await EmulatedBadge.boot({
      time,
      random,
      network,
      deviceId: this.deviceId,
      flash: this.flash,
      program: this.flash.length === 0 ? program : undefined,
      realMs,
      onLog: (line) => this.parts.onLog(line),
      onFrame: (frame) => this.toBus(frame),
    });
    this.running = badge;
    const send = (frame: Buffer) => badge.receive(frame);
    this.played = new PlayedFlash({ time, deviceId: FLASH_CHIP_ID, nor: this.chip, send });
    this.button = new PlayedButton({ time, deviceId: BUTTON_ID, send });
    const boot = this.boots;
    this.frontEnd = new VoiceFrontEnd({
      time,
      deviceId: FRONT_END_ID,
      send: (frame, seq) => this.deliver(badge, boot, frame, seq),
      frameOf: (seq) => this.frame(boot, seq),
    });
  }

  /** Takes the power away. */
  powerOff(): void {
    const badge = this.running;
    if (badge === undefined) return;
    this.running = undefined;
    badge.powerOff();
    this.flash = badge.flash;
    this.cpuMs += badge.cpuMs;
    this.heapPeakBytes = Math.max(this.heapPeakBytes, badge.heap.peakBytes);
    for (const part of [this.frontEnd, this.button, this.played]) part?.powerOff();
    const session = this.sessions.at(-1);
    if (session?.boot === this.boots) session.cutMs = this.parts.time.nowMs();
  }

  /** Flips a bit of what lies in the outbox, for good. @returns false when nothing lies there */
  flipBit(): boolean {
    const { random } = this.parts;
    const sectors = [...this.chip.written().keys()].filter((sector) => sector >= JOURNAL_SECTORS_MAX);
    if (sectors.length === 0) return false;
    const sector = sectors[random.uint32() % sectors.length];
    this.chip.corrupt(sector * SECTOR_BYTES + (random.uint32() % SECTOR_BYTES), 1 << (random.uint32() % 8));
    this.flippedBits++;
    return true;
  }

  /** Notes when the program has panicked. */
  checkAlive(): void {
    const code = this.running?.panicCode ?? 0;
    if (code !== 0) this.failure = `the program panicked with code ${code}`;
  }

  /** Looks in both flashes for keys that the badge has moved past. @returns a sentence for each that is still there */
  oldKeys(): string[] {
    const found: string[] = [];
    const crypto = nodeCrypto();
    const keys: Buffer[] = [];
    let key = this.chainKey;
    for (let epoch = 0; epoch < EPOCHS_MAX; epoch++) {
      keys.push(key);
      key = nextChainKey(crypto, key);
    }
    // The newest that is there is the one that the badge goes on from; it may be in the journal in both copies.
    const present = keys.map((one) => this.holds(one));
    const newest = present.lastIndexOf(true);
    if (newest < 0) return ["the flash holds no key of the chain at all"];
    for (let epoch = 0; epoch < newest; epoch++)
      if (present[epoch]) found.push(`chain key ${epoch} is still in the flash, the badge is at ${newest}`);
    return found;
  }

  private holds(key: Buffer): boolean {
    return this.chip.contains(key) || this.flash.includes(key) || this.flash.includes(key.toString("hex"));
  }

  /** True when the program has been running for so long that it surely listens to the button. */
  listens(): boolean {
    return this.on && this.parts.time.nowMs() - this.onSinceMs > LISTENS_AFTER_MS;
  }

  /**
   * Whether the wearer had paused the badge, from the presses alone.
   * @returns undefined where that is not sure: right after a press, and for good when the power was cut before the badge can have kept it
   */
  pausedAt(atMs: number): boolean | undefined {
    let paused = false;
    for (const press of this.presses) {
      if (press.what !== "pause" || press.atMs > atMs + PRESS_KNOWN_MS) continue;
      const cut = this.sessions.find(({ boot }) => boot === press.boot)?.cutMs;
      if (cut !== undefined && cut < press.atMs + PRESS_KNOWN_MS) return undefined;
      if (atMs < press.atMs + PRESS_KNOWN_MS) return undefined;
      paused = !paused;
    }
    return paused;
  }

  press(what: Press["what"]): void {
    const { time } = this.parts;
    const button = this.button;
    if (!this.on || button === undefined) return;
    this.presses.push({ atMs: time.nowMs(), boot: this.boots, what });
    if (what !== "yes") button.press(LONG_PRESS_MS);
    else {
      button.press(PRESS_MS);
      time.at(time.nowMs() + TWICE_MS, () => button.press(PRESS_MS));
    }
  }

  private frame(boot: number, seq: number): Buffer {
    const { scene, packets, number, time } = this.parts;
    let session = this.sessions.at(-1);
    if (session?.boot !== boot || seq === 0) {
      session = {
        boot,
        sceneFrom: Math.floor(time.nowMs() / FRAME_MS) - seq,
        frames: 0,
        lost: new Set(),
        cutMs: undefined,
      };
      this.sessions.push(session);
    }
    session.frames = seq + 1;
    const at = session.sceneFrom + seq;
    const { recording } = scene;
    if (recording !== undefined && scene.inConversation(at))
      return recordedFrameOf(recording, at, seq, packets.packet({ badge: number, boot, seq }));
    const frame = frameOf(seq, scene.soundAt(at), packets.packet({ badge: number, boot, seq }), false);
    frame[32] = seq >= LOOK_AHEAD_FRAMES ? speechByteOf(scene.soundAt(at - LOOK_AHEAD_FRAMES)) : 0;
    return frame;
  }

  private deliver(badge: EmulatedBadge, boot: number, frame: Buffer, seq: number | undefined): void {
    const { time, random } = this.parts;
    if (seq !== undefined && time.nowMs() < this.busLossUntilMs && random.uint32() % 4 === 0) {
      const session = this.sessions.at(-1);
      if (session?.boot === boot) session.lost.add(seq);
      return;
    }
    badge.receive(frame);
  }

  private toBus(frame: Buffer): void {
    this.frontEnd?.receive(frame);
    this.played?.receive(frame);
    this.button?.receive(frame);
    this.client?.receive(frame);
  }

  /** Lets virtual time run while host code awaits something of the badge. */
  private async drive(work: () => Promise<void>): Promise<void> {
    const { time } = this.parts;
    await time.run(time.nowMs() + BOOT_MS);
    let settled = false;
    const promise = work().finally(() => {
      settled = true;
    });
    promise.catch(() => undefined);
    while (!settled) {
      await time.run(time.nowMs() + 5);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await promise;
  }
}
