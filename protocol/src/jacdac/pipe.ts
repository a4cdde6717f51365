// Jacdac pipes, after the Jacdac protocol reference ("Pipes"): numbered packets to a port of a device, for what fits into no single packet.
// Each frame asks to be acknowledged and is sent again until it is; the number drops what came twice. A packet's command is
//   port << 7 | metadata 0x40 | close 0x20 | counter modulo 32
// Neither end has timers of its own here: the client of which they are parts has the time.
import type { JacdacClient } from "./client";

/** The service index of every pipe packet. */
export const JD_INDEX_PIPE = 0x3e;

/** Ports are 1 to this. */
export const JD_PIPE_PORT_MAX = 511;

const PORT_SHIFT = 7;
const COUNTER_MASK = 0x1f;
const CLOSE_FLAG = 0x20;
const METADATA_FLAG = 0x40;

/** Most bytes that one stream may bring; lists of a device are a few KB. */
const COLLECTED_BYTES_MAX = 64 * 1024;
/** A device gives a stream up some 150 ms after the first try of a frame that stays unanswered; it is asked anew after this, then after twice as long. */
const STALL_MS = 400;

/** The receiving end of pipes: asks a device for a stream to a port of ours, and again on another port when it stops coming. */
export class PipeCollector {
  private data: Buffer[] = [];
  private bytes = 0;
  private counter = 0;
  private port = 0;
  private heardMs = 0;
  private stallMs = STALL_MS / 2;

  /**
   * @param ask sends the command that opens a stream, with its 12 bytes of argument
   * @param nextPort gives a port that no other stream has
   */
  constructor(
    private readonly deviceId: string,
    private readonly ask: (argument: Buffer) => void,
    private readonly nextPort: () => number,
  ) {}

  /** Begins, or begins anew: what came so far is forgotten. */
  open(nowMs: number): void {
    this.data = [];
    this.bytes = 0;
    this.counter = 0;
    this.port = this.nextPort();
    this.heardMs = nowMs;
    this.stallMs *= 2;
    const argument = Buffer.alloc(12);
    argument.write(this.deviceId, 0, 8, "hex");
    argument.writeUInt16LE(this.port, 8);
    this.ask(argument);
  }

  /** Begins anew when nothing has come for too long. */
  tick(nowMs: number): void {
    if (nowMs - this.heardMs >= this.stallMs) this.open(nowMs);
  }

  /**
   * Takes a packet that came to us.
   * @returns the data of each packet, once the stream is closed; an Error when it is too long; undefined while it goes on
   */
  take(command: number, data: Buffer, nowMs: number): Buffer[] | Error | undefined {
    if (command >> PORT_SHIFT !== this.port || (command & COUNTER_MASK) !== this.counter) return undefined;
    this.counter = (this.counter + 1) & COUNTER_MASK;
    this.heardMs = nowMs;
    if (data.length > 0 && (command & METADATA_FLAG) === 0) {
      this.bytes += data.length;
      this.data.push(Buffer.from(data));
    }
    if (this.bytes > COLLECTED_BYTES_MAX)
      return new RangeError(`a stream of more than ${COLLECTED_BYTES_MAX} bytes came from a device`);
    return (command & CLOSE_FLAG) !== 0 ? this.data : undefined;
  }
}

/** Sizes of a packet's data, each a multiple of 32 bytes because the runtime wants that of a program. */
const CHUNK_BYTES = [32, 64, 128, 224];
/** So many packets in a row that needed one try each: the next may be longer. */
const CLEAN_TO_GROW = 2;
/** A device acknowledges at once; a frame that is lost is worth waiting for this long. */
const ACK_PATIENCE = { timeoutMs: 5000, resendMs: 50 };

/**
 * Sends bytes to a port that a device has opened, and closes it. Begins with short packets and grows them as long as the line is good:
 * on a bad one only short frames arrive whole. Rejects with a JdTimeoutError.
 * @param onSent called with the bytes that the device has acknowledged so far
 */
export async function sendToPipe(
  client: JacdacClient,
  deviceId: string,
  port: number,
  bytes: Buffer,
  onSent: (sentBytes: number) => void = () => undefined,
): Promise<void> {
  let counter = 0;
  const send = (flags: number, data: Buffer) => {
    const command = (port << PORT_SHIFT) | flags | (counter++ & COUNTER_MASK);
    return client.acknowledged({ deviceId, serviceIndex: JD_INDEX_PIPE }, command, data, ACK_PATIENCE);
  };
  let size = 0;
  let clean = 0;
  for (let at = 0; at < bytes.length; ) {
    const data = bytes.subarray(at, at + CHUNK_BYTES[size]);
    const tries = await send(0, data);
    at += data.length;
    onSent(at);
    clean = tries === 1 ? clean + 1 : 0;
    if (tries > 1) size = Math.max(0, size - (tries - 1));
    else if (clean % CLEAN_TO_GROW === 0) size = Math.min(size + 1, CHUNK_BYTES.length - 1);
  }
  await send(CLOSE_FLAG, Buffer.alloc(0));
}
