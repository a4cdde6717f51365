// A badge on the bench: an emulated badge with its bus, its network and virtual time around it, and a Jacdac client as a
// technician's computer would be. Everything else in the rig works on one of these.
import { readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isTrace, parseTrace, type TraceEvent } from "@salestag/protocol/host";
import { JacdacClient } from "@salestag/protocol/jacdac";
import type { BadgeState } from "./badge-state";
import { EmulatedBadge } from "./emulator/badge";
import { PlayedFlash } from "./emulator/flash-chip";
import { type Connection, type Network, RealNetwork } from "./emulator/network";
import { Random } from "./emulator/random";
import { RelayTracker } from "./emulator/relay-tracker";
import { VirtualTime } from "./emulator/virtual-time";
import { VoiceFrontEnd } from "./emulator/voice-front-end";
import { type AccessPoint, PlayedWifi } from "./emulator/wifi";
import { RigError } from "./errors";

export interface BenchOptions {
  state: BadgeState;
  /** Seed of everything that is random on the badge. */
  seed: number;
  /** Virtual ms between a request to the relay and its answer. */
  latencyMs: number;
  /** Real ms after which a silent relay no longer holds virtual time. */
  patienceMs: number;
  /** What it runs: this program, put into it when it is switched on; "in flash": what it has. Without it, the built badge program. */
  program?: Buffer | "in flash";
  /** Access points in reach; without them the badge has a network and no Wi-Fi. */
  air?: AccessPoint[];
  /** Certificates to trust instead of the system's, PEM. */
  ca?: string;
  /** Fault: true makes the badge's socket refuse a write because its queue is full. */
  queueFull?: () => boolean;
  /** Called whenever the badge has written its flash: what it keeps if the power is cut now. */
  onState?: (state: BadgeState) => void;
  onTrace?: (event: TraceEvent, atMs: number) => void;
  /** Every line that the badge logs. */
  onLog?: (line: string, atMs: number) => void;
}

/** A device that the rig plays on the badge's bus. */
export interface PlayedDevice {
  /** Takes a frame from the bus. */
  receive(frame: Buffer): void;
  /** Takes a host's frame for the badge in the runtime's stead. @returns false when it is the runtime's */
  takes?(frame: Buffer): boolean;
}

/** Frames on the badge's bus that the rig keeps from the badge. */
export type DropRule = (seq: number) => boolean;

export const BENCH_DEFAULTS = { seed: 1, latencyMs: 40, patienceMs: 5000 };

const PROGRAM = fileURLToPath(new URL("../../firmware/.devicescript/bin/bytecode.devs", import.meta.url));
const CLIENT_ID = "5a1e57a600000001";
const FRONT_END_ID = "5a1e57a600000002";
const FLASH_CHIP_ID = "5a1e57a600000003";
const CLIENT_TICK_MS = 100;
/** From a reset to the runtime's first instruction. */
const RESET_MS = 300;

/** @returns the compiled badge program. @throws RigError when it was not built */
export function readProgram(): Buffer {
  try {
    return readFileSync(PROGRAM);
  } catch {
    throw new RigError("The badge program is not built: run 'npm run build'.");
  }
}

export class Bench {
  readonly time: VirtualTime;
  readonly network: RealNetwork;
  readonly client: JacdacClient;
  readonly trace: TraceEvent[] = [];
  frontEnd: VoiceFrontEnd | undefined;
  /** Chunks in the badge's outbox. */
  waitingChunks = 0;
  /** True while a conversation is going on. */
  inConversation = false;

  private running: EmulatedBadge | undefined;
  private chip: PlayedFlash | undefined;
  private wifi: PlayedWifi | undefined;
  /** What the badge has changed of its state. */
  private kept: Partial<BadgeState> = {};
  private readonly random: Random;
  private readonly powerListeners = new Set<(on: boolean) => void>();
  private readonly devices: PlayedDevice[] = [];
  private readonly busListeners = new Set<(frame: Buffer) => void>();
  private readonly logListeners = new Set<(line: string) => void>();

