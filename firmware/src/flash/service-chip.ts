// The flash chip of a badge whose chip is on the Jacdac bus (services/flash-chip.md), one command at a time whoever asks.
import { Fiber, FlashChip as FlashRole, type Packet, sleep, suspend } from "@devicescript/core";
import type { FlashChip } from "./flash-chip";
import { numberAt, setNumber } from "./words";

const COMMAND_IDENTIFY = 0x80;
const COMMAND_READ = 0x81;
const COMMAND_PROGRAM = 0x82;
const COMMAND_ERASE = 0x83;
/** Most bytes of a read or a program in one packet. */
const PACKET_BYTES_MAX = 224;
/** An answer that takes longer does not come; an erasure of a worn sector takes 0.4 s. */
const REPLY_MS_MAX = 2000;
const BUSY_SLEEP_MS = 1;
const BIND_SLEEP_MS = 50;

/** @returns the chip on the bus; undefined when none shows up within `waitMs` */
export async function openServiceChip(waitMs: number): Promise<FlashChip | undefined> {
  const role = new FlashRole();
  for (let waitedMs = 0; !role.isBound; waitedMs += BIND_SLEEP_MS) {
    if (waitedMs >= waitMs) return undefined;
    await sleep(BIND_SLEEP_MS);
  }
  const chip = new ServiceChip(role);
  await chip.identify();
  return chip;
}

class ServiceChip implements FlashChip {
  sectors = 0;

  /** Who asks takes a ticket and waits until it is called: nobody is passed over. */
  private tickets = 0;
  private called = 0;
  private token = 0;
  private fiber: Fiber | undefined = undefined;
  private command = 0;
  private reply: Buffer | undefined = undefined;

  constructor(private readonly role: FlashRole) {
    const self = this; // DeviceScript has no `this` in arrow functions
    // A subscription keeps only the newest of several reports and starts a fiber for each: reports are taken where the runtime hands them over.
    const internals = role as unknown as { _report: { emit: (packet: Packet) => void } };
    internals._report = { emit: (packet) => self.reported(packet) };
  }

  async identify(): Promise<void> {
    const report = await this.ask(COMMAND_IDENTIFY, Buffer.alloc(1), 0);
    this.sectors = numberAt(report, 0, 4);
  }

  async read(address: number, lengthBytes: number): Promise<Buffer> {
    if (lengthBytes <= PACKET_BYTES_MAX) {
      const report = await this.readPiece(address, lengthBytes);
      return report.slice(1, report.length);
    }
    const bytes = Buffer.alloc(lengthBytes);
    for (let at = 0; at < lengthBytes; at += PACKET_BYTES_MAX) {
      const report = await this.readPiece(address + at, Math.min(PACKET_BYTES_MAX, lengthBytes - at));
      bytes.blitAt(at, report, 1, report.length - 1);
    }
    return bytes;
  }

  async program(address: number, bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; at += PACKET_BYTES_MAX) {
      const count = Math.min(PACKET_BYTES_MAX, bytes.length - at);
      const payload = Buffer.alloc(5 + count);
      setNumber(payload, 0, 4, address + at);
      payload.blitAt(5, bytes, at, count);
      await this.change(COMMAND_PROGRAM, payload);
    }
  }

  async erase(sector: number): Promise<void> {
    const payload = Buffer.alloc(5);
    setNumber(payload, 0, 4, sector);
    await this.change(COMMAND_ERASE, payload);
  }

  private async readPiece(address: number, lengthBytes: number): Promise<Buffer> {
    const payload = Buffer.alloc(6);
    setNumber(payload, 0, 4, address);
    payload[5] = lengthBytes;
    const report = await this.ask(COMMAND_READ, payload, 4);
    if (report.length !== 1 + lengthBytes)
      throw new Error(`the flash chip gave ${report.length - 1} of ${lengthBytes} bytes at ${address}`);
    return report;
  }

  private async change(command: number, payload: Buffer): Promise<void> {
    const report = await this.ask(command, payload, 4);
    if (report[1] !== 0)
      throw new Error(
        `the flash chip refused command ${command} at ${numberAt(payload, 0, 4)}, status ${report[1]}`,
      );
  }

  /** @param tokenAt place of the token in the payload */
  private async ask(command: number, payload: Buffer, tokenAt: number): Promise<Buffer> {
    const ticket = this.tickets++;
    while (this.called !== ticket) await sleep(BUSY_SLEEP_MS);
    try {
      this.token = (this.token + 1) & 255;
      payload[tokenAt] = this.token;
      this.command = command;
      this.fiber = Fiber.self();
      this.reply = undefined;
      await this.role.sendCommand(command, payload);
      if (this.reply === undefined) await suspend<boolean>(REPLY_MS_MAX);
      const report = this.reply as Buffer | undefined;
      if (report === undefined) throw new Error(`the flash chip does not answer command ${command}`);
      return report;
    } finally {
      this.fiber = undefined;
      this.called++;
    }
  }

  private reported(packet: Packet): void {
    const fiber = this.fiber;
    if (fiber === undefined || packet.serviceCommand !== this.command) return;
    const payload = packet.payload;
    if (payload[this.command === COMMAND_IDENTIFY ? 8 : 0] !== this.token) return;
    this.fiber = undefined;
    this.reply = payload;
    if (fiber.suspended) fiber.resume(true);
  }
}
