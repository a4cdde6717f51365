// Watches one badge for as long as its cable is plugged in: every line and frame of it, and what it has to be asked for.
import {
  decodeFrame,
  JD_CLASS_DEVICESCRIPT_MANAGER,
  JD_FLAG_COMMAND,
  type JdService,
  JdTimeoutError,
} from "@salestag/protocol/jacdac";
import { BadgePort } from "../usb/badge-port";
import { soundOf, VOICE_FRONT_END_CLASS } from "./front-end";
import { clean, type Input } from "./model";

/** Service class of firmware/services/runtime-vitals.md, and its registers. */
const RUNTIME_VITALS_CLASS = 0x1b8d3f62;
const REGISTER_HEAP_SIZE = 0x180;
const REGISTER_HEAP_USED = 0x181;
const REGISTER_HEAP_FREE_BLOCK = 0x182;
const REGISTER_LOAD = 0x183;
/** Of the runtime's manager. */
const REGISTER_PROGRAM_SHA256 = 0x182;
const REGISTER_PROGRAM_NAME = 0x184;
const REGISTER_PROGRAM_VERSION = 0x185;

const POLL_MS = 1000;
const ANSWER_MS = 1500;
/** Every device announces itself twice a second: who has not by then is not there. */
const ANNOUNCED_POLLS = 4;
const TEXT_BYTES_MAX = 64;
const HASH_BYTES_SHOWN = 4;

export class Watch {
  /** Resolves when the badge is gone, with the reason, or "" after close(). */
  readonly gone: Promise<string>;

  private readonly timer: NodeJS.Timeout;
  private polls = 0;
  private polling = false;
  private isGone = false;
  private isWhoKnown = false;
  private tellsBlock = true;
  private losses = 0;

  private constructor(
    private readonly port: BadgePort,
    private readonly tell: (input: Input) => void,
  ) {
    this.gone = port.gone.finally(() => this.stop());
    port.onLine((text) => tell({ kind: "line", text }));
    port.onFrame((bytes) => this.frame(bytes));
    this.timer = setInterval(() => void this.poll(), POLL_MS);
    tell({ kind: "plugged" });
  }

  /**
   * @param port see openLine
   * @param tell gets all that comes, until the badge is gone
   * @throws ToolError when it cannot be opened
   */
  static async open(port: string, tell: (input: Input) => void): Promise<Watch> {
    return new Watch(await BadgePort.open(port), tell);
  }

  /** Lets go of the badge. */
  async close(): Promise<void> {
    this.stop();
    await this.port.close();
  }

  private stop(): void {
    this.isGone = true;
    clearInterval(this.timer);
  }

  private frame(bytes: Buffer): void {
    const frame = decodeFrame(bytes);
    if (frame === undefined || frame.flags & JD_FLAG_COMMAND) return;
    const frontEnd = this.port.client
      .servicesOf(VOICE_FRONT_END_CLASS)
      .find(({ deviceId }) => deviceId === frame.deviceId);
    if (frontEnd === undefined) return;
    for (const packet of frame.packets) {
      const sound = packet.serviceIndex === frontEnd.serviceIndex ? soundOf(packet) : undefined;
      if (sound !== undefined) this.tell({ kind: "sound", sound });
    }
  }

  private async poll(): Promise<void> {
    if (this.polling) return;
    this.polling = true;
    this.polls++;
    try {
      if (this.port.losses !== this.losses) {
        this.losses = this.port.losses;
        this.tell({ kind: "losses", losses: this.losses });
      }
      if (!this.isWhoKnown) await this.askWho();
      await this.askVitals();
    } finally {
      this.polling = false;
    }
  }

  private async askWho(): Promise<void> {
    const manager = this.port.client.servicesOf(JD_CLASS_DEVICESCRIPT_MANAGER)[0];
    if (manager === undefined) return;
    const name = await this.read(manager, REGISTER_PROGRAM_NAME);
    const version = await this.read(manager, REGISTER_PROGRAM_VERSION);
    const hash = await this.read(manager, REGISTER_PROGRAM_SHA256);
    if (name === undefined || version === undefined || hash === undefined) return;
    this.isWhoKnown = true;
    const program = `${textOf(name)} ${textOf(version)}`.trim();
    const programHash = hash.toString("hex", 0, HASH_BYTES_SHOWN);
    this.tell({ kind: "who", who: { deviceId: manager.deviceId, program, programHash } });
  }

  private async askVitals(): Promise<void> {
    const service = this.port.client.servicesOf(RUNTIME_VITALS_CLASS)[0];
    if (service === undefined) {
      if (this.polls >= ANNOUNCED_POLLS) this.tell({ kind: "vitals", vitals: "untold" });
      return;
    }
    const heapBytes = numberOf(await this.read(service, REGISTER_HEAP_SIZE));
    const heapUsedBytes = numberOf(await this.read(service, REGISTER_HEAP_USED));
    const loadPerMille = numberOf(await this.read(service, REGISTER_LOAD));
    if (heapBytes === undefined || heapUsedBytes === undefined || loadPerMille === undefined) return;
    const block = this.tellsBlock ? await this.read(service, REGISTER_HEAP_FREE_BLOCK) : undefined;
    this.tellsBlock = block !== undefined; // it need not offer it, and is not asked again then
    const vitals = { heapBytes, heapUsedBytes, heapFreeBlockBytes: numberOf(block), loadPerMille };
    this.tell({ kind: "vitals", vitals });
  }

  /** @returns undefined when the badge does not answer now, as while its program starts, or is gone */
  private async read(service: JdService, register: number): Promise<Buffer | undefined> {
    try {
      return await this.port.client.readRegister(service, register, ANSWER_MS);
    } catch (cause) {
      if (cause instanceof JdTimeoutError || this.isGone) return undefined;
      throw cause;
    }
  }
}

function textOf(data: Buffer): string {
  const end = data.indexOf(0);
  return clean(data.subarray(0, Math.min(end < 0 ? data.length : end, TEXT_BYTES_MAX)).toString("utf8"));
}

/** @returns a register of 16 or 32 bits; undefined when it is neither */
function numberOf(data: Buffer | undefined): number | undefined {
  return data?.length === 2 || data?.length === 4 ? data.readUIntLE(0, data.length) : undefined;
}
