// An emulated badge: the DeviceScript virtual machine in this process, in virtual time, with its flash, its bus and its
// socket played by the rig.
import { HeapMeter } from "./heap-meter";
import type { Connection, Network } from "./network";
import type { Random } from "./random";
import { SendLimit } from "./send-limit";
import type { VirtualTime } from "./virtual-time";
import { instantiateVm, type VmInstance } from "./vm-module";

/** What an emulated badge is made of. */
export interface BadgeParts {
  time: VirtualTime;
  random: Random;
  network: Network;
  /** Hardware id, 16 hexadecimal digits. */
  deviceId: string;
  /** What the flash held when the badge was switched on; empty for a new one. */
  flash: Buffer;
  /** Program to put into the badge at boot; without one, what lies in flash runs. */
  program?: Buffer;
  /** Real time in ms, for the account of CPU time. */
  realMs: () => number;
  /** Every line that the badge logs. */
  onLog: (line: string) => void;
  /** Every frame that the badge sends on its bus. */
  onFrame: (frame: Buffer) => void;
  /** Fault: asked before each write to the socket; true makes the runtime say that its queue is full and take nothing. */
  queueFull?: () => boolean;
  /** Called with what the flash holds whenever it was written, before the program goes on. */
  onFlash?: (image: Buffer) => void;
  /** The badge has reset itself: it does nothing any more until it is switched on anew. */
  onReset?: () => void;
}

/** The runtime logs this when it has made a context for the program. */
const PROGRAM_STARTS = "DevS-SHA256";
const FLASH_BYTES = 256 * 1024;
const HEAP_SAMPLE_MS = 50;
const SOCKET_GONE = -10;
const SOCKET_QUEUE_FULL = -1;
const SOCKET_OPEN = 1;
const SOCKET_CLOSE = 2;
const SOCKET_ERROR = 3;
const SOCKET_DATA = 4;

export class EmulatedBadge {
  /** Real ms spent inside the virtual machine. */
  cpuMs = 0;
  /** Frames that the badge's own receive queue refused. */
  droppedFrames = 0;
  /** Code of the last panic; 0 for none. */
  panicCode = 0;
  /** What the flash holds now. */
  flash: Buffer;
  heap: HeapMeter;

  private readonly sendLimit: SendLimit;
  private wakeMs = 0;
  private wakeScheduled = false;
  private stopped = false;
  private connection: Connection | undefined;

  private constructor(
    private readonly parts: BadgeParts,
    private readonly vm: VmInstance,
  ) {
    this.flash = parts.flash;
    this.heap = new HeapMeter(vm);
    this.sendLimit = new SendLimit(vm);
  }

  /** Switches a badge on. Rejects when the program is not accepted. */
  static async boot(parts: BadgeParts): Promise<EmulatedBadge> {
    const startMs = parts.time.nowMs();
    const vm = await instantiateVm({
      nowMs: () => parts.time.nowMs() - startMs + 1000, // the VM takes time 0 for "not started"
      random: (lengthBytes) => parts.random.bytes(lengthBytes),
      log: (line) => parts.onLog(line),
    });
    const badge = new EmulatedBadge(parts, vm);
    badge.connectHooks();
    vm.devsSetDeviceId(...deviceIdWords(parts.deviceId));
    vm.devsInit();
    if (parts.program !== undefined) {
      const status = vm.devsDeploy(parts.program);
      if (status !== 0)
        throw new Error(`the badge refused the program of ${parts.program.length} bytes, status ${status}`);
    }
    badge.process();
    badge.sampleHeap();
    return badge;
  }

  /** Gives the badge a frame from its bus. */
  receive(frame: Uint8Array): void {
    if (this.stopped) return;
    const status = this.withBytes(frame, (pointer) => this.vm._jd_em_frame_received(pointer));
    if (status !== 0) this.droppedFrames++;
    this.process();
  }

  /** Cuts the power: nothing runs any more, the socket is gone without a farewell. */
  powerOff(): void {
    this.stopped = true;
    this.connection?.abort();
    this.connection = undefined;
  }

