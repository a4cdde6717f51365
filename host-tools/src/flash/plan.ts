// What has to be written where, and in which order, so that a badge whose flashing was cut off never starts with half of it.
import { ExitCode, messageOf, ToolError } from "@salestag/protocol/team";
import { makeStore, readStore, replaceProgram, type StoreChange, StoreError, type StoreWrite } from "./fstor";
import type { Images } from "./images";
import { APP, BOARD, BOOT, SECTOR_BYTES, STORE, SYSTEM } from "./layout";

/** A piece of flash and what belongs there; both ends at the edge of a sector. */
export interface Piece {
  what: string;
  address: number;
  bytes: Buffer;
}

export interface Plan {
  /** To be erased before anything else, while the badge can still start. */
  prelude: Piece[];
  /** In the order of writing. The last one is the sector without which the chip starts nothing. */
  pieces: Piece[];
  /** Settings that stay on the badge. */
  settingsKept: number;
  /** What became of the program that was there. */
  program: "new" | "replaced" | "same";
}

export interface Choices {
  /** Start with an empty store, and forget the radio's calibration too. */
  erase: boolean;
  /** Write also what is there already. */
  force: boolean;
}

/** Pieces are compared and written in blocks of at most this: what a pulled cable costs. */
const BLOCK_BYTES = 0x10000;
/** The sector with the head of the bootloader: while it is erased, the chip finds nothing that it could start. */
export const FIRST_SECTOR: Piece = {
  what: "bootloader",
  address: BOOT.address,
  bytes: Buffer.alloc(SECTOR_BYTES, 0xff),
};

/** What is on a badge. */
export interface Stored {
  /** Its store, 256 KB. */
  image: Buffer;
  /** Its first sector is erased: flashing was begun and not finished. */
  cutOff: boolean;
}

/**
 * The first sector is erased before anything else is written, and written after all else was verified. Cut off in between, the chip
 * finds no bootloader, starts nothing and so cannot touch the store whose settings are just being moved (replaceProgram() says why that
 * matters). Cut off in the first sector itself, the ROM refuses the bootloader by its checksum; should that be right by chance, what is
 * behind it is whole by then. The chip's download mode is in ROM and always there.
 *
 * @throws ToolError when what is stored is no store, and `erase` does not say that it may go
 */
export function planFlash(images: Images, stored: Stored, { erase, force }: Choices): Plan {
  const runtime = padded(images.runtime);
  const { change, ...rest } = planStore(images.program, stored, { erase, force });
  const piece = (what: string, from: number, to: number): Piece => ({
    what,
    address: from,
    bytes: runtime.subarray(from, to),
  });
  const pieces: Piece[] = [
    piece("runtime", APP.address, runtime.length),
    piece("bootloader", SECTOR_BYTES, BOOT.address + BOOT.lengthBytes),
    { what: "board", address: BOARD.address, bytes: padded(images.board, BOARD.lengthBytes) },
    ...(erase
      ? [{ what: "calibration", address: SYSTEM.address, bytes: Buffer.alloc(SYSTEM.lengthBytes, 0xff) }]
      : []),
    ...(change?.writes ?? []).map(inStore),
    piece("bootloader", 0, SECTOR_BYTES),
  ];
  const prelude = change?.prelude === undefined ? [] : [inStore(change.prelude)];
  return { prelude, pieces: pieces.flatMap(blocksOf), ...rest };
}

function inStore({ what, offset, bytes }: StoreWrite): Piece {
  return { what, address: STORE.address + offset, bytes };
}

type StorePlan = Omit<Plan, "pieces" | "prelude"> & { change?: Partial<StoreChange> };

function planStore(program: Buffer, stored: Stored, { erase, force }: Choices): StorePlan {
  const whole = { what: "program", offset: 0, bytes: makeStore(program) };
  const fresh: StorePlan = { change: { writes: [whole] }, settingsKept: 0, program: "new" };
  if (erase) return fresh;
  try {
    const store = readStore(stored.image, stored.cutOff);
    const settingsKept = store?.settings.size ?? 0;
    if (store === undefined || (stored.cutOff && settingsKept === 0)) return fresh;
    // After an interruption the newer bank may be half there: it is written again.
    if (!force && !stored.cutOff && store.program?.bytecode?.equals(program))
      return { settingsKept, program: "same" };
    const was = store.program === undefined ? "new" : "replaced";
    return { change: replaceProgram(store, program), settingsKept, program: was };
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause;
    // Where settings were, one bank would be whole: what was cut off is the first flashing of a blank board.
    if (stored.cutOff) return fresh;
    throw new ToolError(
      ExitCode.Damaged,
      `what the badge has stored cannot be kept: ${messageOf(cause)}. Add --erase to write it anew; the badge is then to be provisioned again.`,
      { cause },
    );
  }
}

function padded(bytes: Buffer, lengthBytes = Math.ceil(bytes.length / SECTOR_BYTES) * SECTOR_BYTES): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(lengthBytes - bytes.length, 0xff)]);
}

/** Blocks end at multiples of BLOCK_BYTES in flash, so that they are the same ones in every run. */
function blocksOf({ what, address, bytes }: Piece): Piece[] {
  const blocks: Piece[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(bytes.length - at, BLOCK_BYTES - ((address + at) % BLOCK_BYTES));
    blocks.push({ what, address: address + at, bytes: bytes.subarray(at, at + length) });
    at += length;
  }
  return blocks;
}
