// SLIP (RFC 1055), as the ROM bootloader frames its packets.

const END = 0xc0;
const ESCAPE = 0xdb;
const ESCAPED_END = 0xdc;
const ESCAPED_ESCAPE = 0xdd;

/** @returns the packet between its two marks */
export function slipEncode(packet: Uint8Array): Buffer {
  const bytes = [END];
  for (const byte of packet)
    if (byte === END) bytes.push(ESCAPE, ESCAPED_END);
    else if (byte === ESCAPE) bytes.push(ESCAPE, ESCAPED_ESCAPE);
    else bytes.push(byte);
  bytes.push(END);
  return Buffer.from(bytes);
}

/** Takes packets out of a stream. */
export class SlipDecoder {
  private packet: number[] | undefined;
  private escaping = false;
  private noisy = false;

  /**
   * @param onPacket called with each packet that is not empty
   * @param onNoise called once for a run of bytes that are no part of a packet, and for a wrong escape; the packet it is in is dropped
   */
  constructor(
    private readonly bytesMax: number,
    private readonly onPacket: (packet: Buffer) => void,
    private readonly onNoise: (what: string) => void,
  ) {}

  push(bytes: Uint8Array): void {
    for (const byte of bytes) this.take(byte);
  }

  /** Forgets a packet that is half there. */
  reset(): void {
    this.packet = undefined;
    this.escaping = false;
  }

  private take(byte: number): void {
    if (byte === END) this.end();
    else if (this.packet === undefined) this.noise(`byte 0x${byte.toString(16)} outside of a packet`);
    else if (this.escaping) {
      this.escaping = false;
      if (byte === ESCAPED_END) this.packet.push(END);
      else if (byte === ESCAPED_ESCAPE) this.packet.push(ESCAPE);
      else this.drop(`escape of 0x${byte.toString(16)}`);
    } else if (byte === ESCAPE) this.escaping = true;
    else if (this.packet.length === this.bytesMax) this.drop(`a packet of more than ${this.bytesMax} bytes`);
    else this.packet.push(byte);
  }

  private noise(what: string): void {
    if (!this.noisy) this.onNoise(what);
    this.noisy = true;
  }

  private end(): void {
    this.noisy = false;
    const packet = this.packet;
    const cut = this.escaping;
    this.escaping = false;
    if (packet === undefined || packet.length === 0) {
      this.packet = []; // the mark of a beginning, or a second one
      return;
    }
    this.packet = undefined;
    if (cut) this.onNoise("a packet that ends in an escape");
    else this.onPacket(Buffer.from(packet));
  }

  private drop(what: string): void {
    this.packet = undefined;
    this.noise(what);
  }
}
