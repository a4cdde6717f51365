// A little reader of Ogg files (RFC 3533) for tests, written from the RFC alone and sharing nothing with the writer: the CRC goes
// bit by bit.

export interface OggPage {
  flags: number;
  granule: number;
  serial: number;
  sequence: number;
  lacing: number[];
  /** Packets that end on this page. */
  packets: Buffer[];
  crcFits: boolean;
}

/** @returns the pages of a file. @throws Error when it is not made of whole pages */
export function readOgg(file: Buffer): OggPage[] {
  const pages: OggPage[] = [];
  let unfinished: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    if (file.toString("latin1", at, at + 4) !== "OggS" || file[at + 4] !== 0)
      throw new Error(`no page of version 0 at byte ${at}`);
    const segments = file[at + 26];
    const lacing = [...file.subarray(at + 27, at + 27 + segments)];
    let end = at + 27 + segments;
    const packets: Buffer[] = [];
    for (const lengthBytes of lacing) {
      unfinished.push(file.subarray(end, end + lengthBytes));
      end += lengthBytes;
      if (lengthBytes === 255) continue;
      packets.push(Buffer.concat(unfinished));
      unfinished = [];
    }
    if (end > file.length) throw new Error(`page at byte ${at} is cut short`);
    const page = Buffer.from(file.subarray(at, end));
    page.fill(0, 22, 26);
    pages.push({
      flags: file[at + 5],
      granule: Number(file.readBigUInt64LE(at + 6)),
      serial: file.readUInt32LE(at + 14),
      sequence: file.readUInt32LE(at + 18),
      lacing,
      packets,
      crcFits: file.readUInt32LE(at + 22) === remainder(page),
    });
    at = end;
  }
  if (unfinished.length > 0) throw new Error("the last packet has no end");
  return pages;
}

/** @returns the remainder of the bytes, and 32 zero bits after them, by the polynomial 0x104C11DB7 */
function remainder(bytes: Buffer): number {
  let rest = 0;
  for (const byte of bytes)
    for (let bit = 7; bit >= 0; bit--) {
      const out = (rest >>> 31) ^ ((byte >> bit) & 1);
      rest = (rest << 1) >>> 0;
      if (out === 1) rest = (rest ^ 0x04c11db7) >>> 0;
    }
  return rest;
}
