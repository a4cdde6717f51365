// `salestag flash`: makes a blank board a badge, or brings a badge up to date, through the bootloader in the chip's ROM.

import { ExitCode, ToolError } from "@salestag/protocol/team";
import type { Command } from "commander";
import { readBoard } from "../flash/board-config";
import { readBundle } from "../flash/bundle";
import { openChip } from "../flash/chip";
import { type Flashed, flashBadge, type Progress } from "../flash/flash";
import {
  checkImages,
  IMAGE_BYTES_MAX,
  type Images,
  RUNTIME_SOURCE,
  readImage,
  sha256,
} from "../flash/images";
import { readTrust } from "../flash/signing";
import { jsonOr, type Output } from "./output";
import { whole } from "./values";

interface Flags {
  port: string;
  baud: number;
  bundle?: string;
  trust?: string;
  allowUnsigned: boolean;
  runtime?: string;
  runtimeSha256?: string;
  program?: string;
  board?: string;
  erase: boolean;
  force: boolean;
  dryRun: boolean;
  json: boolean;
}

const HELP = `
The badge must be in download mode: hold its BOOT button while you plug it in. What is there already is not written again, so
after an interruption the same command goes on where it was. Settings and keys of a provisioned badge stay, unless --erase.
The runtime is Microsoft's and not part of this project: ${RUNTIME_SOURCE}.

Examples:
  salestag flash --port /dev/ttyACM0 --bundle badge-1.4.0.stb --trust team-sign.key.pub
  salestag flash --port /dev/ttyACM0 --runtime devicescript-esp32s3-esp32s3_bare-0x0.bin --runtime-sha256 0123... \\
                 --program firmware/.devicescript/bin/bytecode.devs --board badge.board.json`;

const STARTS = "The badge starts now; if it stays dark, unplug it and plug it in again without BOOT.";
const STAYS = "Everything is written. Unplug the badge and plug it in again without BOOT.";

export function addFlash(parent: Command, output: Output): void {
  parent
    .command("flash")
    .description("Write runtime, program and board configuration into a badge over USB.")
    .requiredOption("--port <path>", "serial port of the badge, such as /dev/ttyACM0")
    .option("--bundle <file>", "everything in one file, as 'salestag bundle' makes it")
    .option("--trust <file>", "public key of who signs the team's bundles")
    .option("--allow-unsigned", "take a bundle that nobody signed", false)
    .option("--runtime <file>", "instead of a bundle: the runtime")
    .option("--runtime-sha256 <hex>", "what the runtime's SHA-256 must be")
    .option("--program <file>", "the badge program's bytecode")
    .option("--board <file>", "the board: *.board.json, or its binary form")
    .option("--baud <n>", "bits per second", whole, 921600)
    .option("--erase", "forget the badge's settings and keys", false)
    .option("--force", "write also what is there already", false)
    .option("--dry-run", "only say what would be written", false)
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", HELP)
    .action(async (flags: Flags) => {
      const { images, version } = await imagesOf(flags);
      const progress = progressOf(output);
      onInterrupt(progress);
      const flashed = await flashAt(flags, images, progress.show).finally(progress.end);
      jsonOr(
        output,
        flags.json,
        { port: flags.port, version, dryRun: flags.dryRun, ...flashed },
        linesOf(flashed, flags, version),
      );
      if (!flags.dryRun) output.notice(flashed.restarted ? STARTS : STAYS);
    });
}

async function imagesOf(flags: Flags): Promise<{ images: Images; version?: string }> {
  const { bundle, runtime, runtimeSha256, program, board } = flags;
  const files = [runtime, runtimeSha256, program, board];
  if (bundle !== undefined) {
    if (files.some((file) => file !== undefined))
      throw new ToolError(
        ExitCode.Usage,
        "--bundle holds everything; leave --runtime, --runtime-sha256, --program and --board out.",
      );
    return readBundle(bundle, readTrust(flags.trust, flags.allowUnsigned, process.env));
  }
  if (runtime === undefined || runtimeSha256 === undefined || program === undefined || board === undefined)
    throw new ToolError(
      ExitCode.Usage,
      `name a --bundle, or all of --runtime, --runtime-sha256, --program and --board; the runtime is ${RUNTIME_SOURCE}.`,
    );
  const images = await readImages({ runtime, program, board });
  checkDigest(images.runtime, runtimeSha256);
  return { images };
}