  private constructor(private readonly options: BenchOptions) {
    const realMs = () => performance.now();
    this.time = new VirtualTime(realMs);
    this.random = new Random(options.seed);
    const { time } = this;
    const { latencyMs, patienceMs, ca } = options;
    this.network = new RealNetwork({ time, latencyMs, patienceMs, ca, tracker: () => new RelayTracker() });
    this.client = new JacdacClient(CLIENT_ID, (frame) => this.fromHost(frame));
  }

  /** Puts a badge on the bench, its program in it, and switches it on. */
  static async open(options: BenchOptions): Promise<Bench> {
    const bench = new Bench(options);
    await bench.boot(options.program ?? readProgram());
    bench.chip = new PlayedFlash({
      time: bench.time,
      deviceId: FLASH_CHIP_ID,
      nor: options.state.chip,
      send: (frame) => bench.running?.receive(frame),
    });
    bench.tickClient();
    return bench;
  }

  get badge(): EmulatedBadge {
    if (this.running === undefined) throw new Error("the badge is not switched on");
    return this.running;
  }

  /** The badge's runtime; undefined while it resets. */
  get runtime(): EmulatedBadge | undefined {
    return this.running;
  }

  /** Cuts the power, also in the middle of a reset. */
  powerOff(): void {
    this.running?.powerOff();
    this.wifi?.powerOff();
  }

  /** What the badge keeps when it is switched off now. */
  state(): BadgeState {
    return { ...this.options.state, ...this.kept };
  }

  /** Takes a frame from a computer at the USB port. */
  fromHost(frame: Buffer): void {
    if (this.wifi?.receive(frame) || this.devices.some((device) => device.takes?.(frame))) return;
    this.running?.receive(frame);
    this.frontEnd?.receive(frame);
    for (const device of this.devices) device.receive(frame);
  }

  /** Hears when the badge resets (false) and is there again (true). @returns a function that ends it */
  listenPower(listener: (on: boolean) => void): () => void {
    this.powerListeners.add(listener);
    return () => this.powerListeners.delete(listener);
  }

  /** Puts a device on the badge's bus. @param make gets what puts a frame on the bus */
  plug(make: (send: (frame: Buffer) => void) => PlayedDevice): void {
    this.devices.push(make((frame) => this.fromDevice(frame)));
  }

  /** Hears every frame on the badge's bus but those of its flash chip, which is no device on hardware. @returns a function that ends it */
  listen(listener: (frame: Buffer) => void): () => void {
    this.busListeners.add(listener);
    return () => this.busListeners.delete(listener);
  }

  /** Hears every line that the badge logs. @returns a function that ends it */
  listenLog(listener: (line: string) => void): () => void {
    this.logListeners.add(listener);
    return () => this.logListeners.delete(listener);
  }

