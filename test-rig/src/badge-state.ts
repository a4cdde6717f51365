// What an emulated badge keeps while it is switched off: its hardware id, the runtime's flash and its flash chip, in a folder that only its owner
// may read, since they hold the badge's keys. The chip's file is sparse: its bytes are stored inverted, so that what is blank takes no room.
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { NorFlash } from "@salestag/firmware/nor-flash";
import { Random } from "./emulator/random";
import type { KnownNetwork } from "./emulator/wifi";
import { RigError } from "./errors";

export interface BadgeState {
  /** 16 hexadecimal digits. */
  deviceId: string;
  /** The runtime's own: settings and program. Empty for a badge that was never switched on. */
  flash: Buffer;
  /** The Wi-Fi network that the runtime keeps. */
  wifi?: KnownNetwork;
  /** The chip with the outbox. */
  chip: NorFlash;
}

/** Sectors of 4 KB: 64 MB, as on the board. */
export const CHIP_SECTORS = 16384;
const SECTOR_BYTES = 4096;
const FILE = "badge.json";
const CHIP_FILE = "chip.bin";
const CHIP_SEED = 1;

/**
 * Makes a hardware id for an emulated badge. Its fourth byte is below 0x80: the runtime's module for computers takes the id as two signed words, and
 * with a higher one there it calls itself something else on the bus.
 * @param bytes 8, random
 * @returns 16 hexadecimal digits
 */
export function hardwareIdOf(bytes: Buffer): string {
  const id = Buffer.from(bytes);
  id[3] &= 0x7f;
  return id.toString("hex");
}

/** @returns a badge that was never switched on */
export function newBadgeState(deviceId: string, chipSectors = CHIP_SECTORS): BadgeState {
  const random = new Random(CHIP_SEED);
  const chip = new NorFlash({ sectors: chipSectors, random: () => random.uint32() });
  return { deviceId, flash: Buffer.alloc(0), chip };
}

/**
 * Reads a badge's folder.
 * @throws RigError when there is none or it holds no badge
 */
export function loadBadgeState(folder: string): BadgeState {
  let text: string;
  try {
    text = readFileSync(join(folder, FILE), "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new RigError(
      `There is no emulated badge in '${folder}' (${code}): make one with 'rig badge --state ${folder}'.`,
    );
  }
  try {
    const { deviceId, flash, wifi } = JSON.parse(text) as Record<string, unknown>;
    if (typeof deviceId !== "string" || !/^[0-9a-f]{16}$/.test(deviceId)) throw new Error("no device id");
    if (typeof flash !== "string") throw new Error("no flash");
    const bytes = Buffer.from(flash, "base64");
    if (bytes.toString("base64") !== flash) throw new Error("flash is not base64");
    return { deviceId, flash: bytes, wifi: readWifi(wifi), chip: openChip(folder) };
  } catch (error) {
    const { message } = error as Error;
    throw new RigError(
      `'${join(folder, FILE)}' is not an emulated badge's state (${message}): remove it and provision a new badge.`,
    );
  }
}

function readWifi(value: unknown): KnownNetwork | undefined {
  if (value === undefined) return undefined;
  const { ssid, password } = (value ?? {}) as Record<string, unknown>;
  if (typeof ssid !== "string" || typeof password !== "string") throw new Error("no Wi-Fi network");
  return { ssid, password };
}

/** Keeps a badge in a folder, and its chip from now on at every change: a rig that is cut off must not bring back a key that was used. */
export function keepBadgeState(folder: string, state: BadgeState): void {
  saveBadgeState(folder, state);
  state.chip.onChange = openChip(folder).onChange;
}

/** @returns the chip in a folder's file, which is changed whenever the chip is */
function openChip(folder: string): NorFlash {
  const random = new Random(CHIP_SEED);
  const chip = new NorFlash({ sectors: CHIP_SECTORS, random: () => random.uint32() });
  const file = openSync(join(folder, CHIP_FILE), "a+", 0o600);
  closeSync(file);
  const handle = openSync(join(folder, CHIP_FILE), "r+");
  ftruncateSync(handle, CHIP_SECTORS * SECTOR_BYTES);
  const bytes = Buffer.alloc(SECTOR_BYTES);
  for (let sector = 0; sector < CHIP_SECTORS; sector++) {
    readSync(handle, bytes, 0, SECTOR_BYTES, sector * SECTOR_BYTES);
    if (bytes.some((byte) => byte !== 0)) chip.load(sector, inverted(bytes));
  }
  chip.onChange = (sector, content) => {
    const now = content === undefined ? Buffer.alloc(SECTOR_BYTES) : inverted(content);
    writeSync(handle, now, 0, SECTOR_BYTES, sector * SECTOR_BYTES);
  };
  return chip;
}

function inverted(bytes: Buffer): Buffer {
  return bytes.map((byte) => byte ^ 0xff) as Buffer;
}

/** Writes a badge's folder, whole or not at all; its chip only where the folder has none. */
export function saveBadgeState(folder: string, state: BadgeState): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const part = join(folder, `${FILE}.part`);
  const { deviceId, flash, wifi } = state;
  const text = JSON.stringify({ deviceId, flash: flash.toString("base64"), wifi });
  rmSync(part, { force: true }); // a file that exists would keep its mode
  writeFileSync(part, text, { mode: 0o600, flush: true });
  renameSync(part, join(folder, FILE));
  if (existsSync(join(folder, CHIP_FILE))) return;
  const kept = openChip(folder);
  for (const [sector, content] of state.chip.written()) kept.onChange(sector, content);
}