  private connectHooks(): void {
    const { vm, parts } = this;
    vm.flashSize = FLASH_BYTES;
    vm.flashLoad = () => this.flash;
    vm.flashSave = (image) => {
      this.flash = Buffer.from(image);
      parts.onFlash?.(this.flash);
    };
    vm.dmesg = (line) => {
      if (line.includes(PROGRAM_STARTS)) {
        this.heap.forget();
        this.sendLimit.forget();
      }
      parts.onLog(line);
    };
    vm.sendPacket = (frame) => parts.onFrame(Buffer.from(frame));
    vm.panicHandler = (code) => {
      if (code !== 0) this.panicCode = code;
    };
    vm.sockIsAvailable = () => true;
    vm.sockOpen = (hostPointer, port) => this.openSocket(hostPointer, port);
    vm.sockWrite = (pointer, lengthBytes) => {
      if (this.connection === undefined) return SOCKET_GONE;
      if (parts.queueFull?.()) return SOCKET_QUEUE_FULL;
      this.connection.write(Buffer.from(vm.HEAPU8.slice(pointer, pointer + lengthBytes)));
      return 0;
    };
    vm.sockClose = () => {
      if (this.connection === undefined) return SOCKET_GONE;
      this.connection.abort();
      this.connection = undefined;
      return 0;
    };
  }

  private openSocket(hostPointer: number, port: number): number {
    const end = this.vm.HEAPU8.indexOf(0, hostPointer);
    const host = Buffer.from(this.vm.HEAPU8.slice(hostPointer, end)).toString("utf8");
    this.connection?.abort();
    const connection = this.parts.network.open(host, Math.abs(port), port < 0, {
      open: () => this.socketEvent(connection, SOCKET_OPEN),
      data: (bytes) => this.socketEvent(connection, SOCKET_DATA, bytes),
      close: () => this.socketEvent(connection, SOCKET_CLOSE),
      error: (message) => this.socketEvent(connection, SOCKET_ERROR, Buffer.from(message, "utf8")),
    });
    this.connection = connection;
    return 0;
  }

  private socketEvent(connection: Connection, kind: number, bytes: Buffer = Buffer.alloc(0)): void {
    if (this.stopped || connection !== this.connection) return;
    if (kind === SOCKET_CLOSE || kind === SOCKET_ERROR) this.connection = undefined;
    this.withBytes(bytes, (pointer) => this.vm._jd_em_tcpsock_on_event(kind, pointer, bytes.length));
    this.process();
  }

  private withBytes<T>(bytes: Uint8Array, use: (pointer: number) => T): T {
    const pointer = this.vm._malloc(bytes.length + 1);
    this.vm.HEAPU8.set(bytes, pointer);
    this.vm.HEAPU8[pointer + bytes.length] = 0;
    const startMs = this.parts.realMs();
    const result = use(pointer);
    this.cpuMs += this.parts.realMs() - startMs;
    this.vm._free(pointer);
    return result;
  }

  /** Lets the virtual machine run what is due, and sees to it that it is called again when it wants to be. */
  private process(): void {
    const startMs = this.parts.realMs();
    let sleepUs = 0;
    this.sendLimit.lift(this.heap.chunkWord);
    try {
      sleepUs = this.vm._jd_em_process();
    } catch (error) {
      this.stopped = true;
      const { name } = error as Error;
      if (name !== "ExitStatus") throw error;
      this.parts.onLog("the badge restarts");
      this.parts.onReset?.();
      return;
    } finally {
      this.cpuMs += this.parts.realMs() - startMs;
    }
    // Its clock counts whole ms: sooner than the next one nothing can be due.
    this.wakeMs = this.parts.time.nowMs() + Math.max(1, Math.ceil(sleepUs / 1000));
    this.scheduleWake();
  }

  private scheduleWake(): void {
    if (this.wakeScheduled) return;
    this.wakeScheduled = true;
    this.parts.time.at(this.wakeMs, () => {
      this.wakeScheduled = false;
      if (this.stopped) return;
      if (this.parts.time.nowMs() >= this.wakeMs) this.process();
      else this.scheduleWake();
    });
  }

  private sampleHeap(): void {
    if (this.stopped) return;
    this.heap.sample();
    this.parts.time.at(this.parts.time.nowMs() + HEAP_SAMPLE_MS, () => this.sampleHeap());
  }
}

function deviceIdWords(deviceId: string): [number, number] {
  if (!/^[0-9a-f]{16}$/.test(deviceId))
    throw new RangeError(`device id must be 16 hexadecimal digits, got '${deviceId}'`);
  const bytes = Buffer.from(deviceId, "hex");
  if (bytes[3] >= 0x80)
    throw new RangeError(
      `device id must have a fourth byte below 80 (hardwareIdOf makes one), got '${deviceId}'`,
    );
  return [bytes.readInt32LE(4), bytes.readInt32LE(0)]; // the module takes the high word first
}
