// Reading flash as the stub does it: packets, of which the host acknowledges each by the number of bytes it has, then their MD5.
import { createHash } from "node:crypto";

const ACKNOWLEDGEMENT_BYTES = 4;

export class FlashReader {
  private sent = 0;
  private done = false;

  constructor(
    private readonly bytes: Buffer,
    private readonly packetBytes: number,
    private readonly packetsMax: number,
    private readonly send: (packet: Buffer) => void,
  ) {
    this.advance(0);
  }

  /** @returns true when everything was sent and acknowledged, or the host gave up */
  acknowledge(packet: Buffer): boolean {
    if (packet.length !== ACKNOWLEDGEMENT_BYTES) return true;
    this.advance(packet.readUInt32LE(0));
    return this.done;
  }

  private advance(acknowledged: number): void {
    while (this.sent < this.bytes.length && this.sent - acknowledged < this.packetsMax * this.packetBytes) {
      const packet = this.bytes.subarray(this.sent, this.sent + this.packetBytes);
      this.sent += packet.length;
      this.send(packet);
    }
    if (acknowledged < this.bytes.length || this.done) return;
    this.done = true;
    this.send(createHash("md5").update(this.bytes).digest());
  }
}
