// What an ESP32-S3 does when it starts from flash: the ROM checks the bootloader, the bootloader the partition table and the program.
// The ROM heeds the bootloader's checksum only: where its digest is wrong, it says so and "attempts to boot anyway".
// https://docs.espressif.com/projects/esp-idf/en/stable/esp32s3/api-reference/system/app_image_format.html
import { createHash } from "node:crypto";

const MAGIC = 0xe9;
const HEADER_BYTES = 24;
const SEGMENT_HEADER_BYTES = 8;
const CHECKSUM_START = 0xef;
const CHECKSUM_ALIGN = 16;
const DIGEST_BYTES = 32;
const TABLE_ADDRESS = 0x8000;
const TABLE_BYTES = 0xc00;
const ROW_BYTES = 32;
const ROW_MAGIC = 0x50aa;
const DIGEST_ROW = 0xebeb;
const APP_ADDRESS = 0x10000;

/** @returns why the chip starts nothing; undefined when the program runs */
export function startFault(flash: Buffer): string | undefined {
  const bootloader = imageFault(flash, 0, false);
  const table = tableFault(flash);
  const app = imageFault(flash, APP_ADDRESS, true);
  if (bootloader !== undefined) return `bootloader: ${bootloader}`;
  if (table !== undefined) return `partition table: ${table}`;
  return app === undefined ? undefined : `program: ${app}`;
}

function imageFault(flash: Buffer, start: number, heedDigest: boolean): string | undefined {
  if (flash[start] !== MAGIC) return "no image";
  let at = start + HEADER_BYTES;
  let checksum = CHECKSUM_START;
  for (let segment = 0; segment < flash[start + 1]; segment++) {
    const lengthBytes = flash.readUInt32LE(at + 4);
    at += SEGMENT_HEADER_BYTES;
    if (lengthBytes > flash.length - at) return "a segment ends beyond the flash";
    for (const byte of flash.subarray(at, at + lengthBytes)) checksum ^= byte;
    at += lengthBytes;
  }
  at += CHECKSUM_ALIGN - ((at - start) % CHECKSUM_ALIGN); // the checksum is the last byte of its row
  if (flash[at - 1] !== checksum) return "wrong checksum";
  if (!heedDigest) return undefined;
  const digest = createHash("sha256").update(flash.subarray(start, at)).digest();
  return digest.equals(flash.subarray(at, at + DIGEST_BYTES)) ? undefined : "wrong digest";
}

function tableFault(flash: Buffer): string | undefined {
  for (let at = TABLE_ADDRESS; at < TABLE_ADDRESS + TABLE_BYTES; at += ROW_BYTES) {
    const magic = flash.readUInt16LE(at);
    if (magic === ROW_MAGIC) continue;
    if (magic !== DIGEST_ROW) return "no row with its digest";
    const digest = createHash("md5").update(flash.subarray(TABLE_ADDRESS, at)).digest();
    return digest.equals(flash.subarray(at + 16, at + 32)) ? undefined : "wrong digest";
  }
  return "it does not end";
}
