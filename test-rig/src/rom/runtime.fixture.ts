// A file like the DeviceScript runtime for an ESP32-S3, with random bytes in the place of code: the real one is Microsoft's and is not
// in this repository. Bootloader, partition table and program have the form that a chip checks when it starts.
import { createHash } from "node:crypto";
import { bytesOf } from "@salestag/protocol/testing";

/** Type, subtype, address, length, name. */
type Row = [number, number, number, number, string];

export const RUNTIME_PARTITIONS: Row[] = [
  [0x8a, 0, 0x9000, 0x2000, "dcfg"],
  [1, 2, 0xb000, 0x4000, "nvs"],
  [1, 1, 0xf000, 0x1000, "phy_init"],
  [0, 0, 0x10000, 1728 * 1024, "factory"],
  [0x8a, 1, 0x1c0000, 256 * 1024, "fstor"],
];

const APP_BYTES = 300_000;

export interface RuntimeParts {
  seed?: number;
  /** 9 is an ESP32-S3. */
  chipId?: number;
  partitions?: Row[];
  appBytes?: number;
}

/** @returns a file that starts on the emulated chip, as far as its checks go */
export function fakeRuntime(parts: RuntimeParts = {}): Buffer {
  const { seed = 1, chipId = 9, partitions = RUNTIME_PARTITIONS, appBytes = APP_BYTES } = parts;
  const app = espImage(bytesOf(seed, appBytes), chipId);
  const file = Buffer.alloc(0x10000 + app.length, 0xff);
  espImage(bytesOf(seed + 1, 20_000), chipId).copy(file);
  partitionTable(partitions).copy(file, 0x8000);
  app.copy(file, 0x10000);
  return file;
}

/** An image of two segments. */
function espImage(code: Buffer, chipId: number): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0x1f0202e9); // magic, two segments, DIO, 2 MB at 80 MHz
  header.writeUInt32LE(0x40378000, 4);
  header.writeUInt16LE(chipId, 12);
  header[23] = 1; // a digest follows
  const half = Math.floor(code.length / 8) * 4;
  const segments = [code.subarray(0, half), code.subarray(half, 2 * half)];
  const bodies = segments.flatMap((segment, index) => {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(index === 0 ? 0x3fce3810 : 0x403cc700);
    head.writeUInt32LE(segment.length, 4);
    return [head, segment];
  });
  const body = Buffer.concat([header, ...bodies]);
  const row = Buffer.alloc(16 - (body.length % 16));
  row[row.length - 1] = Buffer.concat(segments).reduce((sum, byte) => sum ^ byte, 0xef);
  const image = Buffer.concat([body, row]);
  return Buffer.concat([image, createHash("sha256").update(image).digest()]);
}

function partitionTable(partitions: Row[]): Buffer {
  const rows = partitions.map(([type, subtype, address, lengthBytes, name]) => {
    const row = Buffer.alloc(32);
    row.writeUInt32LE(0x50aa | (type << 16) | (subtype << 24));
    row.writeUInt32LE(address, 4);
    row.writeUInt32LE(lengthBytes, 8);
    row.write(name, 12, "latin1");
    return row;
  });
  const digest = createHash("md5").update(Buffer.concat(rows)).digest();
  return Buffer.concat([...rows, Buffer.from("ebeb", "hex"), Buffer.alloc(14, 0xff), digest]);
}
