// Every chunk's key and index seal one plaintext only: reads the frames that badges send, connection by connection, and compares chunks that
// were sent more than once.
import { createHash } from "node:crypto";
import { decodeChunkFrame, decodeChunkHeader, FrameType } from "@salestag/protocol";

const LENGTH_BYTES = 2;
const TYPE_BYTES = 1;
const MAC_BYTES = 8;
/** More are of no use. */
const WRONG_MAX = 5;

/** Watches what goes to the relay. */
export class SealedOnce {
  /** Sentences, one for each chunk that was sealed more than once in different ways. */
  readonly wrong: string[] = [];

  private readonly seen = new Map<string, string>();
  private readonly rests = new Map<number, Buffer>();

  /** Takes bytes of a connection, in order; frames may be cut anywhere. */
  bytes(connection: number, bytes: Buffer): void {
    let rest = Buffer.concat([this.rests.get(connection) ?? Buffer.alloc(0), bytes]);
    while (rest.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + rest.readUInt16BE(0);
      if (rest.length < end) break;
      if (rest[LENGTH_BYTES] === FrameType.Chunk)
        this.chunk(rest.subarray(LENGTH_BYTES + TYPE_BYTES, end - MAC_BYTES));
      rest = rest.subarray(end);
    }
    this.rests.set(connection, Buffer.from(rest));
  }

  private chunk(body: Buffer): void {
    const { header, sealed } = decodeChunkFrame(Buffer.from(body));
    const { badgeId, epoch, index } = decodeChunkHeader(header);
    const name = `${badgeId.toString("hex")} ${epoch}/${index}`;
    const sum = createHash("sha256").update(header).update(sealed).digest("hex");
    const before = this.seen.get(name);
    if (before !== undefined && before !== sum && this.wrong.length < WRONG_MAX)
      this.wrong.push(`chunk ${name} went out sealed in two ways: its key was used twice`);
    this.seen.set(name, before ?? sum);
  }
}
