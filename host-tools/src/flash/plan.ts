// What has to be written where, and in which order, so that a badge whose flashing was cut off never starts with half of it.
import { ExitCode, messageOf, ToolError } from "../errors";
import { makeStore, readStore, replaceProgram, StoreError, type StoreWrite } from "./fstor";
import type { Images } from "./images";
import { APP, BOARD, BOOT, SECTOR_BYTES, STORE, SYSTEM } from "./layout";

/** A piece of flash and what belongs there; both ends at the edge of a sector. */
export interface Piece {
  what: string;
  address: number;
  bytes: Buffer;
}

export interface Plan {
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

/**
 * The first sector is erased before anything else is written, and written after all else was verified. Cut off in between, the chip
 * finds no bootloader, starts nothing and so cannot touch the store whose settings are just being moved; cut off in the first sector
 * itself, the chip's own check of the bootloader (checksum and SHA-256 over all of it) fails with the same effect. Its download mode is
 * in ROM and always there.
 *
 * @param stored the store as it is on the badge, 256 KB
 * @throws ToolError when what is stored is no store, and `erase` does not say that it may go
 */
export function planFlash(images: Images, stored: Buffer, { erase, force }: Choices): Plan {
  const runtime = padded(images.runtime);
  const { writes, ...store } = planStore(images.program, stored, { erase, force });
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
    ...writes.map(({ what, offset, bytes }) => ({ what, address: STORE.address + offset, bytes })),
    piece("bootloader", 0, SECTOR_BYTES),
  ];
  return { pieces: pieces.flatMap(blocksOf), ...store };
}

function planStore(
  program: Buffer,
  stored: Buffer,
  { erase, force }: Choices,
): Omit<Plan, "pieces"> & { writes: StoreWrite[] } {
  const fresh = {
    writes: [{ what: "program", offset: 0, bytes: makeStore(program) }],
    settingsKept: 0,
    program: "new" as const,
  };
  if (erase) return fresh;
  try {
    const store = readStore(stored);
    if (store === undefined) return fresh;
    const settingsKept = store.settings.size;
    if (!force && store.program?.bytecode?.equals(program))
      return { writes: [], settingsKept, program: "same" };
    const was = store.program === undefined ? "new" : "replaced";
    return { writes: replaceProgram(store, program), settingsKept, program: was };
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause;
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