/** @throws ToolError when a file cannot be read or does not belong on a badge */
export async function readImages(files: {
  runtime: string;
  program: string;
  board: string;
}): Promise<Images> {
  return checkImages({
    runtime: readImage(files.runtime, "runtime", IMAGE_BYTES_MAX.runtime),
    program: readImage(files.program, "program", IMAGE_BYTES_MAX.program),
    board: await readBoard(files.board),
  });
}

/** @throws ToolError when it is another runtime than the one that the user means */
export function checkDigest(runtime: Buffer, expected: string): void {
  if (!/^[0-9a-f]{64}$/i.test(expected))
    throw new ToolError(
      ExitCode.Usage,
      "--runtime-sha256 takes 64 hexadecimal digits, as sha256sum prints them.",
    );
  const found = sha256(runtime);
  if (found !== expected.toLowerCase())
    throw new ToolError(
      ExitCode.Damaged,
      `the runtime is another than the one you named: its SHA-256 begins with ${found.slice(0, 16)}, not with ${expected.slice(0, 16)}; fetch it again.`,
    );
}

async function flashAt(
  flags: Flags,
  images: Images,
  onProgress: (progress: Progress) => void,
): Promise<Flashed & { restarted: boolean }> {
  const chip = await openChip(flags.port, flags.baud);
  try {
    const { erase, force, dryRun } = flags;
    const flashed = await flashBadge({ chip, images, erase, force, dryRun, onProgress });
    return { ...flashed, restarted: !dryRun && (await chip.restart()) };
  } finally {
    await chip.close();
  }
}

function linesOf(flashed: Flashed, { dryRun, erase }: Flags, version?: string): string[] {
  const { written, skippedBytes, settingsKept, program } = flashed;
  const parts = Object.entries(written).map(([what, bytes]) => `${what} ${kilobytes(bytes)}`);
  return [
    ...(version === undefined ? [] : [`version   ${version}`]),
    `${dryRun ? "to write " : "written  "} ${parts.join(", ") || "nothing"}`,
    `skipped   ${kilobytes(skippedBytes)} that were there already`,
    `program   ${program}`,
    `settings  ${erase ? "erased" : settingsKept === 0 ? "none were there" : `${settingsKept} kept`}`,
  ];
}

function kilobytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024)} KB`;
}

interface ProgressLine {
  show: (progress: Progress) => void;
  end: () => void;
  /** True when a block was begun. */
  begun: () => boolean;
}

/** One line that is drawn again on a terminal; elsewhere a notice at each new part. */
function progressOf(output: Output): ProgressLine {
  const terminal = process.stderr.isTTY === true;
  let said: string | undefined;
  return {
    show: ({ what, doneBytes, totalBytes }) => {
      const line = `${Math.floor((100 * doneBytes) / totalBytes)}%  ${kilobytes(doneBytes)} of ${kilobytes(totalBytes)}  ${what}`;
      if (terminal) process.stderr.write(`\r\x1b[K${line}`);
      else if (said !== what) output.notice(line);
      said = what;
    },
    end: () => {
      if (terminal && said !== undefined) process.stderr.write("\r\x1b[K");
    },
    begun: () => said !== undefined,
  };
}

/** Nothing has to be put right: the chip waits in its bootloader, and what was written counts. */
function onInterrupt(progress: ProgressLine): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      progress.end();
      const state = progress.begun()
        ? "the badge does not start until it is flashed to the end; run the same command again"
        : "nothing was written";
      process.stderr.write(`salestag: interrupted: ${state}.\n`);
      process.exit(ExitCode.Badge);
    });
}
