// The plaintext of an audio chunk: Opus packets of 20 ms and the gaps between them, as items of one byte of tag each.
//
//   first byte   TOC (RFC 6716 section 3.1) of the packets that follow
//   0x00..0xF9   a packet: the current TOC, then as many bytes of packet as the tag says
//   0xFD n       n frames without speech, n = 1..255
//   0xFE n       n frames lost before the badge's program
//   0xFF toc     the current TOC becomes `toc`
//
// Storing the TOC once for many packets pays for the length byte of each, so packets cost nothing beyond their own bytes.
import { FormatError } from "./errors";
import { CHUNK_FRAMES_MAX } from "./layout";

/** Why no packet was kept for a stretch of time. The value is the item's tag. */
export enum GapCause {
  Silence = 0xfd,
  Lost = 0xfe,
}

const TAG_TOC = 0xff;
const REST_BYTES_MAX = 0xf9;
const GAP_FRAMES_MAX = 255;
/** Bytes that may come before a packet's own: two gaps, a change of the TOC, the tag. A chunk's time holds no longer gaps. */
const BEFORE_PACKET_BYTES_MAX = 2 + 2 + 2 + 1;

/** Longest Opus packet that an item can hold, TOC included. */
export const OPUS_PACKET_BYTES_MAX = REST_BYTES_MAX + 1;

/** Packets or a gap at a place in the chunk's time. */
export type AudioItem =
  | { type: "packet"; atFrame: number; packet: Buffer }
  | { type: "gap"; atFrame: number; frames: number; cause: GapCause };

/** Collects the items of one chunk after the other in one buffer of fixed size. */
export class AudioPacker {
  /** Packets in the chunk so far. */
  packets = 0;
  /** Frames of 20 ms that the chunk spans so far, gaps included. */
  frames = 0;

  private readonly buffer: Buffer;
  private at = 0;
  private toc = -1;

  /** @param bytesMax longest plaintext of a chunk, at most CHUNK_PLAINTEXT_BYTES_MAX */
  constructor(bytesMax: number) {
    this.buffer = Buffer.alloc(bytesMax);
  }

  /** True when a packet of `packetBytes`, with a gap of each cause before it, still fits into the chunk's bytes and time. */
  fits(packetBytes: number): boolean {
    const bytes = this.at + BEFORE_PACKET_BYTES_MAX + packetBytes;
    return this.frames < CHUNK_FRAMES_MAX && bytes <= this.buffer.length;
  }

  /**
   * Adds one packet, `source[offset .. offset + packetBytes]`, that `fits`.
   * @throws RangeError for a packet of 0 or more than OPUS_PACKET_BYTES_MAX bytes
   */
  packet(source: Buffer, offset: number, packetBytes: number): void {
    if (packetBytes < 1 || packetBytes > OPUS_PACKET_BYTES_MAX)
      throw new RangeError(`Opus packet must be 1 to ${OPUS_PACKET_BYTES_MAX} bytes, got ${packetBytes}`);
    const toc = source[offset];
    if (this.toc < 0) this.buffer[this.at++] = toc;
    else if (toc !== this.toc) {
      this.buffer[this.at++] = TAG_TOC;
      this.buffer[this.at++] = toc;
    }
    this.toc = toc;
    this.buffer[this.at++] = packetBytes - 1;
    this.buffer.set(source.slice(offset + 1, offset + packetBytes), this.at);
    this.at += packetBytes - 1;
    this.packets++;
    this.frames++;
  }

  /** Adds a gap. A gap before the first packet has no place: the chunk starts at its first packet. */
  gap(frames: number, cause: GapCause): void {
    if (this.toc < 0) throw new RangeError("a chunk cannot start with a gap: start it at the next packet");
    let left = frames;
    while (left > 0) {
      const part = Math.min(left, GAP_FRAMES_MAX);
      this.buffer[this.at++] = cause;
      this.buffer[this.at++] = part;
      left -= part;
    }
    this.frames += frames;
  }

  /** Ends the chunk. @returns its plaintext; the packer is empty afterwards */
  take(): Buffer {
    const plaintext = this.buffer.slice(0, this.at);
    this.at = 0;
    this.toc = -1;
    this.packets = 0;
    this.frames = 0;
    return plaintext;
  }
}

/**
 * Reads the items of an audio chunk.
 * @throws FormatError for a tag of no meaning, an item that is cut short or more than CHUNK_FRAMES_MAX frames
 */
export function unpackAudio(plaintext: Buffer): AudioItem[] {
  const items: AudioItem[] = [];
  if (plaintext.length < 2) throw new FormatError(`audio chunk of ${plaintext.length} bytes holds no packet`);
  let toc = plaintext[0];
  let atFrame = 0;
  let at = 1;
  while (at < plaintext.length) {
    const tag = plaintext[at++];
    if (tag <= REST_BYTES_MAX) {
      if (at + tag > plaintext.length) throw new FormatError(`audio packet at frame ${atFrame} is cut short`);
      const packet = Buffer.alloc(1 + tag);
      packet[0] = toc;
      packet.set(plaintext.slice(at, at + tag), 1);
      at += tag;
      items.push({ type: "packet", atFrame, packet });
      atFrame++;
      continue;
    }
    if (at >= plaintext.length) throw new FormatError(`audio item at frame ${atFrame} is cut short`);
    const value = plaintext[at++];
    if (tag === TAG_TOC) {
      toc = value;
      continue;
    }
    if (tag !== GapCause.Silence && tag !== GapCause.Lost)
      throw new FormatError(`audio item at frame ${atFrame} has the unknown tag ${tag}`);
    if (value === 0) throw new FormatError(`audio gap at frame ${atFrame} has no frames`);
    items.push({ type: "gap", atFrame, frames: value, cause: tag });
    atFrame += value;
  }
  if (atFrame > CHUNK_FRAMES_MAX)
    throw new FormatError(`audio chunk spans ${atFrame} frames, at most ${CHUNK_FRAMES_MAX} are allowed`);
  return items;
}
