// Writes Opus packets of 20 ms into an Ogg file (RFC 7845 over RFC 3533). Ours because packets come ready-made from the badge
// and must go in untouched, at exact granule positions; the media toolkits that could do it bring an encoder's world along.

import { FRAME_MS } from "../../host";
import type { PlacedPacket } from "./conversation";

const SAMPLES_PER_PACKET = 960; // 20 ms at 48 kHz, in which Ogg Opus counts
const PACKETS_PER_PAGE = 50;
const FLAG_FIRST = 2;
const FLAG_LAST = 4;
const SEGMENTS_MAX = 255;

/** Samples at 48 kHz that a decoder drops at the start: the lookahead of libopus' encoder for voice, 6.5 ms. */
export const PRE_SKIP_SAMPLES = 312;

/** 20 ms of silence, mono, wideband CELT: TOC 23 << 3, then a range coder's state whose first flag says "silence". */
export const SILENCE_PACKET = Buffer.from([0xb8, 0xff, 0xfe]);

export interface OggOptions {
  /** Identifies the stream in the file. */
  serial: number;
  /** Rate of the recording before it was coded, Hz. */
  inputRateHz: number;
  /** User comments, such as `TITLE=...`. */
  comments: string[];
}

/** @returns the file of these packets, one after the other */
export function oggOpus(packets: Buffer[], options: OggOptions): Buffer {
  const { serial } = options;
  const pages: Buffer[] = [];
  const add = (body: Buffer[], granule: number, flags: number) =>
    pages.push(page(body, granule, flags, serial, pages.length));
  add([head(options.inputRateHz)], 0, FLAG_FIRST);
  add([tags(options.comments)], 0, 0);
  for (let from = 0; from < packets.length; from += PACKETS_PER_PAGE) {
    const to = Math.min(from + PACKETS_PER_PAGE, packets.length);
    add(packets.slice(from, to), to * SAMPLES_PER_PACKET, to === packets.length ? FLAG_LAST : 0);
  }
  return Buffer.concat(pages);
}

/** @returns packets without gaps in time: silence stands where nothing was kept, so that file time is conversation time */
export function fillGaps(packets: PlacedPacket[]): Buffer[] {
  const filled: Buffer[] = [];
  for (const { startMs, packet } of packets) {
    while (filled.length * FRAME_MS < startMs) filled.push(SILENCE_PACKET);
    filled.push(packet);
  }
  return filled;
}

/** Identification header, RFC 7845 section 5.1. */
function head(inputRateHz: number): Buffer {
  const bytes = Buffer.alloc(19);
  bytes.write("OpusHead", "latin1");
  bytes[8] = 1; // version
  bytes[9] = 1; // channels
  bytes.writeUInt16LE(PRE_SKIP_SAMPLES, 10);
  bytes.writeUInt32LE(inputRateHz, 12);
  return bytes; // output gain 0, mapping family 0
}

/** Comment header, RFC 7845 section 5.2. */
function tags(comments: string[]): Buffer {
  const parts: Buffer[] = [Buffer.from("OpusTags", "latin1"), ...lengthAndText("salestag")];
  parts.push(uint32(comments.length));
  for (const comment of comments) parts.push(...lengthAndText(comment));
  return Buffer.concat(parts);
}

function lengthAndText(text: string): Buffer[] {
  const bytes = Buffer.from(text, "utf8");
  return [uint32(bytes.length), bytes];
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** One page of whole packets, RFC 3533 section 6. */
function page(packets: Buffer[], granule: number, flags: number, serial: number, sequence: number): Buffer {
  const lacing: number[] = [];
  for (const { length } of packets) {
    for (let left = length; left >= 255; left -= 255) lacing.push(255);
    lacing.push(length % 255);
  }
  if (lacing.length > SEGMENTS_MAX)
    throw new RangeError(`an Ogg page holds ${SEGMENTS_MAX} segments, got ${lacing.length}`);
  const header = Buffer.alloc(27);
  header.write("OggS", "latin1");
  header[5] = flags;
  header.writeBigUInt64LE(BigInt(granule), 6);
  header.writeUInt32LE(serial, 14);
  header.writeUInt32LE(sequence, 18);
  header[26] = lacing.length;
  const bytes = Buffer.concat([header, Buffer.from(lacing), ...packets]);
  bytes.writeUInt32LE(crc(bytes), 22);
  return bytes;
}

const CRC_TABLE = Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value >>> 0;
});

/** CRC-32 of Ogg: polynomial 0x04C11DB7, nothing reflected, start and end at 0. */
function crc(bytes: Buffer): number {
  let value = 0;
  for (const byte of bytes) value = ((value << 8) ^ CRC_TABLE[(value >>> 24) ^ byte]) >>> 0;
  return value;
}
