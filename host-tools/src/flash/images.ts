// The three things that make a badge run, as files: the DeviceScript runtime, the badge program, the board's configuration. Checked
// before anything is written, because what does not belong on the badge leaves it dark.
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { ExitCode, ToolError } from "@salestag/protocol/team";
import { PROGRAM_BYTES_MAX } from "./fstor";
import { APP, type Area, BOARD, PARTITION_TABLE_ADDRESS, STORE } from "./layout";

/** What goes onto a badge; checked. */
export interface Images {
  /** Flash from address 0 on. */
  runtime: Buffer;
  /** Bytecode. */
  program: Buffer;
  /** The board's DCFG block. */
  board: Buffer;
}

export type ImageName = keyof Images;

/** Longest file of each. */
export const IMAGE_BYTES_MAX: Record<ImageName, number> = {
  runtime: APP.address + APP.lengthBytes,
  program: PROGRAM_BYTES_MAX,
  board: BOARD.lengthBytes,
};

export const RUNTIME_SOURCE =
  "devicescript-esp32s3-esp32s3_bare-0x0.bin from the releases of github.com/microsoft/devicescript-esp32";

const IMAGE_MAGIC = 0xe9;
const CHIP_ID_OFFSET = 12;
const CHIP_ID_S3 = 9;
const IMAGE_HEADER_BYTES = 24;
const PARTITION_BYTES = 32;
const PARTITION_MAGIC = 0x50aa;
const PARTITIONS_MAX = 95;
const PROGRAM_MAGIC = Buffer.from("446576530a6e29f1", "hex");
const PROGRAM_ALIGN_BYTES = 32;
const BOARD_MAGIC = Buffer.from("444346470a9bb4ca", "hex");
const BOARD_HEADER_BYTES = 88;

/** @returns SHA-256, 64 hexadecimal digits */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Reads a file of limited size. @throws ToolError when it cannot be read or is longer */
export function readImage(path: string, what: string, bytesMax: number): Buffer {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile())
    throw new ToolError(ExitCode.Usage, `there is no file '${path}' for the ${what}; check the path.`);
  if (stat.size > bytesMax)
    throw new ToolError(
      ExitCode.Usage,
      `'${path}' has ${stat.size} bytes, more than a ${what} may have (${bytesMax}).`,
    );
  return readFileSync(path);
}

/** @throws ToolError when one of them does not belong on a badge */
export function checkImages(images: Images): Images {
  const wrong: [ImageName, string | undefined][] = [
    ["runtime", runtimeFault(images.runtime)],
    ["program", programFault(images.program)],
    ["board", boardFault(images.board)],
  ];
  for (const [name, fault] of wrong)
    if (fault !== undefined) throw new ToolError(ExitCode.Usage, `the ${name} cannot be used: ${fault}.`);
  return images;
}

function runtimeFault(runtime: Buffer): string | undefined {
  if (runtime.length > IMAGE_BYTES_MAX.runtime)
    return `it has ${runtime.length} bytes, more than the ${IMAGE_BYTES_MAX.runtime} before the store`;
  for (const [what, address] of [
    ["bootloader", 0],
    ["program of the chip", APP.address],
  ] as const) {
    if (runtime.length < address + IMAGE_HEADER_BYTES)
      return `it ends before its ${what}; take ${RUNTIME_SOURCE}`;
    if (runtime[address] !== IMAGE_MAGIC)
      return `at 0x${address.toString(16)} there is no ${what}; take ${RUNTIME_SOURCE}`;
    const chip = runtime.readUInt16LE(address + CHIP_ID_OFFSET);
    if (chip !== CHIP_ID_S3)
      return `its ${what} is for chip ${chip}, not for an ESP32-S3 (${CHIP_ID_S3}); take ${RUNTIME_SOURCE}`;
  }
  return partitionFault(runtime);
}

const PARTITIONS: { label: string; type: number; subtype: number; area: Area }[] = [
  { label: "dcfg", type: 0x8a, subtype: 0, area: BOARD },
  { label: "factory", type: 0, subtype: 0, area: APP },
  { label: "fstor", type: 0x8a, subtype: 1, area: STORE },
];

/** The runtime finds its store through this table: one that lies elsewhere would not see what this program writes. */
function partitionFault(runtime: Buffer): string | undefined {
  const found = new Map<string, string>();
  for (let index = 0; index < PARTITIONS_MAX; index++) {
    const at = PARTITION_TABLE_ADDRESS + index * PARTITION_BYTES;
    if (runtime.readUInt16LE(at) !== PARTITION_MAGIC) break;
    const label = runtime.toString("latin1", at + 12, at + 28).replace(/\0+$/, "");
    found.set(
      label,
      placeText(runtime[at + 2], runtime[at + 3], runtime.readUInt32LE(at + 4), runtime.readUInt32LE(at + 8)),
    );
  }
  for (const { label, type, subtype, area } of PARTITIONS) {
    const expected = placeText(type, subtype, area.address, area.lengthBytes);
    if (found.get(label) !== expected)
      return `its partition table has '${label}' at ${found.get(label) ?? "no place"}, not at ${expected}; another version of the runtime?`;
  }
  return undefined;
}

function placeText(type: number, subtype: number, address: number, lengthBytes: number): string {
  return `0x${address.toString(16)} (${lengthBytes} bytes, type ${type}/${subtype})`;
}

function programFault(program: Buffer): string | undefined {
  if (!program.subarray(0, PROGRAM_MAGIC.length).equals(PROGRAM_MAGIC))
    return "it does not begin like DeviceScript bytecode; take firmware/.devicescript/bin/bytecode.devs after 'npm run build'";
  if (program.length > PROGRAM_BYTES_MAX)
    return `it has ${program.length} bytes, more than ${PROGRAM_BYTES_MAX}`;
  if (program.length % PROGRAM_ALIGN_BYTES !== 0)
    return `its ${program.length} bytes are no multiple of ${PROGRAM_ALIGN_BYTES}; it is cut off`;
  return undefined;
}

function boardFault(board: Buffer): string | undefined {
  if (board.length < BOARD_HEADER_BYTES || !board.subarray(0, BOARD_MAGIC.length).equals(BOARD_MAGIC))
    return "it does not begin like a board's configuration; name a file *.board.json, or what 'devs dcfg' made of one";
  if (board.length > BOARD.lengthBytes) return `it has ${board.length} bytes, more than ${BOARD.lengthBytes}`;
  if (board.readUInt32LE(8) !== board.length)
    return `it says that it has ${board.readUInt32LE(8)} bytes, but it has ${board.length}`;
  return undefined;
}