  /** Lets virtual time run while host code awaits something of the badge. */
  async drive<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    promise.then(settle, settle);
    while (!settled) {
      await this.time.run(this.time.nowMs() + 5);
      await nextTurn();
    }
    return promise;
  }

  /**
   * Runs until `done()`, at most `limitMs` of virtual time.
   * @returns false when the limit came first
   * @throws RigError when the badge's program panics
   */
  async until(done: () => boolean, limitMs: number): Promise<boolean> {
    const reached = await this.time.run(
      this.time.nowMs() + limitMs,
      () => done() || (this.running?.panicCode ?? 0) !== 0,
    );
    const panicCode = this.running?.panicCode ?? 0;
    if (panicCode !== 0)
      throw new RigError(`The badge program panicked with code ${panicCode}: see its log with --log.`);
    return reached;
  }

  /** Connects a voice front end that plays these frames. @param drop frames to lose on the way to the program */
  plugFrontEnd(frameOf: (seq: number) => Buffer | undefined, drop: DropRule = () => false): VoiceFrontEnd {
    const { time } = this;
    const send = (frame: Buffer, seq: number | undefined) => {
      if (seq === undefined || !drop(seq)) this.fromDevice(frame);
    };
    this.frontEnd = new VoiceFrontEnd({ time, deviceId: FRONT_END_ID, send, frameOf });
    return this.frontEnd;
  }

  /** @returns all trace events of one word, in order */
  traced<W extends TraceEvent["word"]>(word: W): Extract<TraceEvent, { word: W }>[] {
    return this.trace.filter((event) => event.word === word) as Extract<TraceEvent, { word: W }>[];
  }

  private async boot(program: Buffer | "in flash"): Promise<void> {
    const { deviceId, flash } = this.state();
    this.running = await EmulatedBadge.boot({
      time: this.time,
      random: this.random,
      network: { open: (...args) => this.openSocket(...args) },
      deviceId,
      flash,
      program: program === "in flash" ? undefined : program,
      realMs: () => performance.now(),
      onLog: (line) => this.log(line),
      onFrame: (frame) => this.fromBadge(frame),
      queueFull: this.options.queueFull,
      onFlash: (written) => this.keep({ flash: written }),
      onReset: () => this.reset(),
    });
    this.switchOnWifi();
  }

  /** What the chip does after a reset: begins anew with what its flash holds. */
  private reset(): void {
    this.powerOff();
    this.running = undefined;
    this.wifi = undefined;
    for (const listener of this.powerListeners) listener(false);
    this.time.at(this.time.nowMs() + RESET_MS, () => this.time.hold(this.bootAgain()));
  }

  private async bootAgain(): Promise<void> {
    await this.boot("in flash");
    for (const listener of this.powerListeners) listener(true);
  }

  private keep(kept: Partial<BadgeState>): void {
    this.kept = { ...this.kept, ...kept };
    this.options.onState?.(this.state());
  }

  private switchOnWifi(): void {
    const { air } = this.options;
    const state = this.state();
    if (air === undefined) return;
    this.wifi = new PlayedWifi({
      time: this.time,
      deviceId: state.deviceId,
      air,
      known: state.wifi,
      onKnown: (wifi) => this.keep({ wifi }),
      send: (frame) => this.toBus(frame),
    });
  }

  private openSocket(...[host, port, tls, events]: Parameters<Network["open"]>): Connection {
    if (this.wifi === undefined || this.wifi.joined !== undefined)
      return this.network.open(host, port, tls, events);
    this.time.at(this.time.nowMs() + 1, () => events.error("no network"));
    return { write: () => undefined, abort: () => undefined };
  }

  private fromBadge(frame: Buffer): void {
    this.toBus(this.wifi?.adopt(frame) ?? frame);
  }

  /** A frame of a played device, for the badge and for whoever listens at its port. */
  private fromDevice(frame: Buffer): void {
    this.running?.receive(frame);
    for (const listener of this.busListeners) listener(frame);
  }

  private toBus(frame: Buffer): void {
    this.client.receive(frame);
    this.frontEnd?.receive(frame);
    this.chip?.receive(frame);
    for (const device of this.devices) device.receive(frame);
    for (const listener of this.busListeners) listener(frame);
  }

  private log(line: string): void {
    const atMs = this.time.nowMs();
    this.options.onLog?.(line, atMs);
    for (const listener of this.logListeners) listener(line);
    const event = parseTrace(line);
    if (event === undefined) {
      if (isTrace(line))
        throw new Error(`the badge logged the trace line '${line}', which this rig does not know`);
      return;
    }
    this.trace.push(event);
    this.account(event);
    this.options.onTrace?.(event, atMs);
  }

  private account(event: TraceEvent): void {
    if (event.word === "chunk") this.waitingChunks++;
    else if (event.word === "acked") this.waitingChunks = event.waiting;
    else if (event.word === "conversation") this.inConversation = true;
    else if (event.word === "ended" || event.word === "denied") this.inConversation = false;
  }

  private tickClient(): void {
    this.client.tick(this.time.nowMs());
    this.time.at(this.time.nowMs() + CLIENT_TICK_MS, () => this.tickClient());
  }
}
