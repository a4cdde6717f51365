// Writes runtime, board configuration and program into a badge, compares before and after, and goes on where an earlier run was cut off.
import { ExitCode, ToolError } from "@salestag/protocol/team";
import type { Chip } from "./chip";
import { md5 } from "./digest";
import type { Images } from "./images";
import { STORE } from "./layout";
import { type Choices, FIRST_SECTOR, type Piece, type Plan, planFlash, type Stored } from "./plan";

export interface FlashOptions extends Choices {
  chip: Chip;
  images: Images;
  /** Only find out what would be written. */
  dryRun: boolean;
  /** Called before and after each block that is written. */
  onProgress: (progress: Progress) => void;
}

export interface Progress {
  what: string;
  doneBytes: number;
  totalBytes: number;
}

export interface Flashed extends Omit<Plan, "pieces" | "prelude"> {
  /** Bytes that were written (with dryRun: would be), by what they are. */
  written: Record<string, number>;
  /** Bytes that were on the badge already. */
  skippedBytes: number;
}

/**
 * @returns what was done; nothing is written when everything is there already
 * @throws ToolError when the badge does not take it, or its settings cannot be kept
 */
export async function flashBadge({
  chip,
  images,
  erase,
  force,
  dryRun,
  onProgress,
}: FlashOptions): Promise<Flashed> {
  const { prelude, pieces, ...rest } = planFlash(images, await storedOn(chip, erase), { erase, force });
  const todo: Piece[] = [];
  for (const piece of pieces) if (force || !(await isThere(chip, piece))) todo.push(piece);
  const all = bytesOf(pieces);
  const result = { ...rest, written: sums(todo), skippedBytes: all - bytesOf(todo) };
  if (dryRun || todo.length === 0) return result;
  await writeAll(chip, { prelude, pieces, todo }, onProgress);
  return result;
}

async function storedOn(chip: Chip, erase: boolean): Promise<Stored> {
  const blank = Buffer.alloc(STORE.lengthBytes, 0xff);
  const cutOff = await isThere(chip, FIRST_SECTOR);
  if (erase || (await isThere(chip, { what: "store", address: STORE.address, bytes: blank })))
    return { image: blank, cutOff };
  return { image: await chip.read(STORE.address, STORE.lengthBytes), cutOff };
}

/** The order is the plan's; see there why. Every block was verified when write() is done with it, and all of them are once more. */
async function writeAll(
  chip: Chip,
  { prelude, pieces, todo }: Pick<Plan, "prelude" | "pieces"> & { todo: Piece[] },
  onProgress: FlashOptions["onProgress"],
): Promise<void> {
  const last = pieces[pieces.length - 1];
  const others = todo.filter((piece) => piece !== last);
  const totalBytes = bytesOf(others) + last.bytes.length;
  let doneBytes = 0;
  const write = async (piece: Piece) => {
    onProgress({ what: piece.what, doneBytes, totalBytes });
    await chip.write(piece.address, piece.bytes);
    doneBytes += piece.bytes.length;
    onProgress({ what: piece.what, doneBytes, totalBytes });
  };
  onProgress({ what: (others[0] ?? last).what, doneBytes, totalBytes });
  if (!(await isThere(chip, FIRST_SECTOR)))
    for (const { address, bytes } of [...prelude, FIRST_SECTOR]) await chip.write(address, bytes);
  for (const piece of others) await write(piece);
  for (const piece of pieces)
    if (piece !== last && !(await isThere(chip, piece)))
      throw new ToolError(
        ExitCode.Badge,
        `the flash at 0x${piece.address.toString(16)} does not keep what was written; the badge does not start. Run the same command again, and take another board if it stays so.`,
      );
  await write(last);
}

async function isThere(chip: Chip, { address, bytes }: Piece): Promise<boolean> {
  return (await chip.md5(address, bytes.length)) === md5(bytes);
}

function bytesOf(pieces: Piece[]): number {
  return pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

function sums(pieces: Piece[]): Record<string, number> {
  const result: Record<string, number> = {};
  for (const { what, bytes } of pieces) result[what] = (result[what] ?? 0) + bytes.length;
  return result;
}
