// What tests of flashing share: files in a folder, `salestag flash` as a process at an emulated chip, a badge's state to lose.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Images, makeStore, readStore, replaceProgram } from "@salestag/host-tools";
import { bytesOf } from "@salestag/protocol/testing";
import type { EmulatedBootloader } from "./bootloader";
import { fakeRuntime, type RuntimeParts } from "./runtime.fixture";

const PROGRAM_FILE = fileURLToPath(
  new URL("../../../firmware/.devicescript/bin/bytecode.devs", import.meta.url),
);
const SALESTAG = fileURLToPath(new URL("../../../host-tools/bin/salestag.mjs", import.meta.url));
export const STORE_ADDRESS = 0x1c0000;
export const STORE_BYTES = 0x40000;

/** An empty board configuration in the runtime's form. */
function emptyBoard(): Buffer {
  const board = Buffer.alloc(88);
  board.write("444346470a9bb4ca", "hex");
  board.writeUInt32LE(board.length, 8);
  return board;
}

/** The badge program as it was built, and a runtime that passes for one. */
export function imagesFor(runtime: RuntimeParts = {}): Images {
  return { runtime: fakeRuntime(runtime), program: readFileSync(PROGRAM_FILE), board: emptyBoard() };
}

/** What a badge was provisioned with, as the runtime stores it. */
export const SETTINGS = new Map([
  [":badge", Buffer.from('"0123456789abcdef"')],
  [":authKey", Buffer.from(JSON.stringify(bytesOf(1, 32).toString("hex")))],
  [":chain", Buffer.from(JSON.stringify({ n: 0, k: bytesOf(2, 32).toString("hex") }))],
  [":relay", Buffer.from('"tcp://127.0.0.1:7788"')],
  ["wifi_ssid", Buffer.from("Office")],
  ...Array.from({ length: 12 }, (_, i) => [`:phrase${i}`, bytesOf(40 + i, 180)] as const),
]);

/** @returns a store of a badge that ran an older program; both banks are in use */
export function provisionedStore(): Buffer {
  const older = Buffer.concat([Buffer.from("446576530a6e29f1", "hex"), bytesOf(7, 50_000 - 8 + 16)]);
  const image = makeStore(older);
  for (const settings of [new Map([[":badge", Buffer.from('"stale"')]]), SETTINGS]) {
    const { prelude, writes } = replaceProgram({ ...readStore(image)!, settings }, older);
    for (const { offset, bytes } of [prelude, ...writes]) bytes.copy(image, offset);
  }
  return image;
}

let badge: { runtime: Buffer; store: Buffer } | undefined;

/** Puts a provisioned badge's flash into a chip: an older runtime, and settings. */
export function loadBadge(chip: EmulatedBootloader): void {
  badge ??= { runtime: fakeRuntime({ seed: 77, appBytes: 100_000 }), store: provisionedStore() };
  chip.load(0, badge.runtime);
  chip.load(STORE_ADDRESS, badge.store);
}

export function storeOf(chip: EmulatedBootloader): Buffer {
  return chip.image().subarray(STORE_ADDRESS, STORE_ADDRESS + STORE_BYTES);
}

/** Writes the images into files. @returns the arguments that name them */
export function imageArguments(folder: string, images: Images): string[] {
  const path = (name: string) => join(folder, name);
  for (const name of ["runtime", "program", "board"] as const) writeFileSync(path(name), images[name]);
  const digest = createHash("sha256").update(images.runtime).digest("hex");
  return [
    ...["--runtime", path("runtime"), "--runtime-sha256", digest],
    ...["--program", path("program"), "--board", path("board")],
  ];
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A running `salestag`. */
export class Salestag {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;

  constructor(folder: string, args: string[]) {
    const env = { ...process.env, XDG_CONFIG_HOME: folder, NO_COLOR: "1" };
    this.child = spawn(process.execPath, [SALESTAG, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    this.ended = this.end();
  }

  private async end(): Promise<Ended> {
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      this.child[name]!.setEncoding("utf8").on("data", (text: string) => {
        output[name] += text;
      });
    const [code, signal] = (await once(this.child, "close")) as [number | null, NodeJS.Signals | null];
    return { code, signal, ...output };
  }
}
